import { parseAccessLogLine } from '../../parsers/access-log.ts'
import type { SeenExchange } from '../../src/mesh/explain.ts'
import type { AccessLogRecord, ZtunnelRecord } from '../../src/model/access-log.ts'

export function readAccessLine(line: string): AccessLogRecord | null {
  const item = parseAccessLogLine(line)
  return item.kind === 'record' ? item.record : null
}

/** Enough of ztunnel's text format for the tests of what is said about its lines. */
export function readZtunnelLine(line: string): ZtunnelRecord | null {
  const match = /^(\S+Z)\s+(\w+)\s+access\s+(connection \w+)\s+(.*)$/.exec(line)
  if (!match) return null
  const fields = new Map<string, string>()
  for (const field of (match[4] ?? '').matchAll(/([\w.]+)=("(?:[^"\\]|\\.)*"|\S+)/g))
    fields.set(field[1] ?? '', (field[2] ?? '').replace(/^"|"$/g, ''))
  const of = (name: string) => fields.get(name) ?? null
  const count = (name: string) => (fields.has(name) ? Number(fields.get(name)) : null)
  const direction = of('direction')
  return {
    time: match[1] ?? null,
    level: match[2] ?? null,
    scope: 'access',
    message: match[3] ?? '',
    direction: direction === 'inbound' || direction === 'outbound' ? direction : null,
    error: of('error'),
    srcAddress: of('src.addr'),
    srcWorkload: of('src.workload'),
    srcNamespace: of('src.namespace'),
    srcIdentity: of('src.identity'),
    dstAddress: of('dst.addr'),
    dstHboneAddress: of('dst.hbone_addr'),
    dstWorkload: of('dst.workload'),
    dstNamespace: of('dst.namespace'),
    dstService: of('dst.service'),
    dstIdentity: of('dst.identity'),
    bytesSent: count('bytes_sent'),
    bytesReceived: count('bytes_recv'),
    durationMs: null,
    extra: {},
    raw: line,
    line: 1,
  }
}

/** Enough of what `curl -sv` prints for the same purpose. */
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
