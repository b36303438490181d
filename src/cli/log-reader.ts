import { type AccessLogPush, createAccessLogScanner } from '../../parsers/access-log/scanner.ts'
import type { AccessLogView } from '../../parsers/access-log/view.ts'
import type { CompiledFormat } from '../../parsers/access-log-format.ts'
import type { ProxyRole } from '../mesh/line-writer.ts'
import type { AccessLogRecord, ZtunnelRecord } from '../model/access-log.ts'
import type { LineFilter } from '../report/log-filter.ts'
import { createLogTally, type LogTally } from '../report/log-summary.ts'
import type { LineOutcome } from '../report/log-summary-outcome.ts'
import type { LogReading } from '../report/log-summary-text.ts'

export interface LogReaderOptions {
  readonly podRole: ProxyRole | null
  readonly format: CompiledFormat | undefined
  readonly filter: LineFilter | null
  /** Lines older than this are left out; lines without a time stay. */
  readonly sinceMs: number | null
  readonly readTunnel: (line: string) => ZtunnelRecord | null
  /** Called for every line that counts, where lines are printed as they come. */
  readonly onLine: ((record: AccessLogRecord, outcome: LineOutcome, source: string) => void) | null
  readonly onTunnel: ((record: ZtunnelRecord, source: string) => void) | null
}

/** Reads logs of several sources into one tally. */
export interface LogReader {
  readonly open: (source: string) => AccessLogPush
  readonly tally: LogTally
  readonly reading: (sources: readonly string[], gaps: readonly string[]) => LogReading
}

export function createLogReader(options: LogReaderOptions): LogReader {
  const { filter, sinceMs, onLine, onTunnel } = options
  const tally = createLogTally(options.podRole)
  const scanners: AccessLogPush[] = []
  let example: LogReading['unreadableExample'] = null
  const counts = (view: AccessLogView) => {
    const time = sinceMs === null ? null : view.timeMs()
    return (time === null || sinceMs === null || time >= sinceMs) && (filter === null || filter(view, tally.outcomeOf))
  }
  return {
    tally,
    open(source) {
      const scanner = createAccessLogScanner(
        {
          onAccess(view) {
            if (!counts(view)) {
              tally.skip()
              return
            }
            tally.add(view)
            if (onLine) onLine(view.record(), tally.outcomeOf(view), source)
          },
          onOther({ what, text }) {
            const record = what === 'ztunnel' ? options.readTunnel(text) : null
            if (record === null) return
            tally.addTunnel(record)
            onTunnel?.(record, source)
          },
          onUnparsed({ line, text, why }) {
            example ??= { line, text, why }
          },
        },
        { format: options.format },
      )
      scanners.push(scanner)
      return scanner
    },
    reading(sources, gaps) {
      const all = scanners.map((scanner) => scanner.counts())
      const sum = (pick: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + pick(one), 0)
      return {
        sources,
        lines: sum(({ lines }) => lines),
        unreadable: sum(({ unparsed }) => unparsed),
        other: sum(({ other }) => other.agent + other.envoy + other.continuation),
        unreadableExample: example,
        gaps,
      }
    },
  }
}
