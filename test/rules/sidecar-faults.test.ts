import { describe, expect, test } from 'vitest'
import { readTarget } from '../../src/cli/target.ts'
import { add, change, notReady, without } from '../helpers/edit-objects.ts'
import { type PlayOptions, play } from '../helpers/play.ts'
import { type Edit, edits, editText } from '../helpers/session-fixtures.ts'

async function concludes(recording: string, options: PlayOptions = {}) {
  const { state } = await play(recording, options)
  if (!state.diagnosis) throw new Error('no diagnosis')
  return state.diagnosis
}

const codes = ({ causes }: Awaited<ReturnType<typeof concludes>>) => causes.map(({ code }) => code)
const anyPath = (given: any) => ({ ...given, path: null, method: null })
const versions: Readonly<Record<string, string>> = {
  PeerAuthentication: 'security.istio.io/v1',
  AuthorizationPolicy: 'security.istio.io/v1',
}
const made = (kind: string, namespace: string, name: string, spec: unknown): Edit =>
  add({ apiVersion: versions[kind] ?? 'networking.istio.io/v1', kind, metadata: { name, namespace }, spec })
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

  test('a protocol error towards a port that is called http is the port’s name, not the application’s headers', async () => {
    const broken = (text: string) =>
      asGrpc(text).replaceAll(
        /200 URX,UF \S+ - "[^"]*"/g,
        '200 UPE upstream_reset_before_response_started{protocol_error} - "-"',
      )
    const diagnosis = await concludes('503-connection-refused', { given: anyPath, edit: editText(proxyLogs, broken) })
    expect(diagnosis.verdict).toBe('suspects')
    expect(codes(diagnosis)).toEqual(['grpc-on-http1-port'])
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

describe('what fails behind the first failure', () => {
  test('a Service that selects nobody, plaintext to STRICT and a DENY for those it was meant for', async () => {
    const edit = edits(
      made('DestinationRule', 'shop', 'plain', {
        host: 'orders.pay.svc.cluster.local',
        trafficPolicy: { tls: { mode: 'DISABLE' } },
      }),
      made('PeerAuthentication', 'pay', 'default', { mtls: { mode: 'STRICT' } }),
      made('AuthorizationPolicy', 'pay', 'stop', {
        action: 'DENY',
        selector: { matchLabels: { app: 'orders' } },
        rules: [{ from: [{ source: { namespaces: ['shop'] } }] }],
      }),
    )
    expect(codes(await concludes('503-no-endpoints', { edit }))).toEqual([
      'uh-no-endpoints',
      'dr-tls-disable-vs-strict',
      'authz-deny-rule-matched',
    ])
  })

  test('an undefined subset, and no pod is ready', async () => {
    const edit = change('Pod', /^reviews-/, notReady)
    expect(codes(await concludes('503-subset-undefined', { edit }))).toEqual(['nc-subset-undefined', 'uh-no-endpoints'])
  })

  test('plaintext to STRICT, and a targetPort that nobody declares is at most possible', async () => {
    const edit = change('Service', /^ledger$/, ({ spec }) => {
      spec.ports[0].targetPort = 8099
    })
    const { causes } = await concludes('503-dr-disable-strict', { edit })
    expect(causes.map(({ code, certainty, about }) => `${code} ${certainty} ${about}`)).toEqual([
      'dr-tls-disable-vs-strict proven call',
      'uf-connection-refused possible next',
    ])
  })
})

/** PassthroughCluster to the address that was dialled, refused by STRICT. */
const passedOn = (dialled: string) =>
  editText(/^kubectl logs web-/, (text) =>
    text
      .replaceAll(/"10\.244\.200\.2[01]:8080" outbound\|8080\|\|ledger\S+/g, `"${dialled}" PassthroughCluster`)
      .replaceAll('10.96.174.150:8080', dialled),
  )
const asked = /status\.podIP=10\.244\.200\.20|spec\.clusterIP=10\.244\.200\.20/
const owner: Edit = (result, command) => {
  const text = command.args.join(' ')
  if (!asked.test(text)) return result
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'ledger-v1-54f6cb6d89-dffgm', namespace: 'pay' },
    status: { podIP: '10.244.200.20' },
  }
  const items = text.startsWith('get pods') ? [pod] : []
  return { ...result, exit: { kind: 'exited', code: 0 }, stdout: JSON.stringify({ kind: 'List', items }) }
}

describe('what the proxy does not know goes out in plaintext', () => {
  test('a Sidecar that leaves the destination out is the cause, not the address', async () => {
    const edit = edits(
      without('DestinationRule'),
      made('Sidecar', 'shop', 'default', { egress: [{ hosts: ['./*', 'istio-system/*'] }] }),
      passedOn('10.96.174.150:8080'),
    )
    const diagnosis = await concludes('503-dr-disable-strict', { edit })
    expect(codes(diagnosis)).toEqual(['nc-scoped-out'])
    expect(diagnosis.causes[0]?.fix.statement).toContain('egress.hosts of Sidecar shop/default')
  })

  test('--to may be the address of a pod', async () => {
    const diagnosis = await concludes('503-dr-disable-strict', {
      given: (given) => ({ ...anyPath(given), to: readTarget('10.244.200.20:8080'), host: null }),
      edit: edits(without('DestinationRule'), passedOn('10.244.200.20:8080'), owner),
    })
    expect(codes(diagnosis)).toEqual(['headless-podip-503'])
  })
})

describe('NetworkPolicies and a connection that nobody answers', () => {
  const silent = editText(/^kubectl logs web-/, (text) =>
    text.replaceAll(/503 UC \S+ - "-"/g, '503 URX,UF upstream_reset_before_response_started{connection_timeout} - "-"'),
  )
  const policy = (name: string, spec: Record<string, unknown>) =>
    add({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: 'pay' }, spec })
  const denyAll = policy('deny-all', { podSelector: {}, policyTypes: ['Ingress'] })
  const from = (namespace: string) => [
    { from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } }] },
  ]
  const told = async (...policies: readonly Edit[]) => {
    const edit = edits(without('DestinationRule'), silent, ...policies)
    const { causes } = await concludes('503-dr-disable-strict', { edit })
    expect(causes.map(({ code }) => code)).toEqual(['uf-connect-timeout-network'])
    return `${causes[0]?.title} ${causes[0]?.fix.statement}`
  }

  test('the one that lists something else is named, and not one that lets the caller in', async () => {
    const others = policy('ledger-in', { podSelector: { matchLabels: { app: 'ledger' } }, ingress: from('ops') })
    expect(await told(denyAll, others)).toContain('NetworkPolicy pay/ledger-in does not let them in')
    const allows = policy('ledger-in', { podSelector: { matchLabels: { app: 'ledger' } }, ingress: from('shop') })
    expect(await told(denyAll, allows)).not.toContain('NetworkPolicy')
  })

  test('one that denies everything stays, and another is added', async () => {
    expect(await told(denyAll)).toContain('leave NetworkPolicy pay/deny-all')
  })
})

describe('what one request or one replica tells', () => {
  const caller = /^kubectl logs web-/

  test('a delay that is injected and the timeout that it runs into are one answer: the fault and the limit (changed: DI)', async () => {
    const delayed = editText(caller, (text) => text.replaceAll(' 504 UT ', ' 504 DI,UT '))
    const { situation, outcome } = await play('504-route-timeout', { edit: delayed })
    expect(situation.failing.length).toBeGreaterThan(0)
    expect(outcome('fault-injection-left-on').status).toBe('fired')
    expect(outcome('ut-route-timeout').status).toBe('fired')
  })

  test('a caller that gives up while an injected delay holds the request is the fault’s work (changed: DC,DI)', async () => {
    const gaveUp = editText(caller, (text) =>
      text.replaceAll(' 504 UT response_timeout ', ' 0 DC,DI downstream_remote_disconnect '),
    )
    const given = (one: any) => ({ ...one, symptom: 'timeout' })
    const { outcome } = await play('504-route-timeout', { given, edit: gaveUp })
    expect(outcome('dc-client-gave-up').status).not.toBe('fired')
    expect(outcome('fault-injection-left-on').status).toBe('fired')
  })

  test('a container in CrashLoopBackOff is named where nobody listens (503-app-resets, changed: its state, and refused instead of cut)', async () => {
    const crashing = change('Pod', /^ledger-/, ({ status }) => {
      for (const one of status.containerStatuses)
        if (one.name !== 'istio-proxy')
          Object.assign(one, {
            ready: false,
            restartCount: 9,
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container' } },
            lastState: { terminated: { exitCode: 1, reason: 'Error', finishedAt: '2026-11-21T05:20:00Z' } },
          })
    })
    const refused = editText(/^kubectl logs ledger-.*istio-proxy/, (text) =>
      text.replaceAll(
        /503 UC \S+/g,
        '503 URX,UF upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}',
      ),
    )
    const [cause] = (await concludes('503-app-resets', { edit: edits(crashing, refused) })).causes
    expect(cause?.code).toBe('uf-connection-refused')
    expect(`${cause?.title} ${cause?.statement}`).toContain('CrashLoopBackOff')
  })

  test('several tries of one request at the destination are one exchange (changed: each line three times)', async () => {
    const tries = editText(/^kubectl logs orders-.*istio-proxy/, (text) =>
      text
        .split('\n')
        .flatMap((line) => (line.includes(' 503 ') ? [line, line, line] : [line]))
        .join('\n'),
    )
    const once = (await play('503-connection-refused')).situation
    const { situation, state } = await play('503-connection-refused', { edit: tries })
    expect(situation.lines.length).toBeGreaterThan(once.lines.length)
    expect(situation.failing.length).toBe(once.failing.length)
    expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['uf-connection-refused'])
  })
})
