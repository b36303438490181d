import { parseClusterName } from '../mesh/names.ts'
import type { AccessLogRecord } from '../model/access-log.ts'
import type { SymptomId } from '../model/call.ts'
import { ipOf, portOf } from './hints.ts'

/** A line of a proxy's log that shows a failure, and whose log it is. */
export interface FailingLine {
  readonly symptom: SymptomId
  readonly namespace: string
  readonly pod: string
  readonly record: AccessLogRecord
}

/** Calls that failed in the same way between the same two ends. */
export interface FailingCall {
  readonly symptom: SymptomId
  /** As targets are written on the command line; null where the log does not tell. */
  readonly from: string | null
  readonly to: string | null
  readonly host: string | null
  readonly method: string | null
  readonly path: string | null
  readonly count: number
  readonly firstSeen: string | null
  readonly lastSeen: string | null
  /** `NC cluster_not_found`, most frequent first. */
  readonly said: readonly string[]
  /** `pod.namespace` whose proxy wrote it. */
  readonly seenBy: string
}

interface Placed {
  readonly line: FailingLine
  readonly side: 'caller' | 'destination'
  readonly from: string | null
  readonly to: string | null
}

/** Groups what proxies logged by who called whom; the call that failed most often comes first. */
export function groupFailingCalls(lines: readonly FailingLine[]): FailingCall[] {
  const placed = lines.map(place)
  // The same request stands in both proxies' logs; the caller's tells more about who called.
  const atCaller = new Set(
    placed.flatMap(({ side, line }) => (side === 'caller' && line.record.requestId ? [line.record.requestId] : [])),
  )
  const groups = new Map<string, Placed[]>()
  for (const one of placed) {
    if (one.side === 'destination' && atCaller.has(one.line.record.requestId ?? '')) continue
    const key = JSON.stringify([one.line.symptom, one.from, one.to, one.side])
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()].map(summarize).sort((a, b) => b.count - a.count || compare(a.to, b.to))
}

const compare = (left: string | null, right: string | null) => ((left ?? '') < (right ?? '') ? -1 : 1)

function place(line: FailingLine): Placed {
  const { record, namespace, pod } = line
  const cluster = record.upstreamCluster === null ? null : parseClusterName(record.upstreamCluster)
  if (cluster?.role === 'inbound' || cluster?.role === 'inbound-passthrough' || cluster?.role === 'inbound-vip') {
    const port = cluster.port ?? portOf(record.downstreamLocal)
    return {
      line,
      side: 'destination',
      from: null,
      to: serviceTarget(record.authority, namespace, port) ?? `${workload(pod, namespace)}${port ? `:${port}` : ''}`,
    }
  }
  const [remote, own] = [ipOf(record.downstreamRemote), ipOf(record.upstreamLocal)]
  // A sidecar is called by its own pod; a proxy that others call is a gateway, and the caller is outside.
  const isGateway = remote !== null && own !== null && remote !== own
  const from = isGateway ? null : workload(pod, namespace)
  if (cluster?.role === 'outbound' && cluster.host)
    return { line, side: 'caller', from, to: serviceTarget(cluster.host, namespace, cluster.port) ?? cluster.host }
  const port = portOf(record.authority) ?? portOf(record.downstreamLocal)
  return { line, side: 'caller', from, to: serviceTarget(record.authority, namespace, port) }
}

/** ReplicaSets end in letters of which no word can be made, and so do their pods. */
function workload(pod: string, namespace: string): string {
  const deployment = /^(.+)-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/.exec(pod)?.[1]
  return deployment ? `deploy/${deployment}.${namespace}` : `pod/${pod}.${namespace}`
}

/** `reviews:9080` as a pod of that namespace writes it, and full names. */
function serviceTarget(authority: string | null, namespace: string, port: number | null): string | null {
  const host = authority?.replace(/:\d+$/, '').replace(/\.$/, '')
  if (!host || !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host)) return null
  const suffix = port === null ? '' : `:${port}`
  if (/^[\d.]+$/.test(host)) return `${host}${suffix}`
  const [name, where, svc] = host.split('.')
  if (where === undefined) return `svc/${name}.${namespace}${suffix}`
  return svc === 'svc' || host.split('.').length === 2 ? `svc/${name}.${where}${suffix}` : `${host}${suffix}`
}

function summarize(group: readonly Placed[]): FailingCall {
  const [first] = group
  const records = group.map(({ line }) => line.record)
  const times = records.flatMap(({ time }) => time ?? []).sort()
  const { line, from, to } = first as Placed // a group has at least the one that opened it
  return {
    symptom: line.symptom,
    from,
    to,
    host: common(records.map(({ authority }) => authority)),
    method: common(records.map(({ method }) => method)),
    path: common(records.map(({ path }) => path)),
    count: group.length,
    firstSeen: times[0] ?? null,
    lastSeen: times.at(-1) ?? null,
    said: byFrequency(records.map(({ flags, details }) => [flags.join(','), details].filter(Boolean).join(' '))),
    seenBy: `${line.pod}.${line.namespace}`,
  }
}

/** The value that all of them share. */
function common(values: readonly (string | null)[]): string | null {
  const [first = null] = values
  return values.every((value) => value === first) ? first : null
}

function byFrequency(texts: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const text of texts) if (text !== '') counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1]).map(([text]) => text)
}
