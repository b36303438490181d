import { describe, expect, test } from 'vitest'
import { add, change, without } from '../helpers/edit-objects.ts'
import { type Played, play } from '../helpers/play.ts'
import { type Edit, editJson, edits, editText, forbid } from '../helpers/session-fixtures.ts'

const host = 'ledger.pay.svc.cluster.local'
const object = (kind: string, namespace: string, name: string, spec: object, labels?: object) => ({
  apiVersion: `${/Policy|Authentication/.test(kind) ? 'security' : 'networking'}.istio.io/v1`,
  kind,
  metadata: { namespace, name, creationTimestamp: '2026-03-02T10:00:00Z', ...(labels ? { labels } : {}) },
  spec,
})
const route = (namespace: string, name: string, spec: object, labels?: object) =>
  object(
    'VirtualService',
    namespace,
    name,
    { hosts: [host], http: [{ route: [{ destination: { host } }] }], ...spec },
    labels,
  )

/** What the routes of all namespaces are, beside those of both ends. */
const routing = (...items: object[]): Edit => {
  const list = { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '' }, items }
  return (result, { args }) =>
    /^get virtualservices\S* -A /.test(args.join(' '))
      ? { exit: { kind: 'exited', code: 0 }, stdout: JSON.stringify(list), stderr: '', durationMs: 1 }
      : result
}

/** The recorded mesh with its fault taken away: what follows is the only thing that may be wrong. */
const sound = edits(
  without('VirtualService'),
  editText(/analyze -n shop/, () => '[]'),
  routing(),
)
const walk = (...more: Edit[]) => play('not-applied-gateway-only', { edit: edits(sound, ...more) })
function ending({ state }: Played): string {
  const causes = state.diagnosis?.causes.map(({ code, certainty }) => `${code} (${certainty})`) ?? []
  return `${state.diagnosis?.verdict}: ${causes.join(', ')}`
}
const says = async (...more: Edit[]) => ending(await walk(...more))

describe('a VirtualService that the caller does not see', () => {
  test('exportTo, a Sidecar, a short name of another namespace', async () => {
    expect(await says(add(route('pay', 'canary', { exportTo: ['.'] })))).toBe('cause: vs-not-on-mesh (proven)')
    expect(await says(add(route('shop', 'ledger', { hosts: ['ledger'] })))).toBe('cause: vs-not-on-mesh (proven)')
    const scope = object('Sidecar', 'shop', 'default', {
      egress: [{ hosts: ['./*', 'pay/orders.pay.svc.cluster.local'] }],
    })
    const scoped = await walk(add(route('pay', 'canary', {})), add(scope))
    expect(ending(scoped)).toBe('cause: vs-not-on-mesh (proven)')
    expect(scoped.state.diagnosis?.causes[0]?.fix.commands.join()).toContain('sidecars.networking.istio.io')
  })

  test('two obstacles are named together', async () => {
    const both = await walk(add(route('pay', 'canary', { exportTo: ['pay'], gateways: ['shop/edge'] })))
    expect(both.state.diagnosis?.causes[0]?.statement).toMatch(/without mesh, and its exportTo/)
  })

  test('several such objects: which of them was the change is not known', async () => {
    expect(
      await says(add(route('pay', 'a', { exportTo: ['.'] })), add(route('shop', 'b', { gateways: ['shop/edge'] }))),
    ).toBe('suspects: vs-not-on-mesh (likely), vs-not-on-mesh (likely)')
  })

  test('a gateway’s object for every host is none of this call; one that routes here is possible at most', async () => {
    expect(await says(add(route('shop', 'front', { hosts: ['*'], gateways: ['shop/edge'], http: [] })))).toBe('clean: ')
    expect(await says(add(route('shop', 'front', { hosts: ['shop.example.com'], gateways: ['shop/edge'] })))).toBe(
      'suspects: vs-not-on-mesh (possible)',
    )
  })
})

describe('a DestinationRule that does not count for the caller', () => {
  const bare = edits(
    without('DestinationRule'),
    editJson(/^istioctl proxy-config cluster web/, (list) =>
      list.flatMap((one: any) => {
        if (one.name?.includes('|v1|') || one.name?.includes('|v2|')) return []
        delete one.metadata?.filterMetadata?.istio?.config
        return one
      }),
    ),
  )
  const pool = { host, trafficPolicy: { connectionPool: { tcp: { maxConnections: 3 } } } }
  test('exportTo hides it, and its cluster carries no rule', async () => {
    const hidden = add(object('DestinationRule', 'pay', 'pool', { ...pool, exportTo: ['.'] }))
    expect(await says(bare, hidden)).toBe('cause: nc-scoped-out (proven)')
    expect(await says(bare, add(object('DestinationRule', 'pay', 'pool', pool)))).not.toContain('nc-scoped-out')
  })
})

describe('objects that istiod passes over', () => {
  test('a label of another revision counts where the object is about this call', async () => {
    const canary = { 'istio.io/rev': 'canary' }
    const labelled = add(route('pay', 'ledger', {}, canary))
    expect(await says(labelled)).toBe('cause: revision-or-discovery-filtered (proven)')
    // Without the webhooks canary may be a tag of the proxies' own revision.
    expect(await says(labelled, forbid(/mutatingwebhook/))).toBe('suspects: revision-or-discovery-filtered (likely)')
    const tag = change('MutatingWebhookConfiguration', /./, ({ metadata }) => {
      metadata.labels = { ...metadata.labels, 'istio.io/tag': 'canary', 'istio.io/rev': 'default' }
    })
    expect(await says(labelled, tag)).toBe('suspects: revision-or-discovery-filtered (possible)')
    const elsewhere = object(
      'AuthorizationPolicy',
      'pay',
      'o',
      { selector: { matchLabels: { app: 'orders' } } },
      canary,
    )
    expect(await says(add(elsewhere))).toBe('clean: ')
  })

  test('discoverySelectors that leave out the destination’s namespace', async () => {
    const selectors = editJson(/get configmap istio /, (map) => ({
      ...map,
      data: { ...map.data, mesh: `${map.data.mesh}\ndiscoverySelectors:\n- matchLabels: {mesh: "on"}\n` },
    }))
    const labelled = change('Namespace', /^shop$/, (namespace) => {
      namespace.metadata.labels.mesh = 'on'
    })
    const unknown = editJson(/^istioctl proxy-config cluster web/, (list) =>
      list.filter(({ name }: any) => !name?.includes('ledger.pay')),
    )
    const found = await walk(selectors, labelled, unknown, add(route('pay', 'ledger', {})))
    expect(found.outcome('revision-or-discovery-filtered')).toMatchObject({
      status: 'fired',
      hits: [{ certainty: 'proven' }],
    })
    // A proxy that has a cluster for it knows it, whatever the labels say.
    const held = await walk(selectors, labelled, add(route('pay', 'ledger', {})))
    expect(held.outcome('revision-or-discovery-filtered').status).toBe('quiet')
  })
})

describe('routes of other namespaces', () => {
  test('nobody may list them: then nothing is clean', async () => {
    expect(await says()).toBe('clean: ')
    const unread = await walk(forbid(/get virtualservices\S* -A /))
    expect(ending(unread)).toBe('inconclusive: ')
    expect(unread.state.diagnosis?.notChecked.map(({ what }) => what)).toContain(
      'routes and destination rules of all namespaces (mesh)',
    )
  })

  test('one lies in a namespace that discoverySelectors may leave out', async () => {
    const selectors = editJson(/get configmap istio /, (map) => ({
      ...map,
      data: { ...map.data, mesh: `${map.data.mesh}\ndiscoverySelectors:\n- matchLabels: {mesh: "on"}\n` },
    }))
    const labelled = change('Namespace', /./, ({ metadata }) => {
      metadata.labels.mesh = 'on'
    })
    expect(await says(selectors, labelled, routing(route('legacy', 'ledger', {})))).toBe(
      'suspects: revision-or-discovery-filtered (possible)',
    )
  })
})

describe('a route that an earlier one of its VirtualService hides', () => {
  const taken = editJson(/^istioctl proxy-config route web/, (tables) => {
    for (const { virtualHosts = [] } of tables)
      for (const { domains, routes } of virtualHosts)
        if (domains.includes(host))
          for (const one of routes)
            one.metadata = {
              filterMetadata: {
                istio: { config: '/apis/networking.istio.io/v1/namespaces/pay/virtual-service/ledger' },
              },
            }
    return tables
  })
  const to = (subset: string) => ({ route: [{ destination: { host, subset } }] })
  const old = to('v1')
  const next = { match: [{ uri: { prefix: '/next' } }], ...to('v2') }
  const ends = async (path: string | null, ...http: object[]) =>
    ending(
      await play('not-applied-gateway-only', {
        given: (given) => ({ ...given, path }),
        edit: edits(sound, taken, add(route('pay', 'ledger', { http }))),
      }),
    )
  test('behind one that takes everything', async () => {
    expect(await ends('/next/1', old, next)).toBe('cause: vs-path-match-or-order (proven)')
    expect(await ends(null, old, next)).toBe('suspects: vs-path-match-or-order (likely)')
  })

  test('in the right order, for another path, or with the same end it hides nothing', async () => {
    expect(await ends('/next/1', next, old)).toBe('clean: ')
    expect(await ends('/other', old, next)).toBe('clean: ')
    expect(await ends('/next/1', old, { ...next, ...old })).toBe('clean: ')
  })
})

describe('what is true and leaves this call alone', () => {
  const states = (proxy: string, types: RegExp, state: string) =>
    editJson(/^istioctl proxy-status/, (answer) => {
      for (const { node, genericXdsConfigs } of answer.resources)
        if (node.id.startsWith(proxy))
          for (const one of genericXdsConfigs) if (types.test(one.typeUrl)) one.configStatus = state
      return answer
    })

  test('routes and endpoints of the destination’s proxy are those of its own calls', async () => {
    const stale = await walk(states('ledger-v2', /Route|ClusterLoad/, 'STALE'))
    expect(ending(stale)).toBe('clean: ')
    expect(stale.state.diagnosis?.otherFindings.map(({ code }) => code)).toContain('proxy-stale-or-disconnected')
    expect(await says(states('ledger-v2', /Listener/, 'STALE'))).toBe('cause: proxy-stale-or-disconnected (proven)')
  })

  test('a rejected cluster of another host: the rule of that host is named, the EnvoyFilter beside it is not', async () => {
    const rejected = editText(
      /^kubectl logs istiod/,
      (text) =>
        `${text}\n2026-11-21T05:33:10.077841Z\twarn\tdelta\tADS:CDS: ACK ERROR web-8c495b54b-q859f.shop-26 Internal:Error adding/updating cluster(s) outbound|443||rates.example: Invalid path: /etc/certs/cert.pem\n`,
    )
    const filter = object('EnvoyFilter', 'istio-system', 'keepalive', {
      configPatches: [{ applyTo: 'CLUSTER', patch: { operation: 'MERGE', value: { name: 'x' } } }],
    })
    const rule = object('DestinationRule', 'shop', 'rates', { host: 'rates.example' })
    const found = await walk(states('web-', /Cluster$/, 'ERROR'), rejected, add(filter), add(rule))
    expect(ending(found)).toBe('suspects: proxy-nack-error (likely)')
    expect(found.state.diagnosis?.causes[0]?.title).toContain('DestinationRule shop/rates')
  })

  test('a policy for another workload that shares a label, or that has no pods now', async () => {
    const rules = [{ from: [{ source: { principals: ['cluster.local/ns/x/sa/y'] } }] }]
    const other = (name: string, matchLabels: object) =>
      add(object('AuthorizationPolicy', 'pay', name, { selector: { matchLabels }, rules }))
    expect(await says(other('orders', { app: 'orders', version: 'v1' }), other('nightly', { app: 'nightly' }))).toBe(
      'clean: ',
    )
    expect(await says(other('typo', { app: 'legder' }))).toBe('cause: authz-policy-not-selecting (proven)')
  })

  test('a RequestAuthentication beside a rule that may be what is meant', async () => {
    const tokens = add(object('RequestAuthentication', 'pay', 'jwt', { jwtRules: [{ issuer: 'https://idp.example' }] }))
    expect(await says(tokens)).toBe('suspects: request-auth-not-enforced (likely)')
    expect(await says(tokens, without('DestinationRule'))).toBe('cause: request-auth-not-enforced (proven)')
  })
})

describe('a filter that an EnvoyFilter inserts', () => {
  const filter = object('EnvoyFilter', 'shop', 'headers', {
    workloadSelector: { labels: { app: 'web' } },
    configPatches: [
      {
        applyTo: 'HTTP_FILTER',
        match: { context: 'SIDECAR_OUTBOUND' },
        patch: { operation: 'INSERT_BEFORE', value: { name: 'example.headers' } },
      },
    ],
  })
  const listed = editJson(/^istioctl proxy-config listener web/, (list) => [
    ...list,
    {
      name: 'more',
      filterChains: [{ filters: [{ name: 'hcm', typedConfig: { httpFilters: [{ name: 'example.headers' }] } }] }],
    },
  ])
  test('is missing in the listeners, or there', async () => {
    expect(await says(add(filter))).toBe('cause: envoyfilter-silently-skipped (proven)')
    expect((await walk(add(filter), listed)).outcome('envoyfilter-silently-skipped').status).toBe('ruled-out')
  })
})
