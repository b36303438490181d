import { ParseError } from '../../src/model/errors.ts'
import type { EnvoyCluster, EnvoyHost, EnvoyThresholds } from '../envoy-clusters.ts'
import { ejectedFlag, isHealthy } from './envoy-health.ts'
import { numberOrNull, quoteStart } from './kubectl-json.ts'

/**
 * `cluster::key::value` and `cluster::address::key::value`. IPv6 addresses hold `::` too, so lines are cut at the last
 * `::key::`, and at the name of the cluster that the lines before were about.
 */
export function readClustersText(text: string): EnvoyCluster[] {
  const clusters: EnvoyCluster[] = []
  let cluster: EnvoyCluster | undefined
  let host: EnvoyHost | undefined
  let strange = 0
  for (const line of text.split('\n')) {
    const match = /^(.+)::([a-z][a-z0-9_]*)::(.*?)\r?$/.exec(line)
    if (!match) {
      if (line.trim() !== '') strange++
      continue
    }
    const [, prefix = '', key = '', value = ''] = match
    const name = clusterName(prefix, key, cluster?.name)
    if (name === undefined) {
      strange++
      continue
    }
    if (cluster?.name !== name) {
      cluster = newCluster(name)
      clusters.push(cluster)
      host = undefined
    }
    const address = prefix.slice(name.length + '::'.length)
    if (address === '') setOfCluster(cluster, key, value)
    else if (address === 'default_priority')
      cluster.circuitBreakers.default = withThreshold(cluster.circuitBreakers.default, key, value)
    else if (address === 'high_priority')
      cluster.circuitBreakers.high = withThreshold(cluster.circuitBreakers.high, key, value)
    else {
      if (host?.address !== address) {
        host = newHost(address)
        cluster.hosts.push(host)
      }
      setOfHost(host, key, value)
    }
  }
  if (clusters.length === 0 && text.trim() !== '' && strange > 0)
    throw new ParseError(`envoy-clusters: no cluster in ${quoteStart(text)}`)
  if (clusters.length === 0) throw new ParseError('envoy-clusters: an empty output')
  return clusters
}

/** Every cluster starts with lines of its own (`observability_name`, thresholds), which show where its name ends. */
function clusterName(prefix: string, key: string, current: string | undefined): string | undefined {
  if (current !== undefined && (prefix === current || prefix.startsWith(`${current}::`))) return current
  const priority = /^(.+)::(?:default|high)_priority$/.exec(prefix)
  if (priority) return priority[1]
  if (['observability_name', 'added_via_api', 'eds_service_name'].includes(key) || key.startsWith('outlier'))
    return prefix
  return undefined
}

function newCluster(name: string): EnvoyCluster {
  return { name, edsServiceName: null, addedViaApi: false, circuitBreakers: { default: null, high: null }, hosts: [] }
}

function setOfCluster(cluster: EnvoyCluster, key: string, value: string): void {
  if (key === 'added_via_api') cluster.addedViaApi = value === 'true'
  if (key === 'eds_service_name') cluster.edsServiceName = value || null
}

function withThreshold(thresholds: EnvoyThresholds | null, key: string, value: string): EnvoyThresholds {
  const before = thresholds ?? { maxConnections: null, maxPendingRequests: null, maxRequests: null, maxRetries: null }
  const field = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return field in before ? { ...before, [field]: numberOrNull(value) } : before
}

function newHost(address: string): EnvoyHost {
  const socket = /^(?:\[(.+)\]|([^/[\]]+)):(\d+)$/.exec(address)
  return {
    address,
    ip: socket?.[1] ?? socket?.[2] ?? null,
    port: socket ? Number(socket[3]) : null,
    hostname: null,
    healthFlags: [],
    healthy: false,
    ejected: false,
    weight: null,
    priority: 0,
    region: null,
    zone: null,
    successRate: null,
    stats: {},
  }
}

function setOfHost(host: EnvoyHost, key: string, value: string): void {
  switch (key) {
    case 'health_flags':
      host.healthFlags = value === 'healthy' ? [] : value.split('/').filter((flag) => flag !== '')
      host.healthy = isHealthy(host.healthFlags)
      host.ejected = host.healthFlags.includes(ejectedFlag)
      return
    case 'hostname':
      host.hostname = value || null
      return
    case 'weight':
      host.weight = numberOrNull(value)
      return
    case 'priority':
      host.priority = numberOrNull(value) ?? 0
      return
    case 'region':
      host.region = value || null
      return
    case 'zone':
      host.zone = value || null
      return
    case 'success_rate':
      // -1 stands for "too few requests to tell".
      host.successRate = value.startsWith('-') ? null : numberOrNull(value)
      return
    default:
      if (/^(?:cx|rq)_/.test(key)) host.stats[key] = numberOrNull(value) ?? 0
  }
}
