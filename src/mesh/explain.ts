import type { AccessLogRecord, ZtunnelRecord } from '../model/access-log.ts'
import type { Layer } from '../model/layer.ts'
import { type AnsweredBy, type AnsweredByInput, answeredBy } from './answered-by.ts'
import { explainAccessLogLine } from './explain-access-log.ts'
import { explainExchange, type SeenExchange } from './explain-exchange.ts'
import { explainTerms } from './explain-terms.ts'
import { explainZtunnelLine } from './explain-ztunnel.ts'
import { type Recognised, shorten, unique } from './explanation.ts'
import { lineVerdict, lineWriter } from './line-writer.ts'
import { nearest } from './vocabulary.ts'

export type { SeenExchange } from './explain-exchange.ts'
export type { Recognised } from './explanation.ts'

/** Readers of tools' texts. They live with the parsers; without one its kind of text is only searched for known terms. */
export interface ExplainParsers {
  readonly accessLog?: (line: string) => AccessLogRecord | null
  readonly ztunnel?: (line: string) => ZtunnelRecord | null
  readonly curl?: (text: string) => SeenExchange | null
}

export interface Explanation {
  /** The answer first, in one or a few sentences. */
  readonly answer: string
  readonly layer: Layer | null
  /** Who answered, when the text holds enough to say so. */
  readonly answeredBy: AnsweredBy | null
  readonly recognised: readonly Recognised[]
  readonly next: readonly string[]
  readonly mistakes: readonly string[]
  readonly unknown: readonly string[]
  readonly nearest: readonly { readonly term: string; readonly candidates: readonly string[] }[]
}

/** How much an item deserves to be the answer: lines of proxies that decided first, healthy lines last. */
type Rank = 0 | 1 | 2 | 3
interface Ranked {
  readonly item: Recognised
  readonly rank: Rank
}

/** Explains whatever a person pastes: a term, several, log lines, findings, curl's output. Needs no cluster. */
export function explainText(text: string, parsers: ExplainParsers = {}): Explanation {
  const clean = stripControl(text)
  const exchange = parsers.curl?.(clean) ?? null
  const records: AccessLogRecord[] = []
  const tunnels: ZtunnelRecord[] = []
  const found: Ranked[] = (exchange ? explainExchange(exchange) : []).map((item) => ({ item, rank: 1 }))
  const unknown: string[] = []
  for (const line of clean.split('\n')) {
    if (line.trim() === '' || (exchange && isReadAlready(line, exchange))) continue
    const record = parsers.accessLog?.(line) ?? null
    const tunnel = record ? null : (parsers.ztunnel?.(line) ?? null)
    if (record) {
      records.push(record)
      found.push({ item: explainAccessLogLine(record), rank: rankOf(record) })
    } else if (tunnel) {
      tunnels.push(tunnel)
      // The destination's ztunnel knows why; the caller's only knows that.
      const rank = tunnel.error === null ? 3 : tunnel.direction === 'inbound' ? 0 : 1
      found.push({ item: explainZtunnelLine(tunnel), rank })
    } else {
      const terms = explainTerms(line)
      found.push(...terms.recognised.map((item) => ({ item, rank: isAdvice(item) ? 2 : 1 }) as const))
      unknown.push(...terms.unknown)
    }
  }
  return combine(clean, sameOnce(found), unique(unknown), joined(records, tunnels, exchange))
}

function rankOf(record: AccessLogRecord): Rank {
  const verdict = lineVerdict(record)
  if (verdict === 'own') return 0
  if (verdict !== 'passed-on') return 1
  return (record.code ?? 0) >= 400 ? 2 : 3
}

/** Analyzer findings of level Info hardly ever explain an incident. */
function isAdvice(item: Recognised): boolean {
  return item.what === 'analyzer finding' && / \(Info\)/.test(item.sentence)
}

function combine(
  text: string,
  found: readonly Ranked[],
  unknown: readonly string[],
  who: AnsweredBy | null,
): Explanation {
  const leading = [...found].sort((a, b) => a.rank - b.rank)[0]?.item
  const recognised = found.map(({ item }) => item)
  const lost = recognised.length === 0 && unknown.length === 0 && text.trim() !== '' ? [shorten(text, 120)] : unknown
  const together = who && who.hop !== 'unknown' ? `${capital(who.because)}.` : null
  return {
    answer: answerOf(leading, together, lost),
    layer: leading?.layer ?? null,
    answeredBy: who,
    recognised,
    next: unique([...(leading?.next ?? []), ...recognised.flatMap((item) => item.next)]),
    mistakes: unique([...(leading?.mistakes ?? []), ...recognised.flatMap((item) => item.mistakes)]),
    unknown: lost,
    nearest: lost.map((term) => ({ term, candidates: nearest(term) })),
  }
}

function answerOf(leading: Recognised | undefined, together: string | null, unknown: readonly string[]): string {
  const parts = [together, leading?.sentence ?? null].filter((part) => part !== null)
  if (parts.length > 0) return parts.join(' ')
  if (unknown.length === 0) return 'There is nothing to explain: the text is empty.'
  const near = unknown.flatMap((term) => nearest(term, 2))
  const hint = near.length > 0 ? ` Spelled most like it: ${unique(near).slice(0, 3).join(', ')}.` : ''
  return `"${unknown[0]}" is nothing we know.${hint}`
}

/** Several lines of one call, or one line and what the caller saw, say together who answered. */
function joined(
  records: readonly AccessLogRecord[],
  tunnels: readonly ZtunnelRecord[],
  exchange: SeenExchange | null,
): AnsweredBy | null {
  const failing = records.find((record) => isFailure(record)) ?? records[0]
  const sameCall = records.filter(
    (record) => record === failing || record.requestId === failing?.requestId || record.requestId === null,
  )
  const input: { -readonly [Key in keyof AnsweredByInput]: AnsweredByInput[Key] } = {}
  for (const record of sameCall)
    switch (lineWriter(record).role) {
      case 'client-proxy':
        input.clientLine ??= record
        break
      case 'gateway':
        input.gatewayLine ??= record
        break
      case 'egress-gateway':
        input.egressGatewayLine ??= record
        break
      case 'waypoint':
        input.waypointLine ??= record
        break
      case 'server-proxy':
        input.serverLine ??= record
        break
      case 'unknown':
        break
    }
  const failedTunnels = tunnels.filter((tunnel) => tunnel.error !== null)
  if (failedTunnels.length > 0) input.ztunnelLines = failedTunnels
  if (exchange?.status) input.response = exchange
  if (exchange?.error) input.curlError = exchange.error
  // One line alone explains itself.
  const several = Object.keys(input).length > 1 || exchange !== null
  return several && Object.keys(input).length > 0 ? answeredBy(input) : null
}

function isFailure(record: AccessLogRecord): boolean {
  return lineVerdict(record) !== 'passed-on' || (record.code ?? 0) >= 400
}

function sameOnce(found: readonly Ranked[]): Ranked[] {
  const seen = new Set<string>()
  return found.filter(({ item }) => {
    const key = `${item.what}\n${item.sentence}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Lines of `curl -v` that its parser has read: headers, notes, the body, and curl's own last word. */
function isReadAlready(line: string, exchange: SeenExchange): boolean {
  if (/^[<>*{}] ?/.test(line) || /^\$ |^curl: \(\d+\)/.test(line)) return true
  return exchange.body?.includes(line.trim()) === true
}

/** Colours and other control codes of a terminal are no part of the text; tabs and newlines are. */
function stripControl(text: string): string {
  return (
    text
      .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g, '')
      .replace(/\r\n?/g, '\n')
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
      // Zero-width and text-direction marks hide or reorder what stands in a line.
      .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '')
  )
}
