import type { RouteConfiguration } from '../../parsers/proxy-config-route.ts'
import { type ChainFacts, chainFacts } from './chain-facts.ts'
import { configObject } from './config-object.ts'
import { chooseFilterChain, findListener } from './filter-chain.ts'
import { matchRoute } from './route-match.ts'
import { throughClusters } from './trace-clusters.ts'
import { type End, type ProxyConfig, type Trace, type TraceQuestion, type TraceStep, undecided } from './trace-steps.ts'

export type { Broken, ProxyConfig, Trace, TraceQuestion, TraceStep } from './trace-steps.ts'

/** Follows one request through a proxy's configuration. Every decision on the way is a step, with the object behind it. */
export function trace(config: ProxyConfig, question: TraceQuestion): Trace {
  const steps: TraceStep[] = []
  const end = (rest: Partial<Trace>): Trace => ({ ...undecided, steps, ...rest })
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
  const chainStep: TraceStep = {
    kind: 'filter-chain',
    name: choice.chain.name ?? '',
    object: configObject(choice.chain.metadata),
    facts: {
      match: choice.chain.filterChainMatch ?? null,
      isDefault: choice.isDefault,
      tls: facts.ends,
      secrets: facts.secrets,
    },
  }
  const missing = missingSecret(facts, config)
  if (missing !== null) {
    // Envoy closes such connections before any access log exists.
    const broken = { why: `the proxy has no certificate ${missing} to end TLS with`, flag: '', details: null }
    steps.push({ ...chainStep, broken })
    return end({ outcome: 'failed', why: broken.why })
  }
  steps.push(chainStep)
  for (const filter of [...facts.networkFilters, ...(facts.http?.filters ?? [])])
    if (filter.kind !== 'other')
      steps.push({ kind: 'filter', name: filter.name, object: null, facts: { kind: filter.kind, ...filter.facts } })

  if (facts.http) return throughRoute(config, question, facts.http, steps, end)
  if (facts.tcp) return throughClusters(config, facts.tcp.clusters, null, steps, end, {})
  return end({ why: 'the filter chain ends in no proxy filter that is known here' })
}

function missingSecret(facts: ChainFacts, config: ProxyConfig): string | null {
  if (facts.ends === 'none' || !config.secrets) return null
  const there = config.secrets.filter(({ state, kind }) => state !== 'warming' && kind !== 'none')
  return facts.secrets.find((name) => !there.some((secret) => secret.name === name)) ?? null
}

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
