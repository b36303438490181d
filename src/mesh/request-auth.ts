import type { KubeObject } from '../model/kube.ts'
import type { Claims } from './authorize/jwt-claims.ts'
import type { AuthzRequest } from './authorize/request.ts'
import { mergeUnknowns, type Unknown } from './authorize/three-valued.ts'
import type { MeshConfig } from './mesh-config.ts'
import { attachment } from './policy-attachment.ts'
import { type JwtRule, readJwtRule } from './request-auth/jwt-rule.ts'
import { checkClaims, checkHeader, decodeToken } from './request-auth/jwt-text.ts'
import { type FoundToken, type TokenCarrier, tokensFor } from './request-auth/tokens.ts'
import { hasEnvoy, type Workload } from './workload.ts'

export type { TokenLocation } from './request-auth/jwt-rule.ts'
export type { KnownToken } from './request-auth/tokens.ts'

export interface AuthnRequest extends TokenCarrier {
  readonly protocol?: 'http' | 'tcp'
  readonly method?: string
  /** What somebody who has the keys found out. `text` is `null` for a token known by its claims. */
  readonly signature?: (token: {
    readonly text: string | null
    readonly claims: Claims
  }) => 'valid' | 'invalid' | 'unknown'
}

export interface RequestIdentity {
  /** `issuer/subject`. */
  readonly requestPrincipal: string | null
  readonly claims: Claims
  readonly audiences: readonly string[]
  readonly presenter: string | null
}

export interface ConsideredJwtRule {
  readonly policy: string
  readonly attaches: boolean | 'unknown'
  readonly why: string
  readonly rules: readonly { readonly index: number; readonly issuer: string; readonly result: string }[]
}

export interface RequestAuthResult {
  readonly outcome: 'pass' | 'reject' | 'cannot-decide'
  readonly status: 401 | 403 | null
  /** As the proxy prints it in the body. */
  readonly message: string | null
  /** As the access log has it in RESPONSE_CODE_DETAILS. */
  readonly details: string | null
  /** The rule that spoke the last word. */
  readonly rule: { readonly policy: string; readonly index: number; readonly issuer: string } | null
  readonly identity: RequestIdentity | null
  readonly considered: readonly ConsideredJwtRule[]
  readonly unknowns: readonly Unknown[]
  /** What the filters after this one no longer see, or see anew. */
  readonly headerChanges: { readonly removed: readonly string[]; readonly set: readonly string[] }
}

const clockSkewSeconds = 60

/** What the JWT filter of the workload's proxy makes of a request, `now` in seconds since 1970. */
export function requestAuth(
  request: AuthnRequest,
  policies: readonly KubeObject[],
  workload: Workload,
  mesh: MeshConfig,
  now: number,
  service?: AuthzRequest['service'],
): RequestAuthResult {
  const attached = policies.filter(isRequestAuthentication).map((policy) => {
    const name = `${policy.metadata.namespace ?? ''}/${policy.metadata.name}`
    const specified: readonly unknown[] = Array.isArray(policy.spec?.jwtRules) ? policy.spec.jwtRules : []
    return {
      name,
      ...attachment(policy, workload, mesh, service),
      rules: specified.map((rule, index) => readJwtRule(rule, name, index)),
    }
  })
  const inForce = hasEnvoy(workload.proxy) && request.protocol !== 'tcp'
  // istiod sorts the merged rules by issuer, and which refusal is reported follows that order.
  const rules = attached
    .filter(({ attaches }) => inForce && attaches === true)
    .flatMap((policy) => policy.rules)
    .sort((a, b) => (a.issuer < b.issuer ? -1 : a.issuer > b.issuer ? 1 : 0))
  const isOpen = inForce && attached.some(({ attaches, rules: own }) => attaches === 'unknown' && own.length > 0)
  const tried = rules.map((rule) => tryRule(rule, request, now))
  const considered = attached.map(({ name, attaches, why, rules: own }) => ({
    policy: name,
    attaches: inForce ? attaches : false,
    why: inForce ? why : 'the JWT filter exists on HTTP chains of Envoy only',
    rules: own.map(({ index, issuer }) => {
      const result = tried.find(({ rule }) => rule.policy === name && rule.index === index)
      return { index, issuer, result: result ? describe(result) : 'not tried' }
    }),
  }))
  const base = { ...judge(tried, request, isOpen), considered }
  return { ...base, headerChanges: headerChanges(tried, base) }
}

export function isRequestAuthentication(object: KubeObject): boolean {
  return object.kind === 'RequestAuthentication' && object.apiVersion.startsWith('security.istio.io/')
}

/** The request as the authorization filters see it: with the token's claims, and with the headers that were added or taken away. */
export function afterRequestAuth(request: AuthzRequest, result: RequestAuthResult): AuthzRequest {
  if (result.outcome !== 'pass') {
    const { jwt: _, ...rest } = request
    return rest
  }
  const { removed, set } = result.headerChanges
  const jwt = result.identity?.claims ?? null
  if (request.headers === undefined || (removed.length === 0 && set.length === 0)) return { ...request, jwt }
  // A header that the filter writes has a value that we do not compute: then headers are not known any more.
  if (set.length > 0) {
    const { headers: _, ...rest } = request
    return { ...rest, jwt }
  }
  const headers = request.headers.filter(([name]) => !removed.includes(name.toLowerCase()))
  return { ...request, headers, jwt }
}

interface Tried {
  readonly rule: JwtRule
  readonly state:
    | { readonly kind: 'missing' }
    | { readonly kind: 'valid'; readonly claims: Claims; readonly tokens: readonly FoundToken[] }
    | { readonly kind: 'refused'; readonly message: string }
    | { readonly kind: 'open'; readonly unknowns: readonly Unknown[] }
}

/** All tokens that a rule finds must be valid. Envoy starts with the one found last; the first found one gives the claims. */
function tryRule(rule: JwtRule, request: AuthnRequest, now: number): Tried {
  // Somebody who lists the tokens says with it that there are no others.
  const headers = request.headersKnown === 'named' ? undefined : request.headers
  const isBlind = rule.locations.some(({ kind }) => (kind === 'param' ? request.path : headers) === undefined)
  if (isBlind && request.known === undefined) return { rule, state: { kind: 'open', unknowns: [tokenUnknown] } }
  const tokens = tokensFor(rule, request)
  if (tokens.length === 0) return { rule, state: { kind: 'missing' } }
  let claims: Claims = {}
  const unknowns: Unknown[] = []
  for (const token of [...tokens].reverse()) {
    const checked = checkToken(token, rule, request, now)
    // A later refusal is the answer only if the earlier tokens are known to be good.
    if (checked.kind === 'refused') {
      if (unknowns.length > 0) return { rule, state: { kind: 'open', unknowns } }
      return { rule, state: checked }
    }
    if (checked.kind === 'open') unknowns.push(...checked.unknowns)
    if (checked.kind !== 'open') claims = checked.claims
  }
  if (unknowns.length > 0) return { rule, state: { kind: 'open', unknowns } }
  return { rule, state: { kind: 'valid', claims, tokens } }
}

type Checked =
  | { readonly kind: 'valid'; readonly claims: Claims }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'open'; readonly unknowns: readonly Unknown[] }

function checkToken(found: FoundToken, rule: JwtRule, request: AuthnRequest, now: number): Checked {
  const decoded = found.text === null ? null : decodeToken(found.text)
  if (decoded?.kind === 'bad') return { kind: 'refused', message: decoded.message }
  const header = decoded?.token.header ?? found.known?.header ?? null
  const claims = decoded?.token.claims ?? found.known?.claims ?? {}
  const malformed = (header && checkHeader(header)) || checkClaims(claims)
  if (malformed) return { kind: 'refused', message: malformed }

  if (rule.issuer !== '' && (claims.iss ?? '') !== rule.issuer)
    return { kind: 'refused', message: 'Jwt issuer is not configured' }
  const [notBefore, expires] = [seconds(claims.nbf), seconds(claims.exp)]
  if (now + clockSkewSeconds < notBefore) return { kind: 'refused', message: 'Jwt not yet valid' }
  if (expires > 0 && now > expires + clockSkewSeconds) return { kind: 'refused', message: 'Jwt is expired' }
  if (!isAudienceAllowed(claims.aud, rule.audiences))
    return { kind: 'refused', message: 'Audiences in Jwt are not allowed' }

  if (rule.jwks.kind === 'unusable')
    return {
      kind: 'open',
      unknowns: [
        {
          attribute: `jwks of ${rule.policy}`,
          wouldSettle: `${rule.jwks.why}: the proxy may have refused the configuration; look at its sync state`,
        },
      ],
    }
  if (rule.jwks.kind === 'inline' && header) {
    const { kid, alg } = header
    const fits = rule.jwks.keys.some(
      (key) =>
        (typeof kid !== 'string' || kid === '' || key.kid === '' || key.kid === kid) &&
        (key.alg === '' || key.alg === alg),
    )
    if (!fits) return { kind: 'refused', message: "Jwks doesn't have key to match kid or alg from Jwt" }
  }
  switch (request.signature?.({ text: found.text, claims }) ?? 'unknown') {
    case 'valid':
      return { kind: 'valid', claims }
    case 'invalid':
      if (rule.jwks.kind === 'remote' && header === null) break
      return { kind: 'refused', message: 'Jwt verification fails' }
    case 'unknown':
      break
  }
  return { kind: 'open', unknowns: [signatureUnknown] }
}

const tokenUnknown: Unknown = {
  attribute: 'token',
  wouldSettle: 'whether the request carries a token, where, and its claims',
}
const signatureUnknown: Unknown = {
  attribute: 'signature',
  wouldSettle:
    'whether the token was signed with a key that the proxy has: `Jwt verification fails` in the log line if not',
}

function seconds(value: unknown): number {
  return typeof value === 'number' ? Math.trunc(value) : 0
}

/** Without http(s):// and a trailing slash on either side. */
function isAudienceAllowed(actual: unknown, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true
  const plain = (audience: string) => audience.replace(/^https?:\/\//, '').replace(/\/$/, '')
  const wanted = new Set(allowed.map(plain))
  return audienceList(actual).some((audience) => wanted.has(plain(audience)))
}

function audienceList(aud: unknown): readonly string[] {
  return Array.isArray(aud) ? aud.map(String) : typeof aud === 'string' ? [aud] : []
}

type Judged = Omit<RequestAuthResult, 'considered' | 'headerChanges'>

/**
 * The filter asks for: any one rule satisfied, or else every rule satisfied or without a token. So a request without tokens passes, one valid
 * token is enough, and the refusal that is reported is that of the first rule, by issuer, that found a token.
 */
function judge(tried: readonly Tried[], { method, headers }: AuthnRequest, isOpen: boolean): Judged {
  const has = (name: string) => headers?.some(([key]) => key.toLowerCase() === name) === true
  const nothing = { status: null, message: null, details: null, rule: null, identity: null, unknowns: [] }
  // CORS preflights never reach the check, whatever they carry.
  if (method === 'OPTIONS' && has('origin') && has('access-control-request-method'))
    return { ...nothing, outcome: 'pass' }
  const undecided = (unknowns: readonly Unknown[]): Judged => ({
    ...nothing,
    outcome: 'cannot-decide',
    unknowns: mergeUnknowns(unknowns),
  })
  for (const { rule, state } of tried) {
    if (state.kind === 'open') return undecided(state.unknowns)
    if (state.kind === 'valid' && isOpen) return undecided([serviceUnknown])
    if (state.kind === 'valid')
      return { ...nothing, outcome: 'pass', rule: nameOf(rule), identity: identityFrom(state.claims) }
  }
  if (isOpen) return undecided([serviceUnknown])
  for (const { rule, state } of tried) {
    if (state.kind !== 'refused') continue
    const { message } = state
    return {
      ...nothing,
      outcome: 'reject',
      status: message === 'Audiences in Jwt are not allowed' ? 403 : 401,
      message,
      details: `jwt_authn_access_denied{${message.replaceAll(' ', '_')}}`,
      rule: nameOf(rule),
    }
  }
  return { ...nothing, outcome: 'pass' }
}

const serviceUnknown: Unknown = {
  attribute: 'service',
  wouldSettle: 'which Service was addressed: a RequestAuthentication is bound to one by targetRefs',
}

function identityFrom(claims: Claims): RequestIdentity {
  const { iss, sub, azp, aud } = claims
  return {
    requestPrincipal: typeof iss === 'string' && typeof sub === 'string' ? `${iss}/${sub}` : null,
    claims,
    audiences: audienceList(aud),
    presenter: typeof azp === 'string' ? azp : null,
  }
}

function nameOf({ policy, index, issuer }: JwtRule) {
  return { policy, index, issuer }
}

function describe({ state }: Tried): string {
  switch (state.kind) {
    case 'missing':
      return 'no token where it looks'
    case 'valid':
      return 'valid'
    case 'refused':
      return state.message
    case 'open':
      return `depends on: ${state.unknowns.map(({ attribute }) => attribute).join(', ')}`
  }
}

function headerChanges(tried: readonly Tried[], { rule }: Pick<Judged, 'rule'>): RequestAuthResult['headerChanges'] {
  const winner = tried.find((entry) => entry.rule.policy === rule?.policy && entry.rule.index === rule.index)
  // Headers that a rule would write are taken from every request first, so that nobody can forge them.
  const written = (entry: JwtRule) => [
    ...(entry.outputPayloadHeader ? [entry.outputPayloadHeader] : []),
    ...entry.claimHeaders.map(({ header }) => header),
  ]
  const removed = tried.flatMap(({ rule: entry }) => written(entry))
  if (winner?.state.kind !== 'valid') return { removed: lower(removed), set: [] }
  const tokens = winner.rule.forwardsToken
    ? []
    : winner.state.tokens.flatMap(({ location }) => (location.kind === 'header' ? [location.name] : []))
  return { removed: lower([...removed, ...tokens]), set: lower(written(winner.rule)) }
}

function lower(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))]
}
