import { describe, expect, test } from 'vitest'
import { answeredBy } from '../../src/mesh/answered-by.ts'
import { lineVerdict, lineWriter } from '../../src/mesh/line-writer.ts'
import type { AccessLogRecord } from '../../src/model/access-log.ts'
import { readAccessLine, readZtunnelLine } from './read-lines.ts'

function http(
  said: string,
  rest: { cluster?: string; upstream?: string; time?: string; sni?: string; xff?: string; route?: string } = {},
) {
  const { cluster = '-', upstream = '-', time = '-', sni = '-', xff = '-', route = 'default' } = rest
  return must(
    `[2026-03-01T10:15:01.037Z] "GET /x HTTP/1.1" ${said} - "-" 0 19 5 ${time} "${xff}" "c" "id-1" "books.lib:9000" "${upstream}" ${cluster} 10.2.0.5:1 10.96.1.1:9000 10.2.0.5:40112 ${sni} ${route}`,
  )
}

function tcp(flags: string, rest: { details?: string; termination?: string; cluster?: string } = {}) {
  const { details = '-', termination = '-', cluster = '-' } = rest
  return must(
    `[2026-03-01T10:15:01.037Z] "- - -" 0 ${flags} ${details} ${termination} "-" 20 0 5 - "-" "-" "-" "-" "-" ${cluster} - 10.2.0.11:8080 10.2.0.5:40112 - -`,
  )
}

function must(line: string): AccessLogRecord {
  const record = readAccessLine(line)
  if (!record) throw new Error(`not readable: ${line}`)
  return record
}

const outbound = 'outbound|9000||books.lib.svc.cluster.local'
const inbound = 'inbound|8080||'
const meshSni = 'outbound_.9000_._.books.lib.svc.cluster.local'
const passed = (code: number) =>
  http(`${code} - via_upstream`, { cluster: outbound, upstream: '10.2.0.11:8080', time: '4' })
const served = (code: number) =>
  http(`${code} - via_upstream`, { cluster: inbound, upstream: '10.2.0.11:8080', time: '3', sni: meshSni })
const denied = http('403 - rbac_access_denied_matched_policy[none]', { cluster: inbound, sni: meshSni })
const noChain = tcp('NR', { details: 'filter_chain_not_found' })

describe('lines of both sides', () => {
  test('a 503 passed on at the caller alone proves nothing about the application', () => {
    const answer = answeredBy({ clientLine: passed(503) })
    expect(answer).toMatchObject({ hop: 'unknown', certainty: 'possible', supports: ['clientLine'] })
    expect(answer.because).toContain('proves only')
  })

  test.each([
    ['UF', '503 UF upstream_reset_before_response_started{connection_timeout}'],
    ['UH', '503 UH no_healthy_upstream'],
    ['NC', '503 NC cluster_not_found'],
    ['NR', '404 NR route_not_found'],
    ['UO', '503 UO upstream_reset_before_response_started{overflow}'],
    ['UT', '504 UT response_timeout'],
    ['UC', '503 UC upstream_reset_before_response_started{connection_termination}'],
    ['FI', '500 FI fault_filter_abort'],
    ['block_all', '502 - direct_response'],
    ['RL', '429 RL local_rate_limited'],
  ])('%s at the caller is the caller’s proxy', (_, said) => {
    expect(answeredBy({ clientLine: http(said, { cluster: outbound }) })).toMatchObject({
      hop: 'client-proxy',
      certainty: 'proven',
    })
  })

  test('a denial at the server is the server’s proxy, whatever the caller’s line passed on', () => {
    expect(answeredBy({ clientLine: passed(403), serverLine: denied })).toMatchObject({
      hop: 'server-proxy',
      certainty: 'proven',
      supports: ['clientLine', 'serverLine'],
    })
  })

  test('via_upstream at the server is the application', () => {
    expect(answeredBy({ clientLine: passed(403), serverLine: served(403) })).toMatchObject({
      hop: 'app',
      certainty: 'proven',
    })
  })

  test('via_upstream wins over a retry flag beside it', () => {
    const line = http('503 URX via_upstream', { cluster: inbound, upstream: '10.2.0.11:8080', time: '3', sni: meshSni })
    expect(answeredBy({ serverLine: line })).toMatchObject({ hop: 'app' })
  })

  test('a timeout of the caller’s proxy stays its own although the server logs that the caller left', () => {
    const left = http('0 DC downstream_remote_disconnect', {
      cluster: inbound,
      upstream: '10.2.0.11:8080',
      sni: meshSni,
    })
    expect(
      answeredBy({ clientLine: http('504 UT response_timeout', { cluster: outbound }), serverLine: left }),
    ).toMatchObject({
      hop: 'client-proxy',
    })
    expect(answeredBy({ serverLine: left })).toMatchObject({ hop: 'nobody', certainty: 'likely' })
  })

  test('plaintext refused by the server’s listener, with and without a proxy at the caller', () => {
    expect(answeredBy({ serverLine: noChain, curlError: 56, clientHasProxy: false })).toMatchObject({
      hop: 'server-proxy',
      certainty: 'proven',
    })
    const uc = http('503 UC upstream_reset_before_response_started{connection_termination}', { cluster: outbound })
    expect(answeredBy({ clientLine: uc, serverLine: noChain })).toMatchObject({ hop: 'client-proxy' })
    expect(answeredBy({ clientLine: tcp('UR', { cluster: outbound }), serverLine: noChain })).toMatchObject({
      hop: 'server-proxy',
    })
  })

  test('a TCP denial is the server’s proxy', () => {
    const line = tcp('-', { termination: 'rbac_access_denied_matched_policy[none]', cluster: inbound })
    expect(answeredBy({ clientLine: tcp('-', { cluster: outbound }), serverLine: line })).toMatchObject({
      hop: 'server-proxy',
      certainty: 'proven',
    })
  })

  test('no proxy behind the caller’s line leaves the application', () => {
    expect(answeredBy({ clientLine: passed(500), serverHasProxy: false })).toMatchObject({
      hop: 'app',
      certainty: 'proven',
    })
    expect(answeredBy({ clientLine: passed(500), serverIsExternal: true })).toMatchObject({ hop: 'external' })
  })

  test('a missing line means something only where the log was readable, and even then not everything', () => {
    const silent = answeredBy({ clientLine: passed(503), serverHasProxy: true, serverLogReadable: true })
    expect(silent.hop).toBe('unknown')
    expect(silent.because).toContain('although its log was read')
    expect(answeredBy({ clientLine: passed(503), serverHasProxy: true }).because).toContain('was not read')
  })

  test('a gateway, an egress gateway and a waypoint answer for themselves', () => {
    const own = http('404 NR route_not_found')
    expect(answeredBy({ gatewayLine: own })).toMatchObject({ hop: 'gateway' })
    expect(answeredBy({ clientLine: passed(404), egressGatewayLine: own })).toMatchObject({ hop: 'egress-gateway' })
    expect(answeredBy({ gatewayLine: passed(403), waypointLine: denied })).toMatchObject({ hop: 'waypoint' })
    expect(answeredBy({ gatewayLine: passed(200), waypointLine: passed(200) })).toMatchObject({
      hop: 'app',
      certainty: 'likely',
    })
  })
})

describe('ztunnel', () => {
  const line = (direction: string, error: string) => {
    const record = readZtunnelLine(
      `2026-03-01T10:20:04.031676Z\terror\taccess\tconnection complete\tsrc.addr=10.2.0.5:1 dst.addr=10.2.1.7:15008 direction="${direction}" bytes_sent=0 bytes_recv=0 duration="0ms" error="${error}"`,
    )
    if (!record) throw new Error('unreadable')
    return record
  }

  test('a refusal is ztunnel’s, and the destination’s line is quoted before the caller’s', () => {
    const answer = answeredBy({
      curlError: 'curl: (52) Empty reply from server',
      ztunnelLines: [
        line('outbound', 'http status: 401 Unauthorized'),
        line('inbound', 'connection closed due to policy rejection: explicitly denied by: lib/x'),
      ],
    })
    expect(answer).toMatchObject({ hop: 'ztunnel', certainty: 'proven' })
    expect(answer.because).toContain('explicitly denied by: lib/x')
  })

  test('a waypoint that answers over HTTP comes first', () => {
    const waypointLine = http('503 UC upstream_reset_before_response_started{connection_termination}', {
      cluster: 'inbound-vip|80|http|books.lib.svc.cluster.local',
    })
    expect(
      answeredBy({ waypointLine, ztunnelLines: [line('inbound', 'connection closed due to policy rejection')] }),
    ).toMatchObject({ hop: 'waypoint' })
  })
})

describe('only what the caller saw', () => {
  const response = (status: number, headers: Record<string, string>, body: string | null = null) => ({
    status,
    headers,
    body,
  })

  test.each([
    ['envoy without upstream time', response(503, { server: 'envoy' }), {}, 'client-proxy'],
    [
      'envoy with upstream time and a proxy’s body',
      response(403, { server: 'envoy', 'x-envoy-upstream-service-time': '1' }, 'RBAC: access denied'),
      {},
      'server-proxy',
    ],
    [
      'envoy with upstream time and another body',
      response(403, { server: 'envoy', 'x-envoy-upstream-service-time': '1' }, '{"error":"no"}'),
      {},
      'app',
    ],
    [
      'envoy with upstream time, no body',
      response(503, { server: 'envoy', 'x-envoy-upstream-service-time': '1' }),
      {},
      'unknown',
    ],
    ['istio-envoy through a gateway', response(404, { server: 'istio-envoy' }), { throughGateway: true }, 'gateway'],
    [
      'istio-envoy towards a caller without proxy',
      response(403, { server: 'istio-envoy' }, 'RBAC: access denied'),
      { clientHasProxy: false, serverHasProxy: true },
      'server-proxy',
    ],
    ['istio-envoy, nothing else known', response(403, { server: 'istio-envoy' }), {}, 'unknown'],
    ['the application’s own header', response(500, { server: 'gunicorn' }), {}, 'app'],
    [
      'a JWT text from behind',
      response(401, { server: 'envoy', 'x-envoy-upstream-service-time': '0' }, 'Jwt is expired'),
      {},
      'server-proxy',
    ],
  ] as const)('%s', (_, seen, around, hop) => {
    const answer = answeredBy({ response: seen, ...around })
    expect(answer.hop).toBe(hop)
    expect(answer.certainty).not.toBe('proven')
  })

  test.each([
    [6, {}, 'nobody'],
    [7, {}, 'nobody'],
    [28, {}, 'nobody'],
    [35, { throughGateway: true }, 'gateway'],
    [35, {}, 'unknown'],
    [56, { clientHasProxy: false, serverHasProxy: true }, 'server-proxy'],
    ['curl: (52) Empty reply from server', {}, 'unknown'],
    ['Recv failure: Connection reset by peer', { clientHasProxy: false, serverHasProxy: true }, 'server-proxy'],
  ] as const)('curl %s with %o', (curlError, around, hop) => {
    expect(answeredBy({ curlError, ...around }).hop).toBe(hop)
  })

  test('nothing known is unknown, not healthy', () => {
    expect(answeredBy({})).toMatchObject({ hop: 'unknown', certainty: 'possible', supports: [] })
  })
})

describe('which proxy wrote a line', () => {
  test.each([
    ['outbound cluster', passed(200), 'client-proxy'],
    ['inbound cluster', served(200), 'server-proxy'],
    [
      'waypoint cluster',
      http('200 - via_upstream', { cluster: 'inbound-vip|80|http|b.lib.svc.cluster.local' }),
      'waypoint',
    ],
    ['outside SNI', http('200 - via_upstream', { cluster: outbound, sni: 'shop.example.com' }), 'gateway'],
    ['forwarded for', http('404 NR route_not_found', { xff: '203.0.113.9', route: '-' }), 'gateway'],
    ['block_all', http('502 - direct_response', { route: 'block_all' }), 'client-proxy'],
    ['no filter chain', noChain, 'server-proxy'],
    ['passthrough', tcp('-', { cluster: 'PassthroughCluster' }), 'client-proxy'],
    ['inbound passthrough', tcp('-', { cluster: 'InboundPassthroughCluster' }), 'server-proxy'],
    ['nothing to go by', http('404 NR route_not_found', { route: '-' }), 'unknown'],
  ] as const)('%s', (_, line, role) => {
    expect(lineWriter(line).role).toBe(role)
  })

  test('a line of a format without details is judged by upstream time and flags', () => {
    const bare = { ...passed(500), details: null }
    expect(lineVerdict(bare)).toBe('passed-on')
    expect(lineVerdict({ ...bare, upstreamTimeMs: null, flags: ['UF'] })).toBe('own')
    expect(lineVerdict({ ...bare, upstreamTimeMs: null, upstreamHost: null })).toBe('own')
  })
})
