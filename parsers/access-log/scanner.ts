import type { CompiledFormat } from '../access-log-format.ts'
import { matchTemplate } from './custom-text.ts'
import { scanDefaultJson } from './default-json.ts'
import { scanDefaultText, type TextVerdict } from './default-text.ts'
import { type AccessLogCounts, noCounts, type OtherItem, type OtherLine, type UnparsedItem } from './items.ts'
import { fillValues, type JsonObject, judgeJson, readJsonLine, recordFromJson, recordFromLabels } from './json-line.ts'
import { judgeLine, type LineKind } from './line-kind.ts'
import { createLineSplitter, longestLine } from './lines.ts'
import { type Draft, emptyDraft, judgeKind, longestRaw, none } from './record.ts'
import { decode } from './strings.ts'
import { type AccessLogView, createLineSlot } from './view.ts'

export interface AccessLogOptions {
  /** How the proxy was told to print. Lines of Istio's default formats are read beside it. */
  readonly format?: CompiledFormat | undefined
  /** Longer lines are handed on as unparsed. */
  readonly longestLineBytes?: number | undefined
  /** Lines of the same log that are read elsewhere: numbers of lines go on from there. */
  readonly linesBefore?: number | undefined
}

export interface ScanHandlers {
  readonly onAccess: (view: AccessLogView) => unknown
  readonly onOther?: ((item: OtherItem) => unknown) | undefined
  readonly onUnparsed?: ((item: UnparsedItem) => unknown) | undefined
}

export interface AccessLogPush {
  readonly push: (chunk: Uint8Array | string) => void
  /** Ends the last line, and with it the stream. */
  readonly end: () => AccessLogCounts
  readonly counts: () => Readonly<AccessLogCounts>
}

const longestOther = 65536
const foreignJson = 'a JSON object that is neither an access log nor a log of the proxy'

const whyNot: Readonly<Record<Exclude<TextVerdict, 'read' | 'ambiguous'>, string>> = {
  cut: 'begins like an access-log line but ends early: the line was cut',
  'other-format': "begins like an access-log line but has not the fields of Istio's default format",
  'run-together': 'two access-log lines were written into one another',
}

/**
 * The push-style core: every line becomes exactly one call of one handler, and one count. Say `wantsRecords` when each view
 * is made into a record anyway; a JSON line is then parsed at once.
 */
export function createAccessLogScanner(
  handlers: ScanHandlers,
  options: AccessLogOptions = {},
  wantsRecords = false,
): AccessLogPush {
  const counts = noCounts()
  const slot = createLineSlot()
  const kind: LineKind = { kind: 'unknown', start: 0, source: undefined, starts: [] }
  const format = options.format?.isDefault ? undefined : options.format
  // Agent and Envoy messages may span lines; what nobody knows after one of them belongs to it.
  let afterLog = false

  const splitter = createLineSplitter(readLine, options.longestLineBytes ?? longestLine, options.linesBefore)
  return {
    push: splitter.push,
    end() {
      splitter.end()
      return counts
    },
    counts: () => counts,
  }

  function readLine(bytes: Uint8Array, start: number, end: number, line: number, tooLong: boolean): void {
    counts.lines++
    kind.start = start
    if (tooLong) {
      unparsed(bytes, start, end, line, 'the line is too long to be read')
      return
    }
    judgeLine(bytes, start, end, kind)
    // A format of one's own may begin like anything, so it is asked first.
    if (format && kind.kind !== 'blank' && readCustom(format, bytes, end, line)) return
    readKnown(bytes, start, end, line)
  }

  function readKnown(bytes: Uint8Array, start: number, end: number, line: number): void {
    if (kind.kind === 'access-text') readText(bytes, start, end, line)
    else if (kind.kind === 'json') readJson(bytes, start, end, line)
    else if (kind.kind === 'unknown') readUnknown(bytes, start, end, line)
    else other(kind.kind, bytes, end, line)
  }

  function readText(bytes: Uint8Array, start: number, end: number, line: number): void {
    const verdict = scanDefaultText(bytes, kind.start, end, slot.spans)
    if (verdict === 'read' || verdict === 'ambiguous') {
      slot.showText(bytes, kind.start, end, line)
      access(verdict === 'ambiguous')
    } else if (bytes[kind.start] === 0x22) readUnknown(bytes, start, end, line)
    else unparsed(bytes, start, end, line, whyNot[verdict])
  }

  function readJson(bytes: Uint8Array, start: number, end: number, line: number): void {
    if (!wantsRecords && scanDefaultJson(bytes, kind.start, end, slot.spans)) {
      slot.showJson(bytes, kind.start, end, line)
      access(false)
      return
    }
    const text = decode(bytes, kind.start, end)
    const object = readJsonLine(text)
    if (!object) {
      if (afterLog && !text.startsWith('{"')) other('continuation', bytes, end, line)
      else unparsed(bytes, start, end, line, 'begins like JSON but is not one whole JSON object')
      return
    }
    const found = judgeJson(object)
    if (found === 'access') {
      slot.showDraft(recordFromJson(object, text, line))
      access(false)
    } else if (found === 'wrapped') readWrapped(object, bytes, start, end, line)
    else if (found === 'unknown') unparsed(bytes, start, end, line, foreignJson)
    else other(found, bytes, end, line)
  }

  function readWrapped(object: JsonObject, bytes: Uint8Array, start: number, end: number, line: number): void {
    const inner = new TextEncoder().encode(String(object.log).replace(/\r?\n$/, ''))
    judgeLine(inner, 0, inner.length, kind)
    const innermost = kind.kind === 'json' ? readJsonLine(decode(inner, kind.start, inner.length)) : undefined
    if (innermost && judgeJson(innermost) === 'wrapped') {
      kind.start = start
      unparsed(bytes, start, end, line, foreignJson)
    } else if (!format || !readCustom(format, inner, inner.length, line)) readKnown(inner, 0, inner.length, line)
  }

  function readCustom(custom: CompiledFormat, bytes: Uint8Array, end: number, line: number): boolean {
    let draft: Draft | null = null
    for (const from of kind.starts) draft ??= customDraft(custom, decode(bytes, from, end), line)
    if (!draft) return false
    slot.showDraft(draft)
    access(false)
    return true
  }

  function readUnknown(bytes: Uint8Array, start: number, end: number, line: number): void {
    const beginning = decode(bytes, kind.start, Math.min(end, kind.start + longestRaw))
    const isAccess = / HTTP\/[\d.]+"? +\d{3}\b/.test(beginning) || /^\[\d{4}-/.test(beginning)
    if (isAccess) unparsed(bytes, start, end, line, whyNot['other-format'])
    else if (afterLog) other('continuation', bytes, end, line)
    else unparsed(bytes, start, end, line, 'not the beginning of a line of any known kind')
  }

  function access(isAmbiguous: boolean): void {
    afterLog = false
    counts.records++
    slot.mark(isAmbiguous, kind.source)
    handlers.onAccess(slot.view)
  }

  function other(what: OtherLine, bytes: Uint8Array, end: number, line: number): void {
    counts.other[what]++
    // A blank line may stand inside a message of several lines.
    if (what !== 'blank') afterLog = true
    if (!handlers.onOther) return
    const text = decode(bytes, kind.start, Math.min(end, kind.start + longestOther))
    handlers.onOther({ kind: 'other', what, text, line, ...(kind.source === undefined ? {} : { source: kind.source }) })
  }

  function unparsed(bytes: Uint8Array, start: number, end: number, line: number, why: string): void {
    afterLog = false
    counts.unparsed++
    handlers.onUnparsed?.({
      kind: 'unparsed',
      text: decode(bytes, start, Math.min(end, start + longestRaw)),
      line,
      why,
    })
  }
}

function customDraft(format: CompiledFormat, text: string, line: number): Draft | null {
  if (format.kind === 'json') {
    const object = text.startsWith('{') ? readJsonLine(text) : undefined
    return object ? recordFromLabels(object, format.leaves, text, line) : null
  }
  const match = matchTemplate(format.template, text)
  if (!match) return null
  const draft = emptyDraft('custom', text, line)
  const extra = new Map<string, unknown>()
  fillValues(draft, format.template, match.values, extra)
  draft.extra = extra.size > 0 ? Object.fromEntries(extra) : none
  if (match.isAmbiguous) draft.ambiguous = true
  judgeKind(draft)
  return draft
}
