import { describe, expect, test } from 'vitest'
import { effectiveBlock, selectDestinationRule } from '../../src/mesh/destination-rule.ts'
import type { KubeObject } from '../../src/model/kube.ts'

let age = 0
function rule(namespace: string, name: string, spec: object): KubeObject {
  age += 1
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name, namespace, creationTimestamp: `2026-01-01T00:00:${String(age % 60).padStart(2, '0')}Z` },
    spec: { host: 'web.srv.svc.cluster.local', ...spec },
  }
}
const service = { host: 'web.srv.svc.cluster.local', namespace: 'srv' }
const client = { namespace: 'shop', labels: { app: 'cart' } }
const mesh = { rootNamespace: 'istio-system' }
const names = (rules: KubeObject[], who = client) =>
  selectDestinationRule(rules, who, service, mesh)?.objects.map(({ metadata }) => metadata.name) ?? null

const tls = (mode: string) => ({ trafficPolicy: { tls: { mode } } })
const subset = (name: string, more: object = {}) => ({ name, labels: { version: name }, ...more })

describe('which rule counts', () => {
  test.each<[string, KubeObject[], string[] | null]>([
    ['nothing', [], null],
    ['the service’s namespace', [rule('srv', 'a', {})], ['a']],
    ['the client’s before the service’s', [rule('srv', 'a', {}), rule('shop', 'b', {})], ['b']],
    [
      'a wildcard of the client’s hides the exact one',
      [rule('srv', 'a', {}), rule('shop', 'b', { host: '*.local' })],
      ['b'],
    ],
    ['the root namespace last', [rule('istio-system', 'r', { host: '*.local' })], ['r']],
    ['the service’s before the root’s', [rule('istio-system', 'r', {}), rule('srv', 'a', {})], ['a']],
    ['another namespace never', [rule('other', 'x', {})], null],
    ['not exported', [rule('srv', 'a', { exportTo: ['.'] })], null],
    ['exported to the client', [rule('srv', 'a', { exportTo: ['shop'] })], ['a']],
    ['the client’s own, private', [rule('shop', 'a', { exportTo: ['.'] })], ['a']],
    ['exact before wildcard', [rule('srv', 'w', { host: '*.srv.svc.cluster.local' }), rule('srv', 'a', {})], ['a']],
    ['a short host in the service’s namespace', [rule('srv', 'a', { host: 'web' })], ['a']],
    ['a short host elsewhere', [rule('shop', 'a', { host: 'web' })], null],
    ['a half name is taken literally', [rule('srv', 'a', { host: 'web.srv' })], null],
    ['merged in order of age', [rule('srv', 'zz', {}), rule('srv', 'aa', {})], ['zz', 'aa']],
    [
      'a selector that matches',
      [rule('shop', 'a', {}), rule('shop', 's', { workloadSelector: { matchLabels: { app: 'cart' } } })],
      ['s'],
    ],
    [
      'a selector that does not',
      [rule('shop', 's', { workloadSelector: { matchLabels: { app: 'x' } } }), rule('srv', 'a', {})],
      null,
    ],
    [
      'a selector counts only at home',
      [rule('srv', 's', { workloadSelector: { matchLabels: { app: 'cart' } } })],
      null,
    ],
  ])('%s', (_, rules, expected) => expect(names(rules)).toEqual(expected))

  test('gateways ignore selectors', () => {
    const rules = [rule('shop', 's', { workloadSelector: { matchLabels: { app: 'cart' } } })]
    expect(names(rules, { ...client, gateway: true } as typeof client)).toBeNull()
  })
  test('proxies of the root namespace take its public rules last', () => {
    const rules = [rule('istio-system', 'r', { host: '*.local' }), rule('srv', 'a', {})]
    expect(names(rules, { namespace: 'istio-system', labels: { app: 'gw' } })).toEqual(['a'])
  })
  test('what does not count is named with a reason', () => {
    const rules = [rule('srv', 'a', { subsets: [subset('v1')] }), rule('shop', 'b', { host: '*.local' })]
    const selected = selectDestinationRule(rules, client, service, mesh)!
    expect(selected.hidden.map(({ object, why }) => [object.metadata.name, why])).toEqual([
      ['a', 'namespace shop has a rule for the host and comes first'],
    ])
  })
})

describe('merging', () => {
  test('subsets add up, the older of two equal names wins, so does the older policy', () => {
    const merged = selectDestinationRule(
      [
        rule('srv', 'zz', { ...tls('DISABLE'), subsets: [subset('v1'), subset('same', { labels: { from: 'zz' } })] }),
        rule('srv', 'aa', { ...tls('SIMPLE'), subsets: [subset('v2'), subset('same', { labels: { from: 'aa' } })] }),
      ],
      client,
      service,
      mesh,
    )!
    expect(merged.subsets.map(({ name }) => name)).toEqual(['v1', 'same', 'v2'])
    expect(merged.subsets[1]?.labels).toEqual({ from: 'zz' })
    expect(merged.duplicateSubsets.map(({ name, ignoredIn }) => [name, ignoredIn.metadata.name])).toEqual([
      ['same', 'aa'],
    ])
    expect(merged.policyFrom?.metadata.name).toBe('zz')
  })
  test('rules that are exported differently stay apart', () => {
    const rules = [rule('srv', 'a', { exportTo: ['other', 'shop'] }), rule('srv', 'b', { exportTo: ['shop'] })]
    expect(names(rules)).toEqual(['b'])
  })
})

describe('the block that counts for a port and subset', () => {
  const port = (number: number, more: object) => ({ portLevelSettings: [{ port: { number }, ...more }] })
  test.each<[string, object, string, string | null, string | null]>([
    ['top level', tls('SIMPLE'), '', 'SIMPLE', 'trafficPolicy.tls'],
    [
      'port over top',
      { trafficPolicy: { tls: { mode: 'SIMPLE' }, ...port(80, { tls: { mode: 'DISABLE' } }) } },
      '',
      'DISABLE',
      'trafficPolicy.portLevelSettings[80].tls',
    ],
    [
      'another port',
      { trafficPolicy: { tls: { mode: 'SIMPLE' }, ...port(81, { tls: { mode: 'DISABLE' } }) } },
      '',
      'SIMPLE',
      'trafficPolicy.tls',
    ],
    [
      'a port inherits nothing',
      { trafficPolicy: { tls: { mode: 'SIMPLE' }, ...port(80, { connectionPool: {} }) } },
      '',
      null,
      null,
    ],
    [
      'subset over top',
      { ...tls('SIMPLE'), subsets: [subset('v1', tls('DISABLE'))] },
      'v1',
      'DISABLE',
      'subsets[v1].trafficPolicy.tls',
    ],
    [
      'a subset without the block',
      { ...tls('SIMPLE'), subsets: [subset('v1', { trafficPolicy: { loadBalancer: {} } })] },
      'v1',
      'SIMPLE',
      'trafficPolicy.tls',
    ],
    [
      'a subset’s port inherits nothing',
      { ...tls('SIMPLE'), subsets: [subset('v1', { trafficPolicy: port(80, {}) })] },
      'v1',
      null,
      null,
    ],
    ['nothing', {}, '', null, null],
  ])('%s', (_, spec, subsetName, mode, field) => {
    const selected = selectDestinationRule([rule('srv', 'a', spec)], client, service, mesh)
    const block = effectiveBlock(selected, 'tls', 80, subsetName)
    expect(block?.value.mode ?? null).toBe(mode)
    expect(block?.field ?? null).toBe(field)
  })
})
