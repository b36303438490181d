import type { EnvoyCluster } from '../../parsers/proxy-config-cluster.ts'
import type { ClusterEndpoints } from '../../parsers/proxy-config-endpoint.ts'
import type { EnvoyListener } from '../../parsers/proxy-config-listener.ts'
import type { RouteConfiguration } from '../../parsers/proxy-config-route.ts'
import { type ConfigObject, configObject } from './config-object.ts'
import { type ChainFacts, type Connection, chainFacts, chooseFilterChain, findListener } from './filter-chain.ts'
import type { PathNormalization } from './mesh-config.ts'
import { parseClusterName } from './names.ts'
import { type HttpRequest, matchRoute } from './route-match.ts'
import { type Upstream, upstreamOf } from './upstream.ts'

/** What `proxy-config` printed for one proxy. `null`: that part was not looked at. */
export interface ProxyConfig {
  readonly listeners: readonly EnvoyListener[] | null
  readonly routes: readonly RouteConfiguration[] | null
  readonly clusters: readonly EnvoyCluster[] | null
  /** From `proxy-config endpoint`: live health. */
  readonly endpoints: readonly ClusterEndpoints[] | null
  /** From `proxy-config eds`: labels that decide about mTLS. */
  readonly eds?: readonly ClusterEndpoints[] | null
}

export interface TraceQuestion {
  readonly direction: 'outbound' | 'inbound' | 'gateway'
  readonly connection: Connection
  /** `null` for a TCP connection. */
  readonly request: HttpRequest | null
  readonly normalization?: PathNormalization
}

export interface TraceStep {
  readonly kind:
    | 'listener'
    | 'filter-chain'
    | 'filter'
    | 'route'
    | 'cluster'
    | 'endpoints'
    | 'transport-socket'
    | 'hbone'
  readonly name: string
  readonly object: ConfigObject | null
  readonly facts: Readonly<Record<string, unknown>>
  readonly broken?: Broken
}

export interface Broken {
  readonly why: string
  /** Short response flag; `''` where the proxy logs none. */
  readonly flag: string
  readonly details: string | null
}

export interface Trace {
  readonly steps: readonly TraceStep[]
  /** `cannot-decide`: a part was not looked at, or depends on what the question does not say. */
  readonly outcome: 'forwarded' | 'answered' | 'failed' | 'cannot-decide'
  /** Status from this proxy itself; `null` when the answer comes from further on, or for TCP. */
  readonly status: number | null
  readonly flags: readonly string[]
  readonly details: string | null
  readonly route: string | null
  readonly clusters: readonly { readonly name: string; readonly percent: number }[]
  readonly upstreams: readonly Upstream[]
  readonly why: string
}

/** Follows one request through a proxy's configuration. Every decision on the way is a step, with the object behind it. */
export function trace(config: ProxyConfig, question: TraceQuestion): Trace {
  const steps: TraceStep[] = []
  const end = (rest: Partial<Trace>): Trace => ({ ...blank, steps, ...rest })
  if (config.listeners === null) return end({ why: 'the listeners were not looked at' })

  const listener = findListener(config.listeners, question.direction, question.connection)
  if (!listener) {
    const broken = { why: `no listener takes port ${question.connection.port}`, flag: '', details: null }
    steps.push({ kind: 'listener', name: '', object: null, facts: {}, broken })
    return end({ outcome: 'failed', why: broken.why })
  }
  steps.push({
    kind: 'listener',
    name: listener.name ?? '',
    object: configObject(listener.metadata),
    facts: { direction: listener.trafficDirection ?? null },
  })

  const choice = chooseFilterChain(listener, question.connection)
  if (!choice.chain) {
    if (choice.undecided) return end({ why: choice.why })
    const broken = { why: choice.why, flag: 'NR', details: 'filter_chain_not_found' }
    steps.push({ kind: 'filter-chain', name: '', object: null, facts: {}, broken })
    return end({ outcome: 'failed', flags: ['NR'], details: broken.details, why: broken.why })
  }
  const facts = chainFacts(choice.chain)
  steps.push({
    kind: 'filter-chain',
    name: choice.chain.name ?? '',
    object: configObject(choice.chain.metadata),
    facts: {
      match: choice.chain.filterChainMatch ?? null,
      isDefault: choice.isDefault,
      tls: facts.ends,
      secrets: facts.secrets,
    },
  })
  for (const filter of [...facts.networkFilters, ...(facts.http?.filters ?? [])])
    if (filter.kind !== 'other')
      steps.push({ kind: 'filter', name: filter.name, object: null, facts: { kind: filter.kind, ...filter.facts } })

  if (facts.http) return throughRoute(config, question, facts.http, steps, end)
  if (facts.tcp) return throughClusters(config, facts.tcp.clusters, null, steps, end, {})
  return end({ why: 'the filter chain ends in no proxy filter that is known here' })
}

const blank: Omit<Trace, 'steps'> = {
  outcome: 'cannot-decide',
  status: null,
  flags: [],
  details: null,
  route: null,
  clusters: [],
  upstreams: [],
  why: '',
}

type End = (rest: Partial<Trace>) => Trace

function throughRoute(
  config: ProxyConfig,
  question: TraceQuestion,
  http: NonNullable<ChainFacts['http']>,
  steps: TraceStep[],
  end: End,
): Trace {
  if (!question.request) return end({ why: 'the filter chain speaks HTTP, and the question has no request' })
  const table = routeTable(config, http)
  if (!table) {
    const why =
      config.routes === null
        ? 'the routes were not looked at'
        : `route configuration ${http.routeName} is not among the proxy’s routes`
    return end({ why })
  }
  const decision = matchRoute(
    table,
    question.request,
    question.normalization === undefined ? {} : { normalization: question.normalization },
  )
  const { action } = decision
  const step: TraceStep = {
    kind: 'route',
    name: decision.route ?? '',
    object: decision.object,
    facts: {
      configuration: http.routeName,
      virtualHost: decision.virtualHost,
      passedOver: decision.passedOver,
      ...(action
        ? {
            action: action.kind,
            clusters: action.clusters,
            status: action.status,
            location: action.location,
            fault: action.fault,
            timeoutMs: action.timeoutMs,
            retries: action.retries,
            mirrors: action.mirrors,
            rewrittenPath: action.rewrittenPath,
            rewrittenHost: action.rewrittenHost,
          }
        : {}),
    },
  }
  const route = decision.route
  if (decision.outcome === 'cannot-decide') {
    steps.push(step)
    return end({ route, why: decision.why })
  }
  if (!action) {
    const rejected = decision.outcome === 'rejected'
    const broken = {
      why: decision.why,
      flag: rejected ? '' : 'NR',
      details: rejected ? 'path_normalization_failed' : 'route_not_found',
    }
    steps.push({ ...step, broken })
    return end({
      outcome: rejected ? 'answered' : 'failed',
      status: rejected ? 400 : 404,
      flags: rejected ? [] : ['NR'],
      details: broken.details,
      why: decision.why,
    })
  }
  const delayed = action.fault?.delay?.percent === 100 ? ['DI'] : []
  if (action.fault?.abort?.percent === 100) {
    const broken = {
      why: 'the route aborts every request (fault injection)',
      flag: 'FI',
      details: 'fault_filter_abort',
    }
    steps.push({ ...step, broken })
    const { status } = action.fault.abort
    return end({
      outcome: 'answered',
      status,
      flags: [...delayed, 'FI'],
      details: broken.details,
      route,
      clusters: action.clusters,
      why: broken.why,
    })
  }
  if (action.kind !== 'cluster') {
    const blocked = route === 'block_all' && action.status === 502
    const why = blocked
      ? 'the host is no known service, and only known services are allowed (REGISTRY_ONLY)'
      : `the route answers with ${action.status}`
    steps.push(blocked ? { ...step, broken: { why, flag: '', details: 'direct_response' } } : step)
    return end({ outcome: 'answered', status: action.status, flags: delayed, details: 'direct_response', route, why })
  }
  steps.push(step)
  return throughClusters(config, action.clusters, route, steps, end, {
    flags: delayed,
    notFound: action.clusterNotFoundStatus,
    http: true,
  })
}

function routeTable(config: ProxyConfig, http: NonNullable<ChainFacts['http']>): RouteConfiguration | null {
  // Inline routes are part of the listener; their shape is that of a route configuration.
  if (http.inline) return http.inline as RouteConfiguration
  return config.routes?.find(({ name }) => name === http.routeName) ?? null
}

interface Circumstances {
  readonly flags?: readonly string[]
  readonly notFound?: number
  readonly http?: boolean
}

function throughClusters(
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
