import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createAccessLogReader, parseAccessLog } from '../../parsers/access-log.ts'
import { compileAccessLogFormat, istioDefaultFormat } from '../../parsers/access-log-format.ts'
import { parseContainerLog } from '../../parsers/container-log.ts'
import curl from '../../parsers/curl.ts'
import istiodLog from '../../parsers/istiod-log.ts'
import { readLogLine } from '../../parsers/lib/log-line.ts'
import ztunnelLog from '../../parsers/ztunnel-log.ts'
import { captures, hasShared, meshesFolder, readMaybeGzipped } from '../helpers/shared.ts'

interface LogFile {
  readonly capture: string
  readonly file: string
  readonly kind: 'proxy' | 'ztunnel' | 'istiod' | 'init' | 'app' | 'client'
  readonly text: string
}

const logFiles: readonly LogFile[] = captures.flatMap((capture) => [
  ...list(join(meshesFolder, capture, 'logs'))
    .filter((file) => /\.log(\.gz)?$/.test(file))
    .map((file) => ({ capture, file, kind: kindOf(file), text: read(capture, 'logs', file) })),
  ...list(join(meshesFolder, capture, 'client')).map((file) => ({
    capture,
    file,
    kind: 'client' as const,
    text: read(capture, 'client', file),
  })),
])

describe.skipIf(!hasShared)('logs of the captures', () => {
  test('every line is parsed or counted as a known other kind', () => {
    const totals = new Map<string, number>()
    const unexplained: string[] = []
    const add = (file: LogFile, what: string, number: number) =>
      totals.set(`${file.kind} ${what}`, (totals.get(`${file.kind} ${what}`) ?? 0) + number)
    for (const file of logFiles) {
      const lines = file.text === '' ? 0 : file.text.split('\n').length - (file.text.endsWith('\n') ? 1 : 0)
      add(file, 'lines', lines)
      const { parsed, other, unparsed } = account(file)
      add(file, 'parsed', parsed)
      add(file, 'other', other)
      add(file, 'unparsed', unparsed)
      if (unparsed > 0) unexplained.push(`${file.capture}/${file.file}: ${unparsed} unparsed`)
      if (parsed + other + unparsed !== lines)
        unexplained.push(`${file.capture}/${file.file}: ${lines} lines, ${parsed + other + unparsed} accounted for`)
    }
    console.info([...totals].map(([what, number]) => `${what}: ${number}`).join('\n'))
    expect(unexplained).toEqual([])
    for (const kind of ['proxy', 'ztunnel', 'istiod', 'client'])
      expect(totals.get(`${kind} parsed`)).toBeGreaterThan(50)
  })

  test('nothing an application prints is taken for an access log', () => {
    for (const { kind, text } of logFiles) if (kind === 'app') expect(parseAccessLog(text).counts.records).toBe(0)
  })

  test('two independent readers agree on every line: the scanner and the compiled format', () => {
    const compiled = compileAccessLogFormat(istioDefaultFormat)
    expect(compiled).toMatchObject({ kind: 'text', isDefault: true })
    if (compiled.kind !== 'text') throw new Error('not text')
    const custom = { ...compiled, isDefault: false }
    let compared = 0
    for (const { kind, text } of logFiles) {
      if (kind !== 'proxy') continue
      const scanned = parseAccessLog(text).records
      const matched = parseAccessLog(text, { format: custom }).records
      expect(matched.map((record) => ({ ...record, format: 'text' }))).toEqual(scanned)
      compared += scanned.filter((_, index) => matched[index]?.format === 'custom').length
    }
    expect(compared).toBeGreaterThan(500)
  })

  test('any chunking gives the same records', () => {
    const text = logFiles
      .filter(({ kind }) => kind === 'proxy')
      .map((file) => file.text)
      .join('')
    const whole = parseAccessLog(text)
    const bytes = new TextEncoder().encode(text)
    for (const size of [7, 1000, 65536]) {
      const records: unknown[] = []
      const reader = createAccessLogReader({ onRecord: (record) => records.push(record) })
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
      expect(reader.end()).toEqual(whole.counts)
      expect(records).toEqual(whole.records)
    }
  })
})

/** Lines, not messages: a message of several lines counts as one parsed and the rest as other. */
function account({ kind, text }: LogFile): { parsed: number; other: number; unparsed: number } {
  if (kind === 'client') return accountCurl(text)
  if (text.trim() === '') return { parsed: 0, other: 0, unparsed: 0 }
  switch (kind) {
    case 'ztunnel': {
      const log = ztunnelLog.parse(text)
      return { parsed: log.records.length, other: log.others.length, unparsed: log.unparsed.length }
    }
    case 'istiod': {
      const log = istiodLog.parse(text)
      const parsed = log.entries.length + log.routine.length
      return { parsed, other: log.lines - log.unparsed.length - parsed, unparsed: log.unparsed.length }
    }
    case 'app':
      // Somebody else's log: none of its lines may be ours.
      return {
        parsed: 0,
        other: text
          .trimEnd()
          .split('\n')
          .filter((line) => readLogLine(line) === null).length,
        unparsed: 0,
      }
    case 'proxy':
    case 'init': {
      const { counts } = parseContainerLog(text)
      const other = counts.agent + counts.envoy + counts.ztunnel + counts.continuation + counts.blank
      return { parsed: counts.records, other, unparsed: counts.unparsed }
    }
  }
}

/** Every line of a transcript must have left its mark in what was read from it. */
function accountCurl(text: string): { parsed: number; other: number; unparsed: number } {
  const [transfer, ...more] = curl.parse(text)
  expect(more).toEqual([])
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  let parsed = 0
  let other = 0
  const headers = JSON.stringify([transfer?.requestHeaders, transfer?.responseHeaders])
  for (const line of lines) {
    const value = /^[<>] [^:]+: (.*)$/.exec(line)?.[1]?.trim()
    if (/^[{}] \[\d+ bytes|^[<>] ?$|^$|^\* +(?:TLS|ALPN)/.test(line)) other++
    else if (value !== undefined && headers.includes(JSON.stringify(value).slice(1, -1))) parsed++
    else if (line.startsWith('* ') && isTold(line.slice(1).trim(), transfer)) parsed++
    else if (/^(?:\$ curl|# exit|> [A-Z]+ |< HTTP)/.test(line)) parsed++
    else if (transfer?.body?.includes(line)) parsed++
  }
  return { parsed, other, unparsed: lines.length - parsed - other }
}

function isTold(note: string, transfer: ReturnType<typeof curl.parse>[number] | undefined): boolean {
  const told = [...(transfer?.notes ?? []), transfer?.errorText, ...(transfer?.tls?.errors ?? [])]
  const address = /(\d+\.\d+\.\d+\.\d+)/.exec(note)?.[1]
  return told.includes(note) || (address !== undefined && JSON.stringify(transfer).includes(address))
}

function kindOf(file: string): LogFile['kind'] {
  const container = file.split(/[\\/]/).at(-1)?.split('.')[0]
  if (/(^|[\\/])ztunnel-/.test(file)) return 'ztunnel'
  if (container === 'discovery') return 'istiod'
  if (container === 'istio-init') return 'init'
  return container === 'istio-proxy' ? 'proxy' : 'app'
}

function list(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

function read(capture: string, folder: string, file: string): string {
  return readMaybeGzipped(join(meshesFolder, capture, folder, file))
}
