import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseContainerLog } from '../../parsers/container-log.ts'
import istiodLog from '../../parsers/istiod-log.ts'
import { readFields, readLogLine } from '../../parsers/lib/log-line.ts'
import ztunnelLog, { isZtunnelRecord, parseZtunnelLine } from '../../parsers/ztunnel-log.ts'
import { ParseError } from '../../src/model/errors.ts'
import { hasShared, sharedFolder } from '../helpers/shared.ts'

const at = '2026-08-20T10:00:05.006185Z'

function connection(line: string) {
  const entry = parseZtunnelLine(line)
  if (!entry || !isZtunnelRecord(entry)) throw new Error(`no connection: ${line}`)
  return entry
}

describe('ztunnel', () => {
  const fields =
    'src.addr=10.0.0.1:2 src.workload="a" dst.addr=10.0.0.2:15008 dst.hbone_addr=10.0.0.2:80 direction="inbound" bytes_sent=1 bytes_recv=2 duration="13ms" error="policy said \\"no\\": a=b"'
  test.each([
    ['tabs', `${at}\terror\taccess\tconnection complete\t${fields}`],
    ['blanks', `${at} error access connection complete ${fields}`],
    ['wide blanks', `${at}     error   access  connection complete     ${fields}`],
    ['the older layout', `${at} ERROR access: connection complete ${fields}`],
    ['kubectl --timestamps', `2026-08-20T10:00:05.1Z ${at}\terror\taccess\tconnection complete\t${fields}`],
    ['kubectl --prefix', `[pod/ztunnel-1/istio-proxy] ${at}\terror\taccess\tconnection complete\t${fields}`],
  ])('%s', (_, line) => {
    expect(connection(line)).toMatchObject({
      time: at,
      level: 'error',
      scope: 'access',
      message: 'connection complete',
      direction: 'inbound',
      error: 'policy said "no": a=b',
      srcAddress: '10.0.0.1:2',
      srcWorkload: 'a',
      srcNamespace: null,
      srcIdentity: null,
      dstHboneAddress: '10.0.0.2:80',
      bytesSent: 1,
      bytesReceived: 2,
      durationMs: 13,
      extra: {},
    })
  })

  test('JSON says the same, unknown fields are kept', () => {
    const line = JSON.stringify({
      level: 'warn',
      time: at,
      scope: 'access',
      message: 'connection failed',
      'src.addr': '10.0.0.1:2',
      'src.cluster': 'east',
      direction: 'sideways',
      error: 'no healthy upstream: 10.0.0.2:80',
    })
    expect(connection(line)).toMatchObject({
      level: 'warn',
      direction: null,
      error: 'no healthy upstream: 10.0.0.2:80',
      extra: { 'src.cluster': 'east', direction: 'sideways' },
    })
  })

  test('lines about other things are kept in their own words', () => {
    const log = ztunnelLog.parse(
      `${at}\tinfo\tztunnel::readiness\tTask 'state manager' complete (1ms), marking server ready\n` +
        `${at}\twarn\txds::client:xds{id=1}\tXDS client error: gRPC error (Unavailable), retrying in 1s\n` +
        `${at}\terror\tproxy{node="a b"}:inbound\tfailed to do it\tcode=3\n`,
    )
    expect(log.records).toEqual([])
    expect(log.others.map(({ scope, message }) => [scope, message])).toEqual([
      ['ztunnel::readiness', "Task 'state manager' complete (1ms), marking server ready"],
      ['xds::client', 'XDS client error: gRPC error (Unavailable), retrying in 1s'],
      ['proxy', 'failed to do it'],
    ])
    expect(log.others[2]?.fields).toEqual({ code: '3' })
  })

  test('foreign text is refused', () => {
    expect(() => ztunnelLog.parse('Error from server (NotFound): pods "z" not found\n')).toThrow(ParseError)
  })

  test.skipIf(!hasShared)('all samples of the facts are connections', () => {
    const facts = readFileSync(join(sharedFolder, 'facts/access-log.md'), 'utf8')
    const blocks = [...facts.matchAll(/#### SYNTHETIC — ztunnel[^\n]*\n```text\n([\s\S]*?)```/g)]
    const real = [...facts.matchAll(/^`((?:\d{4}-\S+Z\s+error\s+access|\{"level":"debug")[^`]*)`/gm)].map(
      ([, line = '']) => line,
    )
    const lines = [...blocks.flatMap(([, text = '']) => text.trim().split('\n')), ...real]
    expect(lines.length).toBeGreaterThanOrEqual(28)
    for (const line of lines) expect(connection(line).srcAddress, line).toMatch(/:\d+$/)
    expect(lines.map((line) => connection(line).error)).toContain(
      'connection timed out, maybe a NetworkPolicy is blocking HBONE port 15008: deadline has elapsed',
    )
  })
})

describe('istiod', () => {
  const kinds: readonly (readonly [string, string, Record<string, unknown>])[] = [
    [
      'warn\tads\tADS:RDS: ACK ERROR gw-1.istio-ingress-7 Internal:missing ]: [0-9',
      'push-rejected',
      { type: 'RDS', proxy: 'gw-1.istio-ingress', code: 'Internal', reason: 'missing ]: [0-9' },
    ],
    [
      'warn\tads\tproxy gw-1.edge attempted to access unauthorized certificates shop-cert: gw/edge is not authorized to read secrets: no',
      'unauthorized-certificates',
      { proxy: 'gw-1.edge', resource: 'shop-cert' },
    ],
    [
      'warn\tads\tfailed to fetch key and certificate for kubernetes://c: secret edge/c not found',
      'credential-missing',
      { resource: 'kubernetes://c', reason: 'secret edge/c not found' },
    ],
    [
      'error\tserverca\timpersonation failed for identity spiffe://cluster.local/ns/a/sa/b, error: no',
      'impersonation-refused',
      { identity: 'spiffe://cluster.local/ns/a/sa/b' },
    ],
    [
      'warn\tserverca\tcaller {istio-system ztunnel} is not allowed to impersonate spiffe://cluster.local/ns/a/sa/b',
      'impersonation-refused',
      { resource: '{istio-system ztunnel}', identity: 'spiffe://cluster.local/ns/a/sa/b' },
    ],
    ['error\tserverca\tCSR signing error: no', 'ca-error', { reason: 'CSR signing error: no' }],
    [
      'error\tauthn\tFailed to authenticate client from 10.0.0.1:5: token expired',
      'authentication-failed',
      { reason: 'token expired' },
    ],
    [
      'warn\tmodel\tJWKS fetch failed for issuer https://a (https://a/jwks), using public-only JWKS with discarded private key',
      'jwks-failed',
      { issuer: 'https://a', uri: 'https://a/jwks' },
    ],
    [
      'error\tmodel\tFailed to fetch public key from jwks URI "https://a/jwks": dial tcp: no',
      'jwks-failed',
      { uri: 'https://a/jwks', reason: 'dial tcp: no' },
    ],
    ['warn\tmodel\tContent fetched from jwks URI https://a is not a valid JWKS', 'jwks-failed', {}],
    [
      'warn\tmodel\tskipping server on gateway shop/edge, duplicate host names: [a.example]',
      'server-skipped',
      { resource: 'shop/edge', reason: 'duplicate host names: [a.example]' },
    ],
    [
      'warn\tbuildGatewayListeners: skipping privileged gateway port 80 for node gw-1.edge as it is an unprivileged pod',
      'server-skipped',
      { port: '80', proxy: 'gw-1.edge' },
    ],
    [
      'info\tmodel\tskipping server on gateway g port https.443.HTTPS: non unique port name for HTTPS port',
      'server-skipped',
      { resource: 'g', port: 'https.443.HTTPS', reason: 'non unique port name for HTTPS port' },
    ],
    [
      'warn\tconstructed http route config for route http.8080 on port 80 with no vhosts; Setting up a default 404 vhost',
      'no-vhosts',
      { resource: 'http.8080', port: '80' },
    ],
    [
      'info\tinject\tSkipping due to policy check\tpath=/inject pod=shop/web-*****',
      'injection-skipped',
      { resource: 'shop/web-*****' },
    ],
    ['error\tinject\tPod injection failed: bad template', 'injection-failed', { reason: 'bad template' }],
    [
      'info\tads\tPush debounce stable[4] 3 for config VirtualService/shop/web and 2 more configs: 1ms since',
      'config-changed',
      { resource: 'VirtualService/shop/web' },
    ],
    ['info\tads\tsomething new', 'other', {}],
  ]

  test.each(kinds)('%s', (line, kind, named) => {
    const log = istiodLog.parse(`${at}\t${line}\n`)
    expect([...log.entries, ...log.routine, ...log.others]).toEqual([
      expect.objectContaining({ kind, time: at, line: 1, ...named }),
    ])
    expect(log.counts).toEqual({ [kind]: 1 })
  })

  test('JSON is read like text', () => {
    for (const [line, kind, named] of kinds) {
      const text = readLogLine(`${at}\t${line}`)
      const { level, scope, message: msg, fields } = text!
      const json = JSON.stringify({ level, time: at, ...(scope ? { scope } : {}), msg, ...fields })
      const log = istiodLog.parse(json)
      expect([...log.entries, ...log.routine, ...log.others]).toEqual([expect.objectContaining({ kind, ...named })])
    }
  })

  test('a push status over several lines is one entry with what it counts', () => {
    const [entry] = istiodLog.parse(
      `${at}\tinfo\tads\tPush Status: {\n    "pilot_conflict_outbound_listener_tcp_over_current_tcp": {\n        "0.0.0.0:80": {}\n    }\n}\n${at}\tinfo\tads\tx\n`,
    ).entries
    expect(entry).toMatchObject({
      kind: 'push-status',
      status: { pilot_conflict_outbound_listener_tcp_over_current_tcp: ['0.0.0.0:80'] },
    })
  })

  test('what stands before the first entry of a tail is kept as unparsed', () => {
    const log = istiodLog.parse(`    }\n}\n${at}\tinfo\tads\tx\n`)
    expect(log.unparsed).toEqual([
      { text: '    }', line: 1 },
      { text: '}', line: 2 },
    ])
    expect(log.others).toHaveLength(1)
  })
})

describe('log lines', () => {
  test('a scope is told from a message of one word', () => {
    expect(readLogLine(`${at}\tinfo\treconciling\tgateway=a/b`)).toMatchObject({
      scope: null,
      message: 'reconciling',
      fields: { gateway: 'a/b' },
    })
    expect(readLogLine(`${at}\tinfo\tgatewaycommon\treconciling\tgateway=a/b`)).toMatchObject({
      scope: 'gatewaycommon',
      message: 'reconciling',
    })
    expect(readLogLine(`${at}\tinfo\tProxy role\tips=[1.2.3.4] type=sidecar`)).toMatchObject({
      scope: null,
      message: 'Proxy role',
    })
  })
  test('values with blanks keep them', () => {
    expect(readFields('name=gateway handler attempt=1 text="a \\"b\\" \\u{1f600}"')).toEqual({
      name: 'gateway handler',
      attempt: '1',
      text: 'a "b" 😀',
    })
  })
})

describe('a proxy’s container', () => {
  const envoy = `${at}\twarning\tenvoy config src/x.cc:282\tdelta config for type.googleapis.com/envoy.config.listener.v3.Listener rejected: one\ntwo\n\tthread=17\n`
  test('Envoy’s message of several lines is one, its thread aside', () => {
    expect(parseContainerLog(envoy).messages).toEqual([
      expect.objectContaining({
        what: 'envoy',
        kind: 'config-rejected',
        about: 'type.googleapis.com/envoy.config.listener.v3.Listener',
        message: 'delta config for type.googleapis.com/envoy.config.listener.v3.Listener rejected: one\ntwo',
        fields: { thread: '17' },
        line: 1,
      }),
    ])
  })
  test.each([
    ['info\tEnvoy proxy is ready', 'ready'],
    ['warn\tEnvoy proxy is NOT ready: config not received from XDS server (is Istiod running?)', 'not-ready'],
    ['warn\txdsproxy\tupstream terminated with unexpected error rpc error: code = Unavailable\tid=3', 'xds-closed'],
    [
      'warn\tenvoy config x.h:1\tDeltaAggregatedResources gRPC config stream to xds-grpc closed: 14, x\tthread=1',
      'xds-closed',
    ],
    ['info\txdsproxy\tconnected to delta upstream XDS server: istiod:15012\tid=1', 'xds-connected'],
    ['error\txdsproxy\tfailed to connect to upstream istiod:15012: timeout', 'connect-failed'],
    ['info\tFLAG: --concurrency="0"', 'other'],
  ])('%s', (line, kind) => {
    expect(parseContainerLog(`${at}\t${line}\n`).messages).toEqual([expect.objectContaining({ kind })])
  })
})
