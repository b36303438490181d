import type { MeshConfig } from '../mesh-config.ts'
import { readPattern } from './string-match.ts'

const scheme = 'spiffe://'

/** `true`/`false`, or `null` when the value is no pattern that we (or Envoy) can read. */
export type IdentityTest = boolean | null

/** Envoy compares `spiffe://` + value with the certificate's URI; a leading `*` becomes a regular expression. */
export function matchesPrincipal(value: string, identity: string): IdentityTest {
  const pattern = readPattern(value)
  switch (pattern.kind) {
    case 'present':
      return identity !== ''
    case 'suffix':
      return isPlain(value) ? fullMatch(`${scheme}.*${pattern.text}`, identity) : null
    case 'prefix':
      return identity.startsWith(scheme + pattern.text)
    case 'exact':
      return identity === scheme + pattern.text
  }
}

/** Every `*` becomes `.*`, and it may run over slashes: `a*a` also fits `/ns/api/sa/x`. */
export function matchesNamespace(value: string, identity: string): IdentityTest {
  return isPlain(value) ? fullMatch(`.*/ns/${value.replaceAll('*', '.*')}/.*`, identity) : null
}

/** `sa` means the policy's own namespace. No wildcards. */
export function matchesServiceAccount(value: string, identity: string, policyNamespace: string): IdentityTest {
  const slash = value.indexOf('/')
  const namespace = slash < 0 ? policyNamespace : value.slice(0, slash)
  const account = slash < 0 ? value : value.slice(slash + 1)
  return isPlain(value) ? fullMatch(`${scheme}.+/ns/${namespace}/(.+/|)sa/${account}(/.+)?`, identity) : null
}

export function matchesTrustDomain(value: string, identity: string): IdentityTest {
  const domain = /^spiffe:\/\/([^/]*)\//.exec(identity)?.[1]
  if (domain === undefined) return false
  const pattern = readPattern(value)
  if (pattern.kind === 'present') return domain !== ''
  if (pattern.kind === 'suffix') return domain.endsWith(pattern.text)
  if (pattern.kind === 'prefix') return domain.startsWith(pattern.text)
  return domain === pattern.text
}

export interface IdentityParts {
  readonly trustDomain: string
  readonly namespace: string
  readonly serviceAccount: string
}

export function identityParts(identity: string): IdentityParts | null {
  const match = identity.match(/^spiffe:\/\/([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/)
  return match ? { trustDomain: match[1]!, namespace: match[2]!, serviceAccount: match[3]! } : null
}

/** Policies say `td/ns/x/sa/y`, certificates `spiffe://td/ns/x/sa/y`; people hand us either. */
export function withScheme(identity: string): string {
  return identity.startsWith(scheme) || identity === '' ? identity : scheme + identity
}

/**
 * istiod rewrites a principal's trust domain to the mesh's own and its aliases. Only values of exactly five parts take part:
 * `cluster.local/ns/x/*` has four and stays. `cluster.local` always stands for the mesh's own trust domain, it is replaced, not added.
 */
export function expandTrustDomains(
  value: string,
  mesh: Pick<MeshConfig, 'trustDomain' | 'trustDomainAliases'>,
): readonly string[] {
  const parts = value.split('/')
  const [domain = '', ...path] = parts
  if (parts.length !== 5 || domain === '*') return [value]
  const ours = [mesh.trustDomain, ...mesh.trustDomainAliases]
  if (domain !== 'cluster.local' && !ours.some((own) => looselyEqual(domain, own))) return [value]
  return [...new Set(ours.map((own) => (endsLike(own, domain) ? value : [own, ...path].join('/'))))]
}

/** The `trustDomains` field: the mesh's own names stand for each other; `cluster.local` is no placeholder here. */
export function expandTrustDomainValue(
  value: string,
  mesh: Pick<MeshConfig, 'trustDomain' | 'trustDomainAliases'>,
): readonly string[] {
  const ours = [mesh.trustDomain, ...mesh.trustDomainAliases]
  return ours.includes(value) ? [...new Set(ours)] : [value]
}

function looselyEqual(domain: string, own: string): boolean {
  const either = (a: string, b: string) =>
    a === b || b === '*' || (b.endsWith('*') && a.startsWith(b.slice(0, -1))) || endsLike(a, b)
  return either(domain, own) || either(own, domain)
}

function endsLike(text: string, pattern: string): boolean {
  return pattern.startsWith('*') && text.endsWith(pattern.slice(1))
}

// Values end up unescaped in a regular expression of Envoy. Beyond these characters JavaScript and RE2 may differ, or Envoy refuses the
// whole configuration: then nothing can be said.
function isPlain(value: string): boolean {
  return /^[\w.\-:/@*]*$/.test(value) && (value.match(/\*/g)?.length ?? 0) <= 6
}

function fullMatch(pattern: string, text: string): IdentityTest {
  try {
    return new RegExp(`^(?:${pattern})$`).test(text)
  } catch {
    // `**` is one that neither engine accepts.
    return null
  }
}
