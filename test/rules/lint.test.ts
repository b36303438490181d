import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../src/model/kube.ts'
import { rules } from '../../src/rules/index.ts'
import { lintRules } from '../../src/rules/lint/index.ts'
import { lintObjects } from '../../src/rules/lint/over-objects.ts'

const today = '2026-11-21'
const ns = (name: string, labels = {}, annotations = {}): any => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels, annotations },
})
const of = (apiVersion: string, kind: string, name: string, spec: unknown, metadata = {}): any => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'pay', ...metadata },
  spec,
})
const authz = (name: string, spec: unknown, metadata = {}) =>
  of('security.istio.io/v1', 'AuthorizationPolicy', name, spec, metadata)
const peer = (name: string, spec: unknown, metadata = {}) =>
  of('security.istio.io/v1', 'PeerAuthentication', name, spec, metadata)
const tokens = (name: string, spec: unknown, metadata = {}) =>
  of('security.istio.io/v1', 'RequestAuthentication', name, spec, metadata)
const virtual = (name: string, http: unknown) =>
  of('networking.istio.io/v1', 'VirtualService', name, { hosts: ['ledger'], http })
const rule = (name: string, spec: unknown) => of('networking.istio.io/v1', 'DestinationRule', name, spec)
const filter = (proxyVersion?: string) =>
  of('networking.istio.io/v1alpha3', 'EnvoyFilter', 'lua', {
    configPatches: [{ match: proxyVersion ? { proxy: { proxyVersion } } : {} }],
  })
const gateway = (server: object) =>
  of('networking.istio.io/v1', 'Gateway', 'edge', {
    selector: { istio: 'gw' },
    servers: [{ hosts: ['shop.example.com'], port: { number: 443, protocol: 'HTTPS', name: 'https' }, ...server }],
  })
const secret = (namespace: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cert', namespace } })
const service = (port: object, metadata = {}) =>
  of('v1', 'Service', 'ledger', { selector: { app: 'ledger' }, ports: [port] }, metadata)
const pod = (
  name: string,
  { labels = { app: name }, annotations = {}, proxy = '1.30.3', namespace = 'pay', probe = {} }: any = {},
): any =>
  of(
    'v1',
    'Pod',
    name,
    {
      containers: [
        { name: 'app', image: 'app:1', ...probe },
        ...(proxy
          ? [{ name: 'istio-proxy', image: `docker.io/istio/proxyv2:${proxy}`, args: ['proxy', 'sidecar'] }]
          : []),
      ],
    },
    { labels, annotations, namespace },
  )
const istiod = (version: string): any => ({
  ...of(
    'v1',
    'Pod',
    'istiod',
    { containers: [{ name: 'discovery', image: `docker.io/istio/pilot:${version}` }] },
    { labels: { app: 'istiod' }, namespace: 'istio-system' },
  ),
})
const selector = { matchLabels: { app: 'ledger' } }
const ambientPod = pod('ledger', { proxy: null, annotations: { 'ambient.istio.io/redirection': 'enabled' } })

/** Row of the list of anti-patterns → objects that fire, with words of the message, and objects that do not. */
const table: readonly (readonly [string, string, readonly KubeObject[], string, readonly KubeObject[]])[] = [
  [
    'D1',
    'lint-both-modes',
    [ns('pay', { 'istio-injection': 'enabled', 'istio.io/dataplane-mode': 'ambient' })],
    'istio-injection=enabled',
    [ns('pay', { 'istio.io/dataplane-mode': 'ambient' }), ns('web', { 'istio-injection': 'enabled' })],
  ],
  [
    'D2',
    'lint-permissive-undocumented',
    [peer('p', { mtls: { mode: 'PERMISSIVE' } })],
    'lets plaintext in',
    [
      peer(
        'p',
        { mtls: { mode: 'PERMISSIVE' } },
        { annotations: { 'meshtriage.io/reason': 'migration of batch until May' } },
      ),
      peer('s', { mtls: { mode: 'STRICT' } }),
    ],
  ],
  [
    'D3',
    'lint-mtls-disabled',
    [rule('r', { host: 'ledger.pay.svc.cluster.local', trafficPolicy: { tls: { mode: 'DISABLE' } } })],
    'trafficPolicy',
    [
      rule('r', { host: 'api.example.com', trafficPolicy: { tls: { mode: 'DISABLE' } } }),
      rule('i', { host: 'ledger.pay.svc.cluster.local', trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } }),
    ],
  ],
  [
    'D3 at the server',
    'lint-mtls-disabled',
    [peer('p', { selector, portLevelMtls: { 8080: { mode: 'DISABLE' } } })],
    'port 8080',
    [peer('p', { selector, portLevelMtls: { 8080: { mode: 'STRICT' } } })],
  ],
  [
    'D4',
    'lint-two-gateway-apis',
    [
      gateway({}),
      of('gateway.networking.k8s.io/v1', 'Gateway', 'api', {
        listeners: [{ name: 'a', hostname: 'shop.example.com' }],
      }),
    ],
    'shop.example.com',
    [
      gateway({}),
      of('gateway.networking.k8s.io/v1', 'Gateway', 'api', {
        listeners: [{ name: 'a', hostname: 'other.example.com' }],
      }),
    ],
  ],
  [
    'D5',
    'lint-deny-all-unnamed',
    [authz('open', {})],
    'refuses everything',
    [authz('deny-all', {}), authz('open', { rules: [{}] })],
  ],
  [
    'D6 no-op',
    'lint-deny-without-rules',
    [authz('block', { action: 'DENY' })],
    'denies nothing',
    [authz('block', { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin/*'] } }] }] })],
  ],
  [
    'D6 everything',
    'lint-deny-without-rules',
    [authz('block', { action: 'DENY', rules: [{}] })],
    'denies every request',
    [authz('block', { action: 'ALLOW', rules: [{}] })],
  ],
  [
    'D7',
    'lint-namespace-wide-policy',
    [authz('callers', { rules: [{ from: [{ source: { namespaces: ['web'] } }] }] })],
    'every workload of pay',
    [authz('callers', { selector, rules: [{}] }), authz('deny-all', {})],
  ],
  ['D8 without', 'lint-envoyfilter-version', [filter()], 'name no proxyVersion', [filter('^1\\.30.*')]],
  [
    'D8 unmatched',
    'lint-envoyfilter-version',
    [filter('^1\\.20.*'), pod('ledger')],
    'fits no proxy that runs',
    [filter('^1\\.30.*'), pod('ledger')],
  ],
  [
    'D9',
    'lint-version-skew',
    [istiod('1.30.3'), pod('ledger', { proxy: '1.27.1' })],
    '3 minor releases behind',
    [istiod('1.30.3'), pod('ledger', { proxy: '1.29.0' })],
  ],
  [
    'D9 ahead',
    'lint-version-skew',
    [istiod('1.29.0'), pod('ledger', { proxy: '1.30.3' })],
    'ahead',
    [istiod('1.30.0-distroless'), pod('ledger', { proxy: '1.30.3' })],
  ],
  [
    'D10',
    'lint-token-not-required',
    [
      tokens('t', { selector, jwtRules: [{ issuer: 'a' }] }),
      authz('a', { selector, rules: [{ from: [{ source: { namespaces: ['web'] } }] }] }),
    ],
    'asks for a token',
    [
      tokens('t', { selector, jwtRules: [{ issuer: 'a' }] }),
      authz('a', { selector, action: 'DENY', rules: [{ from: [{ source: { notRequestPrincipals: ['*'] } }] }] }),
    ],
  ],
  [
    'D11',
    'lint-claims-without-authentication',
    [authz('a', { selector, rules: [{ when: [{ key: 'request.auth.claims[role]', values: ['admin'] }] }] })],
    'no RequestAuthentication',
    [
      authz('a', { selector, rules: [{ when: [{ key: 'request.auth.claims[role]', values: ['admin'] }] }] }),
      tokens('t', { selector, jwtRules: [{ issuer: 'a' }] }),
    ],
  ],
  [
    'D12 scraper',
    'lint-allow-forgets-scrapers',
    [
      pod('ledger', { annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9102' } }),
      authz('a', { selector, rules: [{ from: [{ source: { principals: ['*/ns/web/sa/web'] } }] }] }),
    ],
    'GET /metrics on port 9102',
    [
      pod('ledger', { annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9102' } }),
      authz('a', {
        selector,
        rules: [
          { from: [{ source: { principals: ['*/ns/web/sa/web'] } }] },
          { to: [{ operation: { ports: ['9102'], paths: ['/metrics'] } }] },
        ],
      }),
    ],
  ],
  [
    'D12 probe',
    'lint-allow-forgets-scrapers',
    [
      pod('ledger', {
        annotations: { 'sidecar.istio.io/rewriteAppHTTPProbers': 'false' },
        probe: { readinessProbe: { httpGet: { port: 8080, path: '/ready' } } },
      }),
      authz('a', { selector, rules: [{ from: [{ source: { principals: ['*/sa/web'] } }] }] }),
    ],
    '/ready',
    [
      pod('ledger', { probe: { readinessProbe: { httpGet: { port: 15020, path: '/app-health/app/readyz' } } } }),
      authz('a', { selector, rules: [{ from: [{ source: { principals: ['*/sa/web'] } }] }] }),
    ],
  ],
  [
    'D13 selector in the root',
    'lint-peerauth-scope',
    [peer('p', { selector, mtls: { mode: 'STRICT' } }, { namespace: 'istio-system' })],
    'root namespace',
    [
      peer('p', { mtls: { mode: 'STRICT' } }, { namespace: 'istio-system' }),
      peer('q', { selector, mtls: { mode: 'STRICT' } }),
    ],
  ],
  [
    'D13 mesh elsewhere',
    'lint-peerauth-scope',
    [peer('mesh-strict', { mtls: { mode: 'STRICT' } })],
    'covers pay only',
    [peer('default', { mtls: { mode: 'STRICT' } })],
  ],
  [
    'D14',
    'lint-strict-plaintext-caller',
    [peer('default', { mtls: { mode: 'STRICT' } }), pod('ledger'), pod('legacy', { proxy: null })],
    'pay/legacy',
    [
      peer('default', { mtls: { mode: 'STRICT' } }),
      pod('ledger', { labels: { app: 'ledger', 'security.istio.io/tlsMode': 'istio' } }),
      pod('web', { labels: { app: 'web', 'security.istio.io/tlsMode': 'istio' } }),
    ],
  ],
  [
    'D15 open',
    'lint-path-trap',
    [authz('a', { selector, rules: [{ to: [{ operation: { paths: ['/*'] } }] }] })],
    'opens every path',
    [
      authz('a', {
        selector,
        rules: [{ from: [{ source: { namespaces: ['web'] } }], to: [{ operation: { paths: ['/*'] } }] }],
      }),
    ],
  ],
  [
    'D15 prefix',
    'lint-path-trap',
    [authz('a', { selector, rules: [{ to: [{ operation: { paths: ['/api*'] } }] }] })],
    '/api-anything',
    [authz('a', { selector, rules: [{ to: [{ operation: { paths: ['/api', '/api/*'] } }] }] })],
  ],
  [
    'D15 suffix',
    'lint-path-trap',
    [authz('a', { selector, rules: [{ to: [{ operation: { paths: ['*.js'] } }] }] })],
    'at any depth',
    [authz('a', { selector, rules: [{ to: [{ operation: { paths: ['/static/*'] } }] }] })],
  ],
  [
    'D15 exact DENY',
    'lint-path-trap',
    [authz('a', { selector, action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin'] } }] }] })],
    '/admin/',
    [authz('a', { selector, action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin', '/admin/*'] } }] }] })],
  ],
  [
    'D16',
    'lint-port-without-protocol',
    [service({ name: 'web', port: 8080 })],
    '8080 (web)',
    [service({ name: 'http-web', port: 8080 }), service({ name: 'x', port: 9000, appProtocol: 'grpc' }, { name: 'b' })],
  ],
  [
    'D17',
    'lint-fault-left-on',
    [virtual('v', [{ fault: { abort: { httpStatus: 500, percentage: { value: 10 } } }, route: [] }])],
    'abort 500',
    [virtual('v', [{ route: [] }])],
  ],
  [
    'D18 any method',
    'lint-unsafe-retries',
    [virtual('v', [{ retries: { attempts: 3, retryOn: '5xx,reset' }, route: [] }])],
    'any method',
    [
      virtual('v', [{ match: [{ method: { exact: 'GET' } }], retries: { attempts: 3, retryOn: '5xx' }, route: [] }]),
      virtual('w', [{ retries: { attempts: 3, retryOn: 'connect-failure,refused-stream' }, route: [] }]),
    ],
  ],
  [
    'D18 timeouts',
    'lint-unsafe-retries',
    [
      virtual('v', [
        { timeout: '3s', retries: { attempts: 3, perTryTimeout: '2s', retryOn: 'connect-failure' }, route: [] },
      ]),
    ],
    '4 tries of 2s',
    [
      virtual('v', [
        { timeout: '10s', retries: { attempts: 3, perTryTimeout: '2s', retryOn: 'connect-failure' }, route: [] },
      ]),
    ],
  ],
  [
    'D19',
    'lint-no-connection-limits',
    [ns('pay', {}, { 'meshtriage.io/require-connection-limits': 'true' }), service({ name: 'http', port: 80 })],
    'connectionPool',
    [
      ns('pay', {}, { 'meshtriage.io/require-connection-limits': 'true' }),
      service({ name: 'http', port: 80 }),
      rule('r', { host: 'ledger', trafficPolicy: { connectionPool: { tcp: { maxConnections: 100 } } } }),
    ],
  ],
  [
    'D19 not asked',
    'lint-no-connection-limits',
    [
      ns('pay'),
      service({ name: 'http', port: 80 }, { annotations: { 'meshtriage.io/require-connection-limits': 'true' } }),
    ],
    'ledger.pay.svc.cluster.local',
    [ns('pay'), service({ name: 'http', port: 80 })],
  ],
  [
    'D20',
    'lint-credential-missing',
    [
      gateway({ tls: { mode: 'SIMPLE', credentialName: 'cert' } }),
      pod('gw', { labels: { istio: 'gw' }, namespace: 'istio-ingress' }),
      secret('pay'),
    ],
    'but in pay',
    [
      gateway({ tls: { mode: 'SIMPLE', credentialName: 'cert' } }),
      pod('gw', { labels: { istio: 'gw' }, namespace: 'istio-ingress' }),
      secret('istio-ingress'),
    ],
  ],
  [
    'D20 without Secrets',
    'lint-credential-missing',
    [gateway({ tls: { mode: 'SIMPLE', credentialName: 'other' } }), secret('pay')],
    'not in pay',
    [gateway({ tls: { mode: 'SIMPLE', credentialName: 'cert' } })],
  ],
  [
    'D21 ALLOW',
    'lint-l7-without-waypoint',
    [ambientPod, authz('a', { selector, rules: [{ to: [{ operation: { methods: ['GET'] } }] }] })],
    'nobody is allowed',
    [
      ambientPod,
      authz('a', {
        targetRefs: [{ kind: 'Service', group: '', name: 'ledger' }],
        rules: [{ to: [{ operation: { methods: ['GET'] } }] }],
      }),
      authz('b', { selector, rules: [{ to: [{ operation: { ports: ['80'] } }] }] }),
    ],
  ],
  [
    'D21 sidecar',
    'lint-l7-without-waypoint',
    [
      ns('pay', { 'istio.io/dataplane-mode': 'ambient' }),
      authz('a', { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/x'] } }] }] }),
    ],
    'passes all the same',
    [pod('ledger'), authz('a', { selector, rules: [{ to: [{ operation: { methods: ['GET'] } }] }] })],
  ],
  [
    'D22',
    'lint-old-api-version',
    [of('networking.istio.io/v1beta1', 'VirtualService', 'v', {})],
    'v1beta1',
    [
      of('networking.istio.io/v1', 'VirtualService', 'v', {}),
      of('networking.istio.io/v1alpha3', 'EnvoyFilter', 'f', {}),
    ],
  ],
  [
    'D22 applied',
    'lint-old-api-version',
    [
      {
        ...virtual('v', []),
        metadata: {
          name: 'v',
          namespace: 'pay',
          annotations: {
            'kubectl.kubernetes.io/last-applied-configuration':
              '{"apiVersion":"networking.istio.io/v1alpha3","kind":"VirtualService"}',
          },
        },
      },
    ],
    'v1alpha3',
    [virtual('v', [])],
  ],
  [
    'D23',
    'lint-selects-nothing',
    [pod('ledger'), authz('a', { selector: { matchLabels: { app: 'ledgr' } }, rules: [{}] })],
    'there are app=ledger',
    [pod('ledger'), authz('a', { selector, rules: [{}] })],
  ],
  [
    'D23 target',
    'lint-selects-nothing',
    [
      service({ name: 'http', port: 80 }),
      authz('a', { targetRefs: [{ kind: 'Service', group: '', name: 'ledgr' }], rules: [{}] }),
    ],
    'Service pay/ledgr',
    [
      service({ name: 'http', port: 80 }),
      authz('a', { targetRefs: [{ kind: 'Service', group: '', name: 'ledger' }], rules: [{}] }),
    ],
  ],
]

describe('anti-patterns', () => {
  for (const [row, code, firing, words, quietOnes] of table) {
    test(`${row}: ${code} fires`, () => {
      const found = lintObjects(firing, { today }).filter((one) => one.code === code)
      expect(found.length).toBeGreaterThan(0)
      expect(found.map(({ message }) => message).join('\n')).toContain(words)
      for (const { fix, why, object } of found) expect([fix, why, object].every((text) => text.length > 3)).toBe(true)
    })
    test(`${row}: ${code} stays quiet`, () => {
      expect(lintObjects(quietOnes, { today }).filter((one) => one.code === code)).toEqual([])
    })
  }
  test('every rule is in the table, and D1 to D23 are', () => {
    expect(new Set(table.map(([, code]) => code))).toEqual(new Set(lintRules.map(({ code }) => code)))
    expect(new Set(table.map(([row]) => row.split(' ')[0])).size).toBe(23)
  })
  test('they stay out of diagnoses and explain no symptom', () => {
    expect(lintRules.every(({ explains }) => explains.length === 0)).toBe(true)
    expect(rules.filter(({ code }) => code.startsWith('lint-'))).toEqual([])
  })
  test('objects of any shape break no rule', () => {
    const kinds = [
      'PeerAuthentication',
      'AuthorizationPolicy',
      'VirtualService',
      'Gateway',
      'DestinationRule',
      'EnvoyFilter',
      'Service',
      'Pod',
      'RequestAuthentication',
      'Deployment',
      'HTTPRoute',
    ]
    const specs = [
      undefined,
      null,
      {},
      { rules: 'x', http: {}, servers: 'y', ports: 3, selector: null, configPatches: {}, subsets: 1, jwtRules: 0 },
    ]
    const objects = kinds.flatMap((kind) =>
      specs.map((spec, index) => of('x/v1', kind, `${kind.toLowerCase()}-${index}`, spec)),
    )
    expect(() => lintObjects(objects, { today })).not.toThrow()
  })
})

describe('suppression', () => {
  const fault = (text: string) => ({
    ...virtual('v', [{ fault: { delay: { fixedDelay: '5s' } }, route: [] }]),
    metadata: { name: 'v', namespace: 'pay', annotations: { 'meshtriage.io/suppress': text } },
  })
  const suppressed = (text: string, day = today) =>
    lintObjects([fault(text)], { today: day }).find(({ code }) => code === 'lint-fault-left-on')
  test('a code with a reason is shown as suppressed', () => {
    expect(suppressed('lint-fault-left-on=game day')?.suppressedBy).toBe('game day')
  })
  test('until its last day, and not after it', () => {
    expect(suppressed('lint-fault-left-on=game day;until=2026-11-21')?.suppressedBy).toBe('game day')
    const after = suppressed('lint-fault-left-on=game day;until=2026-11-20')
    expect(after?.suppressedBy).toBeUndefined()
    expect(after?.message).toContain('2026-11-20')
  })
  test('without a reason, or for another code, nothing is suppressed', () => {
    for (const text of [
      'lint-fault-left-on',
      'lint-fault-left-on=',
      'lint-fault-left-on= ;until=2030-01-01',
      'lint-old-api-version=x',
    ])
      expect(suppressed(text)?.suppressedBy).toBeUndefined()
  })
  test('several codes, one a line', () => {
    expect(suppressed('lint-old-api-version=x\nlint-fault-left-on=a; b;until=2027-01-01')?.suppressedBy).toBe('a; b')
  })
  test('annotations of one’s own count as reasons when they are named', () => {
    const policy = peer('p', { mtls: { mode: 'PERMISSIVE' } }, { annotations: { 'example.com/why': 'migration' } })
    const found = (options = {}) =>
      lintObjects([policy], { today, ...options }).filter(({ code }) => code === 'lint-permissive-undocumented')
    expect(found()).toHaveLength(1)
    expect(found({ reasonAnnotations: ['example.com/why'] })).toHaveLength(0)
  })
})
