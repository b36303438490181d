import type { AccessLogRecord } from '../../src/model/access-log.ts'

/** Lines of the same container that are no access log. `continuation` belongs to the agent or Envoy line before it. */
export type OtherLine = 'agent' | 'envoy' | 'ztunnel' | 'continuation' | 'blank'

export interface RecordItem {
  readonly kind: 'record'
  readonly record: AccessLogRecord
}
export interface OtherItem {
  readonly kind: 'other'
  readonly what: OtherLine
  /** Without prefixes of kubectl and the like; at most 64 KiB of it. */
  readonly text: string
  readonly line: number
  readonly source?: string
}
export interface UnparsedItem {
  readonly kind: 'unparsed'
  /** The line as it was, at most a few kilobytes of it. */
  readonly text: string
  readonly line: number
  readonly why: string
}
export type AccessLogItem = RecordItem | OtherItem | UnparsedItem

export interface AccessLogCounts {
  lines: number
  records: number
  unparsed: number
  other: Record<OtherLine, number>
}

export const noCounts = (): AccessLogCounts => ({
  lines: 0,
  records: 0,
  unparsed: 0,
  other: { agent: 0, envoy: 0, ztunnel: 0, continuation: 0, blank: 0 },
})
