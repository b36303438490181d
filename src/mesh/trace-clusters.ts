import { parseClusterName } from './names.ts'
import type { Broken, End, ProxyConfig, Trace, TraceStep } from './trace-steps.ts'
import { type Upstream, upstreamOf } from './upstream.ts'

interface Circumstances {
  readonly flags?: readonly string[]
  readonly notFound?: number
  readonly http?: boolean
}

/** The last part of the way: every cluster that may be taken, its endpoints, and the TLS towards them. */
export function throughClusters(
  config: ProxyConfig,
  clusters: Trace['clusters'],
  route: string | null,
  steps: TraceStep[],
  end: End,
  { flags = [], notFound = 503, http = false }: Circumstances,
): Trace {
  if (config.clusters === null) return end({ route, clusters, why: 'the clusters were not looked at' })
  const results = clusters.map(({ name, percent }) => ({ percent, ...followCluster(config, name, percent, steps) }))
  const upstreams = results.flatMap(({ upstream }) => (upstream ? [upstream] : []))
  const bad = results.find(({ broken }) => broken)
  const common = { route, clusters, upstreams }
  if (!bad?.broken) {
    const unseen = results.some(({ unseen }) => unseen)
    // Not having looked at endpoints is not the same as having healthy ones.
    if (unseen) return end({ ...common, why: 'the endpoints were not looked at' })
    return end({ ...common, outcome: 'forwarded', flags, details: http ? 'via_upstream' : null })
  }
  if (results.some(({ broken }) => broken?.flag !== bad.broken?.flag))
    return end({ ...common, why: `for ${bad.percent} % of the requests: ${bad.broken.why}` })
  const status = http ? (bad.broken.flag === 'NC' ? notFound : 503) : null
  return end({
    ...common,
    outcome: 'failed',
    status,
    flags: [...flags, bad.broken.flag],
    details: http ? bad.broken.details : null,
    why: bad.broken.why,
  })
}

function followCluster(
  config: ProxyConfig,
  name: string,
  percent: number,
  steps: TraceStep[],
): { upstream: Upstream | null; broken: Broken | null; unseen: boolean } {
  const cluster = config.clusters?.find((candidate) => candidate.name === name)
  const parsed = parseClusterName(name)
  if (!cluster) {
    const subset = parsed.subset === '' ? '' : `: nothing defines subset ${parsed.subset} for this proxy`
    const broken = { why: `cluster ${name} does not exist${subset}`, flag: 'NC', details: 'cluster_not_found' }
    steps.push({ kind: 'cluster', name, object: null, facts: { percent }, broken })
    return { upstream: null, broken, unseen: false }
  }
  const upstream = upstreamOf(cluster, config.endpoints, config.eds ?? null)
  steps.push({
    kind: 'cluster',
    name,
    object: upstream.object,
    facts: {
      percent,
      role: parsed.role,
      type: upstream.type,
      lbPolicy: upstream.lbPolicy,
      connectTimeoutMs: upstream.connectTimeoutMs,
      outlierDetection: upstream.outlierDetection,
      limits: upstream.limits,
    },
  })
  if (upstream.originalDestination) {
    steps.push({ kind: 'endpoints', name, object: null, facts: { originalDestination: true } })
    return { upstream, broken: null, unseen: false }
  }
  const broken = pushEndpoints(upstream, name, steps)
  return { upstream, broken, unseen: upstream.endpoints === null && parsed.role !== 'black-hole' }
}

function pushEndpoints(upstream: Upstream, name: string, steps: TraceStep[]): Broken | null {
  if (parseClusterName(name).role === 'black-hole') {
    const broken = { why: 'traffic to an unknown destination ends in BlackHoleCluster', flag: 'UH', details: null }
    steps.push({ kind: 'endpoints', name, object: null, facts: { all: [] }, broken })
    return broken
  }
  if (upstream.endpoints === null) return null
  const usable = upstream.endpoints.filter((one) => one.usable)
  const all = upstream.endpoints.map(({ endpoint, usable }) => ({
    address: endpoint.port === null ? endpoint.address : `${endpoint.address}:${endpoint.port}`,
    health: endpoint.health,
    ejected: endpoint.ejected,
    usable,
    tlsMode: endpoint.tlsMode,
    workload: endpoint.workload,
  }))
  const count = upstream.endpoints.length
  const broken: Broken | null =
    usable.length > 0
      ? null
      : {
          why:
            count === 0 ? `cluster ${name} has no endpoints` : `none of the ${count} endpoints of ${name} is healthy`,
          flag: 'UH',
          details: 'no_healthy_upstream',
        }
  steps.push({ kind: 'endpoints', name, object: null, facts: { all }, ...(broken ? { broken } : {}) })
  if (usable.length > 0) pushTls(upstream, name, steps)
  return broken
}

function pushTls(upstream: Upstream, name: string, steps: TraceStep[]): void {
  const seen = new Map<string, string[]>()
  for (const { endpoint, tls, usable } of upstream.endpoints ?? []) {
    if (!usable) continue
    const key = JSON.stringify(tls)
    seen.set(key, [
      ...(seen.get(key) ?? []),
      endpoint.port === null ? endpoint.address : `${endpoint.address}:${endpoint.port}`,
    ])
  }
  for (const [key, endpoints] of seen) {
    const tls = JSON.parse(key) as Record<string, unknown>
    steps.push({ kind: 'transport-socket', name, object: upstream.object, facts: { ...tls, endpoints } })
    if (tls.sends === 'hbone')
      steps.push({ kind: 'hbone', name: 'connect_originate', object: null, facts: { endpoints } })
  }
}
