import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import accessLog from '../../parsers/access-log.ts'
import { defaultMeshConfig } from '../../src/mesh/mesh-config.ts'
import { type StrictQuestion, strictReadiness } from '../../src/mesh/strict-readiness.ts'
import type { AccessLogRecord } from '../../src/model/access-log.ts'
import type { KubeObject } from '../../src/model/kube.ts'
import { hasShared, meshesFolder, readJson, readMaybeGzipped } from '../helpers/shared.ts'

const sidecar = { name: 'istio-proxy', args: ['proxy', 'sidecar'] }
const app = { name: 'app', ports: [{ containerPort: 8080 }] }

function object(
  kind: string,
  namespace: string,
  name: string,
  spec: object,
  metadata: object = {},
  status: object = {},
): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { namespace, name, ...metadata }, spec, status }
}
const inMesh = { app: 'api', 'security.istio.io/tlsMode': 'istio' }
const server = (spec: object = {}, metadata: object = {}) =>
  object(
    'Pod',
    'pay',
    'api-1',
    { containers: [app, sidecar], ...spec },
    { labels: inMesh, ...metadata },
    { podIP: '10.0.0.9' },
  )
const service = object('Service', 'pay', 'api', { selector: { app: 'api' }, ports: [{ port: 80, targetPort: 8080 }] })
const web = object(
  'Pod',
  'shop',
  'web-1',
  { containers: [app, sidecar] },
  { labels: { app: 'web', 'security.istio.io/tlsMode': 'istio' } },
  { podIP: '10.0.0.1' },
)
const batch = object('Pod', 'shop', 'batch-1', { containers: [app] }, {}, { podIP: '10.0.0.2' })

function line(remote: string, sni: string | null): AccessLogRecord {
  const text = `[2026-01-01T00:00:00.000Z] "GET /x HTTP/1.1" 200 - via_upstream - "-" 0 1 1 1 "-" "curl" "id" "api.pay" "10.0.0.9:8080" inbound|8080|| 127.0.0.6:1 10.0.0.9:8080 ${remote} ${sni ?? '-'} default`
  return recordsOf(text)[0]!
}

function recordsOf(text: string): AccessLogRecord[] {
  const parsed: any = accessLog.parse(text)
  const items: any[] = Array.isArray(parsed) ? parsed : (parsed.items ?? parsed.records ?? [])
  return items.flatMap((item) => ('upstreamCluster' in item ? [item] : item.record ? [item.record] : []))
}

function ask(more: Partial<StrictQuestion> = {}) {
  return strictReadiness({
    scope: { kind: 'namespace', namespace: 'pay' },
    pods: [server(), web],
    services: [service],
    policies: [],
    destinationRules: [],
    logs: [{ pod: 'pay/api-1', records: [line('10.0.0.1:40000', 'outbound_.80_._.api.pay.svc.cluster.local')] }],
    mesh: defaultMeshConfig,
    ...more,
  })
}

const rule = (spec: object) => object('DestinationRule', 'pay', 'api', { host: 'api', ...spec })

describe('who would break under STRICT', () => {
  test('nobody, when all callers were seen with mutual TLS', () => {
    expect(ask()).toEqual({ ready: true, findings: [], notObserved: [] })
  })

  test('without logs nobody is known to break, and the answer stays open', () => {
    expect(ask({ logs: [] })).toMatchObject({ ready: 'unknown', notObserved: ['pay/api-1'] })
    expect(ask({ pods: [web] }).ready).toBe('unknown')
  })

  test('a caller without proxy is possible until it was seen', () => {
    const quiet = ask({ pods: [server(), web, batch] })
    expect(quiet).toMatchObject({
      ready: 'unknown',
      findings: [{ subject: 'shop/batch-1', kind: 'caller-without-proxy', certainty: 'possible' }],
    })
    const seen = ask({
      pods: [server(), web, batch],
      logs: [{ pod: 'pay/api-1', records: [line('10.0.0.2:40000', null), line('10.0.0.2:40001', null)] }],
    })
    expect(seen.ready).toBe(false)
    expect(seen.findings).toContainEqual(
      expect.objectContaining({
        subject: 'shop/batch-1',
        kind: 'plaintext-seen',
        certainty: 'seen',
        why: expect.stringContaining('2 lines'),
      }),
    )
  })

  test('an address out of X-Forwarded-For is not taken for the caller', () => {
    const seen = ask({
      pods: [server(), web, batch],
      logs: [{ pod: 'pay/api-1', records: [line('10.0.0.2:0', null)] }],
    })
    expect(seen.findings.find(({ kind }) => kind === 'plaintext-seen')?.subject).toContain('X-Forwarded-For')
  })

  test.each<[string, Partial<StrictQuestion>, string, boolean | 'unknown']>([
    [
      'a DestinationRule with DISABLE',
      { destinationRules: [rule({ trafficPolicy: { tls: { mode: 'DISABLE' } } })] },
      'destination-rule',
      false,
    ],
    [
      '… with SIMPLE on one port',
      {
        destinationRules: [
          rule({ trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'SIMPLE' } }] } }),
        ],
      },
      'destination-rule',
      false,
    ],
    [
      '… with DISABLE in a subset',
      { destinationRules: [rule({ subsets: [{ name: 'v1', trafficPolicy: { tls: { mode: 'DISABLE' } } }] })] },
      'destination-rule',
      false,
    ],
    [
      '… for all hosts',
      { destinationRules: [rule({ host: '*.local', trafficPolicy: { tls: { mode: 'DISABLE' } } })] },
      'destination-rule',
      false,
    ],
    [
      'automatic mutual TLS is off',
      { destinationRules: [rule({})], mesh: { ...defaultMeshConfig, enableAutoMtls: false } },
      'destination-rule',
      false,
    ],
    [
      'a probe that asks the application',
      {
        pods: [
          server({ containers: [{ ...app, livenessProbe: { httpGet: { path: '/healthz', port: 8080 } } }, sidecar] }),
        ],
      },
      'probe-without-rewrite',
      false,
    ],
    [
      'a gRPC probe',
      { pods: [server({ containers: [{ ...app, readinessProbe: { grpc: { port: 8080 } } }, sidecar] })] },
      'probe-without-rewrite',
      false,
    ],
    [
      'a label that switches mutual TLS off',
      { pods: [server({}, { labels: { ...inMesh, 'security.istio.io/tlsMode': 'disabled' } })] },
      'tls-mode-label',
      false,
    ],
    [
      'excluded outbound ports',
      {
        pods: [
          server(),
          object(
            'Pod',
            'shop',
            'ax',
            { containers: [app, sidecar] },
            { annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '80,443' } },
          ),
        ],
      },
      'outbound-port-excluded',
      'unknown',
    ],
    [
      'a NodePort',
      { services: [object('Service', 'pay', 'api', { type: 'NodePort', selector: { app: 'api' }, ports: [] })] },
      'exposed-outside-the-mesh',
      'unknown',
    ],
  ])('%s', (_, more, kind, ready) => {
    const result = ask(more)
    expect(result.findings.map((finding) => finding.kind)).toContain(kind)
    expect(result.ready).toBe(ready)
    expect(result.findings.every(({ evidence }) => evidence.length > 0)).toBe(true)
  })

  test.each<[string, Partial<StrictQuestion>]>([
    [
      'a rewritten probe',
      {
        pods: [
          server({
            containers: [
              { ...app, livenessProbe: { httpGet: { path: '/app-health/app/livez', port: 15020 } } },
              sidecar,
            ],
          }),
        ],
      },
    ],
    [
      'a TCP probe',
      { pods: [server({ containers: [{ ...app, livenessProbe: { tcpSocket: { port: 8080 } } }, sidecar] })] },
    ],
    [
      'a DestinationRule with ISTIO_MUTUAL',
      { destinationRules: [rule({ trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } })] },
    ],
    [
      'a DestinationRule for another host',
      { destinationRules: [rule({ host: 'other', trafficPolicy: { tls: { mode: 'DISABLE' } } })] },
    ],
    [
      'a short host in another namespace',
      {
        destinationRules: [
          object('DestinationRule', 'shop', 'api', { host: 'api', trafficPolicy: { tls: { mode: 'DISABLE' } } }),
        ],
      },
    ],
    [
      'a host that only begins alike',
      { destinationRules: [rule({ host: 'api.pay2.svc.cluster.local', trafficPolicy: { tls: { mode: 'DISABLE' } } })] },
    ],
    [
      'ports excluded that no service in scope has',
      {
        pods: [
          server(),
          object(
            'Pod',
            'shop',
            'ax',
            { containers: [app, sidecar] },
            { annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '443' } },
          ),
        ],
      },
    ],
  ])('%s breaks nothing', (_, more) => {
    expect(ask(more)).toMatchObject({ ready: true, findings: [] })
  })
})

describe('what would stay open', () => {
  const peer = (spec: object): KubeObject => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { namespace: 'pay', name: 'api' },
    spec: { selector: { matchLabels: { app: 'api' } }, ...spec },
  })
  test.each<[string, Partial<StrictQuestion>, string]>([
    [
      'a server without proxy',
      { pods: [object('Pod', 'pay', 'old', { containers: [app] })], logs: [] },
      'server-without-proxy',
    ],
    [
      'excluded inbound ports',
      { pods: [server({}, { annotations: { 'traffic.sidecar.istio.io/excludeInboundPorts': '8080' } })] },
      'inbound-port-excluded',
    ],
    ['a more specific policy', { policies: [peer({ mtls: { mode: 'PERMISSIVE' } })] }, 'stays-open'],
    [
      'a port of a more specific policy',
      { policies: [peer({ mtls: { mode: 'STRICT' }, portLevelMtls: { 8080: { mode: 'DISABLE' } } })] },
      'stays-open',
    ],
  ])('%s', (_, more, kind) => {
    expect(ask(more).findings).toContainEqual(expect.objectContaining({ kind, effect: 'stays-open' }))
  })
  test('at the level of the workload its own policy is the one to change', () => {
    const result = ask({
      scope: { kind: 'workload', namespace: 'pay', labels: { app: 'api' } },
      policies: [peer({ mtls: { mode: 'PERMISSIVE' } })],
    })
    expect(result.findings).toEqual([])
  })
})

describe.skipIf(!hasShared)('captured meshes', () => {
  function question(name: string, namespace: string): StrictQuestion {
    const objects = (plural: string): KubeObject[] =>
      readJson(join(meshesFolder, name, 'objects', `${plural}.json`)).items
    const pods = objects('pods')
    const logs = pods
      .filter((pod) => pod.metadata.namespace === namespace)
      .map((pod) => {
        const path = join(meshesFolder, name, 'logs', namespace, pod.metadata.name, 'istio-proxy.log')
        const isThere = existsSync(path) || existsSync(`${path}.gz`)
        return { pod: `${namespace}/${pod.metadata.name}`, records: isThere ? recordsOf(readMaybeGzipped(path)) : [] }
      })
    return {
      scope: { kind: 'namespace', namespace },
      pods,
      services: objects('services'),
      policies: objects('peerauthentications.security.istio.io'),
      destinationRules: objects('destinationrules.networking.istio.io'),
      logs,
      mesh: defaultMeshConfig,
    }
  }
  test('in a migration, the caller without proxy is seen and the other one is not accused', () => {
    const { ready, findings } = strictReadiness(question('permissive-migration', 'pay'))
    const breaking = findings.filter(({ effect, certainty }) => effect === 'breaks' && certainty !== 'possible')
    expect(ready).toBe(false)
    expect(new Set(breaking.map(({ subject }) => subject.replace(/-[a-z0-9]+-[a-z0-9]+$/, '')))).toEqual(
      new Set(['shop/batch']),
    )
  })
  test('where STRICT holds already nothing that is certain speaks against it', () => {
    const { findings } = strictReadiness(question('healthy-strict', 'pay'))
    expect(findings.filter(({ certainty }) => certainty === 'seen')).toEqual([])
  })
})
