import type { AccessLogView } from '../../parsers/access-log/view.ts'
import type { ProxyRole } from '../mesh/line-writer.ts'
import type { AccessLogRecord, ZtunnelRecord } from '../model/access-log.ts'
import {
  closeSpan,
  createCounter,
  emptySpan,
  join,
  type OpenSpan,
  type Span,
  type Tally,
  widen,
} from './log-summary-counter.ts'
import { type LineOutcome, lineOutcome, outcomeKey, type WhoAnswered } from './log-summary-outcome.ts'

export interface LogGroup extends Span {
  readonly who: WhoAnswered
  readonly failed: number
}

/** Failing lines that say the same. */
export interface Offender extends Span {
  readonly who: WhoAnswered
  readonly writer: LineOutcome['writer']
  readonly code: number | null
  readonly flags: readonly string[]
  readonly details: string | null
  readonly termination: string | null
  /** Clusters, or the hosts asked for where there is no cluster; the most frequent first. */
  readonly destinations: readonly string[]
  readonly kind: AccessLogRecord['kind']
  /** The first such line, whole. */
  readonly example: AccessLogRecord
}

export interface TunnelGroup extends Span {
  readonly error: string
  readonly direction: string | null
  readonly from: string
  readonly to: string
}

/** `count` is of the lines that were taken: those that a filter left out are in `skipped`. */
export interface LogSummary extends Span {
  readonly failed: number
  readonly skipped: number
  readonly who: readonly LogGroup[]
  readonly offenders: readonly Offender[]
  readonly codes: Tally
  readonly flags: Tally
  readonly details: Tally
  readonly clusters: Tally
  readonly routes: Tally
  readonly peers: Tally
  /** Of failing requests only: all paths of a busy day would not fit. */
  readonly failedPaths: Tally
  readonly tunnel: { readonly connections: number; readonly failed: number; readonly errors: readonly TunnelGroup[] }
}

export interface LogTally {
  readonly add: (view: AccessLogView) => void
  readonly addTunnel: (record: ZtunnelRecord) => void
  readonly skip: () => void
  readonly outcomeOf: (view: AccessLogView) => LineOutcome
  readonly summary: () => LogSummary
}

interface Leaf extends OpenSpan {
  readonly traits: number
  readonly flags: string | null
  readonly termination: string | null
  readonly outcome: LineOutcome
  readonly example: AccessLogRecord
}

/** Cluster, then details: few leaves are left after these two, and they are compared one by one. */
type LeavesByKey = Map<string | null, Map<string | null, Leaf[]>>

/** Details may carry anything (addresses, texts of a filter): beyond this many combinations lines are judged one by one. */
const mostLeaves = 5000
const mostKeys = 2000

/** Counts a stream of any length at constant memory. */
export function createLogTally(podRole: ProxyRole | null = null): LogTally {
  const byKey: LeavesByKey = new Map()
  const leaves: Leaf[] = []
  const rest: Leaf[] = []
  const routes = createCounter(mostKeys)
  const peers = createCounter(mostKeys)
  const failedPaths = createCounter(mostKeys)
  const tunnels = new Map<string, OpenSpan & Omit<TunnelGroup, keyof Span>>()
  const tunnel = { connections: 0, failed: 0 }
  let skipped = 0

  function leafOf(view: AccessLogView): Leaf {
    const { cluster, details, flags, termination, traits } = outcomeKey(view)
    let byDetails = byKey.get(cluster)
    if (!byDetails) {
      byDetails = new Map()
      if (leaves.length < mostLeaves) byKey.set(cluster, byDetails)
    }
    let alike = byDetails.get(details)
    if (!alike) {
      alike = []
      if (leaves.length < mostLeaves) byDetails.set(details, alike)
    }
    for (const leaf of alike)
      if (leaf.traits === traits && leaf.flags === flags && leaf.termination === termination) return leaf
    const example = view.record()
    const leaf = { ...emptySpan(), traits, flags, termination, outcome: lineOutcome(example, podRole), example }
    if (leaves.length < mostLeaves) {
      alike.push(leaf)
      leaves.push(leaf)
      return leaf
    }
    const { who, failed } = leaf.outcome
    const same = rest.find(({ outcome }) => outcome.who === who && outcome.failed === failed)
    if (same) return same
    rest.push(leaf)
    return leaf
  }

  return {
    outcomeOf: (view) => leafOf(view).outcome,
    skip: () => {
      skipped++
    },
    add(view) {
      const leaf = leafOf(view)
      const { failed } = leaf.outcome
      const time = view.timeMs() ?? Number.NaN
      widen(leaf, time)
      routes.add(view.text('routeName'), failed, time)
      peers.add(view.peer(), failed, time)
      if (failed) failedPaths.add(pathOf(view), true, time)
    },
    addTunnel(record) {
      tunnel.connections++
      if (record.error === null) return
      tunnel.failed++
      const from = nameOf(record.srcWorkload, record.srcNamespace, record.srcAddress)
      const to = nameOf(record.dstWorkload, record.dstNamespace, record.dstService ?? record.dstAddress)
      const key = `${record.direction} ${from} ${to} ${record.error}`
      let group = tunnels.get(key)
      if (!group) {
        const isFull = tunnels.size >= mostKeys
        const made = { ...emptySpan(), error: record.error, direction: record.direction, from, to }
        group = isFull ? (tunnels.get('rest') ?? { ...made, from: 'others', to: 'others' }) : made
        tunnels.set(isFull ? 'rest' : key, group)
      }
      widen(group, record.time === null ? Number.NaN : Date.parse(record.time))
    },
    summary() {
      const all = [...leaves, ...rest].filter(({ count }) => count > 0)
      const tallyBy = (keysOf: (leaf: Leaf) => readonly string[]): Tally => {
        const counter = createCounter(mostLeaves)
        for (const leaf of all)
          for (const key of keysOf(leaf)) counter.merge(key, leaf, leaf.outcome.failed ? leaf.count : 0)
        return counter.tally()
      }
      return {
        ...closeSpan(spanOf(all)),
        failed: spanOf(all.filter(({ outcome }) => outcome.failed)).count,
        skipped,
        who: groupByWho(all),
        offenders: offendersOf(all.filter(({ outcome }) => outcome.failed)),
        codes: tallyBy(({ example: { code, kind } }) => [kind === 'tcp' ? 'TCP' : String(code ?? 0)]),
        flags: tallyBy(({ example: { flags } }) => (flags.length > 0 ? flags : ['-'])),
        details: tallyBy(({ example: { details, termination } }) => [details ?? termination ?? '-']),
        clusters: tallyBy(({ example: { upstreamCluster } }) => [upstreamCluster ?? '-']),
        routes: routes.tally(),
        peers: peers.tally(),
        failedPaths: failedPaths.tally(),
        tunnel: {
          ...tunnel,
          errors: [...tunnels.values()].sort(byCount).map((group) => ({ ...group, ...closeSpan(group) })),
        },
      }
    },
  }
}

/** What follows the question mark differs from call to call, and may be secret. */
function pathOf(view: AccessLogView): string | null {
  const path = view.text('path')
  const query = path?.indexOf('?') ?? -1
  return path === null || query < 0 ? path : path.slice(0, query)
}

function nameOf(workload: string | null, namespace: string | null, address: string | null): string {
  return workload === null ? (address ?? 'unknown') : namespace === null ? workload : `${workload}.${namespace}`
}

function groupByWho(leaves: readonly Leaf[]): LogGroup[] {
  const groups = new Map<WhoAnswered, OpenSpan & { readonly who: WhoAnswered; failed: number }>()
  for (const leaf of leaves) {
    const { who, failed } = leaf.outcome
    const group = groups.get(who) ?? { ...emptySpan(), who, failed: 0 }
    groups.set(who, group)
    join(group, leaf)
    if (failed) group.failed += leaf.count
  }
  return [...groups.values()].sort(byCount).map(({ who, failed, ...span }) => ({ who, failed, ...closeSpan(span) }))
}

/** Failing lines that say the same, whatever their destination: one broken thing breaks calls to many. */
function offendersOf(leaves: readonly Leaf[]): Offender[] {
  const groups = new Map<string, Leaf[]>()
  for (const leaf of leaves) {
    const { kind, code, flags, details, termination } = leaf.example
    const { who, writer } = leaf.outcome
    const key = JSON.stringify([kind, code, flags, details, termination, who, writer])
    const group = groups.get(key)
    if (group) group.push(leaf)
    else groups.set(key, [leaf])
  }
  return [...groups.values()].flatMap(toOffender).sort(byCount)
}

function toOffender(group: readonly Leaf[]): Offender[] {
  const [first] = [...group].sort(byCount)
  if (!first) return []
  const { code, flags, details, termination, kind } = first.example
  const { who, writer } = first.outcome
  const destinations = createCounter(mostLeaves)
  for (const leaf of group) destinations.merge(destinationOf(leaf.example) ?? '-', leaf, leaf.count)
  const span = { ...closeSpan(spanOf(group)), destinations: destinations.tally().entries.map(({ key }) => key) }
  return [{ who, writer, kind, code, flags, details, termination, ...span, example: first.example }]
}

function destinationOf({ upstreamCluster, authority, sni }: AccessLogRecord): string | null {
  return upstreamCluster ?? authority ?? sni
}

function spanOf(leaves: readonly OpenSpan[]): OpenSpan {
  const span = emptySpan()
  for (const leaf of leaves) join(span, leaf)
  return span
}

function byCount(left: { readonly count: number }, right: { readonly count: number }): number {
  return right.count - left.count
}
