import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { peerAuth, peerAuthByPort } from '../../src/mesh/peer-auth.ts'
import type { Workload } from '../../src/mesh/workload.ts'
import type { KubeObject } from '../../src/model/kube.ts'
import { readJson, sharedFolder } from '../helpers/shared.ts'
import { meshOf, workloadOf } from './oracle-setup.ts'

const mesh = { rootNamespace: 'istio-system' }
const server: Workload = {
  name: 'api-1',
  namespace: 'pay',
  labels: { app: 'api' },
  serviceAccount: 'api',
  ip: null,
  proxy: 'sidecar',
  gatewayName: null,
}

function policy(
  namespace: string,
  mode: string | null,
  spec: object = {},
  name = 'p',
  creationTimestamp = '2026-01-01T00:00:00Z',
): KubeObject {
  const mtls = mode === null ? {} : { mtls: { mode } }
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name, namespace, creationTimestamp },
    spec: { ...mtls, ...spec },
  }
}
const root = (mode: string | null, spec: object = {}) => policy('istio-system', mode, spec, 'mesh')
const own = (mode: string | null, spec: object = {}) => policy('pay', mode, spec, 'namespace')
const selected = (mode: string | null, spec: object = {}) =>
  policy('pay', mode, { selector: { matchLabels: { app: 'api' } }, ...spec }, 'workload')
const ports = (modes: Record<string, string>) => ({
  portLevelMtls: Object.fromEntries(Object.entries(modes).map(([port, mode]) => [port, { mode }])),
})

describe('effective mode at a sidecar', () => {
  test.each<[string, KubeObject[], string, string, number?]>([
    ['nothing is PERMISSIVE', [], 'PERMISSIVE', 'default'],
    ['mesh', [root('STRICT')], 'STRICT', 'mesh'],
    ['namespace beats mesh', [root('STRICT'), own('DISABLE')], 'DISABLE', 'namespace'],
    ['workload beats namespace', [own('STRICT'), selected('PERMISSIVE')], 'PERMISSIVE', 'workload'],
    ['port beats workload', [selected('STRICT', ports({ 8080: 'DISABLE' }))], 'DISABLE', 'port', 8080],
    [
      'another port keeps the workload’s mode',
      [selected('STRICT', ports({ 9000: 'DISABLE' }))],
      'STRICT',
      'workload',
      8080,
    ],
    ['UNSET inherits', [root('STRICT'), own('UNSET')], 'STRICT', 'mesh'],
    ['missing mtls inherits', [root('STRICT'), own(null)], 'STRICT', 'mesh'],
    ['UNSET mesh is PERMISSIVE', [root('UNSET')], 'PERMISSIVE', 'default'],
    [
      'UNSET port inherits the workload’s mode',
      [selected('STRICT', ports({ 8080: 'UNSET' }))],
      'STRICT',
      'workload',
      8080,
    ],
    [
      'ports of an UNSET workload count',
      [root('STRICT'), selected('UNSET', ports({ 8080: 'DISABLE' }))],
      'DISABLE',
      'port',
      8080,
    ],
    [
      'a selector in the root namespace is ignored',
      [root('STRICT', { selector: { matchLabels: { app: 'api' } } })],
      'PERMISSIVE',
      'default',
    ],
    [
      'a selector that does not fit',
      [policy('pay', 'STRICT', { selector: { matchLabels: { app: 'x' } } })],
      'PERMISSIVE',
      'default',
    ],
    ['an empty selector means the namespace', [own('STRICT', { selector: {} })], 'STRICT', 'namespace'],
    ['ports without selector are ignored', [own('STRICT', ports({ 8080: 'DISABLE' }))], 'STRICT', 'namespace', 8080],
    ['another namespace', [policy('shop', 'STRICT')], 'PERMISSIVE', 'default'],
    [
      'the oldest of a level wins',
      [
        policy('pay', 'STRICT', {}, 'a', '2026-01-02T00:00:00Z'),
        policy('pay', 'DISABLE', {}, 'b', '2026-01-01T00:00:00Z'),
      ],
      'DISABLE',
      'namespace',
    ],
    [
      'of the same second, the first by name',
      [policy('pay', 'STRICT', {}, 'b'), policy('pay', 'DISABLE', {}, 'a')],
      'DISABLE',
      'namespace',
    ],
    [
      'losers are ignored even if the winner is UNSET',
      [policy('pay', 'STRICT', {}, 'b'), policy('pay', 'UNSET', {}, 'a')],
      'PERMISSIVE',
      'default',
    ],
  ])('%s', (_, policies, mode, level, port) => {
    expect(peerAuth(server, port ?? null, policies, mesh)).toMatchObject({ mode, level })
  })

  test('who won, who was beaten and why, and what is ignored', () => {
    const result = peerAuth(
      server,
      8080,
      [root('STRICT', ports({ 1: 'DISABLE' })), own('UNSET'), selected('DISABLE')],
      mesh,
    )
    expect(result.winner?.metadata.name).toBe('workload')
    expect(result.beaten.map(({ policy: name }) => name).sort()).toEqual(['istio-system/mesh', 'pay/namespace'])
    expect(result.ignored).toEqual([{ policy: 'istio-system/mesh', why: expect.stringContaining('portLevelMtls') }])
  })

  test('in the root namespace there is no namespace level beside the mesh’s', () => {
    const inRoot = { ...server, namespace: 'istio-system' }
    expect(peerAuth(inRoot, null, [root('STRICT')], mesh)).toMatchObject({ mode: 'STRICT', level: 'mesh' })
  })

  test('all ports at once', () => {
    const modes = peerAuthByPort(server, [8080, 9000], [selected('STRICT', ports({ 9000: 'PERMISSIVE' }))], mesh)
    expect([...modes].map(([port, { mode }]) => [port, mode])).toEqual([
      [null, 'STRICT'],
      [8080, 'STRICT'],
      [9000, 'PERMISSIVE'],
    ])
  })
})

describe('at ztunnel', () => {
  const pod: Workload = { ...server, proxy: 'ambient' }
  const fixed = 'istio-system/istio_converted_static_strict'
  const converted = 'pay/converted_peer_authentication_workload'
  test.each<[string, KubeObject[], number | null, boolean, string[]]>([
    ['nothing', [], null, false, []],
    ['mesh STRICT', [root('STRICT')], 8080, true, [fixed]],
    ['mesh STRICT with an empty selector does not count here', [root('STRICT', { selector: {} })], 8080, false, []],
    ['DISABLE is PERMISSIVE', [own('DISABLE')], 8080, false, []],
    ['namespace PERMISSIVE under mesh STRICT', [root('STRICT'), own('PERMISSIVE')], 8080, false, []],
    ['workload STRICT', [selected('STRICT')], 8080, true, [fixed]],
    ['an exempt port', [selected('STRICT', ports({ 8080: 'PERMISSIVE' }))], 8080, false, []],
    ['the other ports of an exemption', [selected('STRICT', ports({ 8080: 'PERMISSIVE' }))], 9000, true, [converted]],
    [
      'a STRICT port of a PERMISSIVE workload',
      [selected('PERMISSIVE', ports({ 8080: 'STRICT' }))],
      8080,
      true,
      [converted],
    ],
    ['its other ports', [selected('PERMISSIVE', ports({ 8080: 'STRICT' }))], 9000, false, []],
    [
      'an inherited STRICT with a DISABLE port stays strict there',
      [root('STRICT'), selected('UNSET', ports({ 8080: 'DISABLE' }))],
      8080,
      true,
      [fixed],
    ],
    [
      'an inherited STRICT with a PERMISSIVE port',
      [own('STRICT'), selected('UNSET', ports({ 8080: 'PERMISSIVE' }))],
      9000,
      true,
      [converted],
    ],
  ])('%s', (_, policies, port, refusesPlaintext, deniedBy) => {
    expect(peerAuth(pod, port, policies, mesh).ambient).toMatchObject({ refusesPlaintext, deniedBy, suspicion: null })
  })
  test.each([
    [
      'mesh STRICT, namespace UNSET, workload UNSET, PERMISSIVE port',
      [root('STRICT'), own('UNSET'), selected('UNSET', ports({ 8080: 'PERMISSIVE' }))],
    ],
    [
      'mesh STRICT, workload PERMISSIVE, STRICT port',
      [root('STRICT'), selected('PERMISSIVE', ports({ 8080: 'STRICT' }))],
    ],
  ])('a suspicion is named as such: %s', (_, policies) => {
    expect(peerAuth(pod, 9000, policies, mesh).ambient?.suspicion).toContain('unknown policy')
  })
  test('sidecars have no such part', () => {
    expect(peerAuth(server, null, [root('STRICT')], mesh).ambient).toBeNull()
  })
})

const folder = join(sharedFolder, 'oracle/handshake')
describe.skipIf(!existsSync(folder))('what a real mesh used', () => {
  test('the modes of the servers’ inbound listeners', () => {
    let compared = 0
    for (const file of readdirSync(folder)) {
      const set = readJson(join(folder, file))
      for (const [port, mode] of Object.entries<any>(set.effectiveModes ?? {})) {
        const modes: Record<string, string> = typeof mode === 'string' ? { [set.cases[0]?.server]: mode } : mode
        for (const [pod, expected] of Object.entries(modes)) {
          if (!set.workloads.pods[pod]) continue
          const found = peerAuth(workloadOf(set, pod), port === '*' ? null : Number(port), set.objects, meshOf(set))
          expect(found.mode, `${set.id} ${pod} ${port}`).toBe(expected)
          compared += 1
        }
      }
    }
    console.log(`modes compared: ${compared}`)
    expect(compared).toBeGreaterThan(0)
  })
})
