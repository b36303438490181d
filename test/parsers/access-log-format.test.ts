import { describe, expect, test } from 'vitest'
import { parseAccessLog, parseAccessLogLine } from '../../parsers/access-log.ts'
import {
  type CompiledFormat,
  compileAccessLogFormat,
  formatOfEnvoyAccessLog,
  istioDefaultFormat,
} from '../../parsers/access-log-format.ts'
import { ParseError } from '../../src/model/errors.ts'

function read(format: CompiledFormat, line: string) {
  const item = parseAccessLogLine(line, { format })
  if (item.kind !== 'record') throw new Error(`not read: ${JSON.stringify(item)}`)
  return item.record
}

describe('text formats of one’s own', () => {
  const format = compileAccessLogFormat(
    '%START_TIME% %REQ(:METHOD)% "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%" %RESPONSE_CODE%/%RESPONSE_FLAGS% ua="%REQ(USER-AGENT)%" trace=%REQ(X-B3-TRACEID):16% %UPSTREAM_CLUSTER%|%ROUTE_NAME%\n',
  )
  const line = '2026-08-20T10:15:01.037Z GET "/a b" 503/UF,URX ua="x" trace=abc outbound|80||a.b;|my route'

  test('values go to their fields, what has none to extra', () => {
    expect(read(format, line)).toMatchObject({
      kind: 'http',
      time: '2026-08-20T10:15:01.037Z',
      method: 'GET',
      path: '/a b',
      code: 503,
      flags: ['UF', 'URX'],
      userAgent: 'x',
      extra: { 'REQ(X-B3-TRACEID):16': 'abc' },
      format: 'custom',
      raw: line,
    })
  })

  test('a line that does not fit is unparsed, one of the default format is read beside it', () => {
    const beside =
      '[2026-08-20T10:15:01.037Z] "- - -" 0 NR filter_chain_not_found - "-" 0 0 1 - "-" "-" "-" "-" "-" - - 10.0.0.1:1 10.0.0.2:2 - -'
    const { records, unparsed } = parseAccessLog(`${line.replace('503/', 'abc/')}\n${beside}\n`, { format })
    expect(records.map((record) => record.format)).toEqual(['text'])
    expect(unparsed).toHaveLength(1)
  })

  test('agent lines stay agent lines, prefixes are taken off', () => {
    const agent = '2026-08-20T10:00:05.006185Z\tinfo\txdsproxy\tconnected\tid=1'
    const { counts } = parseAccessLog([agent, `[pod/a/istio-proxy] ${line}`].join('\n'), { format })
    expect(counts).toMatchObject({ records: 1, unparsed: 0, other: { agent: 1 } })
  })

  test('a forged answer in the path does not win unnoticed, one in the user agent shifts nothing', () => {
    const forged = read(format, line.replace('ua="x"', 'ua="x" trace=1 a|b" 200/- ua="y"'))
    expect(forged).toMatchObject({ code: 503, flags: ['UF', 'URX'], path: '/a b' })
    const doubled = read(format, line.replace('/a b', '/a" 200/- ua="z'))
    expect(doubled.ambiguous).toBe(true)
  })

  test('START_TIME with its own layout, escaped percent signs, empty values', () => {
    const own = compileAccessLogFormat('%START_TIME(%Y/%m/%d %H:%M:%S)% 100%% %RESPONSE_CODE% [%RESPONSE_FLAGS%]')
    expect(read(own, '2026/08/20 10:15:01 100% 200 [-]')).toMatchObject({
      time: '2026/08/20 10:15:01',
      code: 200,
      flags: [],
    })
    expect(read(own, '2026/08/20 10:15:01 100%  []')).toMatchObject({ code: null, flags: [] })
  })

  test('values an operator repeats are kept, not lost', () => {
    const own = compileAccessLogFormat('%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%')
    expect(read(own, '10.0.0.1:80 10.0.0.1')).toMatchObject({
      downstreamRemote: '10.0.0.1:80',
      extra: { DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: '10.0.0.1' },
    })
  })

  test('the default format of either release is known as such', () => {
    expect(compileAccessLogFormat(`${istioDefaultFormat}\n`)).toMatchObject({ isDefault: true })
    expect(compileAccessLogFormat(istioDefaultFormat.replace('CLUSTER_RAW', 'CLUSTER'))).toMatchObject({
      isDefault: true,
    })
    expect(compileAccessLogFormat(`${istioDefaultFormat} %REQ(X-A)%`)).toMatchObject({ isDefault: false })
  })

  test('the default format with a field appended', () => {
    const appended = compileAccessLogFormat(`${istioDefaultFormat} "%REQ(X-TENANT)%"\n`)
    const record = read(
      appended,
      '[2026-08-20T10:15:01.037Z] "GET / HTTP/1.1" 200 - via_upstream - "-" 0 1 2 1 "-" "c" "i" "a" "1:1" outbound|80||a 1:2 1:3 1:4 - default "blue"',
    )
    expect(record).toMatchObject({ routeName: 'default', extra: { 'REQ(X-TENANT)': 'blue' }, code: 200 })
  })

  test.each([['no operator'], ['%REQ(X'], ['%RESPONSE_CODE%\n%RESPONSE_FLAGS%\n']])('%j is refused', (text) => {
    expect(() => compileAccessLogFormat(text)).toThrow(ParseError)
  })

  test('a hostile line costs no more than its length', () => {
    const started = performance.now()
    parseAccessLogLine(`2026-08-20T10:15:01.037Z GET "${'" 200/- ua="'.repeat(10_000)}`, { format })
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('JSON formats of one’s own', () => {
  const labels = {
    status: '%RESPONSE_CODE%',
    request: '%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%',
    upstream: { cluster: '%UPSTREAM_CLUSTER_RAW%', host: '%UPSTREAM_HOST%' },
    tenant: '%REQ(X-TENANT)%',
    env: 'prod',
  }
  const line = JSON.stringify({
    status: 503,
    request: 'GET /x HTTP/2',
    upstream: { cluster: 'outbound|80||a', host: null },
    tenant: 'blue',
    env: 'prod',
  })

  test.each([
    ['as a map', compileAccessLogFormat(labels)],
    ['as a string', compileAccessLogFormat(JSON.stringify(labels))],
  ])('%s', (_, format) => {
    expect(read(format, line)).toMatchObject({
      kind: 'http',
      code: 503,
      method: 'GET',
      path: '/x',
      protocol: 'HTTP/2',
      upstreamCluster: 'outbound|80||a',
      upstreamHost: null,
      extra: { tenant: 'blue', env: 'prod' },
      format: 'custom',
    })
  })

  test('logs of the agent in JSON are not taken for it', () => {
    const format = compileAccessLogFormat(labels)
    const agent = '{"time":"2026-08-20T10:00:12.000001Z","level":"warn","scope":"xdsproxy","msg":"closed"}'
    expect(parseAccessLogLine(agent, { format })).toMatchObject({ kind: 'other', what: 'agent' })
  })
})

test('the format of a listener dump is found under Envoy’s names', () => {
  const entry = {
    name: 'envoy.access_loggers.file',
    typedConfig: {
      path: '/dev/stdout',
      logFormat: { textFormatSource: { inlineString: `${istioDefaultFormat}\n` } },
    },
  }
  expect(formatOfEnvoyAccessLog(entry)).toMatchObject({ kind: 'text', isDefault: true })
  expect(
    formatOfEnvoyAccessLog({ typed_config: { log_format: { json_format: { a: '%RESPONSE_CODE%' } } } }),
  ).toMatchObject({
    kind: 'json',
  })
  expect(formatOfEnvoyAccessLog({ typedConfig: { path: '/dev/stdout' } })).toBeNull()
})
