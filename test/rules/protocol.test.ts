import { describe, expect, test } from 'vitest'
import type { SymptomId } from '../../src/model/call.ts'
import { callerSays, destinationSays } from '../helpers/log-edits.ts'
import { play } from '../helpers/play.ts'
import { editJson, edits, editText } from '../helpers/session-fixtures.ts'

const proven = { status: 'fired', hits: [{ certainty: 'proven' }] }

describe('lines that prove a mode by themselves (changed: what the destination’s proxy answered)', () => {
  const table: readonly [code: string, symptom: SymptomId, answer: string][] = [
    ['http10-426', '426', '426 DPE low_version - "-"'],
    ['header-too-large-431', '431', '431 DPE http1.headers_too_large - "-"'],
    ['payload-413', '413', '413 - request_payload_too_large - "-"'],
    ['websocket-upgrade-broken', '403', '403 - upgrade_failed - "-"'],
    ['local-ratelimit-429', '429', '429 RL local_rate_limited - "-"'],
    ['global-ratelimit-misfire', '429', '429 RL request_rate_limited - "-"'],
    ['global-ratelimit-misfire', '500', '500 RLSE rate_limiter_error - "-"'],
    ['wasm-or-lua-filter-fails', '500', '500 NFCF - - "-"'],
  ]
  for (const [code, symptom, answer] of table)
    test(`${code}: ${answer}`, async () => {
      const { outcome, state } = await play('503-connection-refused', destinationSays(symptom, answer))
      expect(outcome(code)).toMatchObject(proven)
      expect(state.diagnosis?.causes.map((cause) => cause.code)).toEqual([code])
      expect((await play('503-app-resets')).outcome(code).status).toBe('ruled-out')
    })
})

const envoyFilter = (name: string, filter: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'networking.istio.io/v1alpha3',
  kind: 'EnvoyFilter',
  metadata: { name, namespace: 'pay', creationTimestamp: '2020-01-01T00:00:00Z' },
  spec: {
    ...(Object.keys(labels).length > 0 ? { workloadSelector: { labels } } : {}),
    configPatches: [{ applyTo: 'HTTP_FILTER', patch: { value: { name: filter } } }],
  },
})

test('the EnvoyFilter behind a rate limit is named, and one for another workload is not (changed: two EnvoyFilters)', async () => {
  const added = editJson(/^kubectl get pods,services.* -n pay /, (list) => ({
    ...list,
    items: [
      ...list.items,
      envoyFilter('not-mine', 'envoy.filters.http.local_ratelimit', { app: 'somebody-else' }),
      envoyFilter('bucket', 'envoy.filters.http.local_ratelimit', { app: 'orders' }),
    ],
  }))
  const { outcome } = await play(
    '503-connection-refused',
    destinationSays('429', '429 RL local_rate_limited - "-"', added),
  )
  const found = outcome('local-ratelimit-429')
  expect(found.status === 'fired' && found.hits[0]?.subject).toBe('EnvoyFilter pay/bucket')
})

test('a plugin that complains in the proxy’s own log is a likely reason for a silent 500 (changed: log and an EnvoyFilter)', async () => {
  const options = destinationSays(
    '500',
    '500 - - - "-"',
    editText(
      /^kubectl logs orders/,
      (text) =>
        `2026-11-21T05:30:00.000000Z\terror\tenvoy lua external/envoy/source/extensions/filters/common/lua/lua.cc:27\tscript log error: lua failed: attempt to index nil\tthread=20\n${text.replaceAll(/"10\.244\.200\.22:8081" inbound/g, '"-" inbound')}`,
    ),
    editJson(/^kubectl get pods,services.* -n pay /, (list) => ({
      ...list,
      items: [...list.items, envoyFilter('script', 'envoy.filters.http.lua')],
    })),
  )
  const { outcome } = await play('503-connection-refused', options)
  expect(outcome('wasm-or-lua-filter-fails')).toMatchObject({
    status: 'fired',
    hits: [{ certainty: 'likely', subject: 'EnvoyFilter pay/script' }],
  })
})

test('something that is no HTTP at an HTTP port (changed: lines of the caller’s proxy lose method and path)', async () => {
  const options = callerSays(
    '400',
    '400 DPE http1.codec_error - "-"',
    editText(/^kubectl logs web/, (text) =>
      text.replaceAll(/"GET \/v1\/report\?n=\d+ HTTP\/1\.1" 400/g, '"- - HTTP/1.1" 400'),
    ),
  )
  const { outcome } = await play('503-overflow', options)
  expect(outcome('https-to-http-port')).toMatchObject(proven)
  expect((await play('503-overflow')).outcome('https-to-http-port').status).toBe('ruled-out')
})

test('HTTP/2 that meets a port declared as HTTP/1 (changed: the caller’s answer, and a parse error at the destination)', async () => {
  const options = callerSays('502', '502 UPE upstream_reset_before_response_started{protocol_error} - "-"')
  const { outcome } = await play('503-overflow', {
    ...options,
    edit: edits(
      options.edit ?? ((result) => result),
      editText(/^kubectl logs ledger/, (text) =>
        text.replaceAll(/"GET \S+ HTTP\/1\.1" 200 - via_upstream/g, '"- - HTTP/1.1" 400 DPE http1.codec_error'),
      ),
    ),
  })
  expect(outcome('grpc-on-http1-port')).toMatchObject(proven)
  expect((await play('503-overflow')).outcome('grpc-on-http1-port').status).toBe('ruled-out')
})

test('HTTP/2 declared for an application that breaks it is likely, not proven (changed: port name and answer)', async () => {
  const options = destinationSays(
    '502',
    '502 UPE upstream_reset_before_response_started{protocol_error} - "-"',
    editText(/^kubectl get pods,services.* -n pay /, (text) =>
      text
        .replaceAll('"name":"http","port":80', '"name":"grpc","port":80')
        .replaceAll(/"name": "http",(\s+)"port": 80/g, '"name": "grpc",$1"port": 80'),
    ),
  )
  const { outcome, state } = await play('503-connection-refused', options)
  expect(outcome('grpc-on-http1-port')).toMatchObject({ status: 'fired', hits: [{ certainty: 'likely' }] })
  expect(outcome('invalid-upstream-headers')).toMatchObject({ status: 'fired', hits: [{ certainty: 'likely' }] })
  expect(state.diagnosis?.verdict).toBe('suspects')
})

describe('ports that do not say what they speak', () => {
  const rename = (name: string, target?: number) =>
    editJson(/^kubectl get pods,services.* -n pay /, (list) => ({
      ...list,
      items: list.items.map((item: any) =>
        item.kind === 'Service' && item.metadata.name === 'ledger'
          ? {
              ...item,
              spec: {
                ...item.spec,
                ports: item.spec.ports.map((port: any) => ({
                  ...port,
                  name,
                  ...(target ? { targetPort: target } : {}),
                })),
              },
            }
          : item,
      ),
    }))

  test('a call of HTTP that is carried as TCP (changed: port name, and lines of TCP)', async () => {
    const tcp = editText(/^kubectl logs .*istio-proxy/, (text) =>
      text.replaceAll(
        /"GET \S+ HTTP\/1\.1" 200 - via_upstream (- "-" \d+ \d+ \d+) \S+ "[^"]*" "[^"]*" "[^"]*" "[^"]*"/g,
        '"- - -" 0 - - $1 - "-" "-" "-" "-"',
      ),
    )
    const { outcome } = await play('not-applied-gateway-only', { edit: edits(rename('tcp-ledger'), tcp) })
    expect(outcome('port-protocol-undeclared')).toMatchObject(proven)
    const http = await play('not-applied-gateway-only', { edit: rename('ledger') })
    expect(http.outcome('port-protocol-undeclared').status).toBe('ruled-out')
  })

  test('a protocol in which the server greets first, at a port that does not say so (changed: port name and target)', async () => {
    const given = (same: any) => ({ ...same, symptom: 'timeout' as const })
    const { outcome } = await play('504-route-timeout', { given, edit: rename('db', 3306) })
    expect(outcome('server-first-protocol-hang')).toMatchObject({ status: 'fired', hits: [{ certainty: 'likely' }] })
    const declared = await play('504-route-timeout', { given, edit: rename('tcp-db', 3306) })
    expect(declared.outcome('server-first-protocol-hang').status).toBe('ruled-out')
  })
})
