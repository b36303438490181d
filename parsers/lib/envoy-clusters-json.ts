import { ParseError } from '../../src/model/errors.ts'
import type { EnvoyCluster, EnvoyHost, EnvoyThresholds } from '../envoy-clusters.ts'
import { ejectedFlag, isHealthy } from './envoy-health.ts'
import {
  arrayIn,
  isObject,
  type JsonObject,
  numberOrNull,
  objectIn,
  readJsonObject,
  stringOrNull,
} from './kubectl-json.ts'

export function readClustersJson(text: string): EnvoyCluster[] {
  const document = readJsonObject(text, 'envoy-clusters')
  // Protobuf leaves out what is empty: a proxy without clusters prints `{}`.
  if (!Array.isArray(document.cluster_statuses) && Object.keys(document).length > 0)
    throw new ParseError(
      `envoy-clusters: JSON without cluster_statuses: ${Object.keys(document).slice(0, 5).join(', ')}`,
    )
  return arrayIn(document.cluster_statuses).map((status) => {
    const cluster = objectIn(status)
    const breakers = arrayIn(objectIn(cluster.circuit_breakers).thresholds).map(objectIn)
    return {
      name: stringOrNull(cluster.name) ?? '',
      edsServiceName: stringOrNull(cluster.eds_service_name),
      addedViaApi: cluster.added_via_api === true,
      circuitBreakers: {
        default: thresholdsOf(breakers.find(({ priority }) => priority === undefined || priority === 'DEFAULT')),
        high: thresholdsOf(breakers.find(({ priority }) => priority === 'HIGH')),
      },
      hosts: arrayIn(cluster.host_statuses).filter(isObject).map(readHost),
    }
  })
}

function thresholdsOf(breaker: JsonObject | undefined): EnvoyThresholds | null {
  if (!breaker) return null
  return {
    maxConnections: numberOrNull(breaker.max_connections),
    maxPendingRequests: numberOrNull(breaker.max_pending_requests),
    maxRequests: numberOrNull(breaker.max_requests),
    maxRetries: numberOrNull(breaker.max_retries),
  }
}

function readHost(host: JsonObject): EnvoyHost {
  const healthFlags = flagsOf(objectIn(host.health_status))
  const locality = objectIn(host.locality)
  return {
    ...readAddress(objectIn(host.address)),
    hostname: stringOrNull(host.hostname),
    healthFlags,
    healthy: isHealthy(healthFlags),
    ejected: healthFlags.includes(ejectedFlag),
    weight: numberOrNull(host.weight),
    priority: numberOrNull(host.priority) ?? 0,
    region: stringOrNull(locality.region),
    zone: stringOrNull(locality.zone),
    successRate: numberOrNull(objectIn(host.success_rate).value),
    // A stat without a value is 0: protobuf leaves zeros out.
    stats: Object.fromEntries(
      arrayIn(host.stats)
        .filter(isObject)
        .map(({ name, value }) => [stringOrNull(name) ?? '', numberOrNull(value) ?? 0]),
    ),
  }
}

function readAddress(address: JsonObject): Pick<EnvoyHost, 'address' | 'ip' | 'port'> {
  const socket = objectIn(address.socket_address)
  const ip = stringOrNull(socket.address)
  if (ip !== null) {
    const port = numberOrNull(socket.port_value) ?? 0
    return { address: ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`, ip, port }
  }
  const pipe = stringOrNull(objectIn(address.pipe).path)
  if (pipe !== null) return { address: pipe, ip: null, port: null }
  const internal = objectIn(address.envoy_internal_address)
  const listener = stringOrNull(internal.server_listener_name) ?? ''
  return { address: `envoy://${listener}/${stringOrNull(internal.endpoint_id) ?? ''}`, ip: null, port: null }
}

const textNames: Readonly<Record<string, string>> = {
  failed_active_health_check: 'failed_active_hc',
  failed_active_degraded_check: 'degraded_active_hc',
}

const edsFlags: Readonly<Record<string, string | null>> = {
  HEALTHY: null,
  UNKNOWN: null,
  UNHEALTHY: 'failed_eds_health',
  TIMEOUT: 'failed_eds_health',
  DRAINING: 'eds_status_draining',
  DEGRADED: 'degraded_eds_health',
}

function flagsOf(health: JsonObject): string[] {
  const flags = Object.entries(health).flatMap(([name, value]) => (value === true ? [textNames[name] ?? name] : []))
  const eds = stringOrNull(health.eds_health_status)
  if (eds === null) return flags
  // A status of a later Envoy is kept under its own name: it is not known to be harmless.
  const flag = eds in edsFlags ? edsFlags[eds] : `eds_status_${eds.toLowerCase()}`
  return flag ? [...flags, flag] : flags
}
