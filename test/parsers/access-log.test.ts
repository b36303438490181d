import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import accessLog, { createAccessLogReader, parseAccessLog, parseAccessLogLine } from '../../parsers/access-log.ts'
import type { AccessLogRecord } from '../../src/model/access-log.ts'
import { ParseError } from '../../src/model/errors.ts'
import { hasShared, sharedFolder } from '../helpers/shared.ts'

function readRecord(line: string): AccessLogRecord {
  const item = parseAccessLogLine(line)
  if (item.kind !== 'record') throw new Error(`not read: ${JSON.stringify(item)}`)
  return item.record
}

const head = '[2026-08-20T10:15:01.037Z] "GET /items HTTP/1.1" 503 UF,URX upstream_reset{x} - "-" 1 2 3 4 '
const tail = ' outbound|80||a.b.svc.cluster.local 10.0.0.1:1 10.0.0.2:80 10.0.0.3:3 - default'
const line = (forwarded: string, agent: string, id = 'id-1') =>
  `${head}"${forwarded}" "${agent}" "${id}" "a.b" "10.0.0.4:80"${tail}`

describe('the default text format', () => {
  test('every field has its place', () => {
    expect(readRecord(line('1.2.3.4, 5.6.7.8', 'curl/8'))).toEqual({
      kind: 'http',
      time: '2026-08-20T10:15:01.037Z',
      method: 'GET',
      path: '/items',
      protocol: 'HTTP/1.1',
      code: 503,
      flags: ['UF', 'URX'],
      details: 'upstream_reset{x}',
      termination: null,
      transportFailure: null,
      bytesReceived: 1,
      bytesSent: 2,
      durationMs: 3,
      upstreamTimeMs: 4,
      forwardedFor: '1.2.3.4, 5.6.7.8',
      userAgent: 'curl/8',
      requestId: 'id-1',
      authority: 'a.b',
      upstreamHost: '10.0.0.4:80',
      upstreamCluster: 'outbound|80||a.b.svc.cluster.local',
      upstreamLocal: '10.0.0.1:1',
      downstreamLocal: '10.0.0.2:80',
      downstreamRemote: '10.0.0.3:3',
      sni: null,
      routeName: 'default',
      extra: {},
      format: 'text',
      raw: line('1.2.3.4, 5.6.7.8', 'curl/8'),
      line: 1,
    })
  })

  test.each([
    ['a quote', 'x "quoted" y'],
    ['the beginning of an answer', 'x" 200 - via_upstream'],
    ['a whole answer', 'x HTTP/1.1" 200 - via_upstream - "-" 0 0 0 0 "-" "y'],
    ['a whole tail', 'x" "id-9" "evil" "6.6.6.6:1" outbound|1||evil 1:1 2:2 3:3 sni evil'],
    [
      'a whole line',
      'x" "i" "a" "h" c l d r s route\t[2026-01-01T00:00:00.000Z] "GET / HTTP/1.1" 200 - via_upstream - "-" 0 0 0 0 "-" "x" "y" "z" "w" a b c d e f',
    ],
    ['control characters', '\u001b[31mred\u0007\u0000'],
  ])('%s in the user agent shifts no field', (_, agent) => {
    const record = readRecord(line('-', agent))
    const expected = readRecord(line('-', 'curl/8'))
    expect({ ...record, raw: '', userAgent: null, ambiguous: undefined }).toEqual({
      ...expected,
      raw: '',
      userAgent: null,
      ambiguous: undefined,
    })
    expect(record.userAgent).toBe(agent)
  })

  test('a second complete answer among the headers is said to be there', () => {
    expect(readRecord(line('-', 'x HTTP/1.1" 200 - via_upstream - "-" 0 0 0 0 "-" "y')).ambiguous).toBe(true)
    expect(readRecord(line('-', 'x "quoted"'))).not.toHaveProperty('ambiguous')
  })

  test('a forged forwarded-for leaves everything but itself and the user agent alone', () => {
    const record = readRecord(line('1" "x" "y" "z', 'curl/8'))
    expect(record).toMatchObject({ code: 503, requestId: 'id-1', authority: 'a.b', routeName: 'default' })
  })

  test('a trailing delimiter of the cluster is not part of its name', () => {
    expect(readRecord(line('-', '-').replace('cluster.local ', 'cluster.local; ')).upstreamCluster).toBe(
      'outbound|80||a.b.svc.cluster.local',
    )
  })

  test('with omitEmptyValues nothing stands where a dash was', () => {
    const record = readRecord(
      '[2026-08-20T10:15:01.037Z] "GET / HTTP/1.1" 200  via_upstream  "" 0 135 4  "" "" "i" "a" "" outbound|80||a  10.0.0.2:80 10.0.0.3:3  ',
    )
    expect(record).toMatchObject({
      flags: [],
      details: 'via_upstream',
      termination: null,
      transportFailure: null,
      upstreamTimeMs: null,
      userAgent: null,
      upstreamHost: null,
      upstreamLocal: null,
      downstreamRemote: '10.0.0.3:3',
      sni: null,
      routeName: null,
    })
  })

  test('details of old proxies keep the blanks inside their braces', () => {
    const record = readRecord(
      line('-', '-').replace(
        'upstream_reset{x} -',
        'upstream_reset{connection failure,TLS error: 268435703:SSL routines:X} -',
      ),
    )
    expect(record.details).toBe('upstream_reset{connection failure,TLS error: 268435703:SSL routines:X}')
    expect(record.termination).toBeNull()
  })

  test('invalid UTF-8, NULs and carriage returns cost nothing but themselves', () => {
    const bytes = new TextEncoder().encode(`\0\0${line('-', 'Zürich?')}\r\n${line('-', 'ok')}\r\n`)
    bytes[bytes.indexOf(0x3f)] = 0xff
    const records: AccessLogRecord[] = []
    const reader = createAccessLogReader({ onRecord: (record) => records.push(record) })
    reader.push(bytes)
    expect(reader.end()).toMatchObject({ lines: 2, records: 2 })
    expect(records.map(({ userAgent }) => userAgent)).toEqual(['Zürich\ufffd', 'ok'])
    expect(records.map(({ routeName }) => routeName)).toEqual(['default', 'default'])
  })
})

describe('what is not a whole line of the format', () => {
  const whole = line('-', 'curl/8')

  test('a line cut anywhere before its route is unparsed and kept', () => {
    for (let length = 30; length < whole.length - 'default'.length; length += 1) {
      const item = parseAccessLogLine(whole.slice(0, length))
      expect(item.kind, whole.slice(0, length)).toBe('unparsed')
      expect(item).toMatchObject({ text: whole.slice(0, length) })
    }
  })

  test('a line whose beginning is missing is unparsed', () => {
    for (let from = 1; from < whole.length; from += 7) {
      const item = parseAccessLogLine(whole.slice(from))
      // From the quote before the method on it is a line published without its time.
      if (whole[from] === '"' && from < 40) expect(item.kind).toBe('record')
      else expect(item.kind, whole.slice(from)).toBe('unparsed')
    }
  })

  test('two lines written into one another are not read as one', () => {
    const item = parseAccessLogLine(whole.slice(0, 80) + whole)
    expect(item).toMatchObject({ kind: 'unparsed', why: expect.stringContaining('into one another') })
  })

  test('an older or appended format is said to be another format', () => {
    const old =
      '[2020-11-22T20:04:32.765Z] "GET /p HTTP/1.1" 500 - "-" "-" 0 122 11939 11933 "-" "P" "66fa" "1.2.3.4:1" "127.0.0.1:8080" inbound|8080|http-8080|s 127.0.0.1:1 1.1.1.1:2 3.3.3.3:3 - default'
    expect(parseAccessLogLine(old)).toMatchObject({
      kind: 'unparsed',
      why: expect.stringContaining('has not the fields'),
    })
    expect(parseAccessLogLine(`${whole} "trace-1"`)).toMatchObject({
      kind: 'unparsed',
      why: expect.stringContaining('has not the fields'),
    })
  })

  test('a line of 10 MB is counted and bounded', () => {
    const { counts, unparsed } = parseAccessLog(`${line('-', 'x'.repeat(10_000_000))}\n${whole}\n`)
    expect(counts).toMatchObject({ lines: 2, records: 1, unparsed: 1 })
    expect(unparsed[0]?.text.length).toBeLessThanOrEqual(4096)
  })

  test('a long line within the limit is read, its raw text bounded', () => {
    const record = readRecord(line('-', 'x'.repeat(100_000)))
    expect(record.userAgent).toHaveLength(100_000)
    expect(record.raw.length).toBeLessThanOrEqual(4096)
  })
})

describe('JSON', () => {
  const object = {
    route_name: 'r',
    response_code: 503,
    start_time: '2026-08-20T10:15:01.037Z',
    method: 'GET',
    path: '/x',
    protocol: 'HTTP/2',
    response_flags: '-',
    duration: '12',
    upstream_service_time: '8',
    bytes_sent: '0',
    upstream_cluster: 'outbound|80||a;',
    user_agent: 'a "b"',
    istio_policy_status: '-',
    nested: { deep: [1] },
    requested_server_name: null,
  }
  test('key order and value types do not matter, unknown keys are kept', () => {
    const shuffled = Object.fromEntries(Object.entries(object).reverse())
    for (const text of [JSON.stringify(object), JSON.stringify(shuffled), ` ${JSON.stringify(object)} `]) {
      expect(readRecord(text.trimStart())).toMatchObject({
        kind: 'http',
        code: 503,
        flags: [],
        durationMs: 12,
        upstreamTimeMs: 8,
        bytesSent: 0,
        upstreamCluster: 'outbound|80||a',
        userAgent: 'a "b"',
        sni: null,
        extra: { istio_policy_status: '-', nested: { deep: [1] } },
        format: 'json',
      })
    }
  })

  test('a value of a strange type is kept aside instead of guessed', () => {
    const record = readRecord('{"response_code":[503],"response_flags":"UF","method":{"x":1},"duration":"soon"}')
    expect(record).toMatchObject({ code: null, method: null, durationMs: null })
    expect(record.extra).toEqual({ response_code: [503], method: { x: 1 }, duration: 'soon' })
  })

  test('a key that means something to JavaScript is only a key', () => {
    const record = readRecord('{"__proto__":{"x":1},"response_code":200,"constructor":"c"}')
    expect(Object.keys(record.extra)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  test('the two encodings of one line agree', () => {
    const text = readRecord(line('1.2.3.4', 'curl/8'))
    const { format: _, raw: __, ...fields } = text
    const json = {
      start_time: fields.time,
      method: fields.method,
      path: fields.path,
      protocol: fields.protocol,
      response_code: fields.code,
      response_flags: fields.flags.join(','),
      response_code_details: fields.details,
      connection_termination_details: null,
      upstream_transport_failure_reason: null,
      bytes_received: 1,
      bytes_sent: 2,
      duration: 3,
      upstream_service_time: '4',
      x_forwarded_for: fields.forwardedFor,
      user_agent: fields.userAgent,
      request_id: fields.requestId,
      authority: fields.authority,
      upstream_host: fields.upstreamHost,
      upstream_cluster: fields.upstreamCluster,
      upstream_local_address: fields.upstreamLocal,
      downstream_local_address: fields.downstreamLocal,
      downstream_remote_address: fields.downstreamRemote,
      requested_server_name: null,
      route_name: fields.routeName,
    }
    const { format: ___, raw: ____, ...fromJson } = readRecord(JSON.stringify(json))
    expect(fromJson).toEqual(fields)
  })
})

describe('lines of other producers', () => {
  const agent = '2026-08-20T10:00:05.006185Z\tinfo\txdsproxy\tconnected to delta upstream XDS server: i:15012\tid=1'
  const envoy = '2026-08-20T10:00:09.011133Z\twarning\tenvoy config external/x.cc:155\tstream closed: 14\tthread=14'

  test('are counted by producer, with what continues them', () => {
    const { counts, others } = parseAccessLog(
      [agent, envoy, "':authority', 'x'", '', '\tthread=1', line('-', '-'), '  stray'].join('\n'),
    )
    expect(counts).toEqual({
      lines: 7,
      records: 1,
      unparsed: 1,
      other: { agent: 1, envoy: 1, ztunnel: 0, continuation: 2, blank: 1 },
    })
    expect(others.map(({ what }) => what)).toEqual(['agent', 'envoy', 'continuation', 'blank', 'continuation'])
  })

  test('a broken access-log line after an agent line is not taken for its continuation', () => {
    const { counts } = parseAccessLog(`${agent}\n${line('-', '-').slice(0, 100)}\n`)
    expect(counts).toMatchObject({ unparsed: 1, other: { continuation: 0 } })
  })

  test.each([
    ['kubectl --timestamps', '2026-08-20T10:15:02.123456789Z ', undefined],
    ['kubectl --prefix', '[pod/web-1/istio-proxy] ', 'pod/web-1/istio-proxy'],
    ['both', '[pod/web-1/istio-proxy] 2026-08-20T10:15:02.123456789Z ', 'pod/web-1/istio-proxy'],
    ['stern', 'web-1 istio-proxy ', 'web-1 istio-proxy'],
    ['containerd', '2026-08-20T10:15:02.123456789+00:00 stdout F ', undefined],
  ])('a prefix of %s is taken off', (_, prefix, source) => {
    const json = '{"response_code":200,"response_flags":"-"}'
    const { records, counts } = parseAccessLog([line('-', '-'), json, agent].map((one) => prefix + one).join('\n'))
    expect(counts).toMatchObject({ lines: 3, records: 2, unparsed: 0, other: { agent: 1 } })
    expect(records[0]?.source).toBe(source)
    expect(records[0]?.routeName).toBe('default')
  })

  test("docker's file driver wraps lines in JSON", () => {
    const wrapped = JSON.stringify({ log: `${line('-', '-')}\n`, stream: 'stdout', time: '2026-08-20T10:15:02Z' })
    expect(readRecord(wrapped).code).toBe(503)
  })
})

describe('the parser as a unit', () => {
  test('refuses foreign text and accepts an empty log', () => {
    expect(() => accessLog.parse('Error from server (NotFound): pods "x" not found\n')).toThrow(ParseError)
    expect(() => accessLog.parse('ENDPOINT  STATUS\n10.0.0.1 HEALTHY\n')).toThrow(ParseError)
    expect(accessLog.parse('').records).toEqual([])
  })
})

describe.skipIf(!hasShared)('the samples of the facts', () => {
  const facts = hasShared ? readFileSync(join(sharedFolder, 'facts/access-log.md'), 'utf8') : ''
  const section = facts.slice(facts.indexOf('## 8. Samples'), facts.indexOf('## 9. '))
  const classes = [...section.matchAll(/#### SYNTHETIC — ([^\n]*)\n```text\n([\s\S]*?)```/g)].map(
    ([, title = '', text = '']) => [title, text.trim().split('\n')] as const,
  )
  const real = [...section.matchAll(/^`([^`]{40,})`/gm)].map(([, sample = '']) => sample)

  test('are there', () => {
    expect(classes.length).toBeGreaterThanOrEqual(9)
    expect(real.length).toBeGreaterThanOrEqual(15)
  })
  test.each(classes)('%s', (title, lines) => {
    for (const sample of lines) {
      const item = parseAccessLogLine(sample)
      if (title.startsWith('ztunnel')) expect(item, sample).toMatchObject({ kind: 'other', what: 'ztunnel' })
      else if (title.startsWith('Not access')) expect(item.kind, sample).toBe('other')
      else expect(item.kind, sample).toBe('record')
    }
  })
  test('the real ones, of which one has another format', () => {
    const results = real.map((sample) => parseAccessLogLine(sample))
    expect(results.filter(({ kind }) => kind === 'unparsed')).toHaveLength(1)
    expect(results.filter(({ kind }) => kind === 'record')).toHaveLength(9)
    expect(results.filter(({ kind }) => kind === 'other')).toHaveLength(5)
  })
  test('hostile lines keep the fields that clients cannot reach', () => {
    const lines = classes.find(([title]) => title.startsWith('Hostile'))?.[1] ?? []
    const records = lines.map(readRecord)
    expect(records.map(({ code }) => code)).toEqual([200, 200, 200, 200, 200, 200, 503, 0, 503, 101, 200, 503])
    expect(records[0]?.userAgent).toBe('Mozilla/5.0 (X11; "quoted" build) x')
    expect(records[1]?.path).toBe('/search?q="a"&b=1')
    expect(records[4]?.upstreamHost).toBe('[fd00::7]:9080')
    expect(records[7]?.termination).toBe('transport socket timeout was reached')
    expect(records[10]?.routeName).toBe('my route, with spaces')
  })
})

describe.skipIf(!hasShared)('the oracle', () => {
  test("every line of a client's or server's proxy is read", () => {
    const folder = join(sharedFolder, 'oracle')
    let count = 0
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.json'),
    )) {
      const lines = JSON.stringify(JSON.parse(readFileSync(join(folder, file), 'utf8'))).matchAll(
        /"(?:clientLine|serverLine)":("(?:[^"\\]|\\.)*")/g,
      )
      for (const [, quoted = ''] of lines) {
        expect(readRecord(JSON.parse(quoted) as string).time).not.toBeNull()
        count++
      }
    }
    expect(count).toBeGreaterThan(100)
  })
})
