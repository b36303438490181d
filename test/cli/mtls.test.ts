import { describe, expect, test } from 'vitest'
import { effectiveMtls } from '../../src/mesh/effective-mtls.ts'
import { defaultMeshConfig } from '../../src/mesh/mesh-config.ts'
import type { KubeObject } from '../../src/model/kube.ts'
import { runCli } from '../helpers/cli.ts'
import { hasShared } from '../helpers/shared.ts'
import { captureEnv, readScenario } from '../helpers/walk-capture.ts'

async function mtls(capture: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await runCli(['mtls', '-o', 'json', ...argv], {
    env: captureEnv(capture, env),
    cwd: '/',
  })
  return { code, stderr, report: stdout === '' ? null : JSON.parse(stdout) }
}
const subjects = (entries: readonly { subject: string }[]) => [...new Set(entries.map(({ subject }) => subject))]

describe.skipIf(!hasShared)('mtls on captured meshes', () => {
  test.each([['svc/ledger.pay'], ['-n', 'pay']])('who would break under STRICT is named: %s %s', async (...target) => {
    const { expect: expected } = readScenario('permissive-migration') as unknown as {
      expect: { wouldBreakUnderStrict: string[] }
    }
    const { code, report } = await mtls('permissive-migration', [...target, '--strict-readiness'])
    expect(subjects(report.readiness.breaks)).toEqual(expected.wouldBreakUnderStrict)
    expect(report.readiness.ready).toBe(false)
    expect(report.summary).toContain('batch.shop')
    expect(code).toBe(79)
  })
  test('without logs nobody is seen, and the question stays open', async () => {
    const { code, report } = await mtls('permissive-migration', ['svc/ledger.pay', '--strict-readiness', '--no-logs'])
    expect(report.readiness.breaks).toEqual([])
    expect(subjects(report.readiness.mightBreak)).toContain('batch.shop')
    expect(report.readiness.notObserved.length).toBeGreaterThan(0)
    expect(code).toBe(80)
  })
  test('the name of a namespace is told to be one', async () => {
    const { code, stdout } = await runCli(['mtls', 'pay'], { env: captureEnv('healthy-strict'), cwd: '/' })
    expect(code).toBe(80)
    expect(stdout).toMatch(/^\? Nothing to tell/)
    expect(stdout.replace(/\s+/g, ' ')).toContain('pay is a namespace: meshtriage mtls -n pay')
  })
  test('the policy that wins is named with its level, per port', async () => {
    const { code, report } = await mtls('healthy-strict', ['svc/ledger.pay'])
    expect(code).toBe(0)
    expect(report.workloads.length).toBeGreaterThan(0)
    for (const { ports } of report.workloads) {
      expect(ports[0].accepts).toMatchObject({ mode: 'STRICT', level: 'mesh', winner: { kind: 'PeerAuthentication' } })
      expect(ports[0].services).toEqual(['ledger.pay:8080'])
    }
  })
  test('a caller that a DestinationRule makes send plaintext is told apart from the others', async () => {
    const { report } = await mtls('503-dr-disable-strict', ['svc/ledger.pay'])
    const failing = report.workloads[0].ports[0].sent.filter(({ outcome }: { outcome: string }) => outcome === 'fails')
    const byRule = failing.find(({ decidedBy }: { decidedBy: unknown }) => decidedBy !== null)
    expect(byRule).toMatchObject({ sends: 'plaintext', decidedBy: { kind: 'DestinationRule', name: 'ledger-tls' } })
    expect(byRule.callers).toContain('web.shop')
    expect(byRule.callers).not.toContain('orders.pay')
  })
  test.each([
    ['503-dr-disable-strict', 'deploy/web.shop', 79, 'broken'],
    ['healthy-strict', 'deploy/web.shop', 0, 'ok'],
    ['reset-strict-legacy', 'deploy/oldapp.legacy', 79, 'broken'],
    ['healthy-strict', 'deploy/nosuch.shop', 80, 'open'],
  ])('a pair in %s from %s exits %i', async (capture, from, exit, state) => {
    const { code, report } = await mtls(capture, ['--from', from, '--to', 'svc/ledger.pay:8080'])
    expect([code, report.link.state]).toEqual([exit, state])
  })
  test('a mode that a policy out of sight may set is not claimed', async () => {
    const { code, report } = await mtls('healthy-strict', ['-n', 'pay', '--no-logs'], { MESHBED_ONLY_NS: 'pay' })
    expect(code).toBe(80)
    expect(report.summary).toContain('unknown mode')
    expect(report.notRead.length).toBeGreaterThan(0)
  })
  test('with a policy of its own the namespace does not need the root', async () => {
    const { report } = await mtls('permissive-migration', ['-n', 'pay', '--no-logs'], { MESHBED_ONLY_NS: 'pay' })
    expect(report.summary).toContain('PERMISSIVE')
  })
})

describe('one question at a time', () => {
  test.each([
    [['--from', 'deploy/web.shop'], '--from and --to'],
    [['svc/a.b', '--from', 'deploy/c.d', '--to', 'svc/a.b'], 'two questions'],
    [['-A', '-n', 'x'], '-A'],
    [['--since', 'yesterday', 'svc/a.b'], '--since'],
  ])('%s', async (argv, words) => {
    const { code, stderr } = await runCli(['mtls', ...argv])
    expect(code).toBe(64)
    expect(stderr).toContain(words)
  })
})

describe('what callers send', () => {
  const pod = (
    namespace: string,
    name: string,
    extra: Partial<KubeObject['metadata']> = {},
    proxy = true,
  ): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace,
      name,
      ...extra,
      labels: { app: name, ...(proxy ? { 'security.istio.io/tlsMode': 'istio' } : {}), ...extra.labels },
    },
    spec: {
      containers: [
        { name: 'app', ports: [{ containerPort: 9000, name: 'web' }] },
        ...(proxy ? [{ name: 'istio-proxy', args: ['proxy', 'sidecar'] }] : []),
      ],
    },
    status: { podIP: '10.0.0.1', phase: 'Running' },
  })
  const service: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'b', name: 'api' },
    spec: { clusterIP: '10.9.0.1', selector: { app: 'api' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
  }
  const world = (pods: readonly KubeObject[]) => ({
    pods,
    services: [service],
    policies: [],
    rules: [],
    mesh: defaultMeshConfig,
    policiesRead: () => true,
  })
  const ask = (pods: readonly KubeObject[]) =>
    effectiveMtls(
      world(pods),
      ({ metadata }) => `${metadata.name}.${metadata.namespace}`,
      ({ metadata }) => metadata.name === 'api',
    )[0]

  test('an annotation takes a call past the caller’s own proxy', () => {
    const past = pod('a', 'past', { annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '80' } })
    const sent = ask([pod('b', 'api'), pod('a', 'usual'), past])?.ports[0]?.sent ?? []
    expect(sent.find(({ callers }) => callers.includes('past.a'))).toMatchObject({ sends: 'plaintext', outcome: 'ok' })
    expect(sent.find(({ callers }) => callers.includes('past.a'))?.why).toContain('excludeOutboundPorts')
    expect(sent.find(({ callers }) => callers.includes('usual.a'))?.sends).toBe('istio-mtls')
  })
  test('a named target port is found, and one the annotation excludes is marked', () => {
    const api = pod('b', 'api', { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '9000' } })
    const port = ask([api, pod('a', 'usual')])?.ports[0]
    expect(port).toMatchObject({ port: 9000, bypassedBy: 'traffic.sidecar.istio.io/excludeInboundPorts' })
    expect(port?.sent[0]?.outcome).toBe('fails')
  })
  test('pods that have ended call nobody', () => {
    const ended = { ...pod('a', 'job', {}, false), status: { phase: 'Succeeded' } }
    expect(ask([pod('b', 'api'), ended])?.ports[0]?.sent.flatMap(({ callers }) => callers)).toEqual(['api.b'])
  })
})
