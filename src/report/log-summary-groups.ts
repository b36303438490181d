import type { AccessLogRecord } from '../model/access-log.ts'
import type { LogGroup, Offender } from './log-summary.ts'
import { closeSpan, createCounter, emptySpan, join, type OpenSpan } from './log-summary-counter.ts'
import type { LineOutcome, OutcomeKey, WhoAnswered } from './log-summary-outcome.ts'

/** Lines that agree in everything that decides their outcome. */
export interface Leaf extends OpenSpan, Readonly<OutcomeKey> {
  readonly outcome: LineOutcome
  readonly example: AccessLogRecord
}

export function groupByWho(leaves: readonly Leaf[]): LogGroup[] {
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
export function offendersOf(leaves: readonly Leaf[]): Offender[] {
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
  const destinations = createCounter(group.length)
  for (const leaf of group) destinations.merge(destinationOf(leaf.example) ?? '-', leaf, leaf.count)
  const span = { ...closeSpan(spanOf(group)), destinations: destinations.tally().entries.map(({ key }) => key) }
  return [{ who, writer, kind, code, flags, details, termination, ...span, example: first.example }]
}

function destinationOf({ upstreamCluster, authority, sni }: AccessLogRecord): string | null {
  return upstreamCluster ?? authority ?? sni
}

export function spanOf(leaves: readonly OpenSpan[]): OpenSpan {
  const span = emptySpan()
  for (const leaf of leaves) join(span, leaf)
  return span
}

export function byCount(left: { readonly count: number }, right: { readonly count: number }): number {
  return right.count - left.count
}
