import { describe, expect, test } from 'vitest'
import { type PlayOptions, play } from '../helpers/play.ts'
import { editText } from '../helpers/session-fixtures.ts'

async function concludes(recording: string, options: PlayOptions = {}) {
  const { state } = await play(recording, options)
  if (!state.diagnosis) throw new Error('no diagnosis')
  return state.diagnosis
}

const codes = ({ causes }: Awaited<ReturnType<typeof concludes>>) => causes.map(({ code }) => code)
const anyPath = (given: any) => ({ ...given, path: null, method: null })
const proxyLogs = /^kubectl logs .*istio-proxy/

describe('gRPC says 200 whatever happened', () => {
  /** The same refusals to a gRPC caller: status 200 at both proxies, the reason in the details of the one that refused. */
  const asGrpc = (text: string) =>
    text.replaceAll(/"GET \S+ HTTP\/1.1" 503/g, '"POST /orders.v1.Orders/Get HTTP/2" 200')

  test('a refusal by the destination’s proxy is found', async () => {
    const options = { given: anyPath, edit: editText(proxyLogs, asGrpc) }
    const diagnosis = await concludes('503-connection-refused', options)
    expect(codes(diagnosis)).toEqual(['uf-connection-refused'])
    expect(diagnosis.answeredBy.hop).toBe('server-proxy')
  })

  test('what the application answered is not known from such lines, so nothing is clean', async () => {
    const asSuccess = (text: string) => asGrpc(text.replaceAll(/503 URX,UF \S+ - "[^"]*"/g, '503 - via_upstream - "-"'))
    const diagnosis = await concludes('503-connection-refused', {
      given: anyPath,
      edit: editText(proxyLogs, asSuccess),
    })
    expect(diagnosis.verdict).toBe('inconclusive')
    expect(diagnosis.notChecked.map(({ unlock }) => unlock).join()).toContain('GRPC_STATUS')
  })
})

describe('old failures of another kind', () => {
  const refused = (minute: number) =>
    `[2026-11-21T04:${minute}:00.000Z] "POST /v1/charge HTTP/1.1" 503 URX,UF upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused} - "delayed_connect_error:_Connection_refused" 13 121 37 - "-" "curl/7.88.1" "00000000-0000-0000-0000-0000000000${minute}" "ledger.pay:8080" "10.244.200.20:8080" inbound|8080|| - 10.244.200.20:8080 10.244.200.18:41000 outbound_.8080_._.ledger.pay.svc.cluster.local default`
  const before = editText(
    /^kubectl logs ledger-v1/,
    (text) => `${[10, 11, 12, 13, 14].map(refused).join('\n')}\n${text}`,
  )

  test('do not become a cause of those of now, and are told', async () => {
    const diagnosis = await concludes('503-app-resets', { edit: before })
    expect(codes(diagnosis)).toEqual(['app-closes-connection'])
    expect(diagnosis.observed.map(({ statement }) => statement).join()).toContain('5 earlier requests failed')
  })
})
