import type { ExplainParsers } from '../mesh/explain.ts'
import type { AccessLogRecord } from '../model/access-log.ts'

/** The readers that a text needs, and no others: most texts are a single word, and loading a reader takes longer than answering. */
export async function readExplainParsers(text: string): Promise<ExplainParsers> {
  const [accessLog, ztunnel, curl] = await Promise.all([
    looksLikeAccessLog(text) ? accessLogReader() : undefined,
    /\bsrc\.addr|\bdst\.addr|\baccess\b.*\bconnection\b|\bztunnel\b/.test(text) ? ztunnelReader() : undefined,
    /^[<>*] |^curl: \(\d+\)|^\$ ?curl |^HTTP\/[\d.]+ \d{3}/m.test(text) ? curlReader() : undefined,
  ])
  return { ...(accessLog && { accessLog }), ...(ztunnel && { ztunnel }), ...(curl && { curl }) }
}

function looksLikeAccessLog(text: string): boolean {
  return (
    /\[\d{4}-\d\d-\d\dT/.test(text) || /^\s*(?:\S+ )*\{"/m.test(text) || / HTTP\/[\d.]+" \d{3} |"- - -" \d/.test(text)
  )
}

async function accessLogReader(): Promise<NonNullable<ExplainParsers['accessLog']>> {
  // The scanner alone, without the schema that the parser's tests check: that would load a library.
  const { createAccessLogScanner } = await import('../../parsers/access-log/scanner.ts')
  return (line) => {
    let found: AccessLogRecord | null = null
    const scanner = createAccessLogScanner({ onAccess: (view) => (found ??= view.record()) }, {}, true)
    scanner.push(line)
    scanner.end()
    return found
  }
}

async function ztunnelReader(): Promise<NonNullable<ExplainParsers['ztunnel']>> {
  const { isZtunnelRecord, parseZtunnelLine } = await import('../../parsers/ztunnel-log.ts')
  return (line) => {
    const entry = parseZtunnelLine(line)
    return entry && isZtunnelRecord(entry) ? entry : null
  }
}

async function curlReader(): Promise<NonNullable<ExplainParsers['curl']>> {
  const { parseCurl } = await import('../../parsers/curl.ts')
  const { seenExchange } = await import('../mesh/explain-exchange.ts')
  return (text) =>
    parseCurl(text)
      .map(seenExchange)
      .filter((exchange) => exchange !== null)
      .at(-1) ?? null
}
