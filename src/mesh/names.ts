/** The grammar of the names that istiod gives to clusters, routes, listeners and filter chains (istio `pilot/pkg/model/service.go`). */

export type ClusterRole =
  | 'outbound'
  | 'inbound'
  | 'inbound-vip'
  | 'sni-dnat'
  | 'passthrough'
  | 'inbound-passthrough'
  | 'black-hole'
  | 'dynamic-dns'
  | 'hbone'
  | 'bootstrap'
  | 'invalid-backend'
  | 'other'

export interface ClusterName {
  readonly raw: string
  readonly role: ClusterRole
  readonly port: number | null
  /** `''` where the name has no subset. */
  readonly subset: string
  /** `''` where the name has no host, as for the local application. */
  readonly host: string
  /** Waypoints: which protocol the chain speaks (`inbound-vip|PORT|http/SUBSET|HOST`). */
  readonly protocol?: 'http' | 'tcp'
}

const hboneClusters = new Set([
  'connect_originate',
  'inner_connect_originate',
  'outer_connect_originate',
  'forward_inner_connect',
  'connect_terminate',
  'encap',
  'main_internal',
])

const bootstrapClusters = new Set([
  'agent',
  'prometheus_stats',
  'sds-grpc',
  'sds-files-grpc',
  'sds_external',
  'xds-grpc',
  'zipkin',
  'datadog_agent',
  'lightstep',
  'envoy_metrics_service',
  'envoy_accesslog_service',
  'local_cluster',
])

/** Reads any cluster name; what has no place in the grammar is `other`, never an error. */
export function parseClusterName(name: string): ClusterName {
  // Some releases print a trailing `;` after the cluster in access logs.
  const raw = name.endsWith(';') ? name.slice(0, -1) : name
  const plain = (role: ClusterRole): ClusterName => ({ raw, role, port: null, subset: '', host: '' })
  const pipes = raw.split('|')
  if (pipes.length === 4) {
    const [direction = '', port = '', subset = '', host = ''] = pipes
    if (direction === 'outbound' || direction === 'inbound')
      return { raw, role: direction, port: portOf(port), subset, host }
    if (direction === 'inbound-vip') {
      const slash = subset.indexOf('/')
      const protocol = slash < 0 ? subset : subset.slice(0, slash)
      const parsed = { raw, role: direction, port: portOf(port), host } as const
      return protocol === 'http' || protocol === 'tcp'
        ? { ...parsed, protocol, subset: slash < 0 ? '' : subset.slice(slash + 1) }
        : { ...parsed, subset }
    }
    return { raw, role: 'other', port: portOf(port), subset, host }
  }
  const sni = parseSni(raw)
  if (sni) return { raw, role: 'sni-dnat', port: sni.port, subset: sni.subset, host: sni.host }
  if (raw === 'PassthroughCluster') return plain('passthrough')
  if (raw === 'BlackHoleCluster') return plain('black-hole')
  if (raw === 'AllowAnyDynamicDNSCluster') return plain('dynamic-dns')
  if (raw === 'UnknownService') return plain('invalid-backend')
  if (/^InboundPassthroughCluster(Ipv[46])?$/.test(raw)) return plain('inbound-passthrough')
  if (hboneClusters.has(raw)) return plain('hbone')
  if (bootstrapClusters.has(raw)) return plain('bootstrap')
  return plain('other')
}

export function outboundClusterName(port: number, subset: string, host: string): string {
  return `outbound|${port}|${subset}|${host}`
}

export interface ServiceSni {
  readonly direction: 'outbound' | 'inbound'
  readonly port: number
  readonly subset: string
  readonly host: string
}

/** `outbound_.PORT_.SUBSET_.HOST`: what proxies send as SNI in mesh mTLS. `null` for any other server name. */
export function parseSni(sni: string): ServiceSni | null {
  const parts = sni.split('_.')
  const [direction, port, subset] = parts
  if (direction !== 'outbound' && direction !== 'inbound') return null
  if (parts.length < 4 || !/^\d+$/.test(port ?? '')) return null
  // Subsets may hold dots and even `_.`-like ends, a host name never holds an underscore: what is left over belongs to the subset.
  const host = parts[parts.length - 1] ?? ''
  return {
    direction,
    port: Number(port),
    subset: parts.length === 4 ? (subset ?? '') : parts.slice(2, -1).join('_.'),
    host,
  }
}

export function serviceSni(port: number, subset: string, host: string): string {
  return `outbound_.${port}_.${subset}_.${host}`
}

export type RouteName =
  | { readonly raw: string; readonly role: 'port'; readonly port: number }
  | { readonly raw: string; readonly role: 'sniffed-service'; readonly host: string; readonly port: number }
  | { readonly raw: string; readonly role: 'http-proxy' | 'allow-any' | 'block-all' | 'other' }
  | { readonly raw: string; readonly role: 'gateway-http'; readonly port: number; readonly bind: string }
  | {
      readonly raw: string
      readonly role: 'gateway-https'
      readonly port: number
      readonly portName: string
      readonly gateway: string
      readonly namespace: string
      readonly bind: string
    }
  | { readonly raw: string; readonly role: 'inbound'; readonly port: number | null }
  | { readonly raw: string; readonly role: 'inbound-vip'; readonly port: number | null; readonly host: string }

/** Names of route configurations (`proxy-config route`). */
export function parseRouteName(raw: string): RouteName {
  if (/^\d+$/.test(raw)) return { raw, role: 'port', port: Number(raw) }
  if (raw === 'http_proxy') return { raw, role: 'http-proxy' }
  if (raw === 'allow_any') return { raw, role: 'allow-any' }
  if (raw === 'block_all') return { raw, role: 'block-all' }
  if (raw.startsWith('inbound|') || raw.startsWith('inbound-vip|')) {
    const cluster = parseClusterName(raw)
    return cluster.role === 'inbound-vip'
      ? { raw, role: 'inbound-vip', port: cluster.port, host: cluster.host }
      : { raw, role: 'inbound', port: cluster.port }
  }
  const http = /^http\.(\d+)(?:\.(.+))?$/.exec(raw)
  if (http) return { raw, role: 'gateway-http', port: Number(http[1]), bind: http[2] ?? '' }
  const https = /^https\.(\d+)\.(.+)$/.exec(raw)
  if (https) {
    const rest = https[2] ?? ''
    // PORTNAME.GATEWAY.NAMESPACE[.BIND]; port names hold no dots, gateway names may, a bind address does.
    const bound = /^(.*?)\.(\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:]*)$/i.exec(rest)
    const words = (bound?.[1] ?? rest).split('.')
    if (words.length >= 3)
      return {
        raw,
        role: 'gateway-https',
        port: Number(https[1]),
        portName: words[0] ?? '',
        gateway: words.slice(1, -1).join('.'),
        namespace: words[words.length - 1] ?? '',
        bind: bound?.[2] ?? '',
      }
  }
  const sniffed = /^(.+):(\d+)$/.exec(raw)
  if (sniffed) return { raw, role: 'sniffed-service', host: sniffed[1] ?? '', port: Number(sniffed[2]) }
  return { raw, role: 'other' }
}

/** The Gateway API object behind an internal Gateway's name; `null` for a Gateway that a person wrote. */
export function gatewayApiName(name: string): { readonly gateway: string; readonly listener: string } | null {
  // `~` since 1.28, `-` before; the listener may hold dashes, the marker is unique.
  const match = /^(.+?)[~-]istio-autogenerated-k8s-gateway[~-](.+)$/.exec(name)
  return match ? { gateway: match[1] ?? '', listener: match[2] ?? '' } : null
}

export type ListenerName =
  | { readonly raw: string; readonly role: 'virtual-outbound' | 'virtual-inbound' | 'hbone' | 'other' }
  | {
      readonly raw: string
      readonly role: 'address'
      readonly address: string
      readonly port: number
      readonly udp: boolean
    }

/** Names of listeners: `virtualInbound`, `0.0.0.0_8080`, `10.96.0.10_53`, `udp_0.0.0.0_443`. */
export function parseListenerName(raw: string): ListenerName {
  if (raw === 'virtualOutbound' || raw === 'virtual' || raw === 'virtualOutbound_ipv6')
    return { raw, role: 'virtual-outbound' }
  if (raw === 'virtualInbound') return { raw, role: 'virtual-inbound' }
  if (
    /^(connect_terminate|connect_originate|main_internal|inner_connect_originate|outer_connect_originate|encap|forward_inner_connect)$/.test(
      raw,
    )
  )
    return { raw, role: 'hbone' }
  const match = /^(udp_)?(.+)_(\d+)$/.exec(raw)
  if (match)
    return { raw, role: 'address', address: match[2] ?? '', port: Number(match[3]), udp: match[1] !== undefined }
  return { raw, role: 'other' }
}

export type FilterChainRole =
  | 'inbound'
  | 'inbound-catch-all'
  | 'inbound-black-hole'
  | 'outbound-catch-all'
  | 'outbound-black-hole'
  | 'passthrough'
  | 'other'

/** What a filter chain is for, as far as its name tells. */
export function filterChainRole(name: string): FilterChainRole {
  if (name === 'virtualInbound-blackhole') return 'inbound-black-hole'
  if (name === 'virtualInbound' || name.startsWith('virtualInbound-catchall')) return 'inbound-catch-all'
  if (name === 'virtualOutbound-blackhole') return 'outbound-black-hole'
  if (name.startsWith('virtualOutbound-catchall')) return 'outbound-catch-all'
  if (name === 'PassthroughFilterChain') return 'passthrough'
  // Inbound chains of services: `0.0.0.0_8080`, or `POD_IP_PORT` with an own bind.
  return /^(inbound\||.+_\d+$)/.test(name) ? 'inbound' : 'other'
}

/** Ids of RBAC policies as proxies print them. CUSTOM ids carry the provider since 1.30. */
export interface PolicyId {
  readonly namespace: string
  readonly name: string
  readonly rule: number
  readonly custom: boolean
}

export function parsePolicyId(id: string): PolicyId | null {
  const match = /ns\[([^\]]+)\]-policy\[([^\]]+)\]-rule\[(\d+)\]/.exec(id)
  if (!match) return null
  return {
    namespace: match[1] ?? '',
    name: match[2] ?? '',
    rule: Number(match[3]),
    custom: id.startsWith('istio-ext-authz'),
  }
}

function portOf(text: string): number | null {
  return /^\d+$/.test(text) ? Number(text) : null
}
