import type { ProxySecret } from '../../parsers/proxy-config-secret.ts'

/** What is read out of one X.509 certificate. Times are RFC 3339 in UTC. */
export interface CertificateFacts {
  readonly subject: string
  readonly issuer: string
  readonly serial: string
  readonly notBefore: string
  readonly notAfter: string
  readonly uris: readonly string[]
  readonly dnsNames: readonly string[]
  readonly isCa: boolean
  /** SHA-256 over the whole certificate. */
  readonly fingerprint: string
}

/** The outside world's part: cryptography is not for pure code. */
export interface CertificateTools {
  /** May throw on text that is no certificate. */
  readonly read: (pem: string) => CertificateFacts
  /** Whether `issuer`'s key made the signature of `subject`. Without it, names alone decide, which equal names of two authorities fool. */
  readonly signed?: (subjectPem: string, issuerPem: string) => boolean
}

export interface Certificate {
  readonly pem: string
  /** `null`: a block that cannot be read. */
  readonly facts: CertificateFacts | null
}

export interface SpiffeId {
  readonly trustDomain: string
  readonly namespace: string
  readonly serviceAccount: string
}

/** A proxy's own certificate and what it trusts. */
export interface ProxyIdentity {
  /** Leaf first. */
  readonly chain: readonly Certificate[]
  readonly roots: readonly Certificate[]
  readonly spiffe: SpiffeId | null
  /** Secrets that the proxy has asked for and does not have. */
  readonly warming: readonly string[]
  /** Certificates of gateways: secret name → chain. */
  readonly credentials: Readonly<Record<string, readonly Certificate[]>>
}

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

export function readChain(pem: string, tools: CertificateTools): readonly Certificate[] {
  return (pem.match(pemBlock) ?? []).map((block) => {
    try {
      return { pem: block, facts: tools.read(block) }
    } catch {
      // A broken block is kept: an unreadable certificate is a finding, not an absence.
      return { pem: block, facts: null }
    }
  })
}

export function proxyIdentity(secrets: readonly ProxySecret[], tools: CertificateTools): ProxyIdentity {
  const active = secrets.filter(({ state }) => state !== 'warming')
  const own = active.find(({ name, kind }) => name === 'default' && kind === 'certificate')
  const trust = active.filter(({ name, kind }) => kind === 'trust' && (name === 'ROOTCA' || name === 'default'))
  const chain = own ? readChain(own.pem, tools) : []
  const credentials: Record<string, readonly Certificate[]> = {}
  for (const secret of active)
    if (secret.kind === 'certificate' && secret.name !== 'default')
      credentials[secret.name] = readChain(secret.pem, tools)
  return {
    chain,
    roots: trust.flatMap(({ pem, bundles }) =>
      [pem, ...bundles.map((bundle) => bundle.pem)].flatMap((text) => readChain(text, tools)),
    ),
    spiffe: chain[0]?.facts?.uris.map(parseSpiffe).find((id) => id !== null) ?? null,
    warming: secrets.filter(({ state }) => state === 'warming').map(({ name }) => name),
    credentials,
  }
}

export function parseSpiffe(uri: string): SpiffeId | null {
  const match = /^spiffe:\/\/([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(uri)
  return match ? { trustDomain: match[1] ?? '', namespace: match[2] ?? '', serviceAccount: match[3] ?? '' } : null
}

export type Validity =
  | {
      readonly state: 'valid' | 'expired' | 'not-yet-valid'
      readonly certificate: CertificateFacts
      readonly leftMs: number
    }
  | { readonly state: 'unreadable' | 'missing' }

/** The certificate of a chain that is in the way first; a valid chain reports the one that ends first. `nowMs` is the caller's clock. */
export function chainValidity(chain: readonly Certificate[], nowMs: number): Validity {
  if (chain.length === 0) return { state: 'missing' }
  let earliest: { certificate: CertificateFacts; leftMs: number } | null = null
  for (const { facts } of chain) {
    if (!facts) return { state: 'unreadable' }
    const leftMs = Date.parse(facts.notAfter) - nowMs
    // Unreadable dates must not pass as valid.
    if (!Number.isFinite(leftMs) || Number.isNaN(Date.parse(facts.notBefore))) return { state: 'unreadable' }
    if (leftMs <= 0) return { state: 'expired', certificate: facts, leftMs }
    if (Date.parse(facts.notBefore) > nowMs) return { state: 'not-yet-valid', certificate: facts, leftMs }
    if (!earliest || leftMs < earliest.leftMs) earliest = { certificate: facts, leftMs }
  }
  return earliest ? { state: 'valid', ...earliest } : { state: 'missing' }
}

export type RootComparison = 'same' | 'overlap' | 'disjoint' | 'unknown'

/** Whether two proxies trust the same authorities. `overlap` is normal while a root is being exchanged. */
export function compareRoots(
  a: ProxyIdentity,
  b: ProxyIdentity,
): {
  readonly verdict: RootComparison
  readonly onlyA: readonly CertificateFacts[]
  readonly onlyB: readonly CertificateFacts[]
} {
  const left = known(a.roots)
  const right = known(b.roots)
  if (left.length === 0 || right.length === 0 || left.length < a.roots.length || right.length < b.roots.length)
    return { verdict: 'unknown', onlyA: [], onlyB: [] }
  const prints = (roots: readonly CertificateFacts[]) => new Set(roots.map(({ fingerprint }) => fingerprint))
  const onlyA = left.filter(({ fingerprint }) => !prints(right).has(fingerprint))
  const onlyB = right.filter(({ fingerprint }) => !prints(left).has(fingerprint))
  const shared = onlyA.length < left.length
  return { verdict: onlyA.length + onlyB.length === 0 ? 'same' : shared ? 'overlap' : 'disjoint', onlyA, onlyB }
}

function known(certificates: readonly Certificate[]): CertificateFacts[] {
  return certificates.flatMap(({ facts }) => (facts ? [facts] : []))
}

/** Whether `verifier` would accept the chain that `presenter` shows. `null`: not known. */
export function trusts(verifier: ProxyIdentity, presenter: ProxyIdentity, tools: CertificateTools): boolean | null {
  const { chain } = presenter
  if (chain.length === 0 || verifier.roots.length === 0) return null
  if (chain.some(({ facts }) => !facts)) return null
  for (const [index, certificate] of chain.entries()) {
    const anchored = verifier.roots.some(
      (root) => root.facts?.fingerprint === certificate.facts?.fingerprint || isIssuer(root, certificate, tools),
    )
    if (anchored) return true
    const next = chain[index + 1]
    if (next && !isIssuer(next, certificate, tools)) break
  }
  return verifier.roots.some(({ facts }) => !facts) ? null : false
}

function isIssuer(issuer: Certificate, subject: Certificate, tools: CertificateTools): boolean {
  if (!issuer.facts || !subject.facts || issuer.facts.subject !== subject.facts.issuer) return false
  return tools.signed ? tools.signed(subject.pem, issuer.pem) : true
}

/** SANs that a client insists on (`prefix*` and `*suffix` as in a trace) against those that a server has. */
export function sansAccepted(expected: readonly string[], certificate: CertificateFacts): boolean {
  if (expected.length === 0) return true
  const names = [...certificate.uris, ...certificate.dnsNames]
  return expected.some((wanted) =>
    names.some((name) => {
      if (wanted.endsWith('*')) return name.startsWith(wanted.slice(0, -1))
      if (wanted.startsWith('*')) return name.endsWith(wanted.slice(1))
      return name === wanted
    }),
  )
}

/** Whether a gateway's certificate is made for a host. A wildcard stands for exactly one label. */
export function coversHost(certificate: CertificateFacts, host: string): boolean {
  const wanted = host.toLowerCase()
  return certificate.dnsNames.some((name) => {
    const dns = name.toLowerCase()
    if (!dns.startsWith('*.')) return dns === wanted
    const dot = wanted.indexOf('.')
    return dot > 0 && wanted.slice(dot) === dns.slice(1)
  })
}
