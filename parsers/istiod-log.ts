import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { type IstiodKind, istiodMessages, routineKinds } from './lib/istiod-messages.ts'
import { type LogEntry, readLogEntries } from './lib/log-line.ts'

export type { IstiodKind } from './lib/istiod-messages.ts'

/** One message of istiod. What its words name stands in the fields of that name; null where they name nothing. */
export interface IstiodEntry extends LogEntry {
  readonly kind: IstiodKind
  /** xDS type of a push: `LDS`. */
  readonly type: string | null
  /** `pod.namespace`. */
  readonly proxy: string | null
  /** What was asked for or refused: a credential, a route, a gateway, `Kind/ns/name` of a changed object. */
  readonly resource: string | null
  readonly port: string | null
  readonly issuer: string | null
  readonly uri: string | null
  /** Whom a refused caller wanted to act for. */
  readonly identity: string | null
  /** Code of a rejection: `Internal`. */
  readonly code: string | null
  /** The proxy's or istiod's own words for why. */
  readonly reason: string | null
  /** Of a push status: metric name to the objects it counts. */
  readonly status: Readonly<Record<string, readonly string[]>> | null
}

export interface IstiodLogData {
  /** What reports a fault, in order. */
  readonly entries: readonly IstiodEntry[]
  /** Pushes, changes, connections: to date what happened. */
  readonly routine: readonly IstiodEntry[]
  /** Messages nobody here knows, kept whole. */
  readonly others: readonly IstiodEntry[]
  readonly counts: Readonly<Record<string, number>>
  readonly unparsed: readonly { readonly text: string; readonly line: number }[]
  readonly lines: number
}

/** Patterns look for words anywhere; on a longer text that would cost its square. */
const longestJudged = 4096

export function judgeIstiodEntry(entry: LogEntry): IstiodEntry {
  const message = entry.message.slice(0, longestJudged)
  for (const { kind, pattern, ...condition } of istiodMessages) {
    if ('levels' in condition && !condition.levels.some((level) => level === entry.level)) continue
    const groups = pattern.exec(message)?.groups
    if (groups) return fill(entry, kind, groups)
  }
  return fill(entry, 'other', {})
}

function fill(entry: LogEntry, kind: IstiodKind, groups: Partial<Record<string, string>>): IstiodEntry {
  const text = (name: string) => groups[name]?.trim() || null
  const label = (name: string) => (typeof entry.fields[name] === 'string' ? (entry.fields[name] as string) : null)
  return {
    ...entry,
    kind,
    type: text('type'),
    proxy: text('proxy') ?? proxyOfConnection(text('connection')),
    resource:
      text('resource') ??
      text('gateway') ??
      text('route') ??
      text('object') ??
      text('account') ??
      text('pod') ??
      (kind.startsWith('injection') ? label('pod') : null),
    port: text('port'),
    issuer: text('issuer'),
    uri: text('uri'),
    identity: text('identity'),
    code: text('code'),
    reason: text('reason'),
    status: kind === 'push-status' ? readStatus(entry.message.slice(entry.message.indexOf('{'))) : null,
  }
}

/** Connections are numbered: `web-1.shop-22` is the proxy `web-1.shop`. */
function proxyOfConnection(connection: string | null): string | null {
  return connection === null ? null : connection.replace(/-\d+$/, '')
}

function readStatus(text: string): Record<string, readonly string[]> | null {
  try {
    const status: unknown = JSON.parse(text)
    if (typeof status !== 'object' || status === null) return null
    return Object.fromEntries(
      Object.entries(status).map(([metric, objects]) => [
        metric,
        typeof objects === 'object' && objects !== null ? Object.keys(objects) : [],
      ]),
    )
  } catch {
    // The tail of a log may begin or end inside it.
    return null
  }
}

const Text = z.string().nullable()
const Entry = z.object({
  kind: z.custom<IstiodKind>((value) => typeof value === 'string'),
  time: Text,
  level: Text,
  scope: Text,
  message: z.string(),
  fields: z.record(z.string(), z.unknown()).readonly(),
  raw: z.string(),
  line: z.number(),
  type: Text,
  proxy: Text,
  resource: Text,
  port: Text,
  issuer: Text,
  uri: Text,
  identity: Text,
  code: Text,
  reason: Text,
  status: z.record(z.string(), z.array(z.string()).readonly()).readonly().nullable(),
})

const Schema = z.object({
  entries: z.array(Entry).readonly(),
  routine: z.array(Entry).readonly(),
  others: z.array(Entry).readonly(),
  counts: z.record(z.string(), z.number()).readonly(),
  unparsed: z.array(z.object({ text: z.string(), line: z.number() })).readonly(),
  lines: z.number(),
})

/** The log of istiod, text or JSON. */
export default defineParser<IstiodLogData>({
  name: 'istiod-log',
  schema: Schema,
  parse(text) {
    const log = readLogEntries(text)
    if (log.entries.length === 0 && log.unparsed.length > 0)
      throw new ParseError(`istiod log: no log line in ${JSON.stringify(log.unparsed[0]?.text.slice(0, 120))}`)
    const judged = log.entries.map(judgeIstiodEntry)
    const counts = new Map<string, number>()
    for (const { kind } of judged) counts.set(kind, (counts.get(kind) ?? 0) + 1)
    return {
      entries: judged.filter(({ kind }) => kind !== 'other' && !routineKinds.has(kind)),
      routine: judged.filter(({ kind }) => routineKinds.has(kind)),
      others: judged.filter(({ kind }) => kind === 'other'),
      counts: Object.fromEntries(counts),
      unparsed: log.unparsed,
      lines: log.lines,
    }
  },
})
