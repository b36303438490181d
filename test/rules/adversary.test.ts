import { describe, expect, test } from 'vitest'
import { add, change, notReady, without } from '../helpers/edit-objects.ts'
import { type PlayOptions, play } from '../helpers/play.ts'
import { type Edit, editJson, edits, editText } from '../helpers/session-fixtures.ts'

// Made after every line of the recordings: the newest thing in the cluster is not thereby guilty.
const creationTimestamp = '2026-11-21T06:30:00Z'
const made = (apiVersion: string, kind: string) => (namespace: string, name: string, spec: unknown) =>
  add({ apiVersion, kind, metadata: { name, namespace, creationTimestamp }, spec })
const authorization = made('security.istio.io/v1', 'AuthorizationPolicy')
const peer = made('security.istio.io/v1', 'PeerAuthentication')
const destinationRule = made('networking.istio.io/v1', 'DestinationRule')
const virtualService = made('networking.istio.io/v1', 'VirtualService')
const gateway = made('networking.istio.io/v1', 'Gateway')

const app = (name: string) => ({ selector: { matchLabels: { app: name } } })
const from = (principal: string) => [{ from: [{ source: { principals: [`cluster.local/ns/${principal}`] } }] }]
const onPath = (path: string) => [{ to: [{ operation: { paths: [path] } }] }]
const [web, cart, nobody] = [from('shop/sa/web'), from('shop/sa/cart'), from('ops/sa/backup')]
const disable = { tls: { mode: 'DISABLE' } }

const appended = (pod: string, ...lines: readonly string[]): Edit =>
  editText(new RegExp(`^kubectl logs ${pod}`), (text) => `${text.trimEnd()}\n${lines.join('\n')}\n`)
const many = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const id = (kind: number, n: number) => `"00000000-0000-0000-000${kind}-00000000000${n}"`
/** What the caller's proxy says of a call to some host. */
const said = (n: number, kind: number, answer: string, host: string, path: string, cluster = '-') =>
  `[2026-11-21T06:00:0${n}.000Z] "GET ${path} HTTP/1.1" ${answer} - "-" 0 19 0 - "-" "curl/7.88.1" ${id(kind, n)} "${host}" "-" ${cluster} - 10.96.9.${kind}:8080 10.244.200.18:5${kind}32${n} - default`
const refusedAtLedger = (n: number, method: string, path: string, policy: string) =>
  `[2026-11-21T06:00:0${n}.000Z] "${method} ${path} HTTP/1.1" 403 - rbac_access_denied_matched_policy[${policy}] - "-" 0 19 0 - "-" "curl/7.88.1" ${id(8, n)} "ledger.pay:8080" "-" inbound|8080|| - 10.244.200.20:8080 10.244.200.99:4300${n} outbound_.8080_._.ledger.pay.svc.cluster.local default`
const passed = (n: number, path: string) =>
  `[2026-11-21T06:00:0${n}.000Z] "GET ${path} HTTP/1.1" 200 - via_upstream - "-" 0 541 2 2 "-" "curl/7.88.1" ${id(9, n)} "ledger.pay:8080" "10.244.200.21:8080" outbound|8080||ledger.pay.svc.cluster.local 10.244.200.18:4900${n} 10.96.174.150:8080 10.244.200.18:5000${n} - default`
const noSuccess = editText(/^kubectl logs .*istio-proxy/, (text) =>
  text
    .split('\n')
    .filter((line) => !line.includes(' 200 - via_upstream'))
    .join('\n'),
)

async function concludes(recording: string, options: PlayOptions) {
  const { state } = await play(recording, options)
  if (!state.diagnosis) throw new Error('no diagnosis')
  return state.diagnosis
}

const order = (diagnosis: Awaited<ReturnType<typeof concludes>>) =>
  diagnosis.causes.map(({ code, certainty, about }) => `${code} ${certainty} ${about}`)

/** What was changed, in which recording, and the causes in the order in which they bite. */
type Case = readonly [what: string, recording: string, edit: Edit, causes: readonly string[]]

const plaintext = 'dr-tls-disable-vs-strict proven call'
const denyNext = 'authz-deny-rule-matched likely next'
const missNext = 'authz-allow-list-miss likely next'
const ordersOnly = (rules: unknown, action: string) => authorization('pay', 'orders-rule', { action, rules })

const twoFaults: readonly Case[] = [
  [
    'plaintext to STRICT, and a DENY for the caller behind it',
    '503-dr-disable-strict',
    authorization('pay', 'stop', { action: 'DENY', ...app('ledger'), rules: web }),
    [plaintext, denyNext],
  ],
  [
    'plaintext to STRICT, and a DENY for the path behind it',
    '503-dr-disable-strict',
    authorization('pay', 'stop', { action: 'DENY', ...app('ledger'), rules: onPath('/v1/*') }),
    [plaintext, denyNext],
  ],
  [
    'plaintext to STRICT, and an ALLOW list without the caller',
    '503-dr-disable-strict',
    authorization('pay', 'callers', { action: 'ALLOW', ...app('ledger'), rules: nobody }),
    [plaintext, missNext],
  ],
  [
    'a DENY, and no ALLOW for the caller',
    '403-deny-beats-allow',
    change('AuthorizationPolicy', /^allow-web$/, (policy) => {
      policy.spec.rules = nobody
    }),
    ['authz-deny-rule-matched proven call', missNext],
  ],
  [
    'a DENY, and another one in the root namespace',
    '403-deny-beats-allow',
    authorization('istio-system', 'everywhere', { action: 'DENY', rules: onPath('/admin/*') }),
    ['authz-deny-rule-matched proven call', denyNext],
  ],
  [
    'an undefined subset, and plaintext to STRICT',
    '503-subset-undefined',
    edits(
      peer('default', 'default', { mtls: { mode: 'STRICT' } }),
      change('DestinationRule', /^reviews$/, (rule) => {
        rule.spec.trafficPolicy = { ...disable, connectionPool: { tcp: { maxConnections: 10 } } }
      }),
    ),
    ['nc-subset-undefined proven call', 'dr-tls-disable-vs-strict likely next'],
  ],
  [
    'no ready pod, and an ALLOW list without the caller',
    '503-not-ready',
    authorization('pay', 'callers', { action: 'ALLOW', ...app('ledger'), rules: nobody }),
    ['uh-no-endpoints proven call', missNext],
  ],
  [
    'ztunnel denies, and an ALLOW by HTTP fields that it cannot read',
    'ambient-l4-deny',
    authorization('amb-demo', 'l7', {
      action: 'ALLOW',
      ...app('server'),
      rules: [{ to: [{ operation: { methods: ['GET'] } }] }],
    }),
    ['authz-deny-rule-matched proven call', missNext],
  ],
  [
    'a token of an unknown issuer, and an ALLOW list without the caller',
    '401-wrong-issuer',
    edits(authorization('pay', 'callers', { action: 'ALLOW', ...app('ledger'), rules: nobody }), noSuccess),
    ['jwt-issuer-not-configured proven call', missNext],
  ],
  [
    'a caller without sidecar, and a DENY for the path',
    'reset-strict-legacy',
    authorization('pay', 'stop', { action: 'DENY', ...app('ledger'), rules: onPath('/v1/*') }),
    ['strict-plaintext-client proven call', denyNext],
  ],
  [
    'a waypoint without a matching route, and a DENY at the waypoint',
    'ambient-waypoint-route-404',
    authorization('amb-demo', 'stop', {
      action: 'DENY',
      targetRefs: [{ group: '', kind: 'Service', name: 'server' }],
      rules: onPath('/other'),
    }),
    ['waypoint-route-no-match proven call', denyNext],
  ],
]

const decoys: readonly Case[] = [
  [
    'another caller is refused by a DENY in the same log',
    '503-dr-disable-strict',
    edits(
      appended('ledger-v1', ...many.map((n) => refusedAtLedger(n, 'GET', '/v1/balance', 'ns[pay]-policy[d]-rule[0]'))),
      authorization('pay', 'd', { action: 'DENY', ...app('ledger'), rules: cart }),
    ),
    [plaintext],
  ],
  [
    'a DENY refuses another caller, and this one misses the ALLOW list',
    '403-allow-list-miss',
    edits(
      appended(
        'ledger-v1',
        ...many.map((n) => refusedAtLedger(n, 'POST', '/api/transfer', 'ns[pay]-policy[d]-rule[0]')),
      ),
      authorization('pay', 'd', { action: 'DENY', ...app('ledger'), rules: web }),
    ),
    ['authz-allow-list-miss proven call'],
  ],
  [
    'services of similar names fail in other ways in the log of the caller',
    '503-dr-disable-strict',
    appended(
      'web-',
      ...many.flatMap((n) => [
        said(
          n,
          1,
          '503 UH no_healthy_upstream',
          'ledger-internal.pay:8080',
          '/v1/balance',
          'outbound|8080||ledger-internal.pay.svc.cluster.local',
        ),
        said(n, 2, '503 NC cluster_not_found', 'ledger.pay-eu:8080', '/v1/balance'),
        said(n, 3, '404 NR route_not_found', 'ledgers.pay:8080', '/v1/balance'),
        said(n, 4, '503 NC cluster_not_found', 'ledger:8080', '/v1/balance'),
      ]),
    ),
    [plaintext],
  ],
  [
    'newer objects of the namespace are about other hosts, paths and workloads',
    '503-dr-disable-strict',
    edits(
      authorization('pay', 'orders-deny', { action: 'DENY', ...app('orders'), rules: [{}] }),
      destinationRule('shop', 'x', { host: 'ledger-internal.pay.svc.cluster.local', trafficPolicy: disable }),
      virtualService('shop', 'y', {
        hosts: ['ledger-internal.pay.svc.cluster.local'],
        http: [{ fault: { abort: { httpStatus: 503, percentage: { value: 100 } } } }],
      }),
    ),
    [plaintext],
  ],
  [
    'a DENY for a path that only begins alike',
    '403-allow-list-miss',
    authorization('pay', 'z', { action: 'DENY', ...app('ledger'), rules: onPath('/api/transfers') }),
    ['authz-allow-list-miss proven call'],
  ],
  [
    'a DENY in dry run',
    '403-allow-list-miss',
    add({
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'dry', namespace: 'pay', annotations: { 'istio.io/dry-run': 'true' } },
      spec: { action: 'DENY', rules: [{}] },
    }),
    ['authz-allow-list-miss proven call'],
  ],
  [
    'a DENY for another caller behind a closed port',
    '503-connection-refused',
    ordersOnly(cart, 'DENY'),
    ['uf-connection-refused proven call'],
  ],
  ['a pod of another workload is not ready', '503-dr-disable-strict', change('Pod', /^orders-/, notReady), [plaintext]],
  [
    'analyze finds faults in other objects',
    '503-dr-disable-strict',
    editJson(/^istioctl analyze -n pay/, () => [
      {
        code: 'IST0113',
        documentationUrl: '',
        level: 'Error',
        message: 'Referenced host+subset in destinationrule not found: "orders+v9"',
        origin: 'VirtualService pay/orders-vs',
        reference: '',
      },
    ]),
    [plaintext],
  ],
  [
    'it failed for another reason before, and more often',
    '503-dr-disable-strict',
    editText(/^kubectl logs web-/, (text) =>
      many
        .flatMap((n) =>
          [1, 2, 3, 4].map((kind) =>
            said(
              n,
              kind,
              '503 UH no_healthy_upstream',
              'ledger.pay:8080',
              '/v1/balance',
              'outbound|8080||ledger.pay.svc.cluster.local',
            ).replace('2026-11-21T06', '2026-11-21T04'),
          ),
        )
        .concat(text)
        .join('\n'),
    ),
    [plaintext],
  ],
  [
    'another Gateway lacks its certificate',
    '404-gateway-host',
    gateway('shop', 'other', {
      selector: { istio: 'ingressgateway' },
      servers: [
        {
          hosts: ['secure.example.net'],
          port: { name: 'https', number: 443, protocol: 'HTTPS' },
          tls: { mode: 'SIMPLE', credentialName: 'nowhere' },
        },
      ],
    }),
    ['gateway-host-no-route proven call'],
  ],
]

const noRule = without('DestinationRule')
const noPeer = without('PeerAuthentication')
const places: readonly Case[] = [
  [
    'DISABLE in a DestinationRule of the root namespace',
    '503-dr-disable-strict',
    edits(noRule, destinationRule('istio-system', 'all', { host: '*.local', trafficPolicy: disable })),
    [plaintext],
  ],
  [
    'DISABLE in a DestinationRule beside the server',
    '503-dr-disable-strict',
    edits(noRule, destinationRule('pay', 'own', { host: 'ledger', trafficPolicy: disable })),
    [plaintext],
  ],
  [
    'STRICT for the whole mesh',
    '503-dr-disable-strict',
    edits(noPeer, peer('istio-system', 'default', { mtls: { mode: 'STRICT' } })),
    [plaintext],
  ],
  [
    'STRICT for the port alone',
    '503-dr-disable-strict',
    edits(
      noPeer,
      peer('pay', 'port', {
        ...app('ledger'),
        mtls: { mode: 'PERMISSIVE' },
        portLevelMtls: { 8080: { mode: 'STRICT' } },
      }),
    ),
    [plaintext],
  ],
  [
    'another port is open',
    '503-dr-disable-strict',
    peer('pay', 'port', { ...app('ledger'), mtls: { mode: 'STRICT' }, portLevelMtls: { 9090: { mode: 'DISABLE' } } }),
    [plaintext],
  ],
  [
    'a headless service',
    '503-dr-disable-strict',
    change('Service', /^ledger$/, (service) => {
      service.spec.clusterIP = 'None'
      service.spec.clusterIPs = ['None']
    }),
    [plaintext],
  ],
  [
    'several ports and a named targetPort',
    '503-dr-disable-strict',
    edits(
      change('Service', /^ledger$/, ({ spec }) => {
        spec.ports[0].targetPort = 'web'
        spec.ports.push({ name: 'metrics', port: 9090, protocol: 'TCP', targetPort: 9090 })
      }),
      change('Pod', /^ledger-/, ({ spec }) => {
        for (const container of spec.containers)
          if (container.name !== 'istio-proxy') container.ports = [{ name: 'web', containerPort: 8080 }]
      }),
    ),
    [plaintext],
  ],
  [
    'deny at the waypoint',
    'ambient-waypoint-l7-denied',
    edits(
      editText(/^kubectl logs waypoint/, (text) =>
        text.replaceAll(/(GET \/admin .*matched_policy\[)none\]/g, '$1ns[amb-demo]-policy[no-admin]-rule[0]]'),
      ),
      authorization('amb-demo', 'no-admin', {
        action: 'DENY',
        targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'waypoint' }],
        rules: onPath('/admin'),
      }),
    ),
    ['authz-deny-rule-matched proven call', missNext],
  ],
  [
    'the VirtualService in a third namespace',
    '503-subset-undefined',
    edits(
      editText(/proxy-config route/, (text) =>
        text.replaceAll('default/virtual-service/reviews-broken', 'istio-system/virtual-service/edge-reviews'),
      ),
      without('VirtualService'),
      virtualService('istio-system', 'edge-reviews', {
        hosts: ['reviews.default.svc.cluster.local'],
        http: [{ route: [{ destination: { host: 'reviews.default.svc.cluster.local', subset: 'v99' } }] }],
      }),
    ),
    ['nc-subset-undefined proven call'],
  ],
  [
    'two more replicas of the caller that never called',
    '503-dr-disable-strict',
    editJson(/ get pods,.* -n shop /, (list) => ({
      ...list,
      items: list.items.flatMap((object: any) =>
        object.kind === 'Pod' && object.metadata.name.startsWith('web-')
          ? [object, ...[97, 98].map((n) => replica(object, n))]
          : [object],
      ),
    })),
    [plaintext],
  ],
]

function replica(pod: any, n: number): any {
  const copy = structuredClone(pod)
  copy.metadata.name = `${pod.metadata.name.slice(0, -2)}${n}`
  copy.metadata.uid = `uid-${n}`
  copy.status.podIP = `10.244.200.${n}`
  copy.status.podIPs = [{ ip: copy.status.podIP }]
  return copy
}

for (const [title, cases] of [
  ['two faults: what bites first comes first, and what bites after it is said', twoFaults],
  ['decoys never become the cause', decoys],
  ['the same fault at another place', places],
] as const)
  describe(title, () => {
    for (const [what, recording, edit, causes] of cases)
      test(`${recording}: ${what}`, async () => {
        const diagnosis = await concludes(recording, { edit })
        expect(diagnosis.verdict).toBe('cause')
        expect(order(diagnosis)).toEqual(causes)
      })
  })

describe('what does not bite is not the cause', () => {
  const unbiting: readonly (readonly [string, Edit])[] = [
    [
      'the DestinationRule is about another port',
      change('DestinationRule', /./, ({ spec }) => {
        spec.trafficPolicy = { portLevelSettings: [{ port: { number: 9090 }, ...disable }] }
      }),
    ],
    [
      'the DestinationRule beside the server is not exported',
      edits(noRule, destinationRule('pay', 'own', { host: 'ledger', exportTo: ['.'], trafficPolicy: disable })),
    ],
    [
      'the namespace is PERMISSIVE under a STRICT mesh',
      edits(
        noPeer,
        peer('istio-system', 'default', { mtls: { mode: 'STRICT' } }),
        peer('pay', 'default', { mtls: { mode: 'PERMISSIVE' } }),
      ),
    ],
  ]
  for (const [what, edit] of unbiting)
    test(`503-dr-disable-strict: ${what}, so nothing explains the lines`, async () => {
      const diagnosis = await concludes('503-dr-disable-strict', { edit })
      expect(diagnosis.verdict).toBe('inconclusive')
      expect(diagnosis.causes).toEqual([])
    })

  test('healthy-strict: a service of the same name in the namespace of the caller fails', async () => {
    const own = many.map((n) => said(n, 4, '503 NC cluster_not_found', 'ledger:8080', '/v1/balance'))
    const routed = many.map((n) =>
      said(
        n,
        5,
        '503 UH no_healthy_upstream',
        'ledger:8080',
        '/v1/balance',
        'outbound|8080||ledger.shop.svc.cluster.local',
      ),
    )
    const diagnosis = await concludes('healthy-strict', { edit: appended('web-', ...own, ...routed) })
    expect(diagnosis.verdict).toBe('clean')
  })
})

describe('fixes keep the rest of an object', () => {
  test('connection pool, outlier detection and subsets stay when the tls block goes', async () => {
    const edit = change('DestinationRule', /./, ({ spec }) => {
      spec.trafficPolicy.connectionPool = { tcp: { maxConnections: 5 } }
      spec.trafficPolicy.outlierDetection = { consecutive5xxErrors: 3 }
      spec.subsets = [{ name: 'v1', labels: { version: 'v1' } }]
    })
    const { causes } = await concludes('503-dr-disable-strict', { edit })
    for (const part of ['connectionPool', 'outlierDetection', 'subsets'])
      expect(causes[0]?.fix.statement).toContain(part)
  })
})

describe('what the logs show and what was complained about do not fit', () => {
  for (const [recording, symptom, code] of [
    ['503-dr-disable-strict', '403', '503'],
    ['403-allow-list-miss', '404', '403'],
    ['403-deny-beats-allow', '503', '403'],
    ['503-connection-refused', '502', '503'],
  ] as const)
    test(`${recording} asked about ${symptom} is not called clean: its lines say ${code}`, async () => {
      const diagnosis = await concludes(recording, { given: (given) => ({ ...given, symptom }) })
      expect(diagnosis.verdict).toBe('inconclusive')
      expect(diagnosis.notChecked.map(({ unlock }) => unlock).join()).toContain(`symptom ${code}`)
    })

  test('403-deny-beats-allow: another path was refused, and the policies let the named one pass', async () => {
    const diagnosis = await concludes('403-deny-beats-allow', { given: (given) => ({ ...given, path: '/v1/x' }) })
    expect(diagnosis.verdict).toBe('suspects')
    expect(order(diagnosis)).toEqual(['authz-deny-rule-matched possible call'])
  })

  test('403-deny-beats-allow: the policy is gone and requests pass again', async () => {
    const again = appended('web-', passed(1, '/admin/x'), passed(2, '/admin/x'))
    const edit = edits(without('AuthorizationPolicy', /^deny-admin$/), again)
    const diagnosis = await concludes('403-deny-beats-allow', { edit })
    expect(diagnosis.causes[0]?.statement).toContain('not there any more')
    expect(diagnosis.causes[0]?.fix.statement).toContain('is gone')
    expect(diagnosis.causes[0]?.fix.commands).toEqual([])
    expect(diagnosis.notChecked.map(({ what }) => what)).toContain('whether it still fails')
  })

  test('503-app-resets: the caller logs UC, and the destination’s log holds no line of it', async () => {
    const ended = editText(/^kubectl logs web-/, (text) =>
      text.replaceAll('503 - via_upstream', '503 UC upstream_reset_before_response_started{connection_termination}'),
    )
    const silent = editText(/^kubectl logs ledger-/, (text) =>
      text
        .split('\n')
        .filter((line) => !line.includes(' 503 UC '))
        .join('\n'),
    )
    const diagnosis = await concludes('503-app-resets', { edit: edits(ended, silent) })
    expect(diagnosis.verdict).toBe('inconclusive')
    expect(diagnosis.notChecked[0]?.what).toMatch(/^what became of these requests at ledger-/)
    expect(diagnosis.nextSteps.map(({ command }) => command).join()).toMatch(
      /kubectl logs -n pay ledger-\S+ -c istio-proxy/,
    )
  })

  test('503-dr-disable-strict: the rule is gone and requests pass again', async () => {
    const again = appended('web-', passed(1, '/v1/balance'), passed(2, '/v1/balance'))
    const diagnosis = await concludes('503-dr-disable-strict', { edit: edits(noRule, again) })
    expect(diagnosis.verdict).toBe('inconclusive')
    expect(diagnosis.notChecked.map(({ what }) => what)).toContain('whether it still fails')
  })

  test('healthy-strict: a DENY made after the last line is a suspect, not clean and not proven', async () => {
    const edit = authorization('pay', 'stop', { action: 'DENY', ...app('ledger'), rules: web })
    const diagnosis = await concludes('healthy-strict', { edit, given: (given) => ({ ...given, symptom: '403' }) })
    expect(diagnosis.verdict).toBe('suspects')
    expect(order(diagnosis)).toEqual(['authz-deny-rule-matched likely call'])
    expect(diagnosis.causes[0]?.contradicting).not.toEqual([])
  })

  test('healthy-strict: a DENY for another caller made after the last line is no suspect', async () => {
    const edit = authorization('pay', 'stop', { action: 'DENY', ...app('ledger'), rules: cart })
    const diagnosis = await concludes('healthy-strict', { edit, given: (given) => ({ ...given, symptom: '403' }) })
    expect(diagnosis.verdict).toBe('clean')
  })

  test('healthy-strict: a DestinationRule made after the last line is a suspect', async () => {
    const host = 'ledger.pay.svc.cluster.local'
    const edit = destinationRule('shop', 'plain', { host, trafficPolicy: disable })
    const diagnosis = await concludes('healthy-strict', { edit })
    expect(order(diagnosis)).toEqual(['dr-tls-disable-vs-strict likely call'])
    expect(diagnosis.causes[0]?.contradicting).not.toEqual([])
  })
})

describe('one of two pods is bad', () => {
  test('503-dr-disable-strict: only v1 is STRICT, and v2 answers', async () => {
    const edit = edits(
      noPeer,
      peer('pay', 'v1-only', { selector: { matchLabels: { version: 'v1' } }, mtls: { mode: 'STRICT' } }),
      editText(/^kubectl logs ledger-v2/, () => ''),
      editText(/^kubectl logs web-/, (text) =>
        text
          .split('\n')
          .map((line) =>
            line.includes('"10.244.200.21:8080"')
              ? line.replace(/503 UC upstream_reset_\S+ - "-"/, '200 - via_upstream - "-"')
              : line,
          )
          .join('\n'),
      ),
    )
    const diagnosis = await concludes('503-dr-disable-strict', { edit })
    expect(diagnosis.causes[0]?.code).toBe('dr-tls-disable-vs-strict')
  })

  test('403-deny-beats-allow: the DENY selects v1 only, and v2 answers', async () => {
    const edit = edits(
      change('AuthorizationPolicy', /^deny-admin$/, ({ spec }) => {
        spec.selector.matchLabels = { app: 'ledger', version: 'v1' }
      }),
      editText(/^kubectl logs (?:web|ledger-v2)/, (text) =>
        text
          .split('\n')
          .map((line) =>
            line.includes('10.244.200.21:8080') ? line.replace(/403 - \S+ - "-"/, '200 - via_upstream - "-"') : line,
          )
          .join('\n'),
      ),
    )
    const diagnosis = await concludes('403-deny-beats-allow', { edit })
    expect(order(diagnosis)).toEqual(['authz-deny-rule-matched proven call'])
  })

  test('healthy-strict: one pod is not ready, and the other answers', async () => {
    const diagnosis = await concludes('healthy-strict', { edit: change('Pod', /^ledger-v1/, notReady) })
    expect(diagnosis.causes).toEqual([])
  })
})
