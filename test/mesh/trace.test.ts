import { describe, expect, test } from 'vitest'
import type { ProxyEndpoint } from '../../parsers/proxy-config-endpoint.ts'
import type { FilterChainMatch } from '../../parsers/proxy-config-listener.ts'
import { type Connection, chooseFilterChain, findListener, meshAlpn } from '../../src/mesh/filter-chain.ts'
import { type ProxyConfig, type TraceQuestion, trace } from '../../src/mesh/trace.ts'

const address = (host: string, port: number) => ({ socketAddress: { address: host, portValue: port } })
const hcm = (config: object) => ({ name: 'envoy.filters.network.http_connection_manager', typedConfig: config })
const tcp = (cluster: string) => ({ name: 'envoy.filters.network.tcp_proxy', typedConfig: { cluster } })
const istioTls = (client: boolean, secret = 'default') => ({
  typedConfig: {
    commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name: secret }] },
    requireClientCertificate: client,
  },
})
const endpoint = (ip: string, more: Partial<ProxyEndpoint> = {}): ProxyEndpoint => ({
  address: ip,
  port: 8080,
  health: 'HEALTHY',
  ejected: false,
  failedActiveCheck: false,
  hostname: null,
  weight: 1,
  priority: 0,
  locality: null,
  tlsMode: null,
  workload: null,
  tunnelTo: null,
  stats: {},
  ...more,
})
const metadata = (kind: string, name: string) => ({
  filterMetadata: { istio: { config: `/apis/networking.istio.io/v1/namespaces/srv/${kind}/${name}` } },
})
const web = 'outbound|80||web.srv.svc.cluster.local'
const matches = [
  {
    name: 'tlsMode-istio',
    match: { tlsMode: 'istio' },
    transportSocket: {
      typedConfig: {
        sni: 'outbound_.80_._.web',
        commonTlsContext: {
          tlsCertificateSdsSecretConfigs: [{ name: 'default' }],
          combinedValidationContext: {
            defaultValidationContext: { matchSubjectAltNames: [{ exact: 'spiffe://td/ns/srv/sa/web' }] },
          },
        },
      },
    },
  },
  { name: 'tlsMode-disabled', match: {}, transportSocket: { typedConfig: {} } },
]
const config: ProxyConfig = {
  listeners: [
    {
      name: '0.0.0.0_80',
      address: address('0.0.0.0', 80),
      trafficDirection: 'OUTBOUND',
      filterChains: [
        {
          filterChainMatch: { transportProtocol: 'raw_buffer', applicationProtocols: ['http/1.1'] },
          filters: [hcm({ rds: { routeConfigName: '80' } })],
        },
      ],
      defaultFilterChain: { name: 'PassthroughFilterChain', filters: [tcp('PassthroughCluster')] },
    },
    {
      name: '10.0.0.9_9000',
      address: address('10.0.0.9', 9000),
      trafficDirection: 'OUTBOUND',
      filterChains: [{ filters: [tcp('outbound|9000||db.srv.svc.cluster.local')] }],
    },
    {
      name: 'virtualOutbound',
      address: address('0.0.0.0', 15001),
      useOriginalDst: true,
      trafficDirection: 'OUTBOUND',
      filterChains: [{ name: 'virtualOutbound-catchall-tcp', filters: [tcp('BlackHoleCluster')] }],
    },
    {
      name: 'virtualInbound',
      address: address('0.0.0.0', 15006),
      trafficDirection: 'INBOUND',
      filterChains: [
        {
          name: '0.0.0.0_8080',
          filterChainMatch: {
            destinationPort: 8080,
            transportProtocol: 'tls',
            applicationProtocols: ['istio', 'istio-http/1.1'],
          },
          transportSocket: istioTls(true),
          filters: [
            hcm({
              routeConfig: {
                name: 'inbound|8080||',
                virtualHosts: [
                  {
                    name: 'inbound|http|80',
                    domains: ['*'],
                    routes: [{ name: 'default', match: { prefix: '/' }, route: { cluster: 'inbound|8080||' } }],
                  },
                ],
              },
              httpFilters: [
                {
                  name: 'envoy.filters.http.jwt_authn',
                  typedConfig: { providers: { 'origins-0': { issuer: 'iss' } } },
                },
                {
                  name: 'envoy.filters.http.rbac',
                  typedConfig: {
                    '@type': 'x.rbac.v3.RBAC',
                    rules: { action: 'DENY', policies: { 'ns[srv]-policy[p]-rule[0]': {} } },
                  },
                },
              ],
            }),
          ],
        },
      ],
    },
  ],
  routes: [
    {
      name: '80',
      ignorePortInHostMatching: true,
      virtualHosts: [
        {
          name: 'web:80',
          domains: ['web.srv'],
          routes: [
            {
              name: 'gone',
              match: { path: '/gone' },
              route: { cluster: 'outbound|80|v9|web.srv.svc.cluster.local' },
              metadata: metadata('virtual-service', 'web'),
            },
            { name: 'moved', match: { path: '/moved' }, redirect: { pathRedirect: '/' } },
            {
              name: 'fault',
              match: { path: '/fault' },
              route: { cluster: web },
              typedPerFilterConfig: {
                'envoy.filters.http.fault': { abort: { httpStatus: 503, percentage: { numerator: 100 } } },
              },
            },
            {
              name: 'split',
              match: { path: '/split' },
              route: {
                weightedClusters: {
                  clusters: [
                    { name: web, weight: 1 },
                    { name: 'outbound|80|empty|web.srv.svc.cluster.local', weight: 1 },
                  ],
                },
              },
            },
            {
              name: 'empty',
              match: { path: '/empty' },
              route: { cluster: 'outbound|80|empty|web.srv.svc.cluster.local' },
            },
            {
              name: 'sick',
              match: { path: '/sick' },
              route: { cluster: 'outbound|80|sick|web.srv.svc.cluster.local' },
            },
            { match: { prefix: '/ok' }, route: { cluster: web, timeout: '1s' } },
          ],
        },
        {
          name: 'block_all',
          domains: ['*'],
          routes: [{ name: 'block_all', match: { prefix: '/' }, directResponse: { status: 502 } }],
        },
      ],
    },
  ],
  clusters: [
    { name: web, type: 'EDS', transportSocketMatches: matches, metadata: metadata('destination-rule', 'web') },
    { name: 'outbound|80|empty|web.srv.svc.cluster.local', type: 'EDS' },
    { name: 'outbound|80|sick|web.srv.svc.cluster.local', type: 'EDS' },
    { name: 'outbound|9000||db.srv.svc.cluster.local', type: 'ORIGINAL_DST' },
    { name: 'inbound|8080||', type: 'ORIGINAL_DST' },
    { name: 'BlackHoleCluster' },
    { name: 'PassthroughCluster', type: 'ORIGINAL_DST' },
  ],
  endpoints: [
    {
      cluster: web,
      source: 'clusters',
      endpoints: [endpoint('10.1.0.1'), endpoint('10.1.0.2'), endpoint('10.1.0.3', { ejected: true })],
    },
    {
      cluster: 'outbound|80|sick|web.srv.svc.cluster.local',
      source: 'clusters',
      endpoints: [endpoint('10.1.0.4', { health: 'UNHEALTHY' })],
    },
  ],
  eds: [
    {
      cluster: web,
      source: 'eds',
      endpoints: [
        endpoint('10.1.0.1', { tlsMode: 'istio' }),
        endpoint('10.1.0.2'),
        endpoint('10.1.0.3', { tlsMode: 'istio' }),
      ],
    },
  ],
}
const plain: Connection = { address: '10.0.0.1', port: 80, tls: false, alpn: ['http/1.1'] }
const ask = (path: string, change: Partial<TraceQuestion> = {}, proxy: ProxyConfig = config, host = 'web.srv') =>
  trace(proxy, {
    direction: 'outbound',
    connection: plain,
    request: { method: 'GET', path, authority: host },
    ...change,
  })
const broken = (result: ReturnType<typeof trace>) =>
  result.steps.flatMap((step) => (step.broken ? [`${step.kind} ${step.broken.flag}`] : []))

describe('outbound HTTP', () => {
  test.each<[string, object, string[]]>([
    ['/ok', { outcome: 'forwarded', route: null, clusters: [{ name: web, percent: 100 }] }, []],
    [
      '/gone',
      { outcome: 'failed', status: 503, flags: ['NC'], details: 'cluster_not_found', route: 'gone' },
      ['cluster NC'],
    ],
    ['/moved', { outcome: 'answered', status: 301, details: 'direct_response' }, []],
    ['/fault', { outcome: 'answered', status: 503, flags: ['FI'] }, ['route FI']],
    ['/empty', { outcome: 'failed', status: 503, flags: ['UH'], details: 'no_healthy_upstream' }, ['endpoints UH']],
    [
      '/sick',
      {
        outcome: 'failed',
        flags: ['UH'],
        why: 'none of the 1 endpoints of outbound|80|sick|web.srv.svc.cluster.local is healthy',
      },
      ['endpoints UH'],
    ],
    ['/split', { outcome: 'cannot-decide' }, ['endpoints UH']],
    ['/none', { outcome: 'failed', status: 404, flags: ['NR'], details: 'route_not_found' }, ['route NR']],
  ])('%s', (path, expected, steps) => {
    const result = ask(path)
    expect(result).toMatchObject(expected)
    expect(broken(result)).toEqual(steps)
  })
  test('an unknown host where only known services are allowed', () => {
    expect(ask('/', {}, config, 'x.test')).toMatchObject({ outcome: 'answered', status: 502, route: 'block_all' })
  })
  test('steps come in the order of the way, with the objects behind them', () => {
    const { steps } = ask('/gone')
    expect(steps.map(({ kind, object }) => [kind, object?.name])).toEqual([
      ['listener', undefined],
      ['filter-chain', undefined],
      ['route', 'web'],
      ['cluster', undefined],
    ])
  })
  test('TLS is told for every endpoint that is used', () => {
    const sockets = ask('/ok')
      .steps.filter(({ kind }) => kind === 'transport-socket')
      .map(({ facts }) => facts)
    expect(sockets).toMatchObject([
      {
        sends: 'istio-mtls',
        sni: 'outbound_.80_._.web',
        expectedSans: ['spiffe://td/ns/srv/sa/web'],
        endpoints: ['10.1.0.1:8080'],
      },
      { sends: 'plaintext', endpoints: ['10.1.0.2:8080'] },
    ])
  })
  test('without eds the TLS of an endpoint is not known', () => {
    const { upstreams } = ask('/ok', {}, { ...config, eds: null })
    expect(upstreams[0]?.endpoints?.map(({ tls }) => tls.sends)).toEqual(['unknown', 'unknown', 'unknown'])
  })
})

describe('what was not looked at stays open', () => {
  test.each(['listeners', 'routes', 'clusters'] as const)('%s', (part) => {
    expect(ask('/ok', {}, { ...config, [part]: null })).toMatchObject({
      outcome: 'cannot-decide',
      why: `the ${part} were not looked at`,
    })
  })
  test('endpoints', () =>
    expect(ask('/ok', {}, { ...config, endpoints: null, eds: null }).outcome).toBe('cannot-decide'))
})

describe('other connections', () => {
  const toward = (
    connection: Partial<Connection>,
    direction: TraceQuestion['direction'] = 'outbound',
    proxy = config,
  ) =>
    trace(proxy, {
      direction,
      connection: { ...plain, ...connection },
      request: connection.alpn?.length === 0 ? null : { method: 'GET', path: '/', authority: 'web' },
    })
  test.each<[string, Partial<Connection>, TraceQuestion['direction'], object]>([
    [
      'TCP to a known address',
      { address: '10.0.0.9', port: 9000, alpn: [] },
      'outbound',
      { outcome: 'forwarded', clusters: [{ name: 'outbound|9000||db.srv.svc.cluster.local' }] },
    ],
    ['an unknown port', { port: 1234, alpn: [] }, 'outbound', { outcome: 'failed', flags: ['UH'] }],
    [
      'TLS on an HTTP port',
      { tls: true, alpn: [] },
      'outbound',
      { outcome: 'forwarded', clusters: [{ name: 'PassthroughCluster' }] },
    ],
    [
      'mesh mTLS into the server',
      { port: 8080, tls: true, alpn: meshAlpn.http },
      'inbound',
      { outcome: 'forwarded', route: 'default', clusters: [{ name: 'inbound|8080||' }] },
    ],
    [
      'plaintext into STRICT',
      { port: 8080 },
      'inbound',
      { outcome: 'failed', flags: ['NR'], details: 'filter_chain_not_found' },
    ],
    ['an unknown gateway port', { port: 4444 }, 'gateway', { outcome: 'failed', flags: [] }],
  ])('%s', (_, connection, direction, expected) => expect(toward(connection, direction)).toMatchObject(expected))
  test('inbound policies are on the way', () => {
    const { steps } = toward({ port: 8080, tls: true, alpn: meshAlpn.http }, 'inbound')
    expect(steps.filter(({ kind }) => kind === 'filter').map(({ facts }) => facts)).toMatchObject([
      { kind: 'jwt', issuers: ['iss'] },
      { kind: 'rbac', enforced: { action: 'DENY', policies: ['ns[srv]-policy[p]-rule[0]'] } },
    ])
    expect(steps.find(({ kind }) => kind === 'filter-chain')?.facts.tls).toBe('mtls')
  })
  test('a gateway without its certificate ends there', () => {
    const gateway: ProxyConfig = {
      ...config,
      secrets: [],
      listeners: [
        {
          name: '0.0.0.0_443',
          address: address('0.0.0.0', 443),
          filterChains: [
            {
              filterChainMatch: { serverNames: ['web'] },
              transportSocket: istioTls(false, 'kubernetes://cert'),
              filters: [hcm({ rds: { routeConfigName: '80' } })],
            },
          ],
        },
      ],
    }
    const from = { port: 443, tls: true, sni: 'web', alpn: ['h2'] }
    expect(toward(from, 'gateway', gateway)).toMatchObject({
      outcome: 'failed',
      why: 'the proxy has no certificate kubernetes://cert to end TLS with',
    })
    expect(toward({ ...from, sni: 'other' }, 'gateway', gateway)).toMatchObject({ outcome: 'failed', flags: ['NR'] })
  })
})

describe('filter chains', () => {
  const chain = (name: string, filterChainMatch: FilterChainMatch) => ({ name, filterChainMatch })
  const chains = [
    chain('any', {}),
    chain('port', { destinationPort: 80 }),
    chain('port-tls', { destinationPort: 80, transportProtocol: 'tls' }),
    chain('range', { prefixRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] }),
    chain('address', { prefixRanges: [{ addressPrefix: '10.0.0.1', prefixLen: 32 }] }),
    chain('wild', { destinationPort: 443, serverNames: ['*.test'] }),
    chain('exact', { destinationPort: 443, serverNames: ['a.test'] }),
  ]
  test.each<[Partial<Connection>, string | undefined]>([
    [{ port: 80, address: '1.1.1.1' }, 'port'],
    [{ port: 80, address: '1.1.1.1', tls: true }, 'port-tls'],
    [{ port: 1, address: '10.0.0.1' }, 'address'],
    [{ port: 1, address: '10.2.0.1' }, 'range'],
    [{ port: 1, address: '1.1.1.1' }, 'any'],
    [{ port: 443, tls: true, sni: 'A.test' }, 'exact'],
    [{ port: 443, tls: true, sni: 'b.test' }, 'wild'],
    [{ port: 443, tls: true, sni: 'b.other' }, undefined],
    [{ port: 443 }, undefined],
  ])('%j takes %s', (connection, name) => {
    const choice = chooseFilterChain({ name: 'l', filterChains: chains }, { ...plain, ...connection })
    expect(choice.chain?.name).toBe(name)
  })
  test('chains that differ by the caller’s address are left open', () => {
    const listener = {
      filterChains: [chain('a', { sourcePrefixRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] }), chain('b', {})],
    }
    expect(chooseFilterChain(listener, plain)).toMatchObject({ chain: null, undecided: true })
  })
  test('the matcher tree of a waypoint', () => {
    const action = { action: { name: 'inbound-vip|80|http|web' } }
    const port = {
      matcherTree: {
        input: { typedConfig: { '@type': 'x.DestinationPortInput' } },
        exactMatchMap: { map: { '80': action } },
      },
    }
    const tree = {
      matcherTree: {
        input: { typedConfig: { '@type': 'x.DestinationIPInput' } },
        customMatch: {
          typedConfig: {
            rangeMatchers: [{ ranges: [{ addressPrefix: '10.0.0.1', prefixLen: 32 }], onMatch: { matcher: port } }],
          },
        },
      },
      onNoMatch: { action: { name: 'direct-http' } },
    }
    const listener = {
      name: 'main_internal',
      filterChainMatcher: tree,
      filterChains: [{ name: 'inbound-vip|80|http|web' }, { name: 'direct-http' }],
    }
    expect(findListener([listener], 'inbound', plain)?.name).toBe('main_internal')
    expect(chooseFilterChain(listener, plain).chain?.name).toBe('inbound-vip|80|http|web')
    expect(chooseFilterChain(listener, { ...plain, address: '10.0.0.2' }).chain?.name).toBe('direct-http')
    expect(chooseFilterChain(listener, { ...plain, port: 81 }).chain).toBeNull()
  })
})
