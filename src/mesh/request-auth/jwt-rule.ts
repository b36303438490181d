/** A rule of `spec.jwtRules`, with the object it came from. */
export interface JwtRule {
  /** `namespace/name` of the RequestAuthentication. */
  readonly policy: string
  readonly index: number
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly locations: readonly TokenLocation[]
  readonly jwks: Jwks
  readonly forwardsToken: boolean
  readonly outputPayloadHeader: string | null
  readonly claimHeaders: readonly { readonly header: string; readonly claim: string }[]
  /** Claims that are made into lists at their blanks, besides `scope` and `permission`. */
  readonly spaceDelimitedClaims: readonly string[]
}

export type TokenLocation =
  | { readonly kind: 'header'; readonly name: string; readonly prefix: string }
  | { readonly kind: 'param' | 'cookie'; readonly name: string }

/** `remote`: keys come from a URL, and which ones the proxy has is not in the policy. */
export type Jwks =
  | { readonly kind: 'inline'; readonly keys: readonly JwksKey[] }
  | { readonly kind: 'unusable' | 'remote'; readonly why: string }

export interface JwksKey {
  readonly kid: string
  readonly alg: string
}

export function readJwtRule(rule: unknown, policy: string, index: number): JwtRule {
  const fields = record(rule)
  return {
    policy,
    index,
    issuer: text(fields.issuer),
    audiences: list(fields.audiences).map(String),
    locations: readLocations(fields),
    jwks: readJwks(text(fields.jwks), text(fields.jwksUri) || text(fields.jwks_uri)),
    forwardsToken: fields.forwardOriginalToken === true,
    outputPayloadHeader: text(fields.outputPayloadToHeader) || null,
    claimHeaders: list(fields.outputClaimToHeaders)
      .map(record)
      .map(({ header, claim }) => ({ header: text(header), claim: text(claim) })),
    spaceDelimitedClaims: list(fields.spaceDelimitedClaims).map(String),
  }
}

/** Naming any location switches the two default ones off. */
function readLocations(fields: Record<string, unknown>): readonly TokenLocation[] {
  const named: TokenLocation[] = [
    ...list(fields.fromHeaders)
      .map(record)
      .map(({ name, prefix }) => ({ kind: 'header' as const, name: text(name).toLowerCase(), prefix: text(prefix) })),
    ...list(fields.fromParams).map((name) => ({ kind: 'param' as const, name: text(name) })),
    ...list(fields.fromCookies).map((name) => ({ kind: 'cookie' as const, name: text(name) })),
  ]
  return named.length > 0 ? named : defaultLocations
}

export const defaultLocations: readonly TokenLocation[] = [
  { kind: 'header', name: 'authorization', prefix: 'Bearer ' },
  { kind: 'param', name: 'access_token' },
]

function readJwks(inline: string, uri: string): Jwks {
  if (inline === '')
    return { kind: 'remote', why: uri ? `keys come from ${uri}` : 'keys come from the issuer’s discovery document' }
  let parsed: unknown
  try {
    parsed = JSON.parse(inline)
  } catch {
    return { kind: 'unusable', why: 'jwks is not JSON' }
  }
  const keys = record(parsed).keys
  if (!Array.isArray(keys)) return { kind: 'unusable', why: 'jwks has no list of keys' }
  const usable = keys.map(record).filter(({ kty }) => typeof kty === 'string')
  if (usable.length === 0) return { kind: 'unusable', why: 'jwks holds no key' }
  return { kind: 'inline', keys: usable.map(({ kid, alg }) => ({ kid: text(kid), alg: text(alg) })) }
}

function record(value: unknown): Record<string, unknown> {
  // Anything else has no fields to read.
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
