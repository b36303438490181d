import type { KubeObject } from '../model/kube.ts'
import { type Claims, splitClaims } from './authorize/jwt-claims.ts'
import type { AuthzRequest } from './authorize/request.ts'
import { mergeUnknowns, type Unknown } from './authorize/three-valued.ts'
import type { MeshConfig } from './mesh-config.ts'
import { attachment } from './policy-attachment.ts'
import { type JwtRule, readJwtRule } from './request-auth/jwt-rule.ts'
import { type AuthnRequest, audienceList, foreignIssuer, type Tried, tryRule } from './request-auth/try-rule.ts'
import { hasEnvoy, type Workload } from './workload.ts'

export type { TokenLocation } from './request-auth/jwt-rule.ts'
export type { KnownToken } from './request-auth/tokens.ts'
export type { AuthnRequest } from './request-auth/try-rule.ts'

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
  return { ...changedRequest(request, result), asArrived: request }
}

function changedRequest(request: AuthzRequest, result: RequestAuthResult): AuthzRequest {
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

type Judged = Omit<RequestAuthResult, 'considered' | 'headerChanges'>

/**
 * The filter asks for: any one rule satisfied, or else every rule satisfied or without a token. So a request without tokens passes, and one
 * valid token is enough.
 */
function judge(tried: readonly Tried[], request: AuthnRequest, isOpen: boolean): Judged {
  const nothing = { status: null, message: null, details: null, rule: null, identity: null, unknowns: [] }
  const preflight = isPreflight(request)
  if (preflight === 'yes') return { ...nothing, outcome: 'pass' }
  const undecided = (unknowns: readonly Unknown[]): Judged => ({
    ...nothing,
    outcome: 'cannot-decide',
    unknowns: mergeUnknowns(unknowns),
  })
  for (const { rule, state } of tried) {
    if (state.kind === 'open') return undecided(state.unknowns)
    if (state.kind === 'valid' && isOpen) return undecided([serviceUnknown])
    if (state.kind === 'valid')
      return {
        ...nothing,
        outcome: 'pass',
        rule: nameOf(rule),
        identity: identityFrom(splitClaims(state.claims, rule.spaceDelimitedClaims)),
      }
  }
  if (isOpen) return undecided([serviceUnknown])
  const reported = reportedRefusal(tried)
  if (!reported) return { ...nothing, outcome: 'pass' }
  if (preflight === 'unknown') return undecided([preflightUnknown])
  const { rule, message } = reported
  return {
    ...nothing,
    outcome: 'reject',
    status: message === 'Audiences in Jwt are not allowed' ? 403 : 401,
    message,
    details: `jwt_authn_access_denied{${message.replaceAll(' ', '_')}}`,
    rule: nameOf(rule),
  }
}

/** CORS preflights never reach the check, whatever they carry. */
function isPreflight({ method, headers, headersKnown }: AuthnRequest): 'yes' | 'no' | 'unknown' {
  if (method !== undefined && method !== 'OPTIONS') return 'no'
  const isAll = headers !== undefined && headersKnown !== 'named'
  for (const name of ['origin', 'access-control-request-method']) {
    const found = headers?.some(([key, value]) => key.toLowerCase() === name && value.trim() !== '')
    if (!found) return isAll || method === undefined ? 'no' : 'unknown'
  }
  return method === undefined ? 'unknown' : 'yes'
}

/**
 * Of several refusals the filter reports that of the first rule by issuer. Only a foreign issuer says little, since every other rule's token
 * is foreign to a rule: then the last refusal with another reason is reported.
 */
function reportedRefusal(tried: readonly Tried[]): { readonly rule: JwtRule; readonly message: string } | null {
  const refused = tried.flatMap(({ rule, state }) =>
    state.kind === 'refused' ? [{ rule, message: state.message }] : [],
  )
  const [first] = refused
  if (first?.message !== foreignIssuer) return first ?? null
  return refused.findLast(({ message }) => message !== foreignIssuer) ?? first
}

const preflightUnknown: Unknown = {
  attribute: 'preflight',
  wouldSettle:
    'whether it is a CORS preflight: method OPTIONS with Origin and Access-Control-Request-Method passes the JWT filter unchecked',
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
  const at = tried.findIndex((entry) => entry.rule.policy === rule?.policy && entry.rule.index === rule.index)
  const winner = tried[at]
  // Headers that a rule would write are taken from the request before it is tried, so that nobody can forge them. After a valid token no further
  // rule is tried.
  const written = (entry: JwtRule) => [
    ...(entry.outputPayloadHeader ? [entry.outputPayloadHeader] : []),
    ...entry.claimHeaders.map(({ header }) => header),
  ]
  const removed = tried
    .slice(0, winner?.state.kind === 'valid' ? at + 1 : undefined)
    .flatMap(({ rule: entry }) => written(entry))
  if (winner?.state.kind !== 'valid') return { removed: lower(removed), set: [] }
  const tokens = winner.rule.forwardsToken
    ? []
    : winner.state.tokens.flatMap(({ location }) => (location.kind === 'header' ? [location.name] : []))
  return { removed: lower([...removed, ...tokens]), set: lower(written(winner.rule)) }
}

function lower(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))]
}
