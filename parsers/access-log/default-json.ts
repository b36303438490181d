import type { Spans } from './default-text.ts'
import { Field, fieldOfJsonKey } from './fields.ts'

const quote = 0x22
const encoder = new TextEncoder()

/** Keys by their length: comparing a few bytes beats making a string of each key of each line. */
const keysByLength: { readonly bytes: Uint8Array; readonly field: number }[][] = []
for (const [key, name] of fieldOfJsonKey) {
  keysByLength[key.length] ??= []
  keysByLength[key.length]?.push({ bytes: encoder.encode(key), field: Field[name] })
}
/** Keys of the agent's, Envoy's, ztunnel's and Docker's lines: with one of these the careful reader decides. */
const foreign = ['level', 'msg', 'message', 'log', 'stream'].map((key) => encoder.encode(key))
const numberFields = new Set<number>([
  Field.code,
  Field.bytesReceived,
  Field.bytesSent,
  Field.durationMs,
  Field.upstreamTimeMs,
])
const unknownKey = -1
const foreignKey = -2

/**
 * Fills `spans` from a flat JSON line with plain values, without parsing it into an object. Returns false for whatever
 * is not that plain (escapes, nesting, fractions, broken JSON): such a line needs JSON.parse, and perhaps is no access log.
 */
export function scanDefaultJson(bytes: Uint8Array, start: number, end: number, spans: Spans): boolean {
  spans.fill(0)
  let isAccess = false
  let at = skipBlanks(bytes, start + 1, end)
  for (;;) {
    if (bytes[at] !== quote) return false
    const keyStart = at + 1
    const keyEnd = endOfString(bytes, keyStart, end)
    if (keyEnd < 0) return false
    const field = fieldOf(bytes, keyStart, keyEnd)
    if (field === foreignKey) return false
    at = skipBlanks(bytes, keyEnd + 1, end)
    if (bytes[at] !== 0x3a) return false
    at = scanValue(bytes, skipBlanks(bytes, at + 1, end), end, field, spans)
    if (at < 0) return false
    isAccess ||= field === Field.code || field === Field.flags
    at = skipBlanks(bytes, at, end)
    if (bytes[at] === 0x2c) at = skipBlanks(bytes, at + 1, end)
    else break
  }
  return isAccess && at < end && bytes[at] === 0x7d && skipBlanks(bytes, at + 1, end) === end
}

function scanValue(bytes: Uint8Array, start: number, end: number, field: number, spans: Spans): number {
  let from = start
  let to = start
  let next: number
  if (bytes[start] === quote) {
    from = start + 1
    to = endOfString(bytes, from, end)
    if (to < 0) return -1
    if (numberFields.has(field) && !isPlainNumber(bytes, from, to)) return -1
    next = to + 1
  } else if (isDigit(bytes[start])) {
    while (to < end && isDigit(bytes[to])) to++
    // Fractions, exponents and numbers beyond exactness print differently than they are written.
    if (bytes[to] === 0x2e || bytes[to] === 0x65 || bytes[to] === 0x45 || to - from > 15) return -1
    if (bytes[from] === 0x30 && to - from > 1) return -1
    next = to
  } else if (isNull(bytes, start)) next = start + 4
  else return -1
  if (field >= 0) {
    spans[field * 2] = from
    spans[field * 2 + 1] = to
  }
  return next <= end ? next : -1
}

/** The closing quote; -1 when there is none, or an escape or control character before it. */
function endOfString(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte === quote) return at
    if (byte === 0x5c || byte < 0x20) return -1
  }
  return -1
}

function fieldOf(bytes: Uint8Array, start: number, end: number): number {
  for (const key of keysByLength[end - start] ?? []) if (isSame(key.bytes, bytes, start)) return key.field
  for (const key of foreign) if (key.length === end - start && isSame(key, bytes, start)) return foreignKey
  return unknownKey
}

function isSame(key: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < key.length; at++) if (key[at] !== bytes[start + at]) return false
  return true
}

function isPlainNumber(bytes: Uint8Array, start: number, end: number): boolean {
  if (end === start || (end - start === 1 && bytes[start] === 0x2d)) return true
  if (end - start > 15) return false
  for (let at = start; at < end; at++) if (!isDigit(bytes[at])) return false
  return true
}

function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++
  return at
}

const isNull = (bytes: Uint8Array, at: number) =>
  bytes[at] === 0x6e && bytes[at + 1] === 0x75 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x6c
const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39
