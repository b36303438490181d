import { describe, expect, test } from 'vitest'
import { configObject } from '../../src/mesh/config-object.ts'
import { predictRoute } from '../../src/mesh/predict-route.ts'
import { matchesWhole, replaceAllMatches } from '../../src/mesh/regular-expression.ts'
import { matchRoute } from '../../src/mesh/route-match.ts'

const to = (cluster: string, more: object = {}) => ({ route: { cluster, timeout: '0s' }, ...more })
/** The route that the first match block leads to, or why there is none. */
function hit(match: object, request: object = {}): string {
  const config = {
    name: '80',
    virtualHosts: [
      {
        name: 'web:80',
        domains: ['web'],
        routes: [
          { name: 'yes', match, ...to('a') },
          { name: 'no', match: { prefix: '' }, ...to('b') },
        ],
      },
    ],
  }
  const decision = matchRoute(config, { method: 'GET', path: '/', authority: 'web', ...request })
  return decision.outcome === 'cannot-decide' ? 'cannot-decide' : (decision.route ?? 'nothing')
}

describe('paths', () => {
  test.each<[object, string, string]>([
    [{ prefix: '/a' }, '/a', 'yes'],
    [{ prefix: '/a' }, '/ab?x', 'yes'],
    [{ prefix: '/a/' }, '/a', 'no'],
    [{ prefix: '/A' }, '/a', 'no'],
    [{ prefix: '/A', caseSensitive: false }, '/a', 'yes'],
    [{ path: '/a' }, '/a?x=1', 'yes'],
    [{ path: '/a' }, '/a/', 'no'],
    [{ path: '' }, '/', 'no'],
    [{ pathSeparatedPrefix: '/a' }, '/a', 'yes'],
    [{ pathSeparatedPrefix: '/a' }, '/a/b', 'yes'],
    [{ pathSeparatedPrefix: '/a' }, '/ab', 'no'],
    [{ safeRegex: { regex: '/a.*' } }, '/ab?x', 'yes'],
    [{ safeRegex: { regex: '/a' } }, '/ab', 'no'],
    [{ connectMatcher: {} }, '/', 'no'],
    [{ pathMatchPolicy: {} }, '/', 'cannot-decide'],
    // Proxies normalise before they route.
    [{ path: '/b' }, '/a/../b', 'yes'],
    [{ path: '/admin' }, '/%61dmin', 'yes'],
  ])('%j and %s: %s', (match, path, expected) => expect(hit(match, { path })).toBe(expected))
})

describe('headers', () => {
  const header = (matcher: object) => ({ prefix: '/', headers: [{ name: 'x-a', ...matcher }] })
  test.each<[object, [string, string][], string]>([
    [{ stringMatch: { exact: '1' } }, [['X-A', '1']], 'yes'],
    [{ stringMatch: { exact: '1' } }, [], 'no'],
    [{ stringMatch: { exact: '' } }, [['x-a', '']], 'yes'],
    [
      { stringMatch: { exact: '1,2' } },
      [
        ['x-a', '1'],
        ['x-a', ' 2 '],
      ],
      'yes',
    ],
    [{ stringMatch: { prefix: 'a' } }, [['x-a', 'ab']], 'yes'],
    [{ stringMatch: { suffix: 'b', ignoreCase: true } }, [['x-a', 'aB']], 'yes'],
    [{ stringMatch: { contains: 'x' } }, [['x-a', 'axb']], 'yes'],
    [{ stringMatch: { safeRegex: { regex: '[0-9]+' } } }, [['x-a', '12x']], 'no'],
    [{ presentMatch: true }, [['x-a', '']], 'yes'],
    [{ presentMatch: true, invertMatch: true }, [], 'yes'],
    [{ presentMatch: true, invertMatch: true }, [['x-a', '1']], 'no'],
    [{ stringMatch: { exact: '1' }, invertMatch: true }, [], 'no'],
    [{ stringMatch: { exact: '1' }, invertMatch: true, treatMissingHeaderAsEmpty: true }, [], 'yes'],
    [{ stringMatch: { exact: '' }, invertMatch: true, treatMissingHeaderAsEmpty: true }, [], 'no'],
    [{ exactMatch: '1' }, [['x-a', '1']], 'yes'],
    [{ rangeMatch: { start: '1', end: '3' } }, [['x-a', '2']], 'yes'],
    [{ rangeMatch: { start: '1', end: '3' } }, [['x-a', '3']], 'no'],
    [{ stringMatch: { safeRegex: { regex: '(?=a)a' } } }, [['x-a', 'a']], 'cannot-decide'],
    [{ stringMatch: { future: 1 } }, [['x-a', 'a']], 'cannot-decide'],
  ])('%j with %j: %s', (matcher, headers, expected) => expect(hit(header(matcher), { headers })).toBe(expected))
  test.each([
    [':method', 'GET'],
    [':authority', 'web'],
    ['host', 'web'],
    [':scheme', 'http'],
    [':path', '/?q'],
  ])('%s is %s', (name, exact) => {
    expect(hit({ prefix: '/', headers: [{ name, stringMatch: { exact } }] }, { path: '/?q' })).toBe('yes')
  })
})

describe('query parameters', () => {
  const query = (matcher: object) => ({ prefix: '/', queryParameters: [{ name: 'q', ...matcher }] })
  test.each<[object, string, string]>([
    [{ presentMatch: true }, '/?q', 'yes'],
    [{ presentMatch: true }, '/?qq', 'no'],
    [{ stringMatch: { exact: '1' } }, '/?a&q=1', 'yes'],
    [{ stringMatch: { exact: '1' } }, '/?q=2&q=1', 'no'],
    [{ stringMatch: { exact: '' } }, '/', 'no'],
    [{ stringMatch: { exact: 'a b' } }, '/?q=a%20b', 'no'],
  ])('%j and %s: %s', (matcher, path, expected) => expect(hit(query(matcher), { path })).toBe(expected))
})

test('conditions about tokens and shares of traffic are left open', () => {
  expect(hit({ prefix: '/', dynamicMetadata: [{}] })).toBe('cannot-decide')
  expect(hit({ prefix: '/', runtimeFraction: { defaultValue: { numerator: 5 } } })).toBe('cannot-decide')
  // A route that fails otherwise is passed over without asking.
  expect(hit({ prefix: '/x', dynamicMetadata: [{}] })).toBe('no')
})

describe('what a route does', () => {
  const only = (route: object, request: object = {}, host: object = {}) =>
    matchRoute(
      {
        name: 'r',
        virtualHosts: [
          { name: 'v', domains: ['*'], routes: [{ name: 'r', match: { prefix: '/a' }, ...route }], ...host },
        ],
      },
      { method: 'GET', path: '/a/b?q=1', authority: 'web:8080', ...request },
    )
  test.each<[object, string]>([
    [{ pathRedirect: '/new' }, 'http://web:8080/new?q=1'],
    [{ pathRedirect: '/new?own' }, 'http://web:8080/new?own'],
    [{ prefixRewrite: '/new' }, 'http://web:8080/new/b?q=1'],
    [{ regexRewrite: { pattern: { regex: '^/(.)/' }, substitution: '/\\1\\1/' } }, 'http://web:8080/aa/b?q=1'],
    [{ hostRedirect: 'x.test' }, 'http://x.test/a/b?q=1'],
    [{ schemeRedirect: 'https' }, 'https://web:8080/a/b?q=1'],
    [{ portRedirect: 8443 }, 'http://web:8443/a/b?q=1'],
    [{ httpsRedirect: true, stripQuery: true }, 'https://web:8080/a/b'],
  ])('redirect %j to %s', (redirect, location) => {
    expect(only({ redirect }).action).toMatchObject({ kind: 'redirect', status: 301, location })
  })
  test('a change of scheme drops the default port', () => {
    expect(only({ redirect: { httpsRedirect: true } }, { authority: 'web:80' }).action?.location).toBe(
      'https://web/a/b?q=1',
    )
  })
  test('a host that takes only HTTPS redirects', () => {
    expect(only(to('a'), { authority: 'web' }, { requireTls: 'ALL' })).toMatchObject({
      outcome: 'redirect',
      action: { location: 'https://web/a/b?q=1' },
    })
    expect(only(to('a'), { authority: 'web', scheme: 'https' }, { requireTls: 'ALL' }).outcome).toBe('cluster')
  })
  test.each<[object, string | null]>([
    [{ prefixRewrite: '/n' }, '/n/b?q=1'],
    [{ prefixRewrite: '/' }, '//b?q=1'],
    [{ regexRewrite: { pattern: { regex: '/a/(.*)' }, substitution: '/\\1/z' } }, '/b/z?q=1'],
    [{}, null],
  ])('rewrite %j gives %s', (more, path) => {
    expect(only({ route: { cluster: 'a', ...more } }).action?.rewrittenPath).toBe(path)
  })
  test('weights become shares, weight 0 is nobody', () => {
    const weightedClusters = { clusters: [{ name: 'a', weight: 1 }, { name: 'b', weight: 3 }, { name: 'c' }] }
    expect(only({ route: { weightedClusters } }).action?.clusters).toEqual([
      { name: 'a', percent: 25 },
      { name: 'b', percent: 75 },
    ])
  })
  test('fault, timeout and retries', () => {
    const fault = {
      abort: { httpStatus: 555, percentage: { numerator: 50 } },
      delay: { fixedDelay: '1.5s', percentage: { numerator: 1000000, denominator: 'MILLION' } },
    }
    const { action } = only({
      route: { cluster: 'a', timeout: '2s', retryPolicy: { retryOn: '5xx', numRetries: 3, perTryTimeout: '0.5s' } },
      typedPerFilterConfig: { 'envoy.filters.http.fault': fault },
    })
    expect(action).toMatchObject({
      timeoutMs: 2000,
      retries: { on: '5xx', attempts: 3, perTryMs: 500 },
      fault: { abort: { status: 555, percent: 50 }, delay: { ms: 1500, percent: 100 } },
    })
  })
  test('a route without any action is left open', () => expect(only({}).outcome).toBe('cannot-decide'))
  test('nothing matches', () => {
    expect(only(to('a'), { path: '/x' })).toMatchObject({
      outcome: 'no-route',
      passedOver: [{ route: 'r', failed: 'path /a*' }],
    })
    expect(matchRoute({ name: 'r' }, { method: 'GET', path: '/', authority: 'x' }).outcome).toBe('no-route')
  })
  test('%00 never reaches a route', () => expect(only(to('a'), { path: '/a%00' }).outcome).toBe('rejected'))
})

describe('regular expressions', () => {
  test.each<[string, string, boolean | null]>([
    ['a|b', 'ab', false],
    ['(?i)AB', 'ab', true],
    ['[[:digit:]]+', '12', true],
    ['(?P<x>a)', 'a', true],
    ['^a$', 'a', true],
    ['(', 'a', null],
    ['(a)\\1', 'aa', null],
    ['(a+)+', 'a'.repeat(50), null],
  ])('%s covers %s: %s', (pattern, text, expected) => expect(matchesWhole(pattern, text)).toBe(expected))
  test('replacing', () => {
    expect(replaceAllMatches('a(.)', '\\1-\\0', 'abac')).toBe('b-abc-ac')
    expect(replaceAllMatches('(', 'x', 'a')).toBeNull()
  })
})

test.each([
  [
    '/apis/networking.istio.io/v1/namespaces/srv/virtual-service/web',
    { kind: 'VirtualService', namespace: 'srv', name: 'web' },
  ],
  [
    '/apis/gateway.networking.k8s.io/v1/namespaces/srv/http-route/web',
    { kind: 'HTTPRoute', namespace: 'srv', name: 'web' },
  ],
  ['nothing', null],
])('the object of %s', (config, expected) => {
  expect(configObject({ filterMetadata: { istio: { config } } })).toEqual(expected)
})

describe('from objects alone', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'srv' },
    spec: {
      clusterIP: '10.0.0.1',
      selector: { app: 'web' },
      ports: [
        { name: 'http', port: 80 },
        { name: 'any', port: 7000 },
        { name: 'tcp', port: 9000 },
      ],
    },
  }
  const virtual = (name: string, spec: object, namespace = 'srv') => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace, creationTimestamp: `2026-01-01T00:00:0${name.length}Z` },
    spec,
  })
  const route = (subset?: string) => [
    { destination: { host: 'web.srv.svc.cluster.local', ...(subset ? { subset } : {}) } },
  ]
  const rule = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'web', namespace: 'srv' },
    spec: { host: 'web', subsets: [{ name: 'v1', labels: { version: 'v1' } }] },
  }
  const ask = (objects: any[], change: any = {}) => {
    const { port = 80, mesh = {}, ...request } = change
    return predictRoute({
      objects: [service, ...objects],
      mesh: { rootNamespace: 'istio-system', ...mesh },
      client: { namespace: 'shop', labels: { app: 'cart' } },
      destination: { address: '10.0.0.1', port },
      request: { method: 'GET', path: '/', authority: 'web.srv', ...request },
      pods: [{ namespace: 'srv', labels: { app: 'web', version: 'v2' } }],
    })
  }
  const hosts = ['web.srv.svc.cluster.local']
  test.each<[string, any[], any, object]>([
    [
      'no VirtualService',
      [],
      {},
      { outcome: 'forwarded', route: 'default', clusters: [{ name: 'outbound|80||web.srv.svc.cluster.local' }] },
    ],
    [
      'an undefined subset',
      [virtual('a', { hosts, http: [{ name: 'm', route: route('v1') }] })],
      {},
      { outcome: 'failed', flags: ['NC'], status: 503, route: 'm' },
    ],
    [
      'a subset without pods',
      [rule, virtual('a', { hosts, http: [{ route: route('v1') }] })],
      {},
      { outcome: 'failed', flags: ['UH'], route: null },
    ],
    [
      'a match name',
      [virtual('a', { hosts, http: [{ name: 'm', match: [{ name: 'x' }], route: route() }] })],
      {},
      { outcome: 'forwarded', route: 'm.x' },
    ],
    [
      'bound to a gateway only',
      [virtual('a', { hosts, gateways: ['gw'], http: [{ name: 'm', route: route() }] })],
      {},
      { route: 'default' },
    ],
    [
      'a sniffed port',
      [virtual('a', { hosts, http: [{ name: 'm', route: route() }] })],
      { port: 7000, authority: 'anything' },
      { outcome: 'forwarded', route: 'm' },
    ],
    ['a TCP port', [], { port: 9000 }, { outcome: 'cannot-decide' }],
    ['an unknown port', [], { port: 1 }, { outcome: 'forwarded', clusters: [{ name: 'PassthroughCluster' }] }],
    [
      'an unknown port, known services only',
      [],
      { port: 1, mesh: { outboundTrafficPolicy: 'REGISTRY_ONLY' } },
      { outcome: 'failed', flags: ['UH'] },
    ],
    [
      'an unknown host, known services only',
      [],
      { authority: 'x.test', mesh: { outboundTrafficPolicy: 'REGISTRY_ONLY' } },
      { outcome: 'answered', status: 502, route: 'block_all', details: 'direct_response' },
    ],
    [
      'a delegate that is missing',
      [virtual('a', { hosts, http: [{ delegate: { name: 'gone' } }] })],
      {},
      { route: 'default' },
    ],
    [
      'a delegate without namespace',
      [
        virtual('a', { hosts, http: [{ name: 'r', delegate: { name: 'dd' } }] }),
        virtual('dd', { http: [{ name: 'c', route: [{ destination: { host: 'web' } }] }] }),
      ],
      {},
      { outcome: 'forwarded', route: 'r-c' },
    ],
    [
      'a fault for everybody',
      [
        virtual('a', {
          hosts,
          http: [{ fault: { abort: { httpStatus: 418, percentage: { value: 100 } } }, route: route() }],
        }),
      ],
      {},
      { outcome: 'answered', status: 418, flags: ['FI'] },
    ],
    [
      'a fault for nobody',
      [virtual('a', { hosts, http: [{ fault: { abort: { httpStatus: 418 } }, route: route() }] })],
      {},
      { outcome: 'forwarded', flags: [] },
    ],
    [
      'a split with one bad half',
      [
        virtual('a', {
          hosts,
          http: [
            {
              route: [
                { ...route()[0], weight: 50 },
                { ...route('v1')[0], weight: 50 },
              ],
            },
          ],
        }),
      ],
      {},
      { outcome: 'cannot-decide' },
    ],
  ])('%s', (_, objects, change, expected) => expect(ask(objects, change)).toMatchObject(expected))
  test('a VirtualService that lost its host to an older one is named', () => {
    const objects = [
      virtual('a', { hosts, http: [{ name: 'old', route: route() }] }),
      virtual('bb', { hosts, http: [{ name: 'new', route: route() }] }),
    ]
    const result = ask(objects)
    expect(result.route).toBe('old')
    expect(result.routes?.shadowed.map(({ object, by }) => [object.metadata.name, by.metadata.name])).toEqual([
      ['bb', 'a'],
    ])
  })
})
