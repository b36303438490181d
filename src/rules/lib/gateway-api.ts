import type { Quote } from '../../model/evidence.ts'
import { bareHost } from '../../situation/exchanges.ts'
import { hostMatches } from '../../situation/gateway-hosts.ts'
import type { Stored } from '../../situation/objects.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { type Condition, readConditions } from './ambient.ts'
import { nameOfStored } from './gateways.ts'

/** A condition of a route at one of its parents, or of a Gateway at one of its listeners. */
export interface PlacedCondition extends Condition {
  readonly stored: Stored
  /** `Gateway shop/edge`, `listener https`. */
  readonly at: string
}

/** HTTPRoutes and GRPCRoutes at Gateways, for this host or towards this destination. */
export function apiRoutes(situation: Situation): readonly Stored[] {
  const { store, server, given, hints } = situation
  const name = given.host ?? hints.authority
  const host = name ? bareHost(name) : null
  const service = server.service?.object.metadata
  return [...store.list('HTTPRoute'), ...store.list('GRPCRoute')].filter(({ object }) => {
    if (!parentsOf(object.spec?.parentRefs).some(({ kind }) => kind === 'Gateway')) return false
    const names: readonly string[] = Array.isArray(object.spec?.hostnames) ? object.spec.hostnames : []
    const fits = host === null || names.length === 0 || names.some((pattern) => hostMatches(pattern, host))
    const leadsHere =
      service !== undefined &&
      backendsOf(object.spec?.rules).some(
        (backend) =>
          backend.name === service.name && (backend.namespace ?? object.metadata.namespace) === service.namespace,
      )
    return (fits && names.length > 0) || leadsHere
  })
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

export function routeConditions(stored: Stored): readonly PlacedCondition[] {
  const parents: unknown = stored.object.status?.parents
  if (!Array.isArray(parents)) return []
  return parents.flatMap((parent) => {
    const [ref] = parentsOf([parent?.parentRef])
    const at = `${ref?.kind} ${ref?.namespace ?? stored.object.metadata.namespace ?? ''}/${ref?.name}`
    return readConditions(parent?.conditions).map((condition) => ({ ...condition, stored, at }))
  })
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
