import type { Claims } from '../authorize/jwt-claims.ts'
import type { Unknown } from '../authorize/three-valued.ts'
import type { JwtRule } from './jwt-rule.ts'
import { checkClaims, checkHeader, decodeToken } from './jwt-text.ts'
import { type FoundToken, type TokenCarrier, tokensFor } from './tokens.ts'

export interface AuthnRequest extends TokenCarrier {
  readonly protocol?: 'http' | 'tcp'
  readonly method?: string
  /** What somebody who has the keys found out. `text` is `null` for a token known by its claims. */
  readonly signature?: (token: {
    readonly text: string | null
    readonly claims: Claims
  }) => 'valid' | 'invalid' | 'unknown'
}

const clockSkewSeconds = 60

/** What a rule says of the token of every other rule that looks in the same place. */
export const foreignIssuer = 'Jwt issuer is not configured'

export interface Tried {
  readonly rule: JwtRule
  readonly state:
    | { readonly kind: 'missing' }
    | { readonly kind: 'valid'; readonly claims: Claims; readonly tokens: readonly FoundToken[] }
    | { readonly kind: 'refused'; readonly message: string }
    | { readonly kind: 'open'; readonly unknowns: readonly Unknown[] }
}

/** All tokens that a rule finds must be valid. Envoy starts with the one found last; the first found one gives the claims. */
export function tryRule(rule: JwtRule, request: AuthnRequest, now: number): Tried {
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

  if (rule.issuer !== '' && (claims.iss ?? '') !== rule.issuer) return { kind: 'refused', message: foreignIssuer }
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

export function audienceList(aud: unknown): readonly string[] {
  return Array.isArray(aud) ? aud.map(String) : typeof aud === 'string' ? [aud] : []
}
