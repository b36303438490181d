import { decode } from './strings.ts'

/** What a line is, judged by its beginning, and where it begins once prefixes are taken off. */
export interface LineKind {
  kind: 'blank' | 'access-text' | 'json' | 'agent' | 'envoy' | 'ztunnel' | 'unknown'
  start: number
  source: string | undefined
  /** Every place where the line may begin; a format of one's own may begin with what looks like a prefix. */
  readonly starts: number[]
}

const tab = 0x09
const space = 0x20

/**
 * `kubectl logs --prefix --timestamps`, stern and container runtimes put their own columns first. Writes into `out`
 * instead of making an object: this runs for every line.
 */
export function judgeLine(bytes: Uint8Array, start: number, end: number, out: LineKind): void {
  let at = start
  out.source = undefined
  out.starts.length = 0
  // Rotation by truncation leaves a run of NULs where the old content was; editors leave a byte order mark.
  while (at < end && bytes[at] === 0) at++
  if (bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) at += 3
  for (let prefixes = 0; prefixes < 4; prefixes++) {
    out.start = at
    out.starts.push(at)
    out.kind = 'unknown'
    if (isBlank(bytes, at, end)) {
      out.kind = 'blank'
      return
    }
    const byte = bytes[at]!
    const next = bytes[at + 1] ?? 0
    if (byte === 0x7b) {
      out.kind = 'json'
      return
    }
    if (byte === 0x22 || (byte === 0x5b && isDigit(next))) {
      out.kind = 'access-text'
      return
    }
    if (isDigit(byte)) {
      const column = endOfTime(bytes, at, end)
      if (column < 0) return
      const level = skipBlanks(bytes, column, end)
      const kind = kindByLevel(bytes, level, end)
      if (kind !== undefined) {
        out.kind = kind
        return
      }
      if (bytes[column] === tab) return
      at = Math.min(end, afterStream(bytes, column + 1, end))
      continue
    }
    const rest = byte === 0x5b ? afterBracket(bytes, at, end) : afterStern(bytes, at, end)
    if (rest < 0) return
    out.source = decode(bytes, byte === 0x5b ? at + 1 : at, byte === 0x5b ? rest - 2 : rest - 1)
    at = rest
  }
}

/** The end of `2026-11-21T05:31:00.123456789Z`, or -1. */
function endOfTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 20 || bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d || bytes[start + 10] !== 0x54)
    return -1
  for (let at = start + 11; at < end && at < start + 40; at++) {
    const byte = bytes[at]!
    if (byte === space || byte === tab) return at
    // Digits, `:`, `.`, `Z` and an offset; `…Z] "GET` is the rest of a line that lost its bracket.
    if (!isDigit(byte) && byte !== 0x3a && byte !== 0x2e && byte !== 0x5a && byte !== 0x2b && byte !== 0x2d) return -1
  }
  // `kubectl logs --timestamps` of an empty line may have lost its blank to an editor.
  return end - start < 40 ? end : -1
}

const levels = new Set(['trace', 'debug', 'info', 'warn', 'warning', 'error', 'critical', 'fatal', 'off'])
const ztunnelMessage =
  /^(?:INFO|WARN|ERROR|DEBUG|TRACE|info|warn|error|debug|trace)\s+(?:access|proxy|inbound|outbound|ztunnel)\b/

function kindByLevel(bytes: Uint8Array, start: number, end: number): LineKind['kind'] | undefined {
  let at = start
  while (at < end && at < start + 9 && bytes[at]! > space) at++
  if (at === start || at >= end || bytes[at]! > space) return undefined
  if (!levels.has(decode(bytes, start, at).toLowerCase())) return undefined
  const message = skipBlanks(bytes, at, end)
  const beginning = decode(bytes, message, Math.min(end, message + 32))
  if (beginning.startsWith('envoy ')) return 'envoy'
  if (ztunnelMessage.test(decode(bytes, start, Math.min(end, start + 48)))) return 'ztunnel'
  return beginning.startsWith('ztunnel::') ? 'ztunnel' : 'agent'
}

/** containerd writes `TIME stdout F ` before a line on disk. */
function afterStream(bytes: Uint8Array, at: number, end: number): number {
  const head = decode(bytes, at, Math.min(end, at + 9))
  return head === 'stdout F ' || head === 'stdout P ' || head === 'stderr F ' || head === 'stderr P ' ? at + 9 : at
}

/** `[pod/web-1/istio-proxy] `. */
function afterBracket(bytes: Uint8Array, start: number, end: number): number {
  const limit = Math.min(end, start + 400)
  for (let at = start + 1; at < limit; at++) {
    const byte = bytes[at]!
    if (byte === 0x5d) return at > start + 4 && bytes[at + 1] === space ? at + 2 : -1
    if (byte <= space || byte > 0x7e) return -1
  }
  return -1
}

/** `web-1 istio-proxy `: two names, then something we know the beginning of. */
function afterStern(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  for (let words = 0; words < 2; words++) {
    const from = at
    while (at < end && at - from < 254 && isName(bytes[at]!)) at++
    if (at === from || bytes[at] !== space) return -1
    at++
  }
  const byte = bytes[at]
  if (byte === 0x5b && isDigit(bytes[at + 1] ?? 0)) return at
  if (byte === 0x7b && bytes[at + 1] === 0x22) return at
  return isDigit(byte ?? 0) && endOfTime(bytes, at, end) >= 0 ? at : -1
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > space) return false
  return true
}

function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at] === space || bytes[at] === tab)) at++
  return at
}

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39
const isName = (byte: number) =>
  isDigit(byte) || (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x2d || byte === 0x2e
