import type { Quote } from '../../model/evidence.ts'
import type { Decider } from '../../model/finding.ts'
import { bareHost } from '../../situation/exchanges.ts'
import { hostMatches } from '../../situation/gateway-hosts.ts'
import type { Stored } from '../../situation/objects.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { type Condition, readConditions } from './ambient.ts'
import { apiGateways, nameOfStored, noRouteLine, routeSearch } from './gateways.ts'

/** A condition of a route at one of its parents, or of a Gateway at one of its listeners. */
export interface PlacedCondition extends Condition {
  readonly stored: Stored
  /** `Gateway shop/edge`, `listener https`. */
  readonly at: string
}

/** HTTPRoutes and GRPCRoutes at Gateways that are for this host. */
export function apiRoutes(situation: Situation): readonly Stored[] {
  const host = calledHost(situation)
  return atGateways(situation).filter((route) => {
    const names = hostnamesOf(route)
    if (host === null || names.length === 0) return leadsHere(situation, route)
    return names.some((pattern) => hostMatches(pattern, host))
  })
}

/** Those, and routes to the destination under another host: the host may be what is wrong with them. */
export function apiRoutesNearby(situation: Situation): readonly Stored[] {
  const own = apiRoutes(situation)
  if (own.length > 0) return own
  return atGateways(situation).filter((route) => leadsHere(situation, route))
}

/** Routes that replace the ones istiod makes for a Service: their parent is the Service itself. */
export function serviceRoutes({ store, server }: Situation): readonly Stored[] {
  const service = server.service?.object.metadata
  if (!service) return []
  return [...store.list('HTTPRoute'), ...store.list('GRPCRoute')].filter(({ object }) =>
    parentsOf(object.spec?.parentRefs).some(
      ({ kind, name, namespace }) =>
        kind === 'Service' && name === service.name && (namespace ?? object.metadata.namespace) === service.namespace,
    ),
  )
}

function atGateways({ store }: Situation): readonly Stored[] {
  return [...store.list('HTTPRoute'), ...store.list('GRPCRoute')].filter(({ object }) =>
    parentsOf(object.spec?.parentRefs).some(({ kind }) => kind === 'Gateway'),
  )
}

function calledHost({ given, hints }: Situation): string | null {
  const name = given.host ?? hints.authority
  return name ? bareHost(name) : null
}

function hostnamesOf({ object }: Stored): readonly string[] {
  return Array.isArray(object.spec?.hostnames) ? object.spec.hostnames : []
}

function leadsHere({ server }: Situation, { object }: Stored): boolean {
  const service = server.service?.object.metadata
  return backendsOf(object.spec?.rules).some(
    (backend) =>
      backend.name === service?.name && (backend.namespace ?? object.metadata.namespace) === service.namespace,
  )
}

/** Whether the gateway itself has no route for this call: a line says so, else its routes; null where nothing tells. */
export function lacksRoute(situation: Situation): 'logged' | 'configured' | 'no' | null {
  if (noRouteLine(situation, 'gateway')) return 'logged'
  if (situation.sample?.gateway) return 'no'
  const search = routeSearch(situation, 'gateway')
  if (search) return search.virtualHost === null ? 'configured' : 'no'
  return null
}

interface Reference {
  readonly kind: string
  readonly name: string
  readonly namespace: string | null
  readonly section: string | null
}

export function parentsOf(refs: unknown): readonly Reference[] {
  if (!Array.isArray(refs)) return []
  return refs.map((ref) => ({
    kind: String(ref?.kind ?? 'Gateway'),
    name: String(ref?.name ?? ''),
    namespace: typeof ref?.namespace === 'string' ? ref.namespace : null,
    section: typeof ref?.sectionName === 'string' ? ref.sectionName : null,
  }))
}

export function backendsOf(rules: unknown): readonly Reference[] {
  if (!Array.isArray(rules)) return []
  return rules.flatMap((rule) => (Array.isArray(rule?.backendRefs) ? parentsOf(rule.backendRefs) : []))
}

/** Conditions at the parents of a route, those left out that belong to a gateway which does not take this call. */
export function routeConditions(situation: Situation, stored: Stored): readonly PlacedCondition[] {
  const parents: unknown = stored.object.status?.parents
  if (!Array.isArray(parents)) return []
  return parents.flatMap((parent) => {
    const [ref] = parentsOf([parent?.parentRef])
    if (ref && isElsewhere(situation, ref, stored)) return []
    const at = `${ref?.kind} ${ref?.namespace ?? stored.object.metadata.namespace ?? ''}/${ref?.name}`
    return readConditions(parent?.conditions).map((condition) => ({ ...condition, stored, at }))
  })
}

function isElsewhere(situation: Situation, ref: Reference, route: Stored): boolean {
  const gateway = situation.store.get('K8sGateway', ref.namespace ?? route.object.metadata.namespace ?? null, ref.name)
  return (
    ref.kind === 'Gateway' &&
    gateway !== null &&
    !apiGateways(situation).some(({ object }) => object === gateway.object)
  )
}

export function gatewayConditions(stored: Stored): readonly PlacedCondition[] {
  return readConditions(stored.object.status?.conditions).map((condition) => ({
    ...condition,
    stored,
    at: `Gateway ${nameOfStored(stored)}`,
  }))
}

/** Conditions of listeners that take a host; listeners without a hostname take all. */
export function listenerConditions(stored: Stored, host: string | null): readonly PlacedCondition[] {
  const { spec, status } = stored.object
  const listeners: readonly { name?: string; hostname?: string }[] = Array.isArray(spec?.listeners)
    ? spec.listeners
    : []
  const ours = new Set(
    listeners
      .filter(({ hostname }) => host === null || hostname === undefined || hostMatches(hostname, host))
      .map(({ name }) => name),
  )
  const states: readonly { name?: string; conditions?: unknown }[] = Array.isArray(status?.listeners)
    ? status.listeners
    : []
  return states
    .filter(({ name }) => ours.has(name))
    .flatMap(({ name, conditions }) =>
      readConditions(conditions).map((condition) => ({ ...condition, stored, at: `listener ${name}` })),
    )
}

export function failed(conditions: readonly PlacedCondition[], type: string, reasons: RegExp): PlacedCondition | null {
  return conditions.find((one) => one.type === type && one.status === 'False' && reasons.test(one.reason)) ?? null
}

export function quotePlaced({ stored, at, type, status, reason, message }: PlacedCondition): Quote {
  const { kind, metadata } = stored.object
  return quote(
    stored.entry,
    `condition of ${kind} ${metadata.namespace ?? ''}/${metadata.name} at ${at}`,
    `${type}=${status} ${reason}: ${message}`,
  )
}

/** analyze repeats negative conditions as IST0171. */
export function quoteAnalyzed(situation: Situation, { reason, stored }: PlacedCondition): readonly Quote[] {
  const found = situation.analyze.find(
    ({ code, message, origin }) =>
      code === 'IST0171' && message.includes(reason) && origin?.name === stored.object.metadata.name,
  )
  return found ? [quote(found.entry, 'istioctl analyze says so', `${found.code} ${found.message}`)] : []
}

/** What the gateway wrote down about this call decides what its conditions alone do not. */
export function seeGatewayLog({ gateway }: Situation): Decider {
  const [pod] = gateway?.pods ?? []
  return {
    command: `kubectl logs ${pod ? `-n ${pod.namespace} ${pod.name}` : 'GATEWAY-POD'} -c istio-proxy --tail=200`,
    why: 'its line of this call says whether the gateway itself answers, and with which reason',
  }
}
