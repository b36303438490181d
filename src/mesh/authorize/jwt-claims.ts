import { matchesValue } from './string-match.ts'

export type Claims = Readonly<Record<string, unknown>>

/** `[a][b]` is the claim b inside a; `[https://x/role]` one claim with slashes in its name. `null` when the brackets are wrong. */
export function claimPath(key: string): readonly string[] | null {
  if (!key.startsWith('[') || !key.endsWith(']')) return null
  if (/^(\[[^[\]]*\])+$/.test(key)) return key.slice(1, -1).split('][')
  return [key.slice(1, -1)]
}

/** Only strings and lists of strings are compared; numbers and booleans never fit, not even `*`. */
export function claimTexts(claims: Claims, path: readonly string[]): readonly string[] {
  let value: unknown = claims
  for (const step of path) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return []
    // Only own keys: a claim is data of the caller, `constructor` is not.
    value = Object.hasOwn(value, step) ? (value as Claims)[step] : undefined
  }
  const [name = ''] = path
  if (typeof value === 'string' && path.length === 1 && spaceDelimited.includes(name)) return words(value)
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : []
}

/** istiod always asks for these two to be split at blanks, which makes lists of them. */
const spaceDelimited: readonly string[] = ['scope', 'permission']

/** Claims as policies see them when a rule names more claims to split. */
export function splitClaims(claims: Claims, names: readonly string[]): Claims {
  const found = names.filter((name) => Object.hasOwn(claims, name) && typeof claims[name] === 'string')
  return { ...claims, ...Object.fromEntries(found.map((name) => [name, words(String(claims[name]))])) }
}

function words(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '')
}

/** A request principal is split at its last slash, since issuers are URLs; issuer and subject are tested on their own. */
export function matchesRequestPrincipal(value: string, claims: Claims): boolean {
  const issuer = typeof claims.iss === 'string' ? claims.iss : null
  const subject = typeof claims.sub === 'string' ? claims.sub : null
  if (issuer === null || subject === null) return false
  const slash = value.lastIndexOf('/')
  const [iss, sub] = slash < 0 ? [value, null] : [value.slice(0, slash), value.slice(slash + 1)]
  if (value === '*') return issuer !== '' && subject !== ''
  if (value.startsWith('*')) {
    // After a leading `*` the subject is literal, also where it is a `*`.
    if (sub === null) return issuer !== '' && subject.endsWith(value.slice(1))
    return (iss === '*' ? issuer !== '' : issuer.endsWith(iss.slice(1))) && subject === sub
  }
  if (value.endsWith('*')) {
    if (sub === null) return issuer.startsWith(value.slice(0, -1)) && subject !== ''
    return issuer === iss && (sub === '*' ? subject !== '' : subject.startsWith(sub.slice(0, -1)))
  }
  return issuer === iss && subject === (sub ?? '')
}

export function matchesClaim(value: string, texts: readonly string[]): boolean {
  return texts.some((text) => matchesValue(value, text))
}
