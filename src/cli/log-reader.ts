import type { AccessLogCounts } from '../../parsers/access-log/items.ts'
import { type AccessLogPush, createAccessLogScanner } from '../../parsers/access-log/scanner.ts'
import type { AccessLogView } from '../../parsers/access-log/view.ts'
import type { CompiledFormat } from '../../parsers/access-log-format.ts'
import type { ProxyRole } from '../mesh/line-writer.ts'
import type { AccessLogRecord, ZtunnelRecord } from '../model/access-log.ts'
import type { LineFilter } from '../report/log-filter.ts'
import type { LogPart } from '../report/log-part.ts'
import { createLogTally, type LogTally, mostKeysOfPart } from '../report/log-summary.ts'
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
  /** Only a part of a log is read, for the reader of the whole to take in. */
  readonly isPart?: boolean
}

/** What was read of a part of a log, as plain data. */
export interface ReadPart {
  readonly tally: LogPart
  readonly counts: AccessLogCounts
  readonly example: LogReading['unreadableExample']
}

/** Reads logs of several sources into one tally. */
export interface LogReader {
  /** `linesBefore`: of the same source, read elsewhere or before. */
  readonly open: (source: string, linesBefore?: number) => AccessLogPush
  /** Null when more was in it than a part can hold: its lines have to be read by the reader of the whole. */
  readonly part: () => ReadPart | null
  readonly take: (part: ReadPart, linesBefore: number) => void
  readonly tally: LogTally
  readonly reading: (sources: readonly string[], gaps: readonly string[]) => LogReading
}

export function createLogReader(options: LogReaderOptions): LogReader {
  const { filter, sinceMs, onLine, onTunnel } = options
  const tally = createLogTally(options.podRole, options.isPart ? mostKeysOfPart : undefined)
  const counted: Readonly<AccessLogCounts>[] = []
  let example: LogReading['unreadableExample'] = null
  const counts = (view: AccessLogView) => {
    const time = sinceMs === null ? null : view.timeMs()
    return (time === null || sinceMs === null || time >= sinceMs) && (filter === null || filter(view, tally.outcomeOf))
  }
  return {
    tally,
    open(source, linesBefore = 0) {
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
        { format: options.format, linesBefore },
      )
      counted.push(scanner.counts())
      return scanner
    },
    part() {
      const part = tally.part()
      const [counts] = counted
      return part && counts ? { tally: part, counts, example } : null
    },
    take(part, linesBefore) {
      tally.take(part.tally, linesBefore)
      counted.push(part.counts)
      if (part.example) example ??= { ...part.example, line: part.example.line + linesBefore }
    },
    reading(sources, gaps) {
      const sum = (pick: (one: Readonly<AccessLogCounts>) => number) =>
        counted.reduce((total, one) => total + pick(one), 0)
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
