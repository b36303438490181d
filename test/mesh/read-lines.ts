import { parseAccessLogLine } from '../../parsers/access-log.ts'
import { isZtunnelRecord, parseZtunnelLine } from '../../parsers/ztunnel-log.ts'
import type { SeenExchange } from '../../src/mesh/explain.ts'
import type { AccessLogRecord, ZtunnelRecord } from '../../src/model/access-log.ts'

export function readAccessLine(line: string): AccessLogRecord | null {
  const item = parseAccessLogLine(line)
  return item.kind === 'record' ? item.record : null
}

export function readZtunnelLine(line: string): ZtunnelRecord | null {
  const entry = parseZtunnelLine(line)
  return entry && isZtunnelRecord(entry) ? entry : null
}

/** Enough of what `curl -sv` prints for the tests of what is said about it. */
export function readCurl(text: string): SeenExchange | null {
  const status = [...text.matchAll(/^< HTTP\/[\d.]+ (\d{3})/gm)].at(-1)?.[1]
  const exit = /^# exit (\d+)/m.exec(text)?.[1] ?? /curl: \((\d+)\)/.exec(text)?.[1]
  if (status === undefined && exit === undefined) return null
  const headers: Record<string, string> = {}
  for (const header of text.matchAll(/^< ([\w-]+): (.*)$/gm)) headers[(header[1] ?? '').toLowerCase()] = header[2] ?? ''
  const after = text.split(/^< *$/m).slice(1).join('\n')
  const body = after
    .split('\n')
    .filter((line) => !/^([*<>{}] |# exit)/.test(line))
    .join('\n')
    .trim()
  return {
    status: status === undefined ? null : Number(status),
    headers,
    body: body === '' ? null : body,
    error: exit === undefined ? null : `curl: (${exit})`,
  }
}
