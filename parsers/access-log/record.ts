import type { AccessLogRecord } from '../../src/model/access-log.ts'
import type { Spans } from './default-text.ts'
import { Field, type FieldName } from './fields.ts'
import { decode } from './strings.ts'

/** A record while it is put together. */
export type Draft = { -readonly [Key in keyof AccessLogRecord]: AccessLogRecord[Key] }

/** How much of a line a record or an unread line keeps. */
export const longestRaw = 4096
/** Up to here the fields of a record are cut out of one decoded line; beyond, each is decoded alone. */
const longestShared = 8192

export function recordFromSpans(bytes: Uint8Array, start: number, end: number, spans: Spans, line: number): Draft {
  const shared = end - start <= longestShared ? decode(bytes, start, end) : undefined
  // Only when every byte became one character do offsets in bytes hold for the string.
  const text = shared?.length === end - start ? shared : undefined
  const field = (name: FieldName): string | null => {
    const from = spans[Field[name] * 2]!
    const to = spans[Field[name] * 2 + 1]!
    if (to === from || (to - from === 1 && bytes[from] === 0x2d)) return null
    return text === undefined ? decode(bytes, from, to) : text.slice(from - start, to - start)
  }
  const upstreamTime = field('upstreamTimeMs')
  const upstreamTimeMs = toNumber(upstreamTime)
  const draft: Draft = {
    kind: 'tcp',
    time: field('time'),
    method: field('method'),
    path: field('path'),
    protocol: field('protocol'),
    code: toNumber(field('code')),
    flags: splitFlags(field('flags')),
    details: field('details'),
    termination: field('termination'),
    transportFailure: field('transportFailure'),
    bytesReceived: toNumber(field('bytesReceived')),
    bytesSent: toNumber(field('bytesSent')),
    durationMs: toNumber(field('durationMs')),
    upstreamTimeMs,
    forwardedFor: field('forwardedFor'),
    userAgent: field('userAgent'),
    requestId: field('requestId'),
    authority: field('authority'),
    upstreamHost: field('upstreamHost'),
    upstreamCluster: withoutDelimiter(field('upstreamCluster')),
    upstreamLocal: field('upstreamLocal'),
    downstreamLocal: field('downstreamLocal'),
    downstreamRemote: field('downstreamRemote'),
    sni: field('sni'),
    routeName: field('routeName'),
    extra:
      upstreamTimeMs === null && upstreamTime !== null ? Object.freeze({ upstream_service_time: upstreamTime }) : none,
    format: 'text',
    raw: boundedRaw(shared ?? decode(bytes, start, Math.min(end, start + longestRaw))),
    line,
  }
  judgeKind(draft)
  return draft
}

export const none: Readonly<Record<string, unknown>> = Object.freeze({})

export function emptyDraft(format: AccessLogRecord['format'], raw: string, line: number): Draft {
  return {
    kind: 'tcp',
    time: null,
    method: null,
    path: null,
    protocol: null,
    code: null,
    flags: [],
    details: null,
    termination: null,
    transportFailure: null,
    bytesReceived: null,
    bytesSent: null,
    durationMs: null,
    upstreamTimeMs: null,
    forwardedFor: null,
    userAgent: null,
    requestId: null,
    authority: null,
    upstreamHost: null,
    upstreamCluster: null,
    upstreamLocal: null,
    downstreamLocal: null,
    downstreamRemote: null,
    sni: null,
    routeName: null,
    extra: none,
    format,
    raw: boundedRaw(raw),
    line,
  }
}

/** Puts a printed value into its field. Returns false when the value does not fit there; it belongs to `extra` then. */
export function setField(draft: Draft, name: FieldName, value: unknown): boolean {
  const text = toText(value)
  if (text === undefined) return false
  switch (name) {
    case 'code':
    case 'bytesReceived':
    case 'bytesSent':
    case 'durationMs':
    case 'upstreamTimeMs': {
      const number = toNumber(text)
      if (number === null && text !== null) return false
      draft[name] = number
      return true
    }
    case 'flags':
      draft.flags = splitFlags(text)
      return true
    case 'upstreamCluster':
      draft.upstreamCluster = withoutDelimiter(text)
      return true
    default:
      draft[name] = text
      return true
  }
}

/** Formats may leave out method and protocol, so whatever only a request has decides. */
export function judgeKind(draft: Draft): void {
  const isRequest =
    draft.method ?? draft.path ?? draft.protocol ?? draft.requestId ?? draft.authority ?? draft.userAgent ?? null
  draft.kind = isRequest !== null || (draft.code ?? 0) > 0 ? 'http' : 'tcp'
}

/** `null` for what means "not set"; undefined for what is no plain value. */
function toText(value: unknown): string | null | undefined {
  if (value === null || value === '-' || value === '') return null
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return undefined
}

export function toNumber(text: string | null): number | null {
  if (text === null || !/^\d+(\.\d+)?$/.test(text)) return null
  return Number(text)
}

const noFlags: readonly string[] = Object.freeze([])

export function splitFlags(text: string | null): readonly string[] {
  return text === null ? noFlags : text.split(',')
}

/** Istio 1.23 and 1.24 end the cluster's name with a delimiter for statistics in some formats. */
export function withoutDelimiter(cluster: string | null): string | null {
  return cluster?.endsWith(';') ? cluster.slice(0, -1) : cluster
}

export function boundedRaw(text: string): string {
  return text.length > longestRaw ? text.slice(0, longestRaw) : text
}
