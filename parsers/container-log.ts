import { z } from 'zod'
import type { AccessLogRecord } from '../src/model/access-log.ts'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import type { OtherItem, UnparsedItem } from './access-log/items.ts'
import type { AccessLogOptions } from './access-log/scanner.ts'
import { AccessLogRecordSchema, parseAccessLog, UnparsedSchema } from './access-log.ts'
import { type LogEntry, readLogLine } from './lib/log-line.ts'

/** What the agent and Envoy say that explains why a proxy has no or old configuration. `other` is everything else. */
export type ProxyMessageKind =
  | 'config-rejected'
  | 'xds-connected'
  | 'xds-closed'
  | 'ready'
  | 'not-ready'
  | 'connect-failed'
  | 'certificate-failed'
  | 'other'

/** One message of the agent, of Envoy or of ztunnel, with its continuation lines. */
export interface ProxyMessage extends LogEntry {
  readonly what: 'agent' | 'envoy' | 'ztunnel'
  readonly kind: ProxyMessageKind
  /** xDS type that was rejected, address that could not be reached. */
  readonly about: string | null
  readonly source?: string
}

export interface ContainerLog {
  readonly records: readonly AccessLogRecord[]
  readonly messages: readonly ProxyMessage[]
  readonly unparsed: readonly UnparsedItem[]
  readonly counts: Readonly<
    Record<'lines' | 'records' | 'agent' | 'envoy' | 'ztunnel' | 'continuation' | 'blank' | 'unparsed', number>
  >
}

const kinds: readonly { readonly kind: ProxyMessageKind; readonly pattern: RegExp }[] = [
  { kind: 'config-rejected', pattern: /^(?:delta config|gRPC config) for (?<about>\S+) rejected: / },
  { kind: 'config-rejected', pattern: /config received from XDS server, but was rejected/ },
  { kind: 'not-ready', pattern: /^Envoy proxy is NOT ready/ },
  { kind: 'ready', pattern: /^Envoy proxy is ready/ },
  { kind: 'xds-connected', pattern: /^connected to (?:delta )?upstream XDS server: (?<about>\S+)/ },
  { kind: 'xds-closed', pattern: /gRPC config stream (?:to (?<about>\S+) )?closed/ },
  { kind: 'xds-closed', pattern: /^(?:upstream|downstream) .*terminated with unexpected error/ },
  { kind: 'connect-failed', pattern: /^failed to connect to upstream (?<about>[^\s:]+(?::\d+)?)/ },
  {
    kind: 'certificate-failed',
    pattern:
      /^(?:failed to (?:warm|generate|sign|fetch|get).*(?:certificate|CSR|secret|cert)|.*(?:ca client|citadel).*(?:fail|error))/i,
  },
]

/** Everything that one istio-proxy container printed, taken apart: access log, agent, Envoy. */
export function parseContainerLog(text: string, options: AccessLogOptions = {}): ContainerLog {
  const { records, others, unparsed, counts } = parseAccessLog(text, options)
  return {
    records,
    messages: joinLines(others),
    unparsed,
    counts: { lines: counts.lines, records: counts.records, unparsed: counts.unparsed, ...counts.other },
  }
}

const longestEntry = 65536

function joinLines(items: readonly OtherItem[]): ProxyMessage[] {
  const messages: ProxyMessage[] = []
  let first: OtherItem | undefined
  let parts: string[] = []
  let length = 0
  const flush = () => {
    if (first && first.what !== 'blank' && first.what !== 'continuation')
      messages.push(toMessage(first, first.what, parts))
    first = undefined
  }
  for (const item of items) {
    if (item.what === 'blank') continue
    if (item.what === 'continuation') {
      if (length < longestEntry) parts.push(item.text)
      length += item.text.length
      continue
    }
    flush()
    first = item
    parts = []
    length = item.text.length
  }
  flush()
  return messages
}

function toMessage(item: OtherItem, what: ProxyMessage['what'], continuation: readonly string[]): ProxyMessage {
  const head = readLogLine(item.text) ?? { time: null, level: null, scope: null, message: item.text, fields: {} }
  const tail = continuation.length > 0 ? `\n${continuation.join('\n')}` : ''
  // Envoy's last column follows the message, wherever that ends.
  const thread = /^\tthread=(\d+)\s*$/.exec(continuation.at(-1)?.slice(0, 100) ?? '')
  const message = `${head.message}${thread ? tail.slice(0, tail.lastIndexOf('\n')) : tail}`
  const { kind, about } = judge(message)
  return {
    ...head,
    what,
    kind,
    about,
    message,
    fields: thread ? { ...head.fields, thread: thread[1] } : head.fields,
    raw: `${item.text}${tail}`.slice(0, longestEntry),
    line: item.line,
    ...(item.source === undefined ? {} : { source: item.source }),
  }
}

function judge(message: string): { kind: ProxyMessageKind; about: string | null } {
  const beginning = message.slice(0, 1000)
  for (const { kind, pattern } of kinds) {
    const match = pattern.exec(beginning)
    if (match) return { kind, about: match.groups?.about ?? null }
  }
  return { kind: 'other', about: null }
}

const Text = z.string().nullable()
const Schema = z.object({
  records: z.array(AccessLogRecordSchema).readonly(),
  messages: z
    .array(
      z.object({
        what: z.enum(['agent', 'envoy', 'ztunnel']),
        kind: z.custom<ProxyMessageKind>((value) => typeof value === 'string'),
        about: Text,
        time: Text,
        level: Text,
        scope: Text,
        message: z.string(),
        fields: z.record(z.string(), z.unknown()).readonly(),
        raw: z.string(),
        line: z.number(),
        source: z.string().exactOptional(),
      }),
    )
    .readonly(),
  unparsed: z.array(UnparsedSchema).readonly(),
  counts: z.object({
    lines: z.number(),
    records: z.number(),
    agent: z.number(),
    envoy: z.number(),
    ztunnel: z.number(),
    continuation: z.number(),
    blank: z.number(),
    unparsed: z.number(),
  }),
})

/** The whole output of a proxy's container. An empty one is an answer; a text without one line of a proxy is not. */
export default defineParser<ContainerLog>({
  name: 'container-log',
  schema: Schema,
  parse(text) {
    const log = parseContainerLog(text)
    if (log.counts.unparsed > 0 && log.counts.unparsed + log.counts.blank === log.counts.lines)
      throw new ParseError(
        `container log: ${log.unparsed[0]?.why}: ${JSON.stringify(log.unparsed[0]?.text.slice(0, 120))}`,
      )
    return log
  },
})
