import { z } from 'zod'
import type { AccessLogRecord } from '../src/model/access-log.ts'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import type { AccessLogCounts, AccessLogItem, OtherItem, UnparsedItem } from './access-log/items.ts'
import { type AccessLogOptions, type AccessLogPush, createAccessLogScanner } from './access-log/scanner.ts'
import type { AccessLogView } from './access-log/view.ts'

export type {
  AccessLogCounts,
  AccessLogItem,
  OtherItem,
  OtherLine,
  RecordItem,
  UnparsedItem,
} from './access-log/items.ts'
export { type AccessLogOptions, type AccessLogPush, createAccessLogScanner } from './access-log/scanner.ts'
export type { AccessLogView } from './access-log/view.ts'

export interface AccessLogHandlers {
  readonly onRecord: (record: AccessLogRecord) => unknown
  readonly onOther?: (item: OtherItem) => unknown
  readonly onUnparsed?: (item: UnparsedItem) => unknown
}

/** Push bytes in chunks of any size, get records in order; nothing is kept between lines. */
export function createAccessLogReader(handlers: AccessLogHandlers, options: AccessLogOptions = {}): AccessLogPush {
  const { onRecord, onOther, onUnparsed } = handlers
  return createAccessLogScanner({ onAccess: (view) => onRecord(view.record()), onOther, onUnparsed }, options, true)
}

/** Every line of a stream as an item, in order. */
export async function* readAccessLog(
  chunks: AsyncIterable<Uint8Array | string>,
  options: AccessLogOptions = {},
): AsyncGenerator<AccessLogItem, AccessLogCounts> {
  let items: AccessLogItem[] = []
  const reader = createAccessLogReader(
    collectInto((item) => items.push(item)),
    options,
  )
  for await (const chunk of chunks) {
    reader.push(chunk)
    const ready = items
    items = []
    yield* ready
  }
  const counts = reader.end()
  yield* items
  return counts
}

/** Counts a stream without making records: `visit` asks the view for the few fields it needs. */
export async function scanAccessLog(
  chunks: AsyncIterable<Uint8Array | string>,
  visit: (view: AccessLogView) => void,
  options: AccessLogOptions & { readonly onOther?: (item: OtherItem) => void } & {
    readonly onUnparsed?: (item: UnparsedItem) => void
  } = {},
): Promise<AccessLogCounts> {
  const { onOther, onUnparsed } = options
  const scanner = createAccessLogScanner({ onAccess: visit, onOther, onUnparsed }, options)
  for await (const chunk of chunks) scanner.push(chunk)
  return scanner.end()
}

/** One line, as pasted from a terminal or a log system. Of several lines the first that is not blank. */
export function parseAccessLogLine(line: string, options: AccessLogOptions = {}): AccessLogItem {
  const items = itemsOf(line, options)
  return (
    items.find((item) => item.kind !== 'other' || item.what !== 'blank') ??
    items[0] ?? { kind: 'other', what: 'blank', text: '', line: 1 }
  )
}

export interface AccessLogText {
  readonly records: readonly AccessLogRecord[]
  readonly others: readonly OtherItem[]
  readonly unparsed: readonly UnparsedItem[]
  readonly counts: Readonly<AccessLogCounts>
}

/** A whole text that is in memory already, say the answer of `kubectl logs --tail`. */
export function parseAccessLog(text: string, options: AccessLogOptions = {}): AccessLogText {
  const records: AccessLogRecord[] = []
  const others: OtherItem[] = []
  const unparsed: UnparsedItem[] = []
  const reader = createAccessLogReader(
    {
      onRecord: (record) => records.push(record),
      onOther: (item) => others.push(item),
      onUnparsed: (item) => unparsed.push(item),
    },
    options,
  )
  reader.push(text)
  return { records, others, unparsed, counts: reader.end() }
}

function itemsOf(text: string, options: AccessLogOptions): AccessLogItem[] {
  const items: AccessLogItem[] = []
  const reader = createAccessLogReader(
    collectInto((item) => items.push(item)),
    options,
  )
  reader.push(text)
  reader.end()
  return items
}

function collectInto(add: (item: AccessLogItem) => void): AccessLogHandlers {
  return { onRecord: (record) => add({ kind: 'record', record }), onOther: add, onUnparsed: add }
}

const NullableText = z.string().nullable()
const NullableNumber = z.number().nullable()

export const AccessLogRecordSchema = z.object({
  kind: z.enum(['http', 'tcp']),
  time: NullableText,
  method: NullableText,
  path: NullableText,
  protocol: NullableText,
  code: NullableNumber,
  flags: z.array(z.string()).readonly(),
  details: NullableText,
  termination: NullableText,
  transportFailure: NullableText,
  bytesReceived: NullableNumber,
  bytesSent: NullableNumber,
  durationMs: NullableNumber,
  upstreamTimeMs: NullableNumber,
  forwardedFor: NullableText,
  userAgent: NullableText,
  requestId: NullableText,
  authority: NullableText,
  upstreamHost: NullableText,
  upstreamCluster: NullableText,
  upstreamLocal: NullableText,
  downstreamLocal: NullableText,
  downstreamRemote: NullableText,
  sni: NullableText,
  routeName: NullableText,
  extra: z.record(z.string(), z.unknown()).readonly(),
  format: z.enum(['text', 'json', 'custom']),
  raw: z.string(),
  line: z.number(),
  source: z.string().exactOptional(),
  ambiguous: z.literal(true).exactOptional(),
})

const OtherSchema = z.object({
  kind: z.literal('other'),
  what: z.enum(['agent', 'envoy', 'ztunnel', 'continuation', 'blank']),
  text: z.string(),
  line: z.number(),
  source: z.string().exactOptional(),
})

export const UnparsedSchema = z.object({
  kind: z.literal('unparsed'),
  text: z.string(),
  line: z.number(),
  why: z.string(),
})

const AccessLogTextSchema = z.object({
  records: z.array(AccessLogRecordSchema).readonly(),
  others: z.array(OtherSchema).readonly(),
  unparsed: z.array(UnparsedSchema).readonly(),
  counts: z.object({
    lines: z.number(),
    records: z.number(),
    unparsed: z.number(),
    other: z.object({
      agent: z.number(),
      envoy: z.number(),
      ztunnel: z.number(),
      continuation: z.number(),
      blank: z.number(),
    }),
  }),
})

/** Access log of a proxy with whatever else its container prints. An empty log is an answer; foreign text is not. */
export default defineParser<AccessLogText>({
  name: 'access-log',
  schema: AccessLogTextSchema,
  parse(text) {
    const log = parseAccessLog(text)
    const { counts } = log
    if (counts.unparsed > 0 && counts.unparsed + counts.other.blank === counts.lines)
      throw new ParseError(
        `access log: ${log.unparsed[0]?.why}: ${JSON.stringify(log.unparsed[0]?.text.slice(0, 120))}`,
      )
    return log
  },
})
