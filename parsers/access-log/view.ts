import { createSpans, type Spans } from './default-text.ts'
import { Field, type FieldName } from './fields.ts'
import { readJsonLine, recordFromJson } from './json-line.ts'
import { type Draft, recordFromSpans } from './record.ts'
import { createInterner, decode } from './strings.ts'

export type NumberField = 'code' | 'bytesReceived' | 'bytesSent' | 'durationMs' | 'upstreamTimeMs'
export type TextField = Exclude<FieldName, NumberField>

/**
 * One access-log line, not taken apart yet: only what is asked for is made. It is valid during the call that hands it
 * over; afterwards the same object shows the next line.
 */
export interface AccessLogView {
  readonly line: () => number
  readonly isTcp: () => boolean
  readonly isAmbiguous: () => boolean
  /** Flags as printed, `UF,URX`; null for none. Equal texts are the same string as far as memory allows. */
  readonly text: (field: TextField) => string | null
  /** Whether the field holds anything: cheaper than its text where that differs from line to line. */
  readonly has: (field: FieldName) => boolean
  readonly number: (field: NumberField) => number | null
  /** The downstream remote address without its port. */
  readonly peer: () => string | null
  /** The path up to its question mark: what follows differs from call to call, and may be secret. */
  readonly bare: () => string | null
  /** Milliseconds since 1970 of the start time, null when it is missing or of another form. */
  readonly timeMs: () => number | null
  /** The whole record, made now. */
  readonly record: () => Draft
}

export interface LineSlot {
  readonly view: AccessLogView
  readonly spans: Spans
  /** Shows bytes that `spans` was filled from. */
  readonly showText: (bytes: Uint8Array, start: number, end: number, line: number) => void
  /** The same, of a JSON line. */
  readonly showJson: (bytes: Uint8Array, start: number, end: number, line: number) => void
  /** Shows a record that was made in another way. */
  readonly showDraft: (draft: Draft) => void
  readonly mark: (isAmbiguous: boolean, source: string | undefined) => void
}

/** Any of these shows that a line is about a request. */
const requestFields: readonly FieldName[] = ['method', 'path', 'protocol', 'requestId', 'authority', 'userAgent']

export function createLineSlot(): LineSlot {
  const spans = createSpans()
  const intern = createInterner()
  let bytes: Uint8Array = new Uint8Array(0)
  let start = 0
  let end = 0
  let line = 0
  let draft: Draft | undefined
  let isText = true
  let isAmbiguous = false
  let source: string | undefined
  // Lines of a log come day by day: the beginning of the day is worked out once.
  let day = 0
  let dayMs = 0

  const isEmpty = (from: number, to: number) => from === to || (to - from === 1 && bytes[from] === 0x2d)

  const isUnset = (field: FieldName) => isEmpty(spans[Field[field] * 2]!, spans[Field[field] * 2 + 1]!)

  function has(field: FieldName): boolean {
    if (!draft) return !isUnset(field)
    return field === 'flags' ? draft.flags.length > 0 : draft[field] !== null
  }

  function text(field: TextField): string | null {
    if (draft) return field === 'flags' ? draft.flags.join(',') || null : draft[field]
    const from = spans[Field[field] * 2]!
    let to = spans[Field[field] * 2 + 1]!
    if (isEmpty(from, to)) return null
    if (field === 'upstreamCluster' && bytes[to - 1] === 0x3b) to--
    return intern(bytes, from, to)
  }

  function number(field: NumberField): number | null {
    if (draft) return draft[field]
    const from = spans[Field[field] * 2]!
    const to = spans[Field[field] * 2 + 1]!
    let value = 0
    for (let at = from; at < to; at++) {
      const digit = bytes[at]! - 0x30
      if (digit < 0 || digit > 9) return null
      value = value * 10 + digit
    }
    return to > from ? value : null
  }

  function timeMs(): number | null {
    if (draft) return parseTime(draft.time)
    const from = spans[Field.time * 2]!
    const to = spans[Field.time * 2 + 1]!
    const isUsual = to - from === 24 && bytes[from + 10] === 0x54 && bytes[from + 19] === 0x2e && bytes[to - 1] === 0x5a
    if (!isUsual) return parseTime(text('time'))
    const two = (at: number) => (bytes[from + at]! - 0x30) * 10 + bytes[from + at + 1]! - 0x30
    const year = two(0) * 100 + two(2)
    const lineDay = (year * 100 + two(5)) * 100 + two(8)
    if (lineDay !== day) {
      day = lineDay
      dayMs = Date.UTC(year, two(5) - 1, two(8))
    }
    return dayMs + ((two(11) * 60 + two(14)) * 60 + two(17)) * 1000 + two(20) * 10 + bytes[from + 22]! - 0x30
  }

  function bare(): string | null {
    if (draft) return draft.path?.replace(/\?.*$/s, '') ?? null
    const from = spans[Field.path * 2]!
    const to = spans[Field.path * 2 + 1]!
    if (isEmpty(from, to)) return null
    let query = from
    while (query < to && bytes[query] !== 0x3f) query++
    return intern(bytes, from, query)
  }

  function peer(): string | null {
    if (draft) return draft.downstreamRemote?.replace(/:\d+$/, '') ?? null
    const from = spans[Field.downstreamRemote * 2]!
    const to = spans[Field.downstreamRemote * 2 + 1]!
    if (isEmpty(from, to)) return null
    let colon = to - 1
    while (colon > from && bytes[colon]! >= 0x30 && bytes[colon]! <= 0x39) colon--
    return intern(bytes, from, bytes[colon] === 0x3a && colon > from ? colon : to)
  }

  function record(): Draft {
    const made = draft ?? (isText ? recordFromSpans(bytes, start, end, spans, line) : recordFromBytes())
    if (isAmbiguous) made.ambiguous = true
    if (source !== undefined) made.source = source
    return made
  }

  function recordFromBytes(): Draft {
    const text = decode(bytes, start, end)
    return recordFromJson(readJsonLine(text) ?? {}, text, line)
  }

  function show(newBytes: Uint8Array, newStart: number, newEnd: number, newLine: number): void {
    bytes = newBytes
    start = newStart
    end = newEnd
    line = newLine
    draft = undefined
  }

  return {
    spans,
    showText(...shown) {
      isText = true
      show(...shown)
    },
    showJson(...shown) {
      isText = false
      show(...shown)
    },
    showDraft(made) {
      draft = made
      line = made.line
    },
    mark(ambiguous, from) {
      isAmbiguous = ambiguous
      source = from
    },
    view: {
      line: () => line,
      isTcp: () => (draft ? draft.kind === 'tcp' : requestFields.every(isUnset) && !number('code')),
      isAmbiguous: () => isAmbiguous || draft?.ambiguous === true,
      text,
      has,
      number,
      peer,
      bare,
      timeMs,
      record,
    },
  }
}

function parseTime(time: string | null): number | null {
  if (time === null || !/^\d{4}-\d\d-\d\dT/.test(time)) return null
  const ms = Date.parse(time)
  return Number.isNaN(ms) ? null : ms
}
