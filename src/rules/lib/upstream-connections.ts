import type { AccessLogRecord } from '../../model/access-log.ts'
import type { Line, LogData } from '../../situation/exchanges.ts'
import type { Situation } from '../../situation/situation.ts'

/** A connection of the destination's proxy to its application that was cut before the answer came. */
export interface Cut {
  readonly line: Line
  /** When the connection last answered somebody; null when no earlier line used it. */
  readonly idleMs: number | null
  /** How many requests it had carried before. */
  readonly earlier: number
}

export interface Connections {
  readonly cuts: readonly Cut[]
  /** Idle gaps after which a reused connection still worked, longest last. */
  readonly survivedMs: readonly number[]
  /** False: the log was cut at its beginning, and a connection without earlier line may have had one. */
  readonly isWhole: boolean
}

/** `--tail` of the log probe: a log of this length has lost its beginning. */
const tailLength = 2000

/**
 * UPSTREAM_LOCAL_ADDRESS names the connection. All lines of the pod count, not only those of this call: connections to the
 * application are shared by all callers.
 */
export function connectionsOf(situation: Situation, lines: readonly Line[]): Connections {
  const cuts: Cut[] = []
  const survived: number[] = []
  let isWhole = situation.given.since === null
  for (const log of situation.all<LogData>('server.accessLog')) {
    const { records, others, unparsed } = log.data
    if (records.length + others.length + unparsed.length >= tailLength) isWhole = false
    const own = lines.filter(({ entry }) => entry === log.entry)
    if (own.length === 0) continue
    const inOrder = [...records].sort((a, b) => end(a) - end(b))
    const last = new Map<string, { at: number; count: number }>()
    for (const record of inOrder) {
      const connection = record.upstreamLocal
      const line = own.find((candidate) => candidate.record === record)
      if (connection === null) {
        if (line) cuts.push({ line, idleMs: null, earlier: 0 })
        continue
      }
      const before = last.get(connection)
      const idleMs = before ? start(record) - before.at : null
      if (line) cuts.push({ line, idleMs, earlier: before?.count ?? 0 })
      else if (idleMs !== null && record.details === 'via_upstream') survived.push(idleMs)
      if (record.details === 'via_upstream') last.set(connection, { at: end(record), count: (before?.count ?? 0) + 1 })
      // The port may be given to a new connection later.
      else last.delete(connection)
    }
  }
  return { cuts, survivedMs: survived.sort((a, b) => a - b), isWhole }
}

function start({ time }: AccessLogRecord): number {
  return time === null ? 0 : Date.parse(time)
}

function end(record: AccessLogRecord): number {
  return start(record) + (record.durationMs ?? 0)
}

/** What a keep-alive race looks like: every cut connection had been idle, and about as long as the longest that still worked, or longer. */
export function looksLikeKeepAlive({ cuts, survivedMs }: Connections): boolean {
  const gaps = cuts.map(({ idleMs }) => idleMs)
  if (gaps.length === 0 || gaps.some((gap) => gap === null)) return false
  const shortest = Math.min(...gaps.map((gap) => gap ?? 0))
  const longestSurvived = survivedMs.at(-1) ?? 0
  return shortest >= 500 && !isShorter(shortest, longestSurvived)
}

/** Clearly so: the lines' times carry the delays of the way. */
export function isShorter(gapMs: number, survivedMs: number): boolean {
  return gapMs < survivedMs * 0.9
}

/** A timer, and nothing but one: connections cut beyond a gap that none survived. Equal gaps leave an application that hangs up at will. */
export function isTimer({ cuts, survivedMs }: Connections): boolean {
  const longest = survivedMs.at(-1)
  return longest !== undefined && cuts.length > 0 && cuts.every(({ idleMs }) => idleMs !== null && idleMs > longest)
}
