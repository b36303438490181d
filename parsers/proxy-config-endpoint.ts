import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { isObject, type JsonObject, readEntries } from './lib/proxy-config-json.ts'

export const ProxyEndpoint = z.object({
  /** IP, socket path or `envoy://LISTENER/ID` of an internal listener. */
  address: z.string(),
  port: z.number().nullable(),
  /** `HEALTHY`, `UNHEALTHY`, `DRAINING`, … as the proxy says, `UNKNOWN` where it says nothing. */
  health: z.string(),
  /** Taken out by outlier detection. `null` where the output cannot tell (eds). */
  ejected: z.boolean().nullable(),
  failedActiveCheck: z.boolean().nullable(),
  hostname: z.string().nullable(),
  weight: z.number(),
  priority: z.number(),
  locality: z.string().nullable(),
  /** `istio` where the proxy sends mesh mTLS to this endpoint. `undefined` metadata shows as null; only eds carries it. */
  tlsMode: z.string().nullable(),
  /** `workload;namespace;service;version;cluster`, as far as eds carries it. */
  workload: z.string().nullable(),
  /** Where an HBONE endpoint really goes: `IP:PORT` from the tunnel's metadata. */
  tunnelTo: z.string().nullable(),
  stats: z.record(z.string(), z.number()),
})
export type ProxyEndpoint = z.infer<typeof ProxyEndpoint>

export const ClusterEndpoints = z.object({
  cluster: z.string(),
  /** `clusters` has live health and counters, `eds` has metadata as istiod sent it. */
  source: z.enum(['clusters', 'eds']),
  endpoints: z.array(ProxyEndpoint),
})
export type ClusterEndpoints = z.infer<typeof ClusterEndpoints>

/** `istioctl proxy-config endpoint -o json`; also reads `proxy-config eds -o json`. */
export default defineParser<readonly ClusterEndpoints[]>({
  name: 'proxy-config-endpoint',
  schema: z.array(ClusterEndpoints),
  parse: (text) =>
    readEntries<JsonObject>(
      text,
      'endpoints of a cluster',
      (entry) =>
        typeof entry.clusterName === 'string' ||
        (typeof entry.name === 'string' &&
          ('hostStatuses' in entry || 'observabilityName' in entry || 'addedViaApi' in entry)),
    ).map((entry) => (typeof entry.clusterName === 'string' ? fromEds(entry) : fromClusters(entry))),
})

function fromClusters(entry: JsonObject): ClusterEndpoints {
  return {
    cluster: String(entry.name),
    source: 'clusters',
    endpoints: objects(entry.hostStatuses, 'hostStatuses').map((host) => {
      const health = isObject(host.healthStatus) ? host.healthStatus : {}
      const { address, port } = addressOf(host.address)
      return {
        address,
        port,
        health: text(health.edsHealthStatus) ?? 'UNKNOWN',
        ejected: health.failedOutlierCheck === true,
        failedActiveCheck: health.failedActiveHealthCheck === true,
        hostname: text(host.hostname),
        weight: number(host.weight) ?? 1,
        priority: number(host.priority) ?? 0,
        locality: localityOf(host.locality),
        tlsMode: null,
        workload: null,
        tunnelTo: null,
        stats: statsOf(host.stats),
      }
    }),
  }
}

function fromEds(entry: JsonObject): ClusterEndpoints {
  const endpoints: ProxyEndpoint[] = []
  for (const group of objects(entry.endpoints, 'endpoints'))
    for (const host of objects(group.lbEndpoints, 'lbEndpoints')) {
      const endpoint = isObject(host.endpoint) ? host.endpoint : {}
      const metadata =
        isObject(host.metadata) && isObject(host.metadata.filterMetadata) ? host.metadata.filterMetadata : {}
      const { address, port } = addressOf(endpoint.address)
      endpoints.push({
        address,
        port,
        health: text(host.healthStatus) ?? 'UNKNOWN',
        ejected: null,
        failedActiveCheck: null,
        hostname: text(endpoint.hostname),
        weight: number(host.loadBalancingWeight) ?? 1,
        priority: number(group.priority) ?? 0,
        locality: localityOf(group.locality),
        tlsMode: text(field(metadata['envoy.transport_socket_match'], 'tlsMode')),
        workload: text(field(metadata.istio, 'workload')),
        tunnelTo: text(field(metadata['envoy.filters.listener.original_dst'], 'local')),
        stats: {},
      })
    }
  return { cluster: String(entry.clusterName), source: 'eds', endpoints }
}

function addressOf(value: unknown): { address: string; port: number | null } {
  if (isObject(value)) {
    if (isObject(value.socketAddress))
      return { address: text(value.socketAddress.address) ?? '', port: number(value.socketAddress.portValue) }
    if (isObject(value.pipe)) return { address: text(value.pipe.path) ?? '', port: null }
    if (isObject(value.envoyInternalAddress)) {
      const { serverListenerName, endpointId } = value.envoyInternalAddress
      return { address: `envoy://${text(serverListenerName) ?? ''}/${text(endpointId) ?? ''}`, port: null }
    }
  }
  return { address: '', port: null }
}

function localityOf(value: unknown): string | null {
  if (!isObject(value)) return null
  const { region, zone, subZone } = value
  if (region === undefined && zone === undefined && subZone === undefined) return null
  const parts = [region, zone, subZone].map((part) => (typeof part === 'string' ? part : ''))
  return parts.join('/').replace(/\/+$/, '') || null
}

function statsOf(value: unknown): Record<string, number> {
  const stats: Record<string, number> = {}
  if (!Array.isArray(value)) return stats
  // 64-bit numbers are strings in protobuf's JSON, zero is left out.
  for (const stat of value as unknown[])
    if (isObject(stat) && typeof stat.name === 'string') stats[stat.name] = Number(stat.value ?? 0)
  return stats
}

function objects(value: unknown, what: string): JsonObject[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || !value.every(isObject)) throw new ParseError(`${what} is no list of objects`)
  return value
}

function field(value: unknown, key: string): unknown {
  return isObject(value) ? value[key] : undefined
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
