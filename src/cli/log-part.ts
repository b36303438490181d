import { open } from 'node:fs/promises'
import { compileAccessLogFormat } from '../../parsers/access-log-format.ts'
import { isZtunnelRecord, parseZtunnelLine } from '../../parsers/ztunnel-log.ts'
import { readFilter } from '../report/log-filter.ts'
import { type LogRange, readRange } from './log-ranges.ts'
import { createLogReader, type ReadPart } from './log-reader.ts'

/** How a log is to be read, as plain data: it goes to other threads. */
export interface LogOrder {
  readonly path: string
  readonly format: string | undefined
  readonly where: readonly string[]
  readonly sinceMs: number | null
}

/** Reads one range of a log; null when there is more in it than a part can hold. */
export async function readPart(
  { path, format, where, sinceMs }: LogOrder,
  range: LogRange,
  isStopped: () => boolean,
): Promise<ReadPart | null> {
  const reader = createLogReader({
    podRole: null,
    format: format === undefined ? undefined : compileAccessLogFormat(format),
    filter: readFilter(where),
    sinceMs,
    readTunnel,
    onLine: null,
    onTunnel: null,
    isPart: true,
  })
  const scanner = reader.open('')
  const file = await open(path, 'r')
  try {
    await readRange(file, range, scanner.push, () => isStopped() || !reader.tally.isWhole())
  } finally {
    await file.close()
  }
  scanner.end()
  return reader.part()
}

export function readTunnel(line: string) {
  const entry = parseZtunnelLine(line)
  return entry !== null && isZtunnelRecord(entry) ? entry : null
}
