import type { Claims } from '../authorize/jwt-claims.ts'

/** A token taken apart. Nothing here checks a signature. */
export interface DecodedToken {
  readonly header: Claims
  readonly claims: Claims
}

export type Decoding =
  | { readonly kind: 'token'; readonly token: DecodedToken }
  | { readonly kind: 'bad'; readonly message: string }

const algorithms = /^(ES(256|384|512)|HS(256|384|512)|RS(256|384|512)|PS(256|384|512)|EdDSA)$/

/** Envoy's own order of checks, and its own texts. */
export function decodeToken(text: string): Decoding {
  const parts = text.split('.').filter((part) => part !== '')
  if (text.split('.').length !== 3 || parts.length !== 3)
    return bad('Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections')
  const [head = '', body = '', signature = ''] = parts
  const header = readPart(head)
  if (header.kind !== 'json')
    return bad(
      header.kind === 'base64' ? 'Jwt header is an invalid Base64url encoded' : 'Jwt header is an invalid JSON',
    )
  const headerProblem = checkHeader(header.value)
  if (headerProblem) return bad(headerProblem)
  const claims = readPart(body)
  if (claims.kind !== 'json')
    return bad(
      claims.kind === 'base64' ? 'Jwt payload is an invalid Base64url encoded' : 'Jwt payload is an invalid JSON',
    )
  const claimProblem = checkClaims(claims.value)
  if (claimProblem) return bad(claimProblem)
  if (decodeBase64Url(signature) === null) return bad('Jwt signature is an invalid Base64url encoded')
  return { kind: 'token', token: { header: header.value, claims: claims.value } }
}

/** For a token that is known by its parts only. */
export function checkHeader(header: Claims): string | null {
  if (typeof header.alg !== 'string') return 'Jwt header [alg] field is required and must be a string'
  if (!algorithms.test(header.alg)) return 'Jwt header [alg] is not supported'
  return header.kid !== undefined && typeof header.kid !== 'string' ? 'Jwt header [kid] field is not a string' : null
}

export function checkClaims(claims: Claims): string | null {
  for (const name of ['iss', 'sub'])
    if (claims[name] !== undefined && typeof claims[name] !== 'string')
      return `Jwt payload [${name}] field is not a string`
  for (const name of ['iat', 'nbf', 'exp']) {
    const value = claims[name]
    if (value === undefined) continue
    if (typeof value !== 'number' || !Number.isFinite(value)) return `Jwt payload [${name}] field is not an integer`
    if (value < 0 || value >= 2 ** 63) return `Jwt payload [${name}] field is not a positive 64 bit integer`
  }
  if (claims.jti !== undefined && typeof claims.jti !== 'string') return 'Jwt payload [jti] field is not a string'
  const { aud } = claims
  const isAudience =
    aud === undefined ||
    typeof aud === 'string' ||
    (Array.isArray(aud) && aud.every((entry) => typeof entry === 'string'))
  return isAudience ? null : 'Jwt payload [aud] field is not a string or string list'
}

type Part = { readonly kind: 'json'; readonly value: Claims } | { readonly kind: 'base64' | 'text' }

function readPart(part: string): Part {
  const bytes = decodeBase64Url(part)
  if (bytes === null) return { kind: 'base64' }
  try {
    const value: unknown = JSON.parse(utf8(bytes))
    const isObject = value !== null && typeof value === 'object' && !Array.isArray(value)
    return isObject ? { kind: 'json', value: value as Claims } : { kind: 'text' }
  } catch {
    return { kind: 'text' }
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Blanks are skipped, padding is optional. `null` for anything else that is not of the alphabet. */
function decodeBase64Url(text: string): number[] | null {
  const compact = text.replace(/\s/g, '').replace(/={1,2}$/, '')
  if (compact.length % 4 === 1) return null
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const char of compact) {
    const value = alphabet.indexOf(char)
    if (value < 0) return null
    held = ((held << 6) | value) & 0xffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 0xff)
  }
  return bytes
}

function utf8(bytes: readonly number[]): string {
  return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
}

function bad(message: string): Decoding {
  return { kind: 'bad', message }
}
