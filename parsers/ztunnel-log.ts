import { z } from 'zod'
import type { ZtunnelRecord } from '../src/model/access-log.ts'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { type LogLine, readFields, readLogLine, splitLines, withoutPrefix } from './lib/log-line.ts'

export interface ZtunnelOther extends LogLine {
  readonly raw: string
  readonly line: number
}

export interface ZtunnelLog {
  /** Connections: complete, failed, opened, rejected. */
  readonly records: readonly ZtunnelRecord[]
  /** Everything else ztunnel said, in its own words. */
  readonly others: readonly ZtunnelOther[]
  readonly unparsed: readonly { readonly text: string; readonly line: number }[]
  readonly lines: number
}

const longestRaw = 4096

/** README of older releases: `2024-07-26T17:18:00.953004Z  INFO access: connection complete src.addr=…`. */
const tracingTarget = /^(?<scope>\w+(?:::\w+)*)(?:\{[^}]*\})?: (?<rest>.*)$/s
/** `access<tab>…`, spans included: `proxy{…}:inbound{…}<tab>…`. */
const tabColumn = /^(?<scope>\w+(?:::\w+)*)(?:[:{][^\t]*)?\t(?<rest>.*)$/s
const blankColumn = /^(?<scope>access|proxy|inbound|outbound|dns|state|config|xds|tls|ztunnel::[\w:]+) +(?<rest>.*)$/s
/** Where the fields begin: the first `name=` after the message. */
const firstField = /(?:^|\s)[a-z_][\w.]*=/

/** One line of a ztunnel, or null when it is none. */
export function parseZtunnelLine(text: string, line = 1): ZtunnelRecord | ZtunnelOther | null {
  const bare = withoutPrefix(text)
  const head = readLogLine(bare)
  if (!head) return null
  const entry = bare.startsWith('{') ? head : splitColumns(bare, head)
  const raw = bare.slice(0, longestRaw)
  return isConnection(entry) ? toRecord(entry, raw, line) : { ...entry, raw, line }
}

export function isZtunnelRecord(entry: ZtunnelRecord | ZtunnelOther): entry is ZtunnelRecord {
  return 'srcAddress' in entry
}

/** Text has no fixed columns in practice: tabs turn into blanks on the way into an issue. */
function splitColumns(text: string, head: LogLine): LogLine {
  const body = text.replace(/^\S+\s+\S+\s*/, '').trim()
  const columns = (tabColumn.exec(body) ?? blankColumn.exec(body) ?? tracingTarget.exec(body))?.groups
  const said = columns?.rest ?? body
  const fieldsAt = firstField.exec(said)
  const message = (fieldsAt ? said.slice(0, fieldsAt.index) : said).trim()
  return {
    ...head,
    scope: columns?.scope ?? null,
    message,
    fields: fieldsAt ? readFields(said.slice(fieldsAt.index)) : {},
  }
}

function isConnection({ scope, message, fields }: LogLine): boolean {
  return 'src.addr' in fields || 'dst.addr' in fields || (scope === 'access' && message.startsWith('connection '))
}

const known = {
  srcAddress: 'src.addr',
  srcWorkload: 'src.workload',
  srcNamespace: 'src.namespace',
  srcIdentity: 'src.identity',
  dstAddress: 'dst.addr',
  dstHboneAddress: 'dst.hbone_addr',
  dstWorkload: 'dst.workload',
  dstNamespace: 'dst.namespace',
  dstService: 'dst.service',
  dstIdentity: 'dst.identity',
  error: 'error',
} as const
const handled = new Set<string>([...Object.values(known), 'direction', 'bytes_sent', 'bytes_recv', 'duration'])

function toRecord(entry: LogLine, raw: string, line: number): ZtunnelRecord {
  const { fields } = entry
  const text = (key: string): string | null => {
    const value = fields[key]
    return typeof value === 'string' && value !== '' && value !== '-' ? value : null
  }
  const direction = text('direction')
  const rest = Object.entries(fields).filter(([key]) => !handled.has(key))
  const isKnownDirection = direction === 'inbound' || direction === 'outbound'
  if (direction !== null && !isKnownDirection) rest.push(['direction', direction])
  return {
    time: entry.time,
    level: entry.level,
    scope: entry.scope,
    message: entry.message,
    direction: isKnownDirection ? direction : null,
    error: text(known.error),
    srcAddress: text(known.srcAddress),
    srcWorkload: text(known.srcWorkload),
    srcNamespace: text(known.srcNamespace),
    srcIdentity: text(known.srcIdentity),
    dstAddress: text(known.dstAddress),
    dstHboneAddress: text(known.dstHboneAddress),
    dstWorkload: text(known.dstWorkload),
    dstNamespace: text(known.dstNamespace),
    dstService: text(known.dstService),
    dstIdentity: text(known.dstIdentity),
    bytesSent: number(fields.bytes_sent),
    bytesReceived: number(fields.bytes_recv),
    durationMs: milliseconds(fields.duration),
    extra: Object.fromEntries(rest),
    raw,
    line,
  }
}

function number(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : null
}

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  µs: 1e-3,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** ztunnel prints `13ms`; Rust's own form of a duration is read as well: `1.5s`, `250.3µs`. */
function milliseconds(value: unknown): number | null {
  if (typeof value === 'number') return value
  const parts = typeof value === 'string' ? /^(\d+(?:\.\d+)?)(ns|µs|us|ms|s|m|h)$/.exec(value) : null
  const unit = parts ? units[parts[2] ?? ''] : undefined
  return parts && unit !== undefined ? Number(parts[1]) * unit : null
}

const Text = z.string().nullable()
const Count = z.number().nullable()

export const ZtunnelRecordSchema = z.object({
  time: Text,
  level: Text,
  scope: Text,
  message: z.string(),
  direction: z.enum(['inbound', 'outbound']).nullable(),
  error: Text,
  srcAddress: Text,
  srcWorkload: Text,
  srcNamespace: Text,
  srcIdentity: Text,
  dstAddress: Text,
  dstHboneAddress: Text,
  dstWorkload: Text,
  dstNamespace: Text,
  dstService: Text,
  dstIdentity: Text,
  bytesSent: Count,
  bytesReceived: Count,
  durationMs: Count,
  extra: z.record(z.string(), z.unknown()).readonly(),
  raw: z.string(),
  line: z.number(),
})

const Other = z.object({
  time: Text,
  level: Text,
  scope: Text,
  message: z.string(),
  fields: z.record(z.string(), z.unknown()).readonly(),
  raw: z.string(),
  line: z.number(),
})

const Schema = z.object({
  records: z.array(ZtunnelRecordSchema).readonly(),
  others: z.array(Other).readonly(),
  unparsed: z.array(z.object({ text: z.string(), line: z.number() })).readonly(),
  lines: z.number(),
})

/** The log of a node's ztunnel, text or JSON. A connection has no line before it ended. */
export default defineParser<ZtunnelLog>({
  name: 'ztunnel-log',
  schema: Schema,
  parse(text) {
    const records: ZtunnelRecord[] = []
    const others: ZtunnelOther[] = []
    const unparsed: { text: string; line: number }[] = []
    const lines = splitLines(text)
    lines.forEach((line, index) => {
      if (line.trim() === '') return
      const entry = parseZtunnelLine(line, index + 1)
      if (!entry) unparsed.push({ text: line.slice(0, longestRaw), line: index + 1 })
      else if (isZtunnelRecord(entry)) records.push(entry)
      else others.push(entry)
    })
    if (unparsed.length > 0 && records.length + others.length === 0)
      throw new ParseError(`ztunnel log: no line of a ztunnel in ${JSON.stringify(unparsed[0]?.text.slice(0, 120))}`)
    return { records, others, unparsed, lines: lines.length }
  },
})
