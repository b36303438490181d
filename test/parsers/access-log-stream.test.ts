import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scanDefaultText } from '../../parsers/access-log/default-text.ts'
import {
  type AccessLogItem,
  createAccessLogReader,
  createAccessLogScanner,
  readAccessLog,
  scanAccessLog,
} from '../../parsers/access-log.ts'
import type { AccessLogRecord } from '../../src/model/access-log.ts'

const token = fc.string({ unit: fc.constantFrom(...'abc/|_.:[]{}9-'), minLength: 1, maxLength: 12 })
const free = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab "é😀-/\t[]'), maxLength: 20 }),
  fc.constantFrom(
    '" 200 - via_upstream - "-" 0 0 0 0 "',
    'x" "id" "a" "h" c l d r s route',
    '[2026-01-01T00:00:00Z] "',
  ),
)
const noQuote = fc.string({ unit: fc.constantFrom(...'ab-:.9 é'), minLength: 1, maxLength: 12 })

const fields = fc.record({
  path: token,
  code: fc.nat(599),
  flags: fc.constantFrom('-', 'UF', 'URX,UF', 'ZZ9'),
  details: fc.constantFrom('-', 'via_upstream', 'rbac_access_denied_matched_policy[ns[a]-policy[b]-rule[0]]'),
  agent: free,
  id: noQuote,
  authority: noQuote,
  host: token,
  cluster: token,
  sni: token,
  route: noQuote,
})
type Fields = typeof fields extends fc.Arbitrary<infer Value> ? Value : never

const toLine = (f: Fields) =>
  `[2026-08-20T10:15:01.037Z] "GET ${f.path} HTTP/1.1" ${f.code} ${f.flags} ${f.details} - "-" 0 1 2 3 "1.2.3.4" "${f.agent}" "${f.id}" "${f.authority}" "${f.host}" ${f.cluster} l d r ${f.sni} ${f.route}`

const jsonValue = fc.oneof(
  fc.constantFrom(
    null,
    '-',
    '',
    0,
    503,
    1.5,
    -1,
    true,
    '12',
    '1.5',
    'outbound|80||a;',
    'é',
    'a "b"',
    '1.2.3.4:5',
    [1],
    { a: 1 },
  ),
  fc.string({ maxLength: 5 }),
)
const jsonLine = fc
  .dictionary(
    fc.constantFrom(
      'response_code',
      'response_flags',
      'response_code_details',
      'route_name',
      'upstream_cluster',
      'downstream_remote_address',
      'method',
      'user_agent',
      'start_time',
      'level',
      'message',
      'own',
      '__proto__',
    ),
    jsonValue,
  )
  .chain((object) => fc.constantFrom(JSON.stringify(object), JSON.stringify(object, null, 1).replaceAll('\n', ' ')))

const anyLine = fc.oneof(
  { weight: 4, arbitrary: jsonLine },
  { weight: 4, arbitrary: fields.map(toLine) },
  fc.constantFrom(
    '',
    '2026-08-20T10:00:05.006185Z\tinfo\txdsproxy\tconnected\tid=1',
    '{"response_code":200,"response_flags":"-","user_agent":"é"}',
    '  continued',
    '[2026-08-20T10:15:01.037Z] "GET / HTTP/1.1" 200 -',
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
)

function collect(chunks: readonly (Uint8Array | string)[]): AccessLogItem[] {
  const items: AccessLogItem[] = []
  const reader = createAccessLogReader({
    onRecord: (record) => items.push({ kind: 'record', record }),
    onOther: (item) => items.push(item),
    onUnparsed: (item) => items.push(item),
  })
  for (const chunk of chunks) reader.push(chunk)
  reader.end()
  return items
}

async function* stream(chunks: readonly (Uint8Array | string)[]) {
  for (const chunk of chunks) yield chunk
}

describe('streams', () => {
  test('whatever a client puts into its headers, the fields it cannot reach keep their values', () => {
    fc.assert(
      fc.property(fields, (f) => {
        const [item] = collect([toLine(f)])
        if (item?.kind !== 'record') throw new Error(`not read: ${toLine(f)}`)
        const value = (text: string) => (text === '-' ? null : text)
        expect(item.record).toMatchObject({
          path: value(f.path),
          code: f.code,
          details: value(f.details),
          requestId: value(f.id),
          authority: value(f.authority),
          upstreamHost: value(f.host),
          upstreamCluster: value(f.cluster),
          sni: value(f.sni),
          routeName: value(f.route),
        })
      }),
      { numRuns: 500 },
    )
  })

  test('any chunking gives the same items, bytes or text', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 8 }), fc.array(fc.nat(200), { maxLength: 12 }), (lines, sizes) => {
        const text = lines.join('\n')
        const bytes = new TextEncoder().encode(text)
        const whole = collect([bytes])
        const pieces: Uint8Array[] = []
        const parts: string[] = []
        let at = 0
        let place = 0
        for (const size of sizes) {
          // The buffer is reused by some streams after a chunk was handed over.
          pieces.push(bytes.slice(at, at + size))
          parts.push(text.slice(place, place + size))
          at += size
          place += size
        }
        expect(collect([...pieces, bytes.subarray(at)])).toEqual(whole)
        expect(collect([...parts, text.slice(place)])).toEqual(whole)
      }),
      { numRuns: 300 },
    )
  })

  test('every line is one item, whatever it holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const items = collect([bytes])
        const lines =
          bytes.reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0) +
          (bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0)
        expect(items).toHaveLength(lines)
        items.forEach((item, index) => {
          expect(item.kind === 'record' ? item.record.line : item.line).toBe(index + 1)
        })
      }),
      { numRuns: 300 },
    )
  })

  test('the low-level view gives what the record gives', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 6 }), (lines) => {
        const seen: unknown[] = []
        const records: AccessLogRecord[] = []
        const scanner = createAccessLogScanner({
          onAccess(view) {
            seen.push({
              kind: view.isTcp() ? 'tcp' : 'http',
              code: view.number('code'),
              flags: view.text('flags')?.split(',') ?? [],
              details: view.text('details'),
              routeName: view.text('routeName'),
              upstreamCluster: view.text('upstreamCluster'),
              peer: view.peer(),
              line: view.line(),
              timeMs: view.timeMs(),
            })
            records.push(view.record())
          },
        })
        scanner.push(lines.join('\n'))
        scanner.end()
        expect(seen).toEqual(
          records.map((record) => ({
            kind: record.kind,
            code: record.code,
            flags: [...record.flags],
            details: record.details,
            routeName: record.routeName,
            upstreamCluster: record.upstreamCluster,
            peer: record.downstreamRemote?.replace(/:\d+$/, '') ?? null,
            line: record.line,
            timeMs: /^\d{4}-\d\d-\d\dT/.test(record.time ?? '') ? Date.parse(record.time ?? '') : null,
          })),
        )
      }),
      { numRuns: 300 },
    )
  })

  test('the asynchronous readers end with the same counts', async () => {
    const chunks = [
      '[2026-08-20T10:15:01.037Z] "- - -" 0 NR f - "-" 0 0 1 - "-" "-" "-" "-" "-" - - 10.0',
      '.0.1:1 r - -\nstray',
    ]
    const kinds: string[] = []
    const items = readAccessLog(stream(chunks))
    let next = await items.next()
    for (; !next.done; next = await items.next()) kinds.push(next.value.kind)
    expect(kinds).toEqual(['record', 'unparsed'])
    const codes: (number | null)[] = []
    const counts = await scanAccessLog(stream(chunks), (view) => codes.push(view.number('code')))
    expect(counts).toEqual(next.value)
    expect(codes).toEqual([0])
  })

  test('reading takes time in proportion to the line', () => {
    const hostile = [
      ' HTTP/1.1" 200 - ',
      '" "',
      ' - "-" 0 0 0 0 "',
      '[2026-',
      '"',
      ' ',
      '{',
      'x" 200 - v - "-" 1 1 1 1 "a" "',
    ]
    const spans = new Int32Array(48)
    for (const piece of hostile) {
      const time = (length: number) => {
        const bytes = new TextEncoder().encode(
          `[2026-08-20T10:15:01.037Z] "GET /${piece.repeat(length / piece.length)}`,
        )
        let best = Number.POSITIVE_INFINITY
        for (let run = 0; run < 3; run++) {
          const started = performance.now()
          scanDefaultText(bytes, 0, bytes.length, spans)
          best = Math.min(best, performance.now() - started)
        }
        return best
      }
      const [small, large] = [time(100_000), time(800_000)]
      if (large > 100) expect(large / Math.max(small, 1), piece).toBeLessThan(30)
    }
  })
})
