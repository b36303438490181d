import { parseAccessLogLine } from '../../parsers/access-log.ts'
import { parseCurl } from '../../parsers/curl.ts'
import { isZtunnelRecord, parseZtunnelLine } from '../../parsers/ztunnel-log.ts'
import { type SeenExchange, seenExchange } from '../../src/mesh/explain-exchange.ts'
import type { AccessLogRecord, ZtunnelRecord } from '../../src/model/access-log.ts'

export function readAccessLine(line: string): AccessLogRecord | null {
  const item = parseAccessLogLine(line)
  return item.kind === 'record' ? item.record : null
}

export function readZtunnelLine(line: string): ZtunnelRecord | null {
  const entry = parseZtunnelLine(line)
  return entry && isZtunnelRecord(entry) ? entry : null
}

/** The last transfer of the text that says anything. */
export function readCurl(text: string): SeenExchange | null {
  return (
    parseCurl(text)
      .map(seenExchange)
      .filter((exchange) => exchange !== null)
      .at(-1) ?? null
  )
}
