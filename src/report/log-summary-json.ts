import type { LogSummary } from './log-summary.ts'
import type { Span, Tally } from './log-summary-counter.ts'
import type { LogReading } from './log-summary-text.ts'

const mostEntries = 100

/** The summary for programs: times as RFC 3339, shares as numbers from 0 to 1. */
export function logSummaryJson(summary: LogSummary, reading: LogReading): unknown {
  const { count } = summary
  const entries = ({ entries: all, others }: Tally) => ({
    entries: all.slice(0, mostEntries).map(({ key, failed, ...span }) => ({ key, ...spanJson(span, count), failed })),
    others: others + all.slice(mostEntries).reduce((sum, entry) => sum + entry.count, 0),
  })
  return {
    kind: 'LogSummary',
    schemaVersion: '1.0',
    sources: reading.sources,
    lines: reading.lines,
    records: count,
    failed: summary.failed,
    skipped: summary.skipped,
    other: reading.other,
    unreadable: reading.unreadable,
    first: iso(summary.first),
    last: iso(summary.last),
    who: summary.who.map(({ who, failed, ...span }) => ({ who, ...spanJson(span, count), failed })),
    offenders: summary.offenders.slice(0, mostEntries).map(({ example, count: own, first, last, ...rest }) => ({
      ...rest,
      ...spanJson({ count: own, first, last }, count),
      example: example.raw,
      exampleLine: example.line,
    })),
    codes: entries(summary.codes),
    flags: entries(summary.flags),
    details: entries(summary.details),
    clusters: entries(summary.clusters),
    routes: entries(summary.routes),
    peers: entries(summary.peers),
    failedPaths: entries(summary.failedPaths),
    ztunnel: {
      connections: summary.tunnel.connections,
      failed: summary.tunnel.failed,
      errors: summary.tunnel.errors.slice(0, mostEntries).map(({ count: own, first, last, ...rest }) => ({
        ...rest,
        ...spanJson({ count: own, first, last }, summary.tunnel.connections),
      })),
    },
    notRead: reading.gaps,
  }
}

function spanJson({ count, first, last }: Span, total: number) {
  return { count, share: total === 0 ? 0 : Number((count / total).toFixed(4)), first: iso(first), last: iso(last) }
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
