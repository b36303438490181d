import type { IstiodEntry } from '../../../parsers/istiod-log.ts'
import type { EvidenceEntry, Quote } from '../../model/evidence.ts'
import type { LogData } from '../../situation/exchanges.ts'
import type { PodView } from '../../situation/pods.ts'
import { type From, quote, type Situation } from '../../situation/situation.ts'

/** Proxies that this call passes: what they hold decides it. Others may be stale without a say in it. */
export function proxiesOnTheWay({ client, server, gateway, waypoint }: Situation): readonly PodView[] {
  const pods = [...client.pods, ...(gateway?.pods ?? []), ...(waypoint?.pods ?? []), ...server.pods]
  return [...new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod])).values()].filter(
    ({ hasEnvoy }) => hasEnvoy,
  )
}

export function proxyId(pod: PodView): string {
  return `${pod.name}.${pod.namespace}`
}

/** A proxy's states as istiod reports them, with those of one kind picked out. */
export function typesIn(situation: Situation, pod: PodView, wanted: 'STALE' | 'ERROR') {
  const sync = situation.sync(pod)
  if (!sync) return null
  const types = Object.entries(sync.types).filter(([, { state }]) => state === wanted)
  return types.length === 0 ? null : { sync, types, names: types.map(([name]) => name) }
}

/** Every type that istiod has sent it is acknowledged; false also where the states are not shown. */
export function isSynced(situation: Situation, pod: PodView): boolean {
  const states = Object.values(situation.sync(pod)?.types ?? {}).map(({ state }) => state)
  return states.includes('SYNCED') && states.every((state) => !['STALE', 'ERROR'].includes(state))
}

/**
 * Whether what a proxy lacks of these types can change this call. The destination's proxy takes calls by its listeners, the clusters
 * and filters behind them, and its certificates; its routes and endpoints are those of calls that it makes itself.
 */
export function decidesCall({ client, gateway, waypoint }: Situation, pod: PodView, types: readonly string[]): boolean {
  const fronts = [...client.pods, ...(gateway?.pods ?? []), ...(waypoint?.pods ?? [])]
  const calls = fronts.some(({ name, namespace }) => name === pod.name && namespace === pod.namespace)
  const idle = calls ? names : [...names, 'RDS', 'EDS']
  return types.length === 0 || types.some((type) => !idle.includes(type))
}

/** Tables of names for DNS: no route, cluster or listener depends on them. */
const names: readonly string[] = ['NDS', 'PCDS']

export function quoteStates(situation: Situation, pod: PodView, statement: string): Quote | null {
  const sync = situation.sync(pod)
  if (!sync) return null
  const states = Object.entries(sync.types).map(([type, { raw, state }]) => `${type} ${raw || state}`)
  return quote(sync.entry, statement, `${sync.proxy}: ${states.join(', ')}`)
}

/** Old configuration is the answer to "my change has no effect". Beside a failing call it is one truth among others. */
export function aboutSync({ symptom, exchanges }: Situation): 'call' | 'aside' {
  return symptom === 'not-applied' || (symptom === 'unknown' && exchanges.length === 0) ? 'call' : 'aside'
}

export interface Rejection {
  readonly entry: IstiodEntry
  readonly from: string
}

/** Pushes that a proxy refused, as istiod logged them; the latest last. */
export function rejectionsOf({ istiodLog }: Situation, pod: PodView): readonly Rejection[] {
  const id = proxyId(pod)
  return istiodLog
    .flatMap(({ data, entry: from }) => data.entries.map((entry) => ({ entry, from })))
    .filter(({ entry }) => entry.kind === 'push-rejected' && entry.proxy === id)
}

/** `Kind/ns/name` of what changed last before a moment: the push that was refused carried it. */
export function changeBefore({ istiodLog }: Situation, time: string | null): From<IstiodEntry> | null {
  if (time === null) return null
  const changes = istiodLog
    .flatMap(({ data, entry }) => data.routine.map((line) => ({ data: line, entry })))
    .filter(({ data }) => data.kind === 'config-changed' && data.resource !== null && (data.time ?? '') <= time)
  return changes.at(-1) ?? null
}

/** Whether istiod's log reaches back over the walk: without it a rejection cannot be told from silence. */
export function istiodLogRead({ istiodLog }: Situation): boolean {
  return istiodLog.some(({ data }) => data.lines > 0)
}

export interface ProxyMessage {
  readonly text: string
  readonly line: number
  readonly entry: string
}

/** What a proxy's agent and Envoy themselves printed between the access-log lines. */
export function messagesOf(situation: Situation, pod: PodView, pattern: RegExp): readonly ProxyMessage[] {
  const log = situation.of<LogData>('accessLog', pod)
  if (!log) return []
  return log.data.others
    .filter(({ text }) => pattern.test(text.slice(0, 2000)))
    .map(({ text, line }) => ({ text, line, entry: log.entry }))
}

/** Questions to a proxy's admin interface that ran out of time: the process is there and does not answer. */
export function unansweredBy(situation: Situation, pod: PodView): readonly EvidenceEntry[] {
  return situation.entries.filter(
    (entry) =>
      entry.status === 'missing' &&
      entry.reason === 'timed-out' &&
      entry.name === pod.name &&
      entry.namespace === pod.namespace &&
      adminProbes.has(entry.probe),
  )
}

const adminProbes = new Set(['listeners', 'routes', 'clusters', 'endpoints', 'secrets', 'stats', 'hosts', 'serverInfo'])
