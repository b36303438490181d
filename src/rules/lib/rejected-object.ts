import { hostsMatch, resolveHost } from '../../mesh/hosts.ts'
import { parseClusterName } from '../../mesh/names.ts'
import type { Quote } from '../../model/evidence.ts'
import type { Stored } from '../../situation/objects.ts'
import { matchesLabels, type PodView } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { objectName } from './cluster.ts'
import { changeBefore } from './sync-state.ts'

interface Rejected {
  readonly type: string | null
  /** Envoy's own words. */
  readonly reason: string | null
  readonly time: string | null
}

export interface Culprit {
  readonly stored: Stored
  readonly quotes: readonly Quote[]
}

/** The object whose text or host Envoy complains about, or the EnvoyFilter that the rejected push carried. Among several nobody is named. */
export function rejectedObject(situation: Situation, pod: PodView, { type, reason, time }: Rejected): Culprit | null {
  const words = wordsOf(reason)
  const filters = filtersOf(situation, pod)
  const repeated = filters.filter(({ object }) =>
    words.some((word) => textsIn(object.spec).some((text) => text.includes(word))),
  )
  const byHost = type === 'CDS' ? rulesNamed(situation, pod, reason) : []
  const change = changeBefore(situation, time)
  const changed = change ? storedAs(situation, change.data.resource ?? '') : null
  const candidates = repeated.length > 0 ? repeated : byHost.length > 0 ? byHost : []
  const latest = [...candidates, ...(candidates.length === 0 ? filters : [])].find(
    ({ object }) => object === changed?.object,
  )
  const chosen = candidates.length === 1 ? candidates[0] : latest
  if (!chosen) return null
  return {
    stored: chosen,
    quotes: [
      quoteObject(chosen, `what ${pathOf(chosen)} asks for`, chosen.object.spec),
      ...(change && chosen.object === changed?.object
        ? [quote(change.entry, 'it changed just before the push that was rejected', change.data.raw, change.data.line)]
        : []),
    ],
  }
}

/**
 * Whether a rejection can be why this call keeps its old configuration. Envoy takes what it understands of a push and refuses the rest
 * by name: clusters of other hosts and listeners of other ports leave this call alone. Without such names it may be anything.
 */
export function touchesCall({ server }: Situation, reason: string | null): boolean {
  const clusters = clustersNamed(reason)
  const listeners = [...(reason ?? '').matchAll(/(?:^|\s)(?:[\d.]+|\[?[\da-f:]+\]?)_(\d+): /g)].map(([, port]) =>
    Number(port),
  )
  if (clusters.length > 0 && server.host !== null) return clusters.some(({ host }) => host === server.host)
  if (listeners.length === 0 || server.portNumber === null || /virtual(?:In|Out)bound/.test(reason ?? '')) return true
  return listeners.some((port) => port === server.portNumber || port === server.port?.containerPort)
}

function clustersNamed(reason: string | null) {
  return [...(reason ?? '').matchAll(/outbound\|\d*\|[^|\s]*\|[^\s:,;]+/g)].map(([name]) => parseClusterName(name))
}

/** EnvoyFilters that patch a proxy. */
export function filtersOf({ store, rootNamespace }: Situation, pod: PodView): readonly Stored[] {
  return store.list('EnvoyFilter').filter(({ object }) => {
    const own = object.metadata.namespace === pod.namespace || object.metadata.namespace === rootNamespace
    const selector = object.spec?.workloadSelector?.labels
    return own && (selector === undefined || matchesLabels(selector, pod.labels))
  })
}

/** DestinationRules of the hosts whose clusters the message names: what a cluster is made of beside its Service. */
function rulesNamed({ store }: Situation, pod: PodView, reason: string | null): readonly Stored[] {
  const hosts = clustersNamed(reason).map(({ host }) => host)
  if (hosts.length === 0) return []
  const rules = store.list('DestinationRule').filter(({ object }) => {
    const name = resolveHost(String(object.spec?.host ?? ''), object.metadata.namespace ?? '')
    return hosts.some((host) => hostsMatch(name, host))
  })
  const own = rules.filter(({ object }) => object.metadata.namespace === pod.namespace)
  return own.length > 0 ? own : rules
}

/** An object by `Kind/ns/name`, as istiod's log names it. */
function storedAs({ store }: Situation, resource: string): Stored | null {
  const [kind = '', namespace = '', name = ''] = resource.split('/')
  return store.get(kind, namespace, name)
}

/** Pieces of configuration that Envoy repeats in its message: `[string "function …"]`, 'name'. */
function wordsOf(reason: string | null): readonly string[] {
  if (reason === null) return []
  return [...reason.matchAll(/"([^"\n]{6,}?)(?:\.\.\.)?"|'([^'\n]{6,})'/g)].map(([, a, b]) => (a ?? b ?? '').trim())
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)])
}

export function pathOf({ object }: Stored): string {
  return objectName(object)
}
