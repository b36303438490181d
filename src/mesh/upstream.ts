import type { EnvoyCluster } from '../../parsers/proxy-config-cluster.ts'
import type { ClusterEndpoints, ProxyEndpoint } from '../../parsers/proxy-config-endpoint.ts'
import { type ConfigObject, configObject } from './config-object.ts'
import { objectsIn, textsIn } from './loose-lists.ts'
import { durationMs } from './route-action.ts'

/** What the proxy would do with TLS towards an endpoint. */
export interface UpstreamTls {
  readonly sends: 'istio-mtls' | 'plaintext' | 'simple-tls' | 'mutual-tls' | 'hbone' | 'unknown'
  /** The named match that was taken, when the cluster has several. */
  readonly match: string | null
  readonly sni: string | null
  readonly expectedSans: readonly string[]
  readonly secrets: readonly string[]
}

export interface UpstreamEndpoint {
  readonly endpoint: ProxyEndpoint
  readonly usable: boolean
  readonly tls: UpstreamTls
}

export interface Upstream {
  readonly cluster: EnvoyCluster
  readonly object: ConfigObject | null
  readonly type: string
  readonly lbPolicy: string
  readonly connectTimeoutMs: number | null
  readonly outlierDetection: boolean
  readonly limits: Readonly<Record<string, number>>
  /** `null`: the proxy's endpoints were not looked at, or the cluster takes the dialled address. */
  readonly endpoints: readonly UpstreamEndpoint[] | null
  /** The dialled address itself is the endpoint. */
  readonly originalDestination: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: parts of Envoy's configuration, read field by field
type Config = any

/** One cluster with its endpoints. Live health comes from `clusters`, TLS labels from `eds`; either may be missing. */
export function upstreamOf(
  cluster: EnvoyCluster,
  endpoints: readonly ClusterEndpoints[] | null,
  eds: readonly ClusterEndpoints[] | null,
): Upstream {
  const type = cluster.clusterType?.name ?? cluster.type ?? 'STATIC'
  const live = endpoints?.find((entry) => entry.cluster === cluster.name && entry.source === 'clusters')
  const sent = [...(eds ?? []), ...(endpoints ?? [])].find(
    (entry) =>
      entry.source === 'eds' &&
      (entry.cluster === cluster.name || entry.cluster === cluster.edsClusterConfig?.serviceName),
  )
  const looked = endpoints !== null || eds !== null
  const list = live?.endpoints ?? sent?.endpoints ?? (looked ? [] : null)
  const originalDestination = type === 'ORIGINAL_DST'
  return {
    cluster,
    object: configObject(cluster.metadata),
    type,
    lbPolicy: cluster.lbPolicy ?? 'ROUND_ROBIN',
    connectTimeoutMs: durationMs(cluster.connectTimeout),
    outlierDetection: cluster.outlierDetection !== undefined,
    limits: limitsOf(cluster),
    originalDestination,
    endpoints:
      list === null || originalDestination
        ? null
        : list.map((endpoint) => {
            const labels = sent?.endpoints.find((one) => sameAddress(one, endpoint))
            const known = sent !== undefined || endpoint.tlsMode !== null
            return {
              endpoint: labels
                ? { ...endpoint, tlsMode: labels.tlsMode, workload: labels.workload, tunnelTo: labels.tunnelTo }
                : endpoint,
              usable: isUsable(endpoint),
              tls: upstreamTls(cluster, {
                tlsMode: labels?.tlsMode ?? endpoint.tlsMode,
                known,
                address: endpoint.address,
              }),
            }
          }),
  }
}

function sameAddress(a: ProxyEndpoint, b: ProxyEndpoint): boolean {
  return a.address === b.address && a.port === b.port
}

/** DEGRADED still takes traffic, UNKNOWN is what proxies say without health checks. */
function isUsable(endpoint: ProxyEndpoint): boolean {
  const healthy = ['HEALTHY', 'UNKNOWN', 'DEGRADED'].includes(endpoint.health)
  return healthy && endpoint.ejected !== true && endpoint.failedActiveCheck !== true
}

export function upstreamTls(
  cluster: EnvoyCluster,
  endpoint: { readonly tlsMode: string | null; readonly known: boolean; readonly address: string },
): UpstreamTls {
  const matches: NonNullable<EnvoyCluster['transportSocketMatches']> = objectsIn(cluster.transportSocketMatches)
  if (matches.length > 0) {
    // An endpoint of the internal listener goes through the HBONE match, whatever its labels say.
    if (endpoint.address.startsWith('envoy://'))
      return socketTls(byName(matches, 'hbone') ?? cluster.transportSocket, 'hbone', 'hbone')
    if (!endpoint.known) return { ...raw, sends: 'unknown', match: null }
    const hit = matches.find(({ match }) =>
      Object.entries(match ?? {}).every(([key, value]) => key === 'tlsMode' && value === endpoint.tlsMode),
    )
    if (hit) return socketTls(hit.transportSocket, hit.name ?? '')
  }
  const hbone = endpoint.address.startsWith('envoy://') ? 'hbone' : undefined
  return socketTls(cluster.transportSocket, null, hbone)
}

function byName(matches: NonNullable<EnvoyCluster['transportSocketMatches']>, name: string): Config {
  return matches.find((match) => match.name === name)?.transportSocket
}

const raw: UpstreamTls = { sends: 'plaintext', match: null, sni: null, expectedSans: [], secrets: [] }

function socketTls(socket: Config, match: string | null, forced?: 'hbone'): UpstreamTls {
  const config = socket?.typedConfig
  const common = config?.commonTlsContext
  if (forced) return { ...raw, sends: forced, match }
  if (!common) return { ...raw, match }
  const context = common.combinedValidationContext?.defaultValidationContext ?? common.validationContext
  const certificates: string[] = objectsIn(common.tlsCertificateSdsSecretConfigs).map((entry: Config) =>
    String(entry?.name ?? ''),
  )
  const trust = common.combinedValidationContext?.validationContextSdsSecretConfig?.name
  const alpn = textsIn(common.alpnProtocols)
  const sni = typeof config.sni === 'string' ? config.sni : null
  const mesh = certificates.includes('default') || alpn.some((protocol) => protocol.startsWith('istio'))
  const own = certificates.length > 0 || objectsIn(common.tlsCertificates).length > 0
  return {
    sends: mesh ? 'istio-mtls' : own ? 'mutual-tls' : 'simple-tls',
    match,
    sni,
    expectedSans: sansOf(context),
    secrets: [...certificates, ...(typeof trust === 'string' ? [trust] : [])],
  }
}

function sansOf(context: Config): string[] {
  const matchers: Config[] = [
    ...objectsIn(context?.matchSubjectAltNames),
    ...objectsIn(context?.matchTypedSubjectAltNames).map((entry: Config) => entry?.matcher),
  ]
  return matchers.map((matcher) => {
    if (typeof matcher?.exact === 'string') return matcher.exact
    if (typeof matcher?.prefix === 'string') return `${matcher.prefix}*`
    if (typeof matcher?.suffix === 'string') return `*${matcher.suffix}`
    return String(matcher?.safeRegex?.regex ?? '')
  })
}

/** 4294967295 means no limit; only real limits of the default priority are listed. */
function limitsOf(cluster: EnvoyCluster): Record<string, number> {
  const limits: Record<string, number> = {}
  const threshold: Config = objectsIn(cluster.circuitBreakers?.thresholds).find(
    (entry: Config) => entry?.priority === undefined || entry.priority === 'DEFAULT',
  )
  for (const [key, value] of Object.entries(threshold ?? {}))
    if (typeof value === 'number' && value < 4294967295) limits[key] = value
  return limits
}
