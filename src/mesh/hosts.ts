/** Host names in Istio objects: short names, wildcards, which match is more specific, and who may see an object (exportTo). */

/**
 * A name without a dot means a service of the object's own namespace. A name with a dot is taken as it is: `web.shop` is not
 * completed, which is a common trap.
 */
export function resolveHost(host: string, namespace: string, domain = 'cluster.local'): string {
  if (host === '' || host === '*' || host.includes('.') || host.includes(':')) return host
  return `${host}.${namespace}.svc.${domain}`
}

export function serviceHost(name: string, namespace: string, domain = 'cluster.local'): string {
  return `${name}.${namespace}.svc.${domain}`
}

/** Name and namespace of a Kubernetes service host; `null` for any other name. */
export function parseServiceHost(host: string): { readonly name: string; readonly namespace: string } | null {
  const match = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc\..+$/i.exec(host)
  return match ? { name: match[1] ?? '', namespace: match[2] ?? '' } : null
}

export function isWildcard(host: string): boolean {
  return host.startsWith('*')
}

/** Whether two names of objects can mean the same host. Either side may be a wildcard. */
export function hostsMatch(a: string, b: string): boolean {
  const left = a.toLowerCase()
  const right = b.toLowerCase()
  if (isWildcard(left) && isWildcard(right)) {
    const [short, long] = left.length < right.length ? [left, right] : [right, left]
    return long.slice(1).endsWith(short.slice(1))
  }
  if (isWildcard(left)) return right.endsWith(left.slice(1))
  if (isWildcard(right)) return left.endsWith(right.slice(1))
  return left === right
}

/** The most specific of the names that cover a host: the name itself, else the longest wildcard. */
export function mostSpecific(host: string, candidates: readonly string[]): string | null {
  const wanted = host.toLowerCase()
  let best: string | null = null
  for (const candidate of candidates) {
    const name = candidate.toLowerCase()
    if (name === wanted) return candidate
    if (isWildcard(name) && wanted.endsWith(name.slice(1)) && (best === null || candidate.length > best.length))
      best = candidate
  }
  return best
}

/**
 * The names under which a sidecar in `clientNamespace` knows a service: its virtual host's domains. The short name alone is only
 * known inside the service's own namespace.
 */
export function domainsOf(
  host: string,
  clientNamespace: string,
  addresses: readonly string[],
  options: { readonly headless?: boolean; readonly domain?: string } = {},
): readonly string[] {
  const domain = options.domain ?? 'cluster.local'
  const names = [host]
  const suffix = `.svc.${domain}`
  if (host.endsWith(suffix)) {
    const short = host.slice(0, -suffix.length)
    const dot = short.indexOf('.')
    names.push(`${host}.`)
    if (dot > 0 && short.slice(dot + 1) === clientNamespace) names.push(short.slice(0, dot))
    if (dot > 0) names.push(short, `${short}.svc`)
  }
  // Headless: each pod has a name below the service's.
  const own = options.headless ? [...names, ...names.map((name) => `*.${name}`)] : names
  return [...own, ...addresses.filter((address) => address !== '' && address !== 'None')]
}

/**
 * Whether an object's exportTo lets a namespace see it. `defaults` is mesh config's default for the kind and counts when the
 * object says nothing.
 */
export function isExportedTo(
  exportTo: readonly string[] | null | undefined,
  objectNamespace: string,
  viewerNamespace: string,
  defaults: readonly string[] = ['*'],
): boolean {
  const targets = exportTo && exportTo.length > 0 ? exportTo : defaults
  return targets.some(
    (target) => target === '*' || target === viewerNamespace || (target === '.' && objectNamespace === viewerNamespace),
  )
}

/** `host:port` as in a Host header. The port is null when there is none; an IPv6 address keeps its brackets. */
export function splitAuthority(authority: string): { readonly host: string; readonly port: number | null } {
  const match = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(authority)
  return match ? { host: match[1] ?? '', port: Number(match[2]) } : { host: authority, port: null }
}

/**
 * Envoy's choice of the virtual host: exact name, then the longest `*.suffix`, then the longest `prefix.*`, then `*`. Names do not
 * depend on case. `index` is the position in `domains`.
 */
export function matchDomain(authority: string, domains: readonly (readonly string[])[], ignorePort: boolean): number {
  const name = (ignorePort ? splitAuthority(authority).host : authority).toLowerCase()
  let best = -1
  let rank = 0
  domains.forEach((list, index) => {
    for (const entry of list) {
      const strength = domainStrength(entry.toLowerCase(), name)
      if (strength > rank) {
        rank = strength
        best = index
      }
    }
  })
  return best
}

const exact = 3e6
const suffix = 2e6
const prefix = 1e6

function domainStrength(domain: string, name: string): number {
  if (domain === '*') return 1
  if (domain === name) return exact
  // A wildcard stands for at least one character.
  if (domain.startsWith('*') && name.length >= domain.length && name.endsWith(domain.slice(1)))
    return suffix + domain.length
  if (domain.endsWith('*') && name.length >= domain.length && name.startsWith(domain.slice(0, -1)))
    return prefix + domain.length
  return 0
}
