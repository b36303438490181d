import type { AccessLogView } from '../../parsers/access-log/view.ts'
import type { ProxyRole } from '../mesh/line-writer.ts'
import type { AccessLogRecord, ZtunnelRecord } from '../model/access-log.ts'
import type { LogPart, Tunnels } from './log-part.ts'
import { closeSpan, createCounter, emptySpan, join, type Span, type Tally, widen } from './log-summary-counter.ts'
import { byCount, groupByWho, type Leaf, offendersOf, spanOf } from './log-summary-groups.ts'
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
  /** What was counted so far, for the tally of the whole log; null once something did not fit, as then nobody could add it up. */
  readonly part: () => LogPart | null
  readonly isWhole: () => boolean
  /** Takes in what comes next in the log and was counted elsewhere: as if its lines were added here, after those before it. */
  readonly take: (part: LogPart, linesBefore: number) => void
}

/** Cluster, then details: few leaves are left after these two, and they are compared one by one. */
type LeavesByKey = Map<string | null, Map<string | null, Leaf[]>>

/** Details may carry anything (addresses, texts of a filter): beyond this many combinations lines are judged one by one. */
const mostLeaves = 5000
const mostKeys = 2000
/** A part does not know which keys the tables of the whole will have room for, so it keeps more of them. */
export const mostKeysOfPart = 8 * mostKeys

/** Counts a stream of any length at constant memory. */
export function createLogTally(podRole: ProxyRole | null = null, most = mostKeys): LogTally {
  const byKey: LeavesByKey = new Map()
  const leaves: Leaf[] = []
  const rest: Leaf[] = []
  const routes = createCounter(most)
  const peers = createCounter(most)
  const failedPaths = createCounter(most)
  const tunnels = new Map<string, Tunnels>()
  const tunnel = { connections: 0, failed: 0 }
  let skipped = 0

  function leavesAt(cluster: string | null, details: string | null): Leaf[] {
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
    return alike
  }

  function leafOf(view: AccessLogView): Leaf {
    const { cluster, details, flags, termination, traits } = outcomeKey(view)
    const alike = leavesAt(cluster, details)
    for (const leaf of alike)
      if (leaf.traits === traits && leaf.flags === flags && leaf.termination === termination) return leaf
    const example = view.record()
    const outcome = lineOutcome(example, podRole)
    return keep(alike, { ...emptySpan(), cluster, details, traits, flags, termination, outcome, example })
  }

  function keep(alike: Leaf[], leaf: Leaf): Leaf {
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

  function tunnelsAt(key: string, made: Tunnels): Tunnels {
    const known = tunnels.get(key)
    if (known) return known
    const isFull = tunnels.size >= most
    const group = isFull ? (tunnels.get('rest') ?? { ...made, from: 'others', to: 'others' }) : made
    tunnels.set(isFull ? 'rest' : key, group)
    return group
  }

  const isWhole = () =>
    rest.length === 0 && tunnels.size < most && routes.isWhole() && peers.isWhole() && failedPaths.isWhole()

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
      if (failed) failedPaths.add(view.bare(), true, time)
    },
    addTunnel(record) {
      tunnel.connections++
      if (record.error === null) return
      tunnel.failed++
      const from = nameOf(record.srcWorkload, record.srcNamespace, record.srcAddress)
      const to = nameOf(record.dstWorkload, record.dstNamespace, record.dstService ?? record.dstAddress)
      const key = `${record.direction} ${from} ${to} ${record.error}`
      const group = tunnelsAt(key, { ...emptySpan(), error: record.error, direction: record.direction, from, to })
      widen(group, record.time === null ? Number.NaN : Date.parse(record.time))
    },
    isWhole,
    part: () =>
      isWhole()
        ? {
            leaves,
            routes: routes.open(),
            peers: peers.open(),
            failedPaths: failedPaths.open(),
            tunnels: [...tunnels],
            tunnel,
            skipped,
          }
        : null,
    take(part, linesBefore) {
      for (const leaf of part.leaves) {
        const { cluster, details, flags, termination, traits, example } = leaf
        const alike = leavesAt(cluster, details)
        const known = alike.find(
          (one) => one.traits === traits && one.flags === flags && one.termination === termination,
        )
        const moved = { ...leaf, ...emptySpan(), example: { ...example, line: example.line + linesBefore } }
        join(known ?? keep(alike, moved), leaf)
      }
      for (const { key, failed, ...span } of part.routes.entries) routes.merge(key, span, failed)
      for (const { key, failed, ...span } of part.peers.entries) peers.merge(key, span, failed)
      for (const { key, failed, ...span } of part.failedPaths.entries) failedPaths.merge(key, span, failed)
      for (const [key, group] of part.tunnels) join(tunnelsAt(key, { ...group, ...emptySpan() }), group)
      tunnel.connections += part.tunnel.connections
      tunnel.failed += part.tunnel.failed
      skipped += part.skipped
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

function nameOf(workload: string | null, namespace: string | null, address: string | null): string {
  return workload === null ? (address ?? 'unknown') : namespace === null ? workload : `${workload}.${namespace}`
}
