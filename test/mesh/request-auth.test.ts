import { describe, expect, test } from 'vitest'
import { defaultMeshConfig } from '../../src/mesh/mesh-config.ts'
import { decodeToken } from '../../src/mesh/request-auth/jwt-text.ts'
import { type AuthnRequest, afterRequestAuth, type KnownToken, requestAuth } from '../../src/mesh/request-auth.ts'
import type { Workload } from '../../src/mesh/workload.ts'
import type { KubeObject } from '../../src/model/kube.ts'

const now = 1_800_000_000
const server: Workload = {
  name: 'api-1',
  namespace: 'pay',
  labels: { app: 'api' },
  serviceAccount: 'api',
  ip: null,
  proxy: 'sidecar',
  gatewayName: null,
}
const jwks = JSON.stringify({ keys: [{ kty: 'RSA', kid: 'k1', alg: 'RS256', n: 'x', e: 'AQAB' }] })

function policy(jwtRules: object[], spec: object = {}, name = 'jwt', namespace = 'pay'): KubeObject {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name, namespace },
    spec: { ...spec, jwtRules },
  }
}

const rule = (issuer = 'a', more: object = {}) => ({ issuer, jwks, ...more })
const one = [policy([rule()])]

function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}
function token(claims: unknown, header: unknown = { alg: 'RS256', kid: 'k1' }): string {
  return `${encode(header)}.${encode(claims)}.c2ln`
}
const good = token({ iss: 'a', sub: 's' })

function run(request: AuthnRequest, policies = one, at = server) {
  const complete: AuthnRequest = { protocol: 'http', path: '/', headers: [], signature: () => 'valid', ...request }
  return requestAuth(complete, policies, at, defaultMeshConfig, now)
}
const bearer = (text: string): AuthnRequest => ({ headers: [['Authorization', `Bearer ${text}`]] })
const withClaims = (claims: object): AuthnRequest => bearer(token({ iss: 'a', sub: 's', ...claims }))

describe('refusals, in the proxy’s words', () => {
  const form = 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections'
  test.each<[string, AuthnRequest, 401 | 403, string]>([
    ['no dots', bearer('garbage'), 401, form],
    ['one dot', bearer('a.b'), 401, form],
    ['an empty section', bearer('a..b'), 401, form],
    ['three dots', bearer('a.b.c.d'), 401, form],
    ['a header that is no base64', bearer(`a!.${encode({})}.c2ln`), 401, 'Jwt header is an invalid Base64url encoded'],
    ['a header that is no JSON', bearer(`${encode('x')}.${encode({})}.c2ln`), 401, 'Jwt header is an invalid JSON'],
    ['no alg', bearer(token({ iss: 'a' }, {})), 401, 'Jwt header [alg] field is required and must be a string'],
    ['alg none', bearer(token({ iss: 'a' }, { alg: 'none' })), 401, 'Jwt header [alg] is not supported'],
    [
      'a numeric kid',
      bearer(token({ iss: 'a' }, { alg: 'RS256', kid: 1 })),
      401,
      'Jwt header [kid] field is not a string',
    ],
    [
      'a payload that is no JSON',
      bearer(`${encode({ alg: 'RS256' })}.${encode('[')}.c2ln`),
      401,
      'Jwt payload is an invalid JSON',
    ],
    [
      'a payload that is a list',
      bearer(`${encode({ alg: 'RS256' })}.${encode([])}.c2ln`),
      401,
      'Jwt payload is an invalid JSON',
    ],
    ['a numeric issuer', withClaims({ iss: 1 }), 401, 'Jwt payload [iss] field is not a string'],
    ['a numeric subject', withClaims({ sub: 1 }), 401, 'Jwt payload [sub] field is not a string'],
    ['exp as text', withClaims({ exp: '1800000000' }), 401, 'Jwt payload [exp] field is not an integer'],
    ['nbf as text', withClaims({ nbf: 'x' }), 401, 'Jwt payload [nbf] field is not an integer'],
    ['a negative exp', withClaims({ exp: -1 }), 401, 'Jwt payload [exp] field is not a positive 64 bit integer'],
    ['aud as number', withClaims({ aud: 1 }), 401, 'Jwt payload [aud] field is not a string or string list'],
    ['another issuer', withClaims({ iss: 'b' }), 401, 'Jwt issuer is not configured'],
    ['an issuer with a slash more', withClaims({ iss: 'a/' }), 401, 'Jwt issuer is not configured'],
    ['no issuer', bearer(token({ sub: 's' })), 401, 'Jwt issuer is not configured'],
    ['expired', withClaims({ exp: now - 61 }), 401, 'Jwt is expired'],
    ['not yet valid', withClaims({ nbf: now + 61 }), 401, 'Jwt not yet valid'],
    [
      'a kid that the keys lack',
      bearer(token({ iss: 'a' }, { alg: 'RS256', kid: 'k9' })),
      401,
      "Jwks doesn't have key to match kid or alg from Jwt",
    ],
    [
      'an alg that the key is not for',
      bearer(token({ iss: 'a' }, { alg: 'ES256', kid: 'k1' })),
      401,
      "Jwks doesn't have key to match kid or alg from Jwt",
    ],
    ['a wrong signature', { ...bearer(good), signature: () => 'invalid' }, 401, 'Jwt verification fails'],
    ['a wrong issuer comes before expiry', withClaims({ iss: 'b', exp: 1 }), 401, 'Jwt issuer is not configured'],
    [
      'expiry comes before the signature',
      { ...withClaims({ exp: 1 }), signature: () => 'invalid' },
      401,
      'Jwt is expired',
    ],
  ])('%s', (_, request, status, message) => {
    const details = `jwt_authn_access_denied{${message.replaceAll(' ', '_')}}`
    expect(run(request)).toMatchObject({ outcome: 'reject', status, message, details, identity: null })
  })

  test.each<[string, unknown, string[], 403 | null]>([
    ['no audiences asked for', undefined, [], null],
    ['the audience', 'web', ['web'], null],
    ['one of several', ['x', 'web'], ['y', 'web'], null],
    ['a trailing slash on the token’s side', 'web/', ['web'], null],
    ['a trailing slash on the rule’s side', 'web', ['web/'], null],
    ['a scheme on one side', 'https://web.test/', ['web.test'], null],
    ['another audience', 'nobody', ['web'], 403],
    ['no audience in the token', undefined, ['web'], 403],
    ['an empty list', [], ['web'], 403],
    ['audiences are case-sensitive', 'Web', ['web'], 403],
  ])('audience: %s', (_, aud, audiences, status) => {
    const result = run(withClaims(aud === undefined ? {} : { aud }), [policy([rule('a', { audiences })])])
    expect(result.status).toBe(status)
    if (status) expect(result.message).toBe('Audiences in Jwt are not allowed')
  })

  test.each([
    ['exp within the skew', { exp: now - 60 }],
    ['nbf within the skew', { nbf: now + 60 }],
    ['exp 0 means none', { exp: 0 }],
    ['an exp with fractions', { exp: now + 0.5 }],
  ])('%s passes', (_, claims) => {
    expect(run(withClaims(claims)).outcome).toBe('pass')
  })
})

describe('where tokens are looked for', () => {
  const header = [policy([rule('a', { fromHeaders: [{ name: 'x-jwt' }] })])]
  const prefixed = [policy([rule('a', { fromHeaders: [{ name: 'X-Jwt', prefix: 'Token ' }] })])]
  const param = [policy([rule('a', { fromParams: ['tok'] })])]
  const cookie = [policy([rule('a', { fromCookies: ['sess'] })])]
  test.each<[string, AuthnRequest, KubeObject[], string | null]>([
    ['Authorization by default', bearer(good), one, 'a/s'],
    ['access_token by default', { path: `/x?y=1&access_token=${good}` }, one, 'a/s'],
    ['bearer in lower case is no token', { headers: [['authorization', `bearer ${good}`]] }, one, null],
    ['Basic is no token', { headers: [['authorization', 'Basic abc']] }, one, null],
    ['no token at all', {}, one, null],
    ['a header of its own', { headers: [['X-JWT', good]] }, header, 'a/s'],
    ['a named location switches Authorization off', bearer('garbage'), header, null],
    ['a prefix', { headers: [['x-jwt', `Token ${good}`]] }, prefixed, 'a/s'],
    ['a value without the prefix is no token', { headers: [['x-jwt', good]] }, prefixed, null],
    ['a parameter', { path: `/x?tok=${good}` }, param, 'a/s'],
    ['another parameter', { path: `/x?access_token=${good}` }, param, null],
    ['a cookie', { headers: [['Cookie', `a=b; sess=${good}`]] }, cookie, 'a/s'],
    ['cookie names are case-sensitive', { headers: [['Cookie', `Sess=${good}`]] }, cookie, null],
  ])('%s', (_, request, policies, principal) => {
    const result = run(request, policies)
    expect(result.outcome).toBe('pass')
    expect(result.identity?.requestPrincipal ?? null).toBe(principal)
  })

  test('two Authorization headers become one text, which is no token', () => {
    const twice: AuthnRequest = {
      headers: [
        ['Authorization', `Bearer ${good}`],
        ['Authorization', `Bearer ${good}`],
      ],
    }
    expect(run(twice).message).toContain('not in the form')
  })
  test('of one issuer’s tokens all must be valid', () => {
    const stale = token({ iss: 'a', exp: 1 })
    expect(run({ ...bearer(good), path: `/x?access_token=${stale}` }).message).toBe('Jwt is expired')
    const both = run({ ...bearer(good), path: `/x?access_token=${token({ iss: 'a', sub: 'other' })}` })
    expect(both.identity?.requestPrincipal).toBe('a/s')
  })
})

describe('several rules', () => {
  const shared = [policy([rule('b'), rule('a')])]
  const separate = [
    policy([rule('a', { fromHeaders: [{ name: 'x-a' }] })], {}, 'one'),
    policy([rule('b', { fromHeaders: [{ name: 'x-b' }] })], {}, 'two'),
  ]
  test('any issuer’s token is enough', () => {
    expect(run(bearer(token({ iss: 'b', sub: 's' })), shared).identity?.requestPrincipal).toBe('b/s')
  })
  test('a valid token passes beside an expired one of another issuer at its own place', () => {
    const headers: AuthnRequest['headers'] = [
      ['x-a', good],
      ['x-b', token({ iss: 'b', exp: 1 })],
    ]
    expect(run({ headers }, separate)).toMatchObject({ outcome: 'pass', identity: { requestPrincipal: 'a/s' } })
  })
  test('an expired token alone is refused although the other place is empty', () => {
    expect(run({ headers: [['x-b', token({ iss: 'b', exp: 1 })]] }, separate)).toMatchObject({
      outcome: 'reject',
      message: 'Jwt is expired',
      rule: { policy: 'pay/two' },
    })
  })
  test('at a shared place the refusal by the token’s own issuer is reported, not that the other one is foreign', () => {
    expect(run(bearer(token({ iss: 'a', exp: 1 })), shared).message).toBe('Jwt is expired')
    expect(run(bearer(token({ iss: 'b', exp: 1 })), shared)).toMatchObject({
      message: 'Jwt is expired',
      rule: { issuer: 'b' },
    })
    expect(run(bearer(token({ iss: 'c', exp: 1 })), shared).message).toBe('Jwt issuer is not configured')
    const audiences = [policy([rule('a'), rule('b', { audiences: ['x'] })])]
    expect(run(bearer(token({ iss: 'b', aud: 'y' })), audiences)).toMatchObject({ status: 403 })
  })
  test('two rules of one issuer: the refusal of the first one that is about more than the issuer', () => {
    const twice = [policy([rule('a', { audiences: ['x'] }), rule('a', { audiences: ['y'] }), rule('0')])]
    expect(run(bearer(token({ iss: 'a', aud: 'z' })), twice).status).toBe(403)
    expect(run(bearer(token({ iss: 'a', aud: 'y' })), twice).outcome).toBe('pass')
  })
})

describe('whom it concerns', () => {
  const garbage = bearer('garbage')
  test.each<[string, KubeObject[], Workload, string]>([
    ['the namespace', one, server, 'reject'],
    ['another namespace', [policy([rule()], {}, 'jwt', 'shop')], server, 'pass'],
    ['the root namespace', [policy([rule()], {}, 'jwt', 'istio-system')], server, 'reject'],
    ['a selector that does not fit', [policy([rule()], { selector: { matchLabels: { app: 'x' } } })], server, 'pass'],
    ['no rules', [policy([])], server, 'pass'],
    ['a pod without proxy', one, { ...server, proxy: 'none' }, 'pass'],
    ['ztunnel does not look at tokens', one, { ...server, proxy: 'ambient' }, 'pass'],
    ['a waypoint ignores policies without targetRefs', one, { ...server, proxy: 'waypoint' }, 'pass'],
  ])('%s', (_, policies, at, outcome) => {
    expect(run(garbage, policies, at).outcome).toBe(outcome)
  })
  test('not on TCP chains', () => {
    expect(run({ ...garbage, protocol: 'tcp' }).outcome).toBe('pass')
  })
  test('a CORS preflight passes whatever it carries', () => {
    const headers: AuthnRequest['headers'] = [
      ...garbage.headers!,
      ['Origin', 'https://x'],
      ['Access-Control-Request-Method', 'PUT'],
    ]
    expect(run({ method: 'OPTIONS', headers }).outcome).toBe('pass')
    expect(run({ method: 'OPTIONS', ...garbage }).outcome).toBe('reject')
    expect(run({ method: 'GET', headers }).outcome).toBe('reject')
    expect(run({ headers }).outcome).toBe('cannot-decide')
    const known = [{ claims: { iss: 'nobody' } }]
    expect(run({ method: 'OPTIONS', headers: [], headersKnown: 'named', known }).outcome).toBe('cannot-decide')
    expect(run({ method: 'OPTIONS', headers: [['Origin', '']], known }).outcome).toBe('reject')
  })
})

describe('what stays open', () => {
  const known = (claims: object, more: Partial<KnownToken> = {}) => ({
    known: [{ claims: claims as KnownToken['claims'], ...more }],
  })
  test('the signature, unless somebody checked it', () => {
    expect(run({ ...bearer(good), signature: () => 'unknown' }).outcome).toBe('cannot-decide')
    expect(run(known({ iss: 'a' })).outcome).toBe('pass')
    expect(run({ ...known({ iss: 'a' }), signature: () => 'unknown' }).outcome).toBe('cannot-decide')
  })
  test('claims are enough for most refusals', () => {
    expect(run(known({ iss: 'b' })).message).toBe('Jwt issuer is not configured')
    expect(run(known({ iss: 'a', exp: 1 })).message).toBe('Jwt is expired')
  })
  test('unknown headers, and a list of headers that is not complete', () => {
    const { headers: _, ...blind } = { protocol: 'http' as const, path: '/', headers: [] }
    expect(requestAuth(blind, one, server, defaultMeshConfig, now).outcome).toBe('cannot-decide')
    expect(run({ headersKnown: 'named' }).outcome).toBe('cannot-decide')
    expect(requestAuth(blind, [], server, defaultMeshConfig, now).outcome).toBe('pass')
  })
  test('keys that the proxy may have refused', () => {
    for (const broken of ['{"keys":[]}', '{}', 'x'])
      expect(run(bearer(good), [policy([{ issuer: 'a', jwks: broken }])]).outcome).toBe('cannot-decide')
  })
  test('a token that may belong to a policy for another Service', () => {
    const bound = [policy([rule()], { targetRefs: [{ group: '', kind: 'Service', name: 'api' }] })]
    expect(run(bearer('garbage'), bound, { ...server, proxy: 'waypoint' }).outcome).toBe('cannot-decide')
  })
})

describe('what the next filters see', () => {
  const request = {
    protocol: 'http' as const,
    headers: [
      ['Authorization', `Bearer ${good}`],
      ['x-sub', 'forged'],
      ['x-a', '1'],
    ] as const,
  }
  const passOn = (policies: KubeObject[]) => afterRequestAuth(request, run(request, policies))
  test('the token is taken away unless it is forwarded', () => {
    expect(passOn(one).headers?.map(([name]) => name)).toEqual(['x-sub', 'x-a'])
    expect(passOn([policy([rule('a', { forwardOriginalToken: true })])]).headers).toHaveLength(3)
  })
  test('headers that claims are written to cannot be forged', () => {
    const outputs = [policy([rule('a', { outputClaimToHeaders: [{ header: 'X-Sub', claim: 'sub' }] })])]
    const anonymous = { ...request, headers: [['x-sub', 'forged']] as const }
    expect(afterRequestAuth(anonymous, run(anonymous, outputs)).headers).toEqual([])
  })
  test('only rules that were tried take headers away', () => {
    const outputs = (issuer: string) => rule(issuer, { outputPayloadToHeader: `x-from-${issuer}` })
    const both = [policy([outputs('a'), outputs('b')])]
    const forged = { ...request, headers: [...request.headers, ['x-from-a', '1'], ['x-from-b', '1']] as const }
    expect(run(forged, both).headerChanges).toEqual({ removed: ['x-from-a', 'authorization'], set: ['x-from-a'] })
    const anonymous = { ...request, headers: [['x-from-b', '1']] as const }
    expect(run(anonymous, both).headerChanges.removed).toEqual(['x-from-a', 'x-from-b'])
  })
  test('claims that a rule wants split at blanks are lists for policies', () => {
    const claims = { iss: 'a', sub: 's', roles: 'admin  user', nested: { roles: 'x y' }, sid: 7 }
    const split = [policy([rule('a', { spaceDelimitedClaims: ['roles', 'sid', 'nested'] })])]
    expect(run(bearer(token(claims)), split).identity?.claims).toEqual({ ...claims, roles: ['admin', 'user'] })
    expect(run(bearer(token(claims))).identity?.claims).toEqual(claims)
  })
  test('claims of a valid token, null without one, nothing while it is open', () => {
    expect(passOn(one).jwt).toEqual({ iss: 'a', sub: 's' })
    expect(afterRequestAuth({}, run({})).jwt).toBeNull()
    expect('jwt' in afterRequestAuth({}, run({ ...bearer(good), signature: () => 'unknown' }))).toBe(false)
  })
})

test('blanks in a token are skipped by the decoder, so a forgotten prefix shows as a bad header', () => {
  const text = `Bearer ${token({}, { alg: 'RS256', typ: 'JWT', kid: 'key' })}`
  expect(decodeToken(text)).toEqual({ kind: 'bad', message: 'Jwt header is an invalid JSON' })
})
