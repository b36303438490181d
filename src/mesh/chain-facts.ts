import type { Filter, FilterChain } from '../../parsers/proxy-config-listener.ts'
import { objectsIn, textOf } from './loose-lists.ts'

// biome-ignore lint/suspicious/noExplicitAny: parts of Envoy's configuration, read field by field
type Config = any

/** What a filter chain does with a connection that it takes. */
export interface ChainFacts {
  /** What TLS the chain ends: `mtls` wants a client certificate, `tls` does not, `none` leaves the bytes as they are. */
  readonly ends: 'mtls' | 'tls' | 'none'
  /** Names of secrets that the chain presents and trusts. */
  readonly secrets: readonly string[]
  readonly http: {
    readonly routeName: string | null
    readonly inline: unknown
    readonly filters: readonly HttpFilter[]
  } | null
  readonly tcp: { readonly clusters: readonly { readonly name: string; readonly percent: number }[] } | null
  readonly networkFilters: readonly HttpFilter[]
}

export interface HttpFilter {
  readonly name: string
  readonly kind: 'rbac' | 'jwt' | 'ext-authz' | 'wasm' | 'lua' | 'rate-limit' | 'other'
  /** RBAC: action and policy ids; JWT: issuers; ext_authz: who is asked. */
  readonly facts: Readonly<Record<string, unknown>>
}

export function chainFacts(chain: FilterChain): ChainFacts {
  const filters: Filter[] = objectsIn(chain.filters)
  const hcm = filters.find(({ name }) => name === 'envoy.filters.network.http_connection_manager')?.typedConfig
  const tcp = filters.find(({ name }) => name === 'envoy.filters.network.tcp_proxy')?.typedConfig
  const tls = chain.transportSocket?.typedConfig
  const common = tls?.commonTlsContext
  const secrets = [
    ...objectsIn(common?.tlsCertificateSdsSecretConfigs).map((config: Config) => config?.name),
    common?.combinedValidationContext?.validationContextSdsSecretConfig?.name,
    common?.validationContextSdsSecretConfig?.name,
  ].filter((name): name is string => typeof name === 'string')
  return {
    ends: common ? (tls.requireClientCertificate === true ? 'mtls' : 'tls') : 'none',
    secrets,
    http: hcm
      ? {
          routeName: hcm.rds?.routeConfigName ?? hcm.routeConfig?.name ?? null,
          inline: hcm.routeConfig ?? null,
          filters: objectsIn(hcm.httpFilters).map(filterFacts),
        }
      : null,
    tcp: tcp ? { clusters: tcpClusters(tcp) } : null,
    networkFilters: filters
      .filter(({ name }) => !/http_connection_manager|tcp_proxy/.test(name ?? ''))
      .map(filterFacts),
  }
}

function tcpClusters(tcp: Config): { name: string; percent: number }[] {
  if (typeof tcp.cluster === 'string') return [{ name: tcp.cluster, percent: 100 }]
  const entries = objectsIn(tcp.weightedClusters?.clusters)
  const total = entries.reduce((sum, entry) => sum + Number(entry.weight ?? 0), 0)
  return entries
    .filter((entry) => Number(entry.weight ?? 0) > 0)
    .map((entry) => ({ name: String(entry.name), percent: (100 * Number(entry.weight)) / total }))
}

function filterFacts(filter: Filter): HttpFilter {
  const name = textOf(filter.name)
  const config: Config = filter.typedConfig ?? {}
  const type = String(config['@type'] ?? '')
  const wasm = type.includes('.wasm.') || name.includes('wasm')
  if (type.includes('.rbac.') || name.endsWith('.rbac')) return { name, kind: 'rbac', facts: rbacFacts(config) }
  if (name.includes('jwt_authn')) return { name, kind: 'jwt', facts: jwtFacts(config) }
  if (name.includes('ext_authz')) return { name, kind: 'ext-authz', facts: extAuthzFacts(config) }
  if (wasm) return { name, kind: 'wasm', facts: {} }
  if (name.includes('lua')) return { name, kind: 'lua', facts: {} }
  if (name.includes('ratelimit')) return { name, kind: 'rate-limit', facts: {} }
  return { name, kind: 'other', facts: {} }
}

function rbacFacts(config: Config): Record<string, unknown> {
  // ALLOW is the zero value. `rules` without policies allows nothing; no `rules` at all only watches.
  const enforced = config.rules
    ? { action: String(config.rules.action ?? 'ALLOW'), policies: Object.keys(config.rules.policies ?? {}) }
    : null
  const shadow = config.shadowRules
    ? { action: String(config.shadowRules.action ?? 'ALLOW'), policies: Object.keys(config.shadowRules.policies ?? {}) }
    : null
  return { enforced, shadow }
}

function jwtFacts(config: Config): Record<string, unknown> {
  return {
    issuers: Object.values<Config>(config.providers ?? {}).map((provider) => String(provider?.issuer ?? '')),
    providers: Object.keys(config.providers ?? {}),
  }
}

function extAuthzFacts(config: Config): Record<string, unknown> {
  const service = config.grpcService?.envoyGrpc?.clusterName ?? config.httpService?.serverUri?.cluster ?? null
  return { asks: service, failOpen: config.failureModeAllow === true }
}
