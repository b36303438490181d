import type { FileHandle } from 'node:fs/promises'
import { createAccessLogScanner } from '../../parsers/access-log/scanner.ts'
import type { CompiledFormat } from '../../parsers/access-log-format.ts'

/** Bytes of a file, `end` not among them. */
export interface LogRange {
  readonly start: number
  readonly end: number
}

const chunkBytes = 256 * 1024
const newline = 0x0a

/** Hands on a range in chunks. They share one buffer, so that memory stays flat: a chunk is gone with the next one. */
export async function readRange(
  file: FileHandle,
  { start, end }: LogRange,
  push: (chunk: Uint8Array) => void,
  isStopped: () => boolean,
): Promise<void> {
  const buffer = new Uint8Array(chunkBytes)
  for (let at = start; at < end && !isStopped(); ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - at), at)
    // Somebody emptied the file meanwhile, as rotation does.
    if (bytesRead === 0) return
    push(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
}

/**
 * Cuts a log into at most so many ranges of about the same size that can be read apart. A range begins with a line that
 * is what it is whatever stood before it; where no such line is near, the log is not cut.
 */
export async function cutLog(
  file: FileHandle,
  whole: LogRange,
  parts: number,
  format: CompiledFormat | undefined,
): Promise<LogRange[]> {
  const ranges: LogRange[] = []
  const size = whole.end - whole.start
  let start = whole.start
  for (let part = 1; part < parts; part++) {
    const cut = await cutBehind(file, whole.start + Math.floor((size * part) / parts), whole.end, format)
    if (cut === null || cut <= start) continue
    ranges.push({ start, end: cut })
    start = cut
  }
  return [...ranges, { start, end: whole.end }]
}

async function cutBehind(file: FileHandle, from: number, end: number, format: CompiledFormat | undefined) {
  const buffer = new Uint8Array(Math.min(chunkBytes, end - from))
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from)
  const block = buffer.subarray(0, bytesRead)
  let start = block.indexOf(newline) + 1
  if (start === 0) return null
  for (let close = block.indexOf(newline, start); close >= 0; close = block.indexOf(newline, start)) {
    if (standsAlone(block.subarray(start, close + 1), format)) return from + start
    start = close + 1
  }
  return null
}

/** A line nobody knows may continue the message before it; a blank one says nothing. All others speak for themselves. */
function standsAlone(line: Uint8Array, format: CompiledFormat | undefined): boolean {
  const scanner = createAccessLogScanner({ onAccess: () => undefined }, { format })
  scanner.push(line)
  const { records, other } = scanner.end()
  return records + other.agent + other.envoy + other.ztunnel > 0
}
