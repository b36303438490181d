import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decideAccess } from '../../src/mesh/access-decision.ts'
import { isInBlock, parseIp, parseIpBlock } from '../../src/mesh/authorize/ip-blocks.ts'
import { normalisePath } from '../../src/mesh/authorize/path-normalise.ts'
import { expandTrustDomains } from '../../src/mesh/authorize/source-identity.ts'
import { type AuthzRequest, authorize } from '../../src/mesh/authorize.ts'
import { defaultMeshConfig, type MeshConfig, type PathNormalization } from '../../src/mesh/mesh-config.ts'
import type { ProxyKind, Workload } from '../../src/mesh/workload.ts'
import type { KubeObject } from '../../src/model/kube.ts'

const mesh: MeshConfig = { ...defaultMeshConfig, extensionProviders: [], istioVersion: '1.30.3' }
const server: Workload = {
  name: 'api-1',
  namespace: 'pay',
  labels: { app: 'api', tier: 'back' },
  serviceAccount: 'api',
  ip: '10.0.0.9',
  proxy: 'sidecar',
  gatewayName: null,
}
const call: AuthzRequest = {
  protocol: 'http',
  method: 'GET',
  path: '/x',
  host: 'api.pay',
  headers: [],
  sourcePrincipal: 'spiffe://cluster.local/ns/shop/sa/web',
  sourceIp: '10.0.0.1',
  destinationPort: 8080,
  sni: 'outbound_.8080_._.api.pay.svc.cluster.local',
  jwt: null,
}
const tcp: AuthzRequest = {
  protocol: 'tcp',
  sourcePrincipal: 'spiffe://cluster.local/ns/shop/sa/web',
  sourceIp: '10.0.0.1',
  destinationPort: 9000,
  sni: 'outbound_.9000_._.api.pay.svc.cluster.local',
}

function policy(spec: object, name = 'p', namespace = 'pay', annotations?: Record<string, string>): KubeObject {
  const metadata = { name, namespace, ...(annotations ? { annotations } : {}) }
  return { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata, spec }
}

const allow = (...rules: object[]) => policy({ rules })
const deny = (...rules: object[]) => policy({ action: 'DENY', rules }, 'd')
const from = (source: object) => ({ from: [{ source }] })
const to = (operation: object) => ({ to: [{ operation }] })
const when = (key: string, values: string[], notValues: string[] = []) => ({ when: [{ key, values, notValues }] })

function decide(policies: KubeObject[], request: AuthzRequest = call, at: Workload = server, config = mesh) {
  return authorize(request, policies, at, config).decision
}

type Row = [
  shows: string,
  expected: 'allowed' | 'denied' | 'cannot-decide',
  policies: KubeObject[],
  request?: Partial<AuthzRequest>,
]

describe('order and default', () => {
  test.each<Row>([
    ['no policy allows', 'allowed', []],
    ['spec {} allows nothing', 'denied', [policy({})]],
    ['rules [] allows nothing', 'denied', [allow()]],
    ['absent rules under ALLOW allow nothing', 'denied', [policy({ action: 'ALLOW' })]],
    ['rules [{}] allows everything', 'allowed', [allow({})]],
    ['DENY without rules does nothing', 'allowed', [policy({ action: 'DENY' })]],
    ['DENY rules [] does nothing', 'allowed', [deny()]],
    ['DENY rules [{}] denies everything', 'denied', [deny({})]],
    ['a DENY beats an ALLOW', 'denied', [allow({}), deny({})]],
    ['a DENY that does not fit leaves the default', 'allowed', [deny(to({ methods: ['POST'] }))]],
    [
      'a DENY that does not fit is no ALLOW',
      'denied',
      [deny(to({ methods: ['POST'] })), allow(to({ methods: ['POST'] }))],
    ],
    ['one fitting ALLOW of several is enough', 'allowed', [policy({}, 'nothing'), allow(to({ methods: ['GET'] }))]],
    ['ALLOW policies of mesh and namespace are pooled', 'allowed', [policy({}, 'all', 'istio-system'), allow({})]],
    ['AUDIT never denies', 'allowed', [policy({ action: 'AUDIT', rules: [{}] })]],
    ['AUDIT is no ALLOW policy', 'allowed', [policy({ action: 'AUDIT', rules: [] })]],
    [
      'a dry-run DENY does not deny',
      'allowed',
      [policy({ action: 'DENY', rules: [{}] }, 'd', 'pay', { 'istio.io/dry-run': 'true' })],
    ],
    ['a dry-run ALLOW makes no default deny', 'allowed', [policy({}, 'a', 'pay', { 'istio.io/dry-run': '1' })]],
    [
      'dry-run "yes" is no boolean and is enforced',
      'denied',
      [policy({ action: 'DENY', rules: [{}] }, 'd', 'pay', { 'istio.io/dry-run': 'yes' })],
    ],
    [
      'dry-run "false" is enforced',
      'denied',
      [policy({ action: 'DENY', rules: [{}] }, 'd', 'pay', { 'istio.io/dry-run': 'false' })],
    ],
    ['rules are alternatives', 'allowed', [allow(to({ methods: ['PUT'] }), to({ methods: ['GET'] }))]],
    [
      'sources are alternatives',
      'allowed',
      [allow({ from: [{ source: { namespaces: ['x'] } }, { source: { namespaces: ['shop'] } }] })],
    ],
    [
      'fields of one source are conjoined',
      'denied',
      [allow(from({ namespaces: ['shop'], ipBlocks: ['10.9.0.0/16'] }))],
    ],
    [
      'two list items instead of one make an OR of an AND',
      'allowed',
      [allow({ from: [{ source: { namespaces: ['shop'] } }, { source: { ipBlocks: ['10.9.0.0/16'] } }] })],
    ],
    [
      'from and to are conjoined',
      'denied',
      [allow({ ...from({ namespaces: ['shop'] }), ...to({ methods: ['POST'] }) })],
    ],
    [
      'when entries are conjoined',
      'denied',
      [
        allow({
          when: [
            { key: 'source.namespace', values: ['shop'] },
            { key: 'source.ip', values: ['10.9.0.0/16'] },
          ],
        }),
      ],
    ],
    ['values and notValues are conjoined', 'denied', [allow(when('source.namespace', ['shop'], ['sh*']))]],
    ['an empty source asks for nothing', 'allowed', [allow({ from: [{ source: {} }] })]],
    [
      'empty to and when lists ask for nothing',
      'allowed',
      [allow({ ...from({ namespaces: ['shop'] }), to: [], when: [] })],
    ],
    ['an unknown when key drops the rule, a DENY then fails open', 'allowed', [deny(when('request.path', ['/x']))]],
    [
      'an unknown when key drops the rule, an ALLOW then allows nothing',
      'denied',
      [allow(when('destination.labels[a]', ['b']))],
    ],
    ['an unknown field keeps the answer open', 'cannot-decide', [allow(from({ newThing: ['a'] }))]],
  ])('%s: %s', (_, expected, policies, request) => {
    expect(decide(policies, { ...call, ...request })).toBe(expected)
  })
})

describe('who calls', () => {
  const td = (value: string) => [allow(from({ principals: [value] }))]
  test.each<Row>([
    ['a principal in full', 'allowed', td('cluster.local/ns/shop/sa/web')],
    ['a principal with spiffe:// never fits', 'denied', td('spiffe://cluster.local/ns/shop/sa/web')],
    ['a principal by prefix', 'allowed', td('cluster.local/ns/shop/*')],
    ['a principal by suffix', 'allowed', td('*/sa/web')],
    ['a principal of somebody else', 'denied', td('cluster.local/ns/shop/sa/job')],
    ['principals * wants an identity', 'allowed', td('*')],
    ['principals are case-sensitive', 'denied', td('cluster.local/ns/shop/sa/Web')],
    ['* in the middle is no wildcard', 'denied', td('cluster.local/ns/*/sa/web')],
    ['namespaces', 'allowed', [allow(from({ namespaces: ['shop'] }))]],
    ['namespaces by prefix', 'allowed', [allow(from({ namespaces: ['sh*'] }))]],
    ['namespaces by suffix', 'allowed', [allow(from({ namespaces: ['*op'] }))]],
    ['namespaces with a wildcard inside', 'allowed', [allow(from({ namespaces: ['s*p'] }))]],
    ['a namespace is not a prefix by itself', 'denied', [allow(from({ namespaces: ['sho'] }))]],
    ['serviceAccounts ns/name', 'allowed', [allow(from({ serviceAccounts: ['shop/web'] }))]],
    ['serviceAccounts without namespace mean the policy’s own', 'denied', [allow(from({ serviceAccounts: ['web'] }))]],
    ['serviceAccounts have no wildcard', 'denied', [allow(from({ serviceAccounts: ['shop/w*'] }))]],
    ['source.principal as condition', 'allowed', [allow(when('source.principal', ['*/sa/web']))]],
    ['source.namespace as condition', 'allowed', [allow(when('source.namespace', ['shop']))]],
    ['source.serviceAccount as condition', 'allowed', [allow(when('source.serviceAccount', ['shop/web']))]],
    ['trustDomains of this mesh', 'allowed', [allow(from({ trustDomains: ['cluster.local'] }))]],
    [
      'trustDomains of an identity that is not Istio’s',
      'allowed',
      [allow(from({ trustDomains: ['cluster.local'] }))],
      { sourcePrincipal: 'spiffe://cluster.local/vm/17' },
    ],
    ['trustDomains of another mesh', 'denied', [allow(from({ trustDomains: ['other'] }))]],
    ['source.trustDomain as condition', 'denied', [allow(when('source.trustDomain', ['other']))]],
    ['plaintext has no principal', 'denied', td('*'), { sourcePrincipal: null }],
    ['plaintext has no namespace', 'denied', [allow(from({ namespaces: ['*'] }))], { sourcePrincipal: null }],
    [
      'ALLOW notNamespaces admits plaintext',
      'allowed',
      [allow(from({ notNamespaces: ['shop'] }))],
      { sourcePrincipal: null },
    ],
    [
      'ALLOW notPrincipals admits plaintext',
      'allowed',
      [allow(from({ notPrincipals: ['*/sa/web'] }))],
      { sourcePrincipal: null },
    ],
    [
      'DENY namespaces is bypassed by plaintext',
      'allowed',
      [deny(from({ namespaces: ['shop'] }))],
      { sourcePrincipal: null },
    ],
    [
      'DENY notPrincipals * refuses plaintext',
      'denied',
      [deny(from({ notPrincipals: ['*'] }))],
      { sourcePrincipal: null },
    ],
    ['DENY notPrincipals * lets identities pass', 'allowed', [deny(from({ notPrincipals: ['*'] }))]],
    [
      'a principal may be handed in without spiffe://',
      'allowed',
      td('cluster.local/ns/shop/sa/web'),
      { sourcePrincipal: 'cluster.local/ns/shop/sa/web' },
    ],
    [
      'a value with regular-expression characters stays open',
      'cannot-decide',
      [allow(from({ namespaces: ['(shop|x)'] }))],
    ],
    ['what Envoy refuses as a regular expression stays open', 'cannot-decide', [allow(from({ principals: ['**'] }))]],
    [
      '*web* of a principal is a regular expression: we, then any number of b',
      'allowed',
      [allow(from({ principals: ['*web*'] }))],
    ],
  ])('%s: %s', (_, expected, policies, request) => {
    expect(decide(policies, { ...call, ...request })).toBe(expected)
  })

  const aliased = { ...mesh, trustDomain: 'new', trustDomainAliases: ['old'] }
  test.each([
    ['own trust domain stands for its aliases', 'new/ns/shop/sa/web', ['new/ns/shop/sa/web', 'old/ns/shop/sa/web']],
    ['an alias stands for the own trust domain', 'old/ns/shop/sa/web', ['new/ns/shop/sa/web', 'old/ns/shop/sa/web']],
    [
      'cluster.local is replaced, not added',
      'cluster.local/ns/shop/sa/web',
      ['new/ns/shop/sa/web', 'old/ns/shop/sa/web'],
    ],
    ['four parts are left alone', 'cluster.local/ns/shop/*', ['cluster.local/ns/shop/*']],
    ['any trust domain is left alone', '*/ns/shop/sa/web', ['*/ns/shop/sa/web']],
    ['an unknown trust domain is left alone', 'other/ns/shop/sa/web', ['other/ns/shop/sa/web']],
    [
      'a suffix of the trust domain keeps what it covers',
      '*ew/ns/shop/sa/web',
      ['*ew/ns/shop/sa/web', 'old/ns/shop/sa/web'],
    ],
  ])('%s', (_, value, expected) => {
    expect(expandTrustDomains(value, aliased)).toEqual(expected)
  })

  test('with another trust domain, a policy that says cluster.local does not fit a peer of cluster.local', () => {
    expect(decide([allow(from({ principals: ['cluster.local/ns/shop/sa/web'] }))], call, server, aliased)).toBe(
      'denied',
    )
    const peer = { ...call, sourcePrincipal: 'old/ns/shop/sa/web' }
    expect(decide([allow(from({ principals: ['cluster.local/ns/shop/sa/web'] }))], peer, server, aliased)).toBe(
      'allowed',
    )
  })
})

describe('where from', () => {
  test.each<Row>([
    ['an address', 'allowed', [allow(from({ ipBlocks: ['10.0.0.1'] }))]],
    ['a block', 'allowed', [allow(from({ ipBlocks: ['10.0.0.0/24'] }))]],
    ['host bits of a block are ignored', 'allowed', [allow(from({ ipBlocks: ['10.0.0.77/24'] }))]],
    ['0.0.0.0/0 holds every IPv4 address', 'allowed', [allow(from({ ipBlocks: ['0.0.0.0/0'] }))]],
    ['::/0 holds no IPv4 address', 'denied', [allow(from({ ipBlocks: ['::/0'] }))]],
    ['IPv6', 'allowed', [allow(from({ ipBlocks: ['2001:db8::/32'] }))], { sourceIp: '2001:db8:1::5' }],
    ['notIpBlocks', 'denied', [allow(from({ notIpBlocks: ['10.0.0.0/24'] }))]],
    ['an unreadable block drops an ALLOW rule', 'denied', [allow(from({ ipBlocks: ['10.0.0.0/33', '10.0.0.0/8'] }))]],
    ['an unreadable block only leaves a DENY rule', 'denied', [deny(from({ ipBlocks: ['10.0.0.0/33'] }))]],
    ['source.ip as condition', 'allowed', [allow(when('source.ip', ['10.0.0.1']))]],
    [
      'remoteIpBlocks take the last hop of X-Forwarded-For',
      'allowed',
      [allow(from({ remoteIpBlocks: ['203.0.113.0/24'] }))],
      { headers: [['X-Forwarded-For', '198.51.100.1, 203.0.113.7']] },
    ],
    [
      'remoteIpBlocks do not take the first hop',
      'denied',
      [allow(from({ remoteIpBlocks: ['203.0.113.0/24'] }))],
      { headers: [['X-Forwarded-For', '203.0.113.7, 198.51.100.1']] },
    ],
    [
      'garbage in X-Forwarded-For leaves the peer',
      'allowed',
      [allow(from({ remoteIpBlocks: ['10.0.0.1'] }))],
      { headers: [['X-Forwarded-For', 'garbage']] },
    ],
    [
      'ipBlocks do not look at X-Forwarded-For',
      'denied',
      [allow(from({ ipBlocks: ['203.0.113.0/24'] }))],
      { headers: [['X-Forwarded-For', '203.0.113.7']] },
    ],
    ['remote.ip as condition', 'denied', [allow(when('remote.ip', ['203.0.113.0/24']))]],
    [
      'with a partial list of headers the remote address is open',
      'cannot-decide',
      [allow(when('remote.ip', ['203.0.113.0/24']))],
      { headersKnown: 'named' },
    ],
    ['destination.ip is the pod', 'allowed', [allow(when('destination.ip', ['10.0.0.9']))]],
    ['ports are container ports', 'allowed', [allow(to({ ports: ['8080'] }))]],
    ['a Service port is not the container port', 'denied', [allow(to({ ports: ['80'] }))]],
    ['notPorts', 'denied', [allow(to({ notPorts: ['8080'] }))]],
    ['a port by name drops the ALLOW rule', 'denied', [allow(to({ ports: ['http', '8080'] }))]],
    ['destination.port as condition', 'allowed', [allow(when('destination.port', ['8080']))]],
    [
      'the server name of the mesh',
      'allowed',
      [allow(when('connection.sni', ['outbound_.8080_._.api.pay.svc.cluster.local']))],
    ],
    ['the server name by suffix', 'allowed', [allow(when('connection.sni', ['*.api.pay.svc.cluster.local']))]],
    ['plaintext has no server name', 'denied', [allow(when('connection.sni', ['*']))], { sni: null }],
  ])('%s: %s', (_, expected, policies, request) => {
    expect(decide(policies, { ...call, ...request })).toBe(expected)
  })

  test('at a gateway the remote address must be told, since trusted proxies are counted there', () => {
    const rule = [allow(from({ remoteIpBlocks: ['203.0.113.0/24'] }))]
    const gateway = { ...server, proxy: 'gateway' as const }
    const request = { ...call, headers: [['x-forwarded-for', '203.0.113.7']] as const }
    expect(decide(rule, request, gateway)).toBe('cannot-decide')
    expect(decide(rule, { ...request, remoteIp: '203.0.113.7' }, gateway)).toBe('allowed')
  })

  test.each([
    ['10.1.2.3', '10.1.0.0/16', true],
    ['10.2.2.3', '10.1.0.0/16', false],
    ['10.1.2.3', '10.1.2.3/32', true],
    ['::1', '::/0', true],
    ['10.1.2.3', '::ffff:0:0/96', false],
    ['fe80::1', 'fe80::/10', true],
    ['fec0::1', 'fe80::/10', false],
  ])('%s in %s: %s', (address, block, expected) => {
    expect(isInBlock(parseIp(address)!, parseIpBlock(block)!)).toBe(expected)
  })

  test.each([
    '',
    '10.1.2',
    '10.1.2.3.4',
    '10.01.2.3',
    '256.1.1.1',
    '10.1.2.3:80',
    '1::2::3',
    '12345::',
    ':1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    'g::',
  ])('%j is no address', (text) => {
    expect(parseIp(text)).toBeNull()
  })

  test.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/08', '::/129', '/8', 'a/8'])(
    '%j is no block',
    (text) => {
      expect(parseIpBlock(text)).toBeNull()
    },
  )
})

describe('what is asked for', () => {
  const path = (value: string) => [allow(to({ paths: [value] }))]
  test.each<Row>([
    ['a method', 'allowed', [allow(to({ methods: ['GET'] }))]],
    ['methods are case-sensitive', 'denied', [allow(to({ methods: ['get'] }))]],
    ['methods by prefix', 'allowed', [allow(to({ methods: ['G*'] }))]],
    ['notMethods', 'denied', [allow(to({ notMethods: ['GET'] }))]],
    ['a host', 'allowed', [allow(to({ hosts: ['api.pay'] }))]],
    ['hosts ignore case', 'allowed', [allow(to({ hosts: ['API.pay'] }))]],
    ['a host without its port does not fit', 'denied', [allow(to({ hosts: ['api.pay'] }))], { host: 'api.pay:8080' }],
    ['h:* fits a host with port', 'allowed', [allow(to({ hosts: ['api.pay:*'] }))], { host: 'api.pay:8080' }],
    ['hosts by suffix', 'allowed', [allow(to({ hosts: ['*.pay'] }))]],
    ['a path', 'allowed', path('/x')],
    ['a path does not include the query', 'allowed', path('/x'), { path: '/x?a=1' }],
    ['paths are case-sensitive', 'denied', path('/X')],
    ['paths by prefix', 'allowed', path('/x*'), { path: '/xyz/1' }],
    ['/admin/* does not fit /admin', 'denied', path('/admin/*'), { path: '/admin' }],
    ['paths by suffix', 'allowed', path('*.html'), { path: '/a/b.html' }],
    ['* in the middle is literal', 'denied', path('/a*c'), { path: '/abc' }],
    ['*abc* is a suffix match on abc*', 'denied', path('*abc*'), { path: '/xabcx' }],
    ['*abc* fits a path that ends in abc*', 'allowed', path('*abc*'), { path: '/xabc*' }],
    ['paths *', 'allowed', path('*')],
    ['notPaths', 'denied', [allow(to({ notPaths: ['/x'] }))]],
    ['dot segments are resolved first', 'allowed', path('/admin'), { path: '/public/../admin' }],
    ['encoded dot segments too', 'allowed', path('/admin'), { path: '/public/%2e%2E/admin' }],
    ['encoded letters are decoded', 'allowed', path('/admin'), { path: '/%61dmin' }],
    ['encoded slashes stay', 'denied', path('/public/admin'), { path: '/public%2Fadmin' }],
    ['double slashes stay', 'denied', path('/a/b'), { path: '/a//b' }],
    ['backslashes are slashes', 'allowed', path('/a/b'), { path: '/a\\b' }],
    ['{*} is one segment', 'allowed', path('/users/{*}/edit'), { path: '/users/7/edit' }],
    ['{*} is not two segments', 'denied', path('/users/{*}/edit'), { path: '/users/7/8/edit' }],
    ['{*} is not an empty segment', 'denied', path('/users/{*}'), { path: '/users/' }],
    ['{*} takes no *', 'denied', path('/users/{*}'), { path: '/users/a*' }],
    ['{**} is any rest', 'allowed', path('/a/{**}'), { path: '/a/b/c' }],
    ['{**} may be empty', 'allowed', path('/a/{**}'), { path: '/a/' }],
    ['/a/{**} does not fit /a', 'denied', path('/a/{**}'), { path: '/a' }],
    ['a suffix after {**}', 'allowed', path('/a/{**}/z'), { path: '/a/b/c/z' }],
    ['a template has no other wildcards', 'denied', path('/a/{*}*'), { path: '/a/bcd' }],
    ['a path that is refused anyway stays open', 'cannot-decide', path('/x'), { path: '/x%00' }],
    ['a header', 'allowed', [allow(when('request.headers[x-role]', ['admin']))], { headers: [['X-Role', 'admin']] }],
    [
      'header values are case-sensitive',
      'denied',
      [allow(when('request.headers[x-role]', ['Admin']))],
      { headers: [['x-role', 'admin']] },
    ],
    [
      'header names are not',
      'allowed',
      [allow(when('request.headers[X-ROLE]', ['admin']))],
      { headers: [['x-role', 'admin']] },
    ],
    [
      '* asks that the header exists, even if empty',
      'allowed',
      [allow(when('request.headers[x-role]', ['*']))],
      { headers: [['x-role', '']] },
    ],
    ['a missing header fits no value', 'denied', [allow(when('request.headers[x-role]', ['*']))]],
    ['a missing header fits notValues', 'allowed', [allow(when('request.headers[x-role]', [], ['a']))]],
    [
      'repeated headers are tested one by one',
      'allowed',
      [allow(when('request.headers[x-role]', ['b']))],
      {
        headers: [
          ['x-role', 'a'],
          ['x-role', 'b'],
        ],
      },
    ],
    [
      'repeated headers are not joined',
      'denied',
      [allow(when('request.headers[x-role]', ['a,b']))],
      {
        headers: [
          ['x-role', 'a'],
          ['x-role', 'b'],
        ],
      },
    ],
    [
      'notValues fail if any of them fits',
      'denied',
      [allow(when('request.headers[x-role]', [], ['a']))],
      {
        headers: [
          ['x-role', 'b'],
          ['x-role', 'a'],
        ],
      },
    ],
    [
      'blanks around a value are cut',
      'allowed',
      [allow(when('request.headers[x-role]', ['a']))],
      { headers: [['x-role', ' a ']] },
    ],
    [':authority keeps its case here', 'denied', [allow(when('request.headers[:authority]', ['API.pay']))]],
    ['host is :authority', 'allowed', [allow(when('request.headers[host]', ['api.pay']))]],
    ['headers that proxies set stay open', 'cannot-decide', [allow(when('request.headers[x-request-id]', ['*']))]],
    ['dynamic metadata stays open', 'cannot-decide', [allow(when('experimental.envoy.filters.a.b[c]', ['d']))]],
  ])('%s: %s', (_, expected, policies, request) => {
    expect(decide(policies, { ...call, ...request })).toBe(expected)
  })

  test.each<[PathNormalization, string, string]>([
    ['NONE', '/a/../b', '/a/../b'],
    ['NONE', '/%61', '/%61'],
    ['BASE', '/a/../b', '/b'],
    ['BASE', '/a/..', '/'],
    ['BASE', '/../../b', '/b'],
    ['BASE', '/a/.', '/a/'],
    ['BASE', '/a//b', '/a//b'],
    ['BASE', '/a//../b', '/a/b'],
    ['BASE', '/a%2Fb%5cc', '/a%2Fb%5cc'],
    ['BASE', '/a%2561', '/a%2561'],
    ['BASE', '/a%zz', '/a%zz'],
    ['BASE', '/{x}', '/%7Bx%7D'],
    ['BASE', '/é', '/%C3%A9'],
    ['MERGE_SLASHES', '/a//b///c', '/a/b/c'],
    ['MERGE_SLASHES', '/a%2F%2Fb', '/a%2F%2Fb'],
    ['DECODE_AND_MERGE_SLASHES', '/a%2F%2fb%5Cc', '/a/b/c'],
    ['DECODE_AND_MERGE_SLASHES', '/public%2F..%2Fadmin', '/admin'],
  ])('%s: %s becomes %s', (mode, raw, expected) => {
    expect(normalisePath(raw, mode)).toEqual({ kind: 'path', path: expected })
  })
})

describe('with which token', () => {
  const alice = {
    iss: 'https://i.test/a',
    sub: 'alice',
    aud: ['api'],
    azp: 'cli',
    scope: 'read write',
    groups: ['admin', 7],
    level: 3,
    admin: true,
    realm: { roles: ['op'], x: 'y' },
  }
  const who = (value: string) => [allow(from({ requestPrincipals: [value] }))]
  const claim = (name: string, ...values: string[]) => [allow(when(`request.auth.claims${name}`, values))]
  test.each<Row>([
    ['issuer/subject', 'allowed', who('https://i.test/a/alice')],
    ['* wants issuer and subject', 'allowed', who('*')],
    ['* without subject', 'denied', who('*'), { jwt: { iss: 'https://i.test/a' } }],
    ['iss/*', 'allowed', who('https://i.test/a/*')],
    ['iss/al*', 'allowed', who('https://i.test/a/al*')],
    ['*/alice', 'allowed', who('*/alice')],
    ['*/al* is literal', 'denied', who('*/al*')],
    ['*/* is literal', 'denied', who('*/*')],
    ['*test/a/alice', 'allowed', who('*test/a/alice')],
    ['https://i.test/a* splits into https://i.test and a*', 'denied', who('https://i.test/a*')],
    ['https* is a prefix of the issuer', 'allowed', who('https*')],
    ['*lice is a suffix of the subject', 'allowed', who('*lice')],
    ['no token', 'denied', who('*'), { jwt: null }],
    ['no token fits notRequestPrincipals', 'allowed', [allow(from({ notRequestPrincipals: ['*'] }))], { jwt: null }],
    ['an unknown token', 'cannot-decide', [allow(from({ requestPrincipals: ['*'] }))], { jwt: undefined as any }],
    ['request.auth.principal', 'allowed', [allow(when('request.auth.principal', ['https://i.test/a/alice']))]],
    ['audiences', 'allowed', [allow(when('request.auth.audiences', ['api']))]],
    ['presenter is azp', 'allowed', [allow(when('request.auth.presenter', ['cli']))]],
    ['a claim', 'allowed', claim('[sub]', 'alice')],
    ['a nested claim', 'allowed', claim('[realm][x]', 'y')],
    ['a list in a nested claim', 'allowed', claim('[realm][roles]', 'op')],
    ['a member of a list', 'allowed', claim('[groups]', 'admin')],
    ['a claim by suffix', 'allowed', claim('[groups]', '*min')],
    ['a number never fits', 'denied', claim('[level]', '3')],
    ['a number does not fit * either', 'denied', claim('[level]', '*')],
    ['a boolean never fits', 'denied', claim('[admin]', 'true')],
    ['a number in a list never fits', 'denied', claim('[groups]', '7')],
    ['scope is split at blanks', 'allowed', claim('[scope]', 'write')],
    ['the whole scope does not fit', 'denied', claim('[scope]', 'read write')],
    ['other claims are not split', 'denied', claim('[roles]', 'a'), { jwt: { ...alice, roles: 'a b' } }],
    ['a claim that is not there', 'denied', claim('[nothing]', '*')],
    ['constructor is no claim', 'denied', claim('[constructor][name]', '*')],
    [
      'a claim with slashes in its name',
      'allowed',
      claim('[https://c.test/role]', 'op'),
      { jwt: { 'https://c.test/role': 'op' } },
    ],
  ])('%s: %s', (_, expected, policies, request) => {
    const { jwt, ...rest } = { ...call, jwt: alice, ...request }
    expect(decide(policies, jwt === undefined ? rest : { ...rest, jwt })).toBe(expected)
  })
})

describe('HTTP fields on TCP ports', () => {
  test.each<Row>([
    [
      'an ALLOW rule with an HTTP field vanishes: deny all',
      'denied',
      [allow({ ...from({ namespaces: ['shop'] }), ...to({ methods: ['GET'] }) })],
    ],
    [
      'also if the field is in one of two operations',
      'denied',
      [allow({ to: [{ operation: { methods: ['GET'] } }, { operation: { ports: ['9000'] } }] })],
    ],
    ['also if the field is negated', 'denied', [allow(to({ notPaths: ['/x'] }))]],
    ['another rule of the policy still counts', 'allowed', [allow(to({ methods: ['GET'] }), to({ ports: ['9000'] }))]],
    [
      'a DENY rule only loses the field',
      'denied',
      [deny({ ...from({ namespaces: ['shop'] }), ...to({ methods: ['POST'] }) })],
    ],
    ['a DENY of HTTP fields only denies all of TCP', 'denied', [deny(to({ paths: ['/admin'] }))]],
    ['ports keep a DENY off other ports', 'allowed', [deny(to({ paths: ['/admin'], ports: ['8080'] }))]],
    ['ALLOW requestPrincipals vanishes', 'denied', [allow(from({ requestPrincipals: ['*'] }))]],
    ['connection.sni works', 'allowed', [allow(when('connection.sni', ['outbound_.9000_.*']))]],
    ['remote.ip works, it is the peer', 'allowed', [allow(when('remote.ip', ['10.0.0.1']))]],
  ])('%s: %s', (_, expected, policies, request) => {
    expect(decide(policies, { ...tcp, ...request })).toBe(expected)
  })

  test('with the protocol unknown, both chains must agree', () => {
    const { protocol: _, ...either } = call
    expect(decide([deny({})], either)).toBe('denied')
    expect(decide([allow(to({ methods: ['GET'] }))], either)).toBe('cannot-decide')
    expect(authorize(either, [allow(to({ methods: ['GET'] }))], server, mesh).unknowns).toContainEqual(
      expect.objectContaining({ attribute: 'protocol' }),
    )
  })

  test('what was cut out is named', () => {
    const { considered } = authorize(tcp, [deny(to({ paths: ['/x'] })), allow(to({ hosts: ['a'] }))], server, mesh)
    expect(considered[0]?.rules[0]?.ignoredFields).toEqual(['paths'])
    expect(considered[1]?.rules[0]).toMatchObject({ dropped: true, result: 'no-match' })
  })
})

test('path templates came with 1.22; an older istiod takes them for plain text', () => {
  const template = [allow(to({ paths: ['/a/{**}'] }))]
  const request = { ...call, path: '/a/b' }
  expect(decide(template, request, server, { ...mesh, istioVersion: '1.21.6' })).toBe('denied')
  expect(decide(template, request, server, { ...mesh, istioVersion: '1.22.0' })).toBe('allowed')
  expect(decide(template, request, server, { ...mesh, istioVersion: null })).toBe('allowed')
})

describe('external authorization', () => {
  const custom = (rule: object, provider = 'opa') =>
    policy({ action: 'CUSTOM', provider: { name: provider }, rules: [rule] })
  const opa = (kind: string): MeshConfig => ({
    ...mesh,
    extensionProviders: [
      { name: 'opa', kind, service: 'opa.opa.svc.cluster.local', port: 9191, failOpen: false, statusOnError: null },
    ],
  })
  const http = opa('envoyExtAuthzHttp')
  test('a fitting rule leaves it to the provider', () => {
    expect(decide([custom({})], call, server, http)).toBe('cannot-decide')
    expect(decide([custom({})], { ...call, extAuthz: 'allow' }, server, http)).toBe('allowed')
    expect(decide([custom({})], { ...call, extAuthz: 'deny' }, server, http)).toBe('denied')
  })
  test('a rule that does not fit asks nobody', () => {
    expect(decide([custom(to({ paths: ['/admin'] }))], call, server, http)).toBe('allowed')
  })
  test('a DENY denies whatever the provider says', () => {
    expect(decide([custom({}), deny({})], call, server, http)).toBe('denied')
  })
  test('an HTTP provider is not asked on TCP, a gRPC one is', () => {
    expect(decide([custom({})], tcp, server, http)).toBe('allowed')
    expect(decide([custom({})], tcp, server, opa('envoyExtAuthzGrpc'))).toBe('cannot-decide')
  })
  test('an unknown provider denies what its rules fit, and only that', () => {
    const broken = custom(from({ notIpBlocks: ['10.9.0.0/16'] }), 'nowhere')
    expect(authorize(call, [broken], server, mesh)).toMatchObject({
      decision: 'denied',
      rbacId: 'istio-ext-authz-nowhere-ns[pay]-policy[p]-rule[0]-deny-due-to-bad-CUSTOM-action',
    })
    expect(decide([broken], { ...call, sourceIp: '10.9.0.1' })).toBe('allowed')
    expect(decide([custom(to({ paths: ['/admin'] }), 'nowhere')], tcp)).toBe('denied')
  })
  test.each([
    ['1.29.2', 'istio-ext-authz-ns[pay]-policy[p]-rule[0]-deny-due-to-bad-CUSTOM-action'],
    ['1.19.0', 'default-deny-all-due-to-bad-CUSTOM-action'],
  ])('%s spells it %s', (istioVersion, id) => {
    expect(authorize(call, [custom({}, 'nowhere')], server, { ...mesh, istioVersion }).rbacId).toBe(id)
  })
  test('without the mesh configuration it stays open', () => {
    expect(decide([custom({})], call, server, { ...mesh, extensionProviders: null })).toBe('cannot-decide')
  })
  test('several providers at one workload stay open', () => {
    expect(
      decide([custom({}), policy({ action: 'CUSTOM', provider: { name: 'b' }, rules: [{}] }, 'q')], call, server, http),
    ).toBe('cannot-decide')
  })
})

describe('which policies reach the proxy', () => {
  const all = (spec: object, namespace = 'pay') => [policy({ action: 'DENY', rules: [{}], ...spec }, 'd', namespace)]
  const gateway = (name: string) => ({ targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name }] })
  const at = (proxy: ProxyKind, gatewayName: string | null = null): Workload => ({ ...server, proxy, gatewayName })
  const service = { kind: 'Service' as const, namespace: 'pay', name: 'api' }
  const serviceRef = { targetRefs: [{ group: '', kind: 'Service', name: 'api' }] }
  test.each<[string, 'allowed' | 'denied' | 'cannot-decide', KubeObject[], Workload, Partial<AuthzRequest>?]>([
    ['own namespace', 'denied', all({}), server],
    ['another namespace', 'allowed', all({}, 'shop'), server],
    ['root namespace', 'denied', all({}, 'istio-system'), server],
    ['selector fits', 'denied', all({ selector: { matchLabels: { app: 'api' } } }), server],
    [
      'selector with one wrong label',
      'allowed',
      all({ selector: { matchLabels: { app: 'api', tier: 'front' } } }),
      server,
    ],
    [
      'root namespace with selector',
      'denied',
      all({ selector: { matchLabels: { app: 'api' } } }, 'istio-system'),
      server,
    ],
    ['empty selector', 'denied', all({ selector: {} }), server],
    ['targetRefs never reach a sidecar', 'allowed', all(gateway('gw')), server],
    ['targetRefs never reach an old gateway', 'allowed', all(gateway('gw')), at('gateway')],
    ['a gateway by targetRef', 'denied', all(gateway('gw')), at('gateway-api', 'gw')],
    ['another gateway by targetRef', 'allowed', all(gateway('gw2')), at('gateway-api', 'gw')],
    ['a gateway by selector', 'denied', all({ selector: { matchLabels: { app: 'api' } } }), at('gateway-api', 'gw')],
    ['the singular targetRef', 'denied', all({ targetRef: gateway('gw').targetRefs[0] }), at('gateway-api', 'gw')],
    [
      'the singular one only counts alone',
      'allowed',
      all({ ...gateway('gw2'), targetRef: gateway('gw').targetRefs[0] }),
      at('gateway-api', 'gw'),
    ],
    ['a waypoint ignores selectors', 'allowed', all({}), at('waypoint', 'wp')],
    ['a waypoint by Gateway', 'denied', all(gateway('wp')), at('waypoint', 'wp')],
    ['a waypoint by Service that was called', 'denied', all(serviceRef), at('waypoint', 'wp'), { service }],
    [
      'a waypoint by another Service',
      'allowed',
      all(serviceRef),
      at('waypoint', 'wp'),
      { service: { ...service, name: 'other' } },
    ],
    ['a waypoint when a pod was addressed', 'allowed', all(serviceRef), at('waypoint', 'wp'), { service: null }],
    ['a waypoint when it is not known what was called', 'cannot-decide', all(serviceRef), at('waypoint', 'wp')],
    [
      'a waypoint by GatewayClass from the root namespace',
      'denied',
      all(
        { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'GatewayClass', name: 'istio-waypoint' }] },
        'istio-system',
      ),
      at('waypoint', 'wp'),
    ],
    [
      'a waypoint by GatewayClass from elsewhere',
      'allowed',
      all({ targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'GatewayClass', name: 'istio-waypoint' }] }),
      at('waypoint', 'wp'),
    ],
    [
      'a targetRef never reaches over namespaces',
      'allowed',
      all({ targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'wp', namespace: 'shop' }] }),
      at('waypoint', 'wp'),
    ],
    ['nothing enforces at a pod without proxy', 'allowed', all({}), at('none')],
    ['ztunnel does not get targetRefs', 'allowed', all(gateway('wp')), at('ambient')],
    ['ztunnel attaches an empty selector to nothing', 'allowed', all({ selector: {} }), at('ambient')],
    ['ztunnel takes namespace policies', 'denied', all({}), at('ambient')],
  ])('%s: %s', (_, expected, policies, workload, request) => {
    expect(decide(policies, { ...call, ...request }, workload)).toBe(expected)
  })
})

describe('ztunnel', () => {
  const pod: Workload = { ...server, proxy: 'ambient' }
  test.each<Row>([
    ['L4 DENY', 'denied', [deny(from({ namespaces: ['shop'] }))]],
    [
      'an ALLOW rule with HTTP fields vanishes',
      'denied',
      [allow({ ...from({ namespaces: ['shop'] }), ...to({ methods: ['GET'] }) })],
    ],
    ['a DENY of HTTP fields only does nothing', 'allowed', [deny(to({ paths: ['/admin'] }))]],
    [
      '… also with a from: the empty clause never fits',
      'allowed',
      [deny({ ...from({ namespaces: ['shop'] }), ...to({ paths: ['/admin'] }) })],
    ],
    [
      'a DENY with a port next to the HTTP field is wider',
      'denied',
      [deny(to({ paths: ['/admin'], ports: ['8080'] }))],
    ],
    ['connection.sni is HTTP to it', 'denied', [allow(when('connection.sni', ['*']))]],
    ['rules [{}] allows all', 'allowed', [allow({})]],
    ['rules [] under ALLOW denies all', 'denied', [allow()]],
    [
      'AUDIT and CUSTOM are not for it',
      'allowed',
      [
        policy({ action: 'CUSTOM', provider: { name: 'x' }, rules: [{}] }),
        policy({ action: 'AUDIT', rules: [{}] }, 'q'),
      ],
    ],
    ['an empty source never fits', 'denied', [allow({ from: [{ source: {} }] })]],
    [
      'trustDomains are ignored next to other fields',
      'allowed',
      [allow(from({ trustDomains: ['other'], namespaces: ['shop'] }))],
    ],
    ['namespaces by prefix', 'allowed', [allow(from({ namespaces: ['sh*'] }))]],
    ['namespaces with a wildcard inside', 'denied', [allow(from({ namespaces: ['s*p'] }))]],
    ['principals by text', 'allowed', [allow(from({ principals: ['cluster.local/ns/shop/sa/web'] }))]],
    ['serviceAccounts', 'allowed', [allow(from({ serviceAccounts: ['shop/web'] }))]],
    ['plaintext and notPrincipals *', 'denied', [deny(from({ notPrincipals: ['*'] }))], { sourcePrincipal: null }],
    [
      'an unknown caller',
      'cannot-decide',
      [deny(from({ namespaces: ['shop'] }))],
      { sourcePrincipal: undefined as any },
    ],
  ])('%s: %s', (_, expected, policies, request) => {
    const { sourcePrincipal, ...rest } = { ...call, ...request }
    expect(decide(policies, sourcePrincipal === undefined ? rest : { ...rest, sourcePrincipal }, pod)).toBe(expected)
  })

  test('it knows no trust domain aliases', () => {
    const aliased = { ...mesh, trustDomain: 'new', trustDomainAliases: ['cluster.local'] }
    expect(decide([allow(from({ principals: ['new/ns/shop/sa/web'] }))], call, pod, aliased)).toBe('denied')
    expect(decide([allow(from({ principals: ['new/ns/shop/sa/web'] }))], call, server, aliased)).toBe('allowed')
  })

  test('its log names the policy, or that nobody allowed', () => {
    const text = 'connection closed due to policy rejection: '
    expect(authorize(call, [deny({})], pod, mesh).ztunnelText).toBe(`${text}explicitly denied by: pay/d`)
    expect(authorize(call, [allow()], pod, mesh).ztunnelText).toBe(`${text}allow policies exist, but none allowed`)
    // With several it is open which one it names.
    expect(authorize(call, [deny({}), policy({ action: 'DENY', rules: [{}] }, 'e')], pod, mesh).ztunnelText).toBeNull()
  })
})

describe('what Envoy names', () => {
  test('the id that is smallest by bytes, and the others beside it', () => {
    const many = policy({ action: 'DENY', rules: Array.from({ length: 11 }, () => ({})) }, 'd')
    const result = authorize(call, [many, policy({ action: 'DENY', rules: [{}] }, 'd', 'istio-system')], server, mesh)
    expect(result.rbacId).toBe('ns[istio-system]-policy[d]-rule[0]')
    expect(result.alsoMatches).toContain('ns[pay]-policy[d]-rule[10]')
    expect(authorize(call, [many], server, mesh).alsoMatches).not.toContain('ns[pay]-policy[d]-rule[0]')
    const later = policy(
      {
        action: 'DENY',
        rules: Array.from({ length: 11 }, (_, index) => (index === 2 || index === 10 ? {} : to({ methods: ['PUT'] }))),
      },
      'd',
    )
    expect(authorize(call, [later], server, mesh).rbacId).toBe('ns[pay]-policy[d]-rule[10]')
  })
  test('none, when ALLOW policies exist and no rule fits', () => {
    expect(authorize(call, [allow(to({ methods: ['PUT'] }))], server, mesh)).toMatchObject({
      rbacId: 'none',
      by: { policy: 'pay/p', ruleIndex: null },
    })
  })
  test('nothing while an earlier rule is open', () => {
    const { sourceIp: _, ...request } = call
    const result = authorize(
      request,
      [policy({ action: 'DENY', rules: [from({ ipBlocks: ['10.0.0.1'] }), {}] }, 'd')],
      server,
      mesh,
    )
    expect(result).toMatchObject({ decision: 'denied', rbacId: null })
  })
  test('dry-run and AUDIT results are reported beside the decision', () => {
    const shadowed = policy({ action: 'DENY', rules: [{}] }, 's', 'pay', { 'istio.io/dry-run': 'true' })
    const result = authorize(call, [shadowed, policy({ action: 'AUDIT', rules: [{}] }, 'a')], server, mesh)
    expect(result.dryRun).toEqual([expect.objectContaining({ policy: 'pay/s', action: 'DENY', result: 'match' })])
    expect(result.audit).toEqual([expect.objectContaining({ policy: 'pay/a', result: 'match' })])
  })
})

describe('laws that hold for any policies', () => {
  const values = <T>(...list: T[]) => fc.subarray(list, { minLength: 1 })
  const source = fc.record(
    {
      principals: values('*', 'cluster.local/ns/shop/sa/web', '*/sa/job', 'cluster.local/ns/*'),
      notPrincipals: values('*', '*/sa/web'),
      namespaces: values('shop', 's*', 'x'),
      notNamespaces: values('shop', 'x'),
      serviceAccounts: values('shop/web', 'web'),
      ipBlocks: values('10.0.0.0/24', '10.9.0.0/16', '::/0'),
      notIpBlocks: values('10.0.0.1', '10.9.0.0/16'),
      remoteIpBlocks: values('203.0.113.0/24', '10.0.0.1'),
      requestPrincipals: values('*', 'a/b'),
    },
    { requiredKeys: [] },
  )
  const operation = fc.record(
    {
      methods: values('GET', 'P*', 'post'),
      notMethods: values('GET', 'DELETE'),
      paths: values('/x', '/a/*', '*.html', '/{*}', '/a/{**}'),
      notPaths: values('/x', '/y'),
      hosts: values('api.pay', '*.svc', 'API.PAY'),
      ports: values('8080', '9000'),
      notPorts: values('8080', '7000'),
    },
    { requiredKeys: [] },
  )
  const condition = fc.oneof(
    fc.record({
      key: fc.constant('request.headers[x-role]'),
      values: values('a', 'a*', '*'),
      notValues: fc.constant([]),
    }),
    fc.record({ key: fc.constant('source.ip'), values: fc.constant([]), notValues: values('10.0.0.1', '10.9.0.0/16') }),
    fc.record({ key: fc.constant('connection.sni'), values: values('*', 'outbound_*') }),
    fc.record({ key: fc.constant('request.auth.claims[groups]'), values: values('admin', '*') }),
  )
  const rule = fc.record(
    {
      from: fc.array(
        source.map((entry) => ({ source: entry })),
        { minLength: 1, maxLength: 2 },
      ),
      to: fc.array(
        operation.map((entry) => ({ operation: entry })),
        { minLength: 1, maxLength: 2 },
      ),
      when: fc.array(condition, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: [] },
  )
  const spec = fc.record({ action: fc.constantFrom('ALLOW', 'DENY', 'AUDIT'), rules: fc.array(rule, { maxLength: 3 }) })
  const policies = fc
    .array(spec, { maxLength: 4 })
    .map((specs) => specs.map((entry, index) => policy(entry, `p${index}`)))
  const requests = fc.record(
    {
      protocol: fc.constantFrom('http' as const, 'tcp' as const),
      method: fc.constantFrom('GET', 'POST', 'DELETE'),
      path: fc.constantFrom('/x', '/a/b', '/b.html', '/a/'),
      host: fc.constantFrom('api.pay', 'x.svc', 'api.pay:8080'),
      headers: fc.constantFrom<AuthzRequest['headers']>([], [['x-role', 'a']], [['x-forwarded-for', '203.0.113.7']]),
      sourcePrincipal: fc.constantFrom(null, 'cluster.local/ns/shop/sa/web', 'cluster.local/ns/x/sa/job'),
      sourceIp: fc.constantFrom('10.0.0.1', '10.9.1.1', '2001:db8::1'),
      destinationPort: fc.constantFrom(8080, 9000),
      sni: fc.constantFrom(null, 'outbound_.8080_._.api.pay.svc.cluster.local'),
      jwt: fc.constantFrom(null, { iss: 'a', sub: 'b', groups: ['admin'] }),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<AuthzRequest>
  const proxies = fc.constantFrom<ProxyKind>('sidecar', 'ambient', 'gateway')
  const complete = (request: AuthzRequest): AuthzRequest => ({ ...call, ...request })

  test('one more DENY never allows what was denied', () => {
    fc.assert(
      fc.property(policies, rule, requests, proxies, (list, extra, request, proxy) => {
        const workload = { ...server, proxy }
        const before = decide(list, request, workload)
        const after = decide([...list, policy({ action: 'DENY', rules: [extra] }, 'extra')], request, workload)
        if (before === 'denied') expect(after).toBe('denied')
        if (after === 'allowed') expect(before).toBe('allowed')
      }),
      { numRuns: 600 },
    )
  })

  test('one more rule in an ALLOW policy never denies what was allowed', () => {
    fc.assert(
      fc.property(policies, rule, requests, proxies, (list, extra, request, proxy) => {
        const workload = { ...server, proxy }
        const base = policy({ rules: [] }, 'base')
        const before = decide([...list, base], request, workload)
        const after = decide([...list, policy({ rules: [extra] }, 'base')], request, workload)
        if (before === 'allowed') expect(after).toBe('allowed')
        if (after === 'denied') expect(before).toBe('denied')
      }),
      { numRuns: 600 },
    )
  })

  test('learning an attribute never overturns a decision', () => {
    fc.assert(
      fc.property(policies, requests, proxies, (list, request, proxy) => {
        const workload = { ...server, proxy }
        const partial = decide(list, request, workload)
        if (partial !== 'cannot-decide') expect(decide(list, complete(request), workload)).toBe(partial)
      }),
      { numRuns: 1500 },
    )
  })

  test('with everything known at a sidecar there is always a decision', () => {
    fc.assert(
      fc.property(policies, requests, (list, request) => {
        expect(decide(list, complete(request))).not.toBe('cannot-decide')
      }),
      { numRuns: 600 },
    )
  })

  test('the order of the policies does not matter', () => {
    fc.assert(
      fc.property(policies, requests, proxies, (list, request, proxy) => {
        const workload = { ...server, proxy }
        const [forth, back] = [
          authorize(request, list, workload, mesh),
          authorize(request, [...list].reverse(), workload, mesh),
        ]
        expect([back.decision, back.rbacId]).toEqual([forth.decision, forth.rbacId])
      }),
      { numRuns: 400 },
    )
  })

  test('objects of any shape do not crash it', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), requests, proxies, (rules, action, request, proxy) => {
        const odd = policy({ rules, action }, 'odd')
        expect(() => decide([odd], request, { ...server, proxy })).not.toThrow()
      }),
      { numRuns: 400 },
    )
  })

  test.each([
    [null],
    ['x'],
    [{ from: 'x' }],
    [{ from: [null] }],
    [{ to: [{ operation: 'GET' }] }],
    [{ when: [{}] }],
    [{ from: [{ source: { namespaces: 'shop' } }] }],
  ])('a rule that cannot be read, %j, allows nothing for certain', (odd) => {
    expect(decide([policy({ rules: [odd] })])).toBe('cannot-decide')
  })
})

describe('all stages together', () => {
  const strict: KubeObject = {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: 'default', namespace: 'pay' },
    spec: { mtls: { mode: 'STRICT' } },
  }
  const tokens: KubeObject = {
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name: 'jwt', namespace: 'pay' },
    spec: { jwtRules: [{ issuer: 'i', jwks: '{"keys":[{"kty":"RSA","kid":"k"}]}' }] },
  }
  const run = (objects: KubeObject[], request: Parameters<typeof decideAccess>[0]) =>
    decideAccess(request, objects, server, mesh, 1_800_000_000)

  test('plaintext into STRICT is refused before any policy', () => {
    expect(run([strict, allow({})], { ...call, sourcePrincipal: null })).toMatchObject({
      decision: 'denied',
      stage: 'peer-authentication',
    })
  })
  test('under STRICT an unknown transport keeps an allowed call open', () => {
    const { sourcePrincipal: _, ...request } = call
    expect(run([strict], request)).toMatchObject({ decision: 'cannot-decide' })
    expect(run([], request)).toMatchObject({ decision: 'allowed' })
  })
  test('a refused token comes before the policies', () => {
    const request = { ...call, known: [{ claims: { iss: 'other' } }] }
    expect(run([tokens, policy({})], request)).toMatchObject({ stage: 'request-authentication', status: 401 })
  })
  test('an unchecked signature keeps an allowed call open', () => {
    const request = { ...call, known: [{ claims: { iss: 'i', sub: 's' } }] }
    expect(run([tokens], request)).toMatchObject({ decision: 'cannot-decide' })
    expect(run([tokens], { ...request, signature: () => 'valid' })).toMatchObject({ decision: 'allowed' })
    expect(run([tokens, deny({})], request)).toMatchObject({ decision: 'denied', details: null })
  })
  describe('CUSTOM is asked before tokens are looked at', () => {
    const custom = (rule: object, name = 'nowhere') =>
      policy({ action: 'CUSTOM', provider: { name }, rules: [rule] }, 'c')
    const refused = { ...call, known: [{ claims: { iss: 'other' } }] }
    const id = 'istio-ext-authz-nowhere-ns[pay]-policy[c]-rule[0]-deny-due-to-bad-CUSTOM-action'
    const provider = { name: 'opa', service: 'opa.opa', port: 9191, failOpen: false, statusOnError: null }
    const asked: MeshConfig = { ...mesh, extensionProviders: [{ ...provider, kind: 'envoyExtAuthzHttp' }] }
    const decideAsked = (request: Parameters<typeof decideAccess>[0]) =>
      decideAccess(request, [tokens, custom({}, 'opa')], server, asked, 1_800_000_000)

    test('a provider that cannot be used answers 403, whatever the token is worth', () => {
      const details = `rbac_access_denied_matched_policy[${id}]`
      expect(run([tokens, custom({})], refused)).toMatchObject({ stage: 'authorization', status: 403, details })
      const open = { ...call, known: [{ claims: { iss: 'i' } }] }
      expect(run([tokens, custom({})], open)).toMatchObject({ stage: 'authorization', status: 403, details })
    })
    test('a provider that may say no has a status of its own', () => {
      expect(decideAsked(refused)).toMatchObject({ decision: 'denied', status: null, details: null })
      expect(decideAsked({ ...refused, extAuthz: 'allow' })).toMatchObject({ status: 401 })
      expect(decideAsked({ ...refused, extAuthz: 'deny' })).toMatchObject({ stage: 'authorization', details: null })
    })
    test('its rules see the token’s header, which later rules no longer do', () => {
      const payload = Buffer.from('{"iss":"i","sub":"s"}').toString('base64url')
      const text = `${Buffer.from('{"alg":"RS256","kid":"k"}').toString('base64url')}.${payload}.c2ln`
      const request = {
        ...call,
        headers: [['Authorization', `Bearer ${text}`]] as const,
        signature: () => 'valid' as const,
      }
      const anonymous = when('request.headers[authorization]', [], ['Bearer *'])
      expect(run([tokens, custom(anonymous)], request)).toMatchObject({ decision: 'allowed' })
      expect(run([tokens, deny(anonymous)], request)).toMatchObject({ decision: 'denied' })
    })
  })
})
