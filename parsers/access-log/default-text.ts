import { Field, fieldCount } from './fields.ts'

/** Where each field of a line begins and ends: two numbers a field, in the order of `Field`. */
export type Spans = Int32Array
export const createSpans = (): Spans => new Int32Array(fieldCount * 2)

export type TextVerdict = 'read' | 'ambiguous' | 'cut' | 'other-format' | 'run-together'

const space = 0x20
const quote = 0x22
const comma = 0x2c
const dash = 0x2d
const dot = 0x2e

/**
 * Reads one line of Istio's default text format into `spans` without making a string.
 *
 * Headers are printed raw, so a client may put quotes and whole forged lines into path, forwarded-for and user agent.
 * Only the parts between and after those are trusted: the middle (code … upstream time) is taken at its first complete
 * match after the method, the tail (request id … route) at its last. The user agent is what lies between.
 */
export function scanDefaultText(bytes: Uint8Array, start: number, end: number, spans: Spans): TextVerdict {
  let at = start
  spans[0] = spans[1] = start
  if (bytes[at] === 0x5b) {
    const close = find(bytes, 0x5d, at + 1, Math.min(end, at + 80))
    if (close < 0 || bytes[close + 1] !== space) return close < 0 && end - start < 80 ? 'cut' : 'other-format'
    spans[0] = at + 1
    spans[1] = close
    at = close + 2
  }
  if (at >= end) return 'cut'
  if (bytes[at] !== quote) return 'other-format'
  const methodEnd = find(bytes, space, at + 1, end)
  if (methodEnd < 0) return 'cut'
  spans[Field.method * 2] = at + 1
  spans[Field.method * 2 + 1] = methodEnd

  const pathStart = methodEnd + 1
  const headers = scanMiddle(bytes, pathStart, end, spans)
  if (headers < 0) return countQuotes(bytes, pathStart, end) >= 5 ? 'other-format' : 'cut'
  const pathEnd = spans[Field.path * 2 + 1]!
  // A path cannot hold a space in HTTP/1; where it does, two lines may have been written into one another.
  if (find(bytes, space, pathStart, pathEnd) >= 0 && holdsLineStart(bytes, pathStart, pathEnd)) return 'run-together'
  return scanTail(bytes, headers, end, spans)
}

/** From the path to the quote that opens x-forwarded-for. Returns the position behind that quote, or -1. */
function scanMiddle(bytes: Uint8Array, pathStart: number, end: number, spans: Spans): number {
  for (let gap = find(bytes, space, pathStart, end); gap >= 0; gap = find(bytes, space, gap + 1, end)) {
    const protocolEnd = endOfProtocol(bytes, gap + 1, end)
    if (protocolEnd < 0) continue
    const headers = scanAnswer(bytes, protocolEnd + 2, end, spans)
    if (headers < 0) continue
    spans[Field.path * 2] = pathStart
    spans[Field.path * 2 + 1] = gap
    spans[Field.protocol * 2] = gap + 1
    spans[Field.protocol * 2 + 1] = protocolEnd
    return headers
  }
  return -1
}

/** `HTTP/1.1" `, `-" ` or, with omitEmptyValues, `" `. */
function endOfProtocol(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  if (bytes[at] === dash) at++
  else if (bytes[at] === 0x48 && bytes[at + 1] === 0x54 && bytes[at + 2] === 0x54 && bytes[at + 3] === 0x50) {
    at += 4
    while (at < end && isVersion(bytes[at]!)) at++
  }
  return at + 1 < end && bytes[at] === quote && bytes[at + 1] === space ? at : -1
}

/** Code, flags, details, termination, transport failure, sizes, times: nothing a client can choose. */
function scanAnswer(bytes: Uint8Array, start: number, end: number, spans: Spans): number {
  let at = start
  while (at < end && isDigit(bytes[at]!)) at++
  if (at - start > 3 || (at === start && bytes[at] !== dash && bytes[at] !== space)) return -1
  if (at === start && bytes[at] === dash) at++
  if (bytes[at] !== space) return -1
  spans[Field.code * 2] = start
  spans[Field.code * 2 + 1] = at

  const flags = ++at
  while (at < end && isFlag(bytes[at]!)) at++
  if (at >= end || bytes[at] !== space) return -1
  spans[Field.flags * 2] = flags
  spans[Field.flags * 2 + 1] = at

  const details = at + 1
  const opening = find(bytes, quote, details, end)
  if (opening < 0 || bytes[opening - 1] !== space) return -1
  const split = endOfDetails(bytes, details, opening - 1)
  if (split < 0) return -1
  spans[Field.details * 2] = details
  spans[Field.details * 2 + 1] = split
  spans[Field.termination * 2] = split + 1
  spans[Field.termination * 2 + 1] = opening - 1

  const closing = find(bytes, quote, opening + 1, end)
  if (closing < 0 || bytes[closing + 1] !== space) return -1
  spans[Field.transportFailure * 2] = opening + 1
  spans[Field.transportFailure * 2 + 1] = closing

  at = closing + 2
  for (let field: number = Field.bytesReceived; field <= Field.durationMs; field++) {
    const from = at
    while (at < end && isDigit(bytes[at]!)) at++
    if (at === from && bytes[at] === dash) at++
    if (at >= end || bytes[at] !== space) return -1
    spans[field * 2] = from
    spans[field * 2 + 1] = at
    at++
  }
  const upstreamTime = at
  while (at < end && bytes[at] !== space && bytes[at] !== quote) at++
  if (at + 1 >= end || bytes[at] !== space || bytes[at + 1] !== quote) return -1
  spans[Field.upstreamTimeMs * 2] = upstreamTime
  spans[Field.upstreamTimeMs * 2 + 1] = at
  return at + 2
}

/**
 * Details end at the first blank, unless that blank is inside `{…}`, `[…]` or `(…)`: older proxies print TLS errors with
 * blanks. Termination may always have blanks. Returns -1 when nothing separates the two.
 */
function endOfDetails(bytes: Uint8Array, start: number, end: number): number {
  const first = find(bytes, space, start, end)
  if (first < 0) return -1
  let depth = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte === 0x7b || byte === 0x5b || byte === 0x28) depth++
    else if (byte === 0x7d || byte === 0x5d || byte === 0x29) depth--
    else if (byte === space && depth <= 0) return at
  }
  return first
}

/** x-forwarded-for to route name, read from the end of the line. */
function scanTail(bytes: Uint8Array, headers: number, end: number, spans: Spans): TextVerdict {
  const last = findBack(bytes, quote, end - 1, headers)
  const verdict = last > headers ? scanTailAt(bytes, headers, last, end, spans) : undefined
  if (verdict) return verdict
  // Four quoted fields and the end of a fifth follow; with more quotes than that, somebody appended fields of their own.
  return countQuotes(bytes, headers, end) > 9 ? 'other-format' : 'cut'
}

function scanTailAt(bytes: Uint8Array, headers: number, last: number, end: number, spans: Spans) {
  let at = last + 1
  for (let field: number = Field.upstreamCluster; field <= Field.sni; field++) {
    if (at >= end || bytes[at] !== space) return undefined
    const from = ++at
    while (at < end && bytes[at] !== space) at++
    spans[field * 2] = from
    spans[field * 2 + 1] = at
  }
  if (at >= end) return undefined
  spans[Field.routeName * 2] = at + 1
  spans[Field.routeName * 2 + 1] = end

  let close = last
  for (let field: number = Field.upstreamHost; field >= Field.requestId; field--) {
    const open = findBack(bytes, quote, close - 1, headers)
    if (open < headers + 2 || bytes[open - 1] !== space || bytes[open - 2] !== quote) return undefined
    spans[field * 2] = open + 1
    spans[field * 2 + 1] = close
    close = open - 2
  }
  // `close` is now the quote that ends the user agent; forwarded-for ends at the first `" "`.
  let forwarded = find(bytes, quote, headers, close)
  while (forwarded >= 0 && !(bytes[forwarded + 1] === space && bytes[forwarded + 2] === quote))
    forwarded = find(bytes, quote, forwarded + 1, close)
  if (forwarded < 0 || forwarded + 3 > close) return undefined
  spans[Field.forwardedFor * 2] = headers
  spans[Field.forwardedFor * 2 + 1] = forwarded
  spans[Field.userAgent * 2] = forwarded + 3
  spans[Field.userAgent * 2 + 1] = close
  if (find(bytes, quote, forwarded + 3, close) < 0) return 'read'
  return holdsAnswer(bytes, headers, close) ? 'ambiguous' : 'read'
}

const elsewhere = createSpans()

/** Is there a second complete middle among the headers? Then they were forged, or two lines ran together. */
function holdsAnswer(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = find(bytes, quote, start, end); at >= 0; at = find(bytes, quote, at + 1, end))
    if (bytes[at + 1] === space && scanAnswer(bytes, at + 2, end, elsewhere) >= 0) return true
  return false
}

/** `[2026-` somewhere inside: the beginning of another line. */
function holdsLineStart(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = find(bytes, 0x5b, start, end); at >= 0; at = find(bytes, 0x5b, at + 1, end))
    if (isDigit(bytes[at + 1] ?? 0) && isDigit(bytes[at + 4] ?? 0) && bytes[at + 5] === dash) return true
  return false
}

function countQuotes(bytes: Uint8Array, start: number, end: number): number {
  let quotes = 0
  for (let at = find(bytes, quote, start, end); at >= 0; at = find(bytes, quote, at + 1, end)) quotes++
  return quotes
}

function find(bytes: Uint8Array, byte: number, from: number, end: number): number {
  for (let at = from; at < end; at++) if (bytes[at] === byte) return at
  return -1
}

// A loop beats lastIndexOf here: the distances are short and the call into native code is not free.
function findBack(bytes: Uint8Array, byte: number, from: number, start: number): number {
  for (let at = from; at >= start; at--) if (bytes[at] === byte) return at
  return -1
}

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39
const isVersion = (byte: number) => isDigit(byte) || byte === dot || byte === 0x2f
// Registered extensions may bring flags of their own, so any word is a flag.
const isFlag = (byte: number) =>
  (byte >= 0x41 && byte <= 0x5a) || byte === comma || byte === dash || isDigit(byte) || byte === 0x5f || isLower(byte)
const isLower = (byte: number) => byte >= 0x61 && byte <= 0x7a
