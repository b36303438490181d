import { describe, expect, test } from 'vitest'
import { ambientStop } from '../../src/cli/ambient-stop.ts'
import type { Given } from '../../src/model/call.ts'
import { add, change, without } from '../helpers/edit-objects.ts'
import { type PlayOptions, play } from '../helpers/play.ts'
import { type Edit, edits, editText, forbid } from '../helpers/session-fixtures.ts'

/*
 * What ztunnels and waypoints say of one call, in recordings whose ztunnel lines were replaced by what ztunnel prints for
 * another fault. Addresses are those of the recordings: client and server, the Service, the waypoint.
 */
const client = '10.245.100.3'
const server = '10.245.170.4'
const waypoint = '10.245.100.9'
const vip = '10.97.127.143'
const direct = 'ambient-allow-list-miss'
const behind = 'ambient-waypoint-l7-denied'

interface Tunnel {
  readonly from?: string
  readonly to?: string
  readonly service?: string | null
  readonly target?: string
  readonly direction?: 'inbound' | 'outbound'
  readonly error?: string
}
const addresses: Readonly<Record<string, string>> = { client, server, 'waypoint-6f66dbf65d-66zkq': waypoint }

function line(
  second: number,
  { from = 'client', to = 'server', service, target, direction = 'outbound', error }: Tunnel,
) {
  const account = (pod: string) => `spiffe://cluster.local/ns/amb-demo/sa/${pod.split('-')[0]}`
  const fields = [
    `src.addr=${addresses[from]}:40${second} src.workload="${from}" src.namespace="amb-demo" src.identity="${account(from)}"`,
    `dst.addr=${addresses[to]}:15008 dst.hbone_addr=${target ?? `${addresses[to]}:8080`}`,
    ...(service === null ? [] : ['dst.service="server.amb-demo.svc.cluster.local"']),
    `dst.workload="${to}" dst.namespace="amb-demo" dst.identity="${account(to)}" direction="${direction}"`,
    `bytes_sent=${error ? 0 : 84} bytes_recv=${error ? 0 : 84} duration="1ms"`,
    ...(error ? [`error=${JSON.stringify(error)}`] : []),
  ]
  return `2026-11-21T06:00:${second}.000000Z\t${error ? 'error' : 'info'}\taccess\tconnection complete\t${fields.join(' ')}\n`
}
const early = (second: number, to: string, error: string, direction = 'outbound') =>
  `2026-11-21T06:00:${second}.000000Z\twarn\taccess\tconnection failed\tsrc.addr=${client}:40${second} dst.addr=${to} direction="${direction}" error=${JSON.stringify(error)}\n`

/** All that the ztunnels and the waypoint have to say. */
const say = (...lines: readonly string[]): Edit =>
  editText(/logs ztunnel-rlmk2 /, (text) => {
    const others = text.split('\n').filter((one) => !one.includes('\taccess\t'))
    return `${others.join('\n')}${lines.join('')}`
  })
const rest: Edit = editText(/logs ztunnel-5kd4h /, (text) =>
  text
    .split('\n')
    .filter((one) => !one.includes('\taccess\t'))
    .join('\n'),
)
const waypointSays = (answer: string): Edit =>
  editText(/logs waypoint/, (text) =>
    text
      .split('\n')
      .slice(0, 3)
      .map((one) => one.replace(/403 - rbac_access_denied_matched_policy\[none\] - "-" 0 19 0 -/, answer))
      .map((one) =>
        one.replace('"server.amb-demo" "-"', `"server.amb-demo" "envoy://connect_originate/${server}:8080"`),
      )
      .join('\n'),
  )
const cut = '503 UC upstream_reset_before_response_started{connection_termination} - "-" 0 95 3 -'
const open = without('AuthorizationPolicy')
const policy = (name: string, spec: object, more: object = {}) =>
  add({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: 'amb-demo' },
    spec,
    ...more,
  })
const condition = (type: string, reason: string) => ({
  status: { conditions: [{ type, status: 'False', reason, message: reason }] },
})
const asks =
  (symptom: Given['symptom'], more: Partial<Given> = {}): NonNullable<PlayOptions['given']> =>
  (given) => ({ ...given, symptom, path: null, ...more })

async function walk(name: string, symptom: Given['symptom'], edit: Edit, more: Partial<Given> = {}) {
  const { state, outcome } = await play(name, { edit, given: asks(symptom, more) })
  const { causes = [], verdict, answeredBy } = state.diagnosis ?? {}
  return { causes: causes.map(({ code, certainty }) => `${code} ${certainty}`), verdict, answeredBy, state, outcome }
}

describe('lines that hold addresses and nothing else', () => {
  const empty = edits(
    open,
    rest,
    say(
      early(11, `${vip}:80`, `no healthy upstream: ${vip}:80`),
      early(12, `${vip}:80`, `no healthy upstream: ${vip}:80`),
    ),
    change('Pod', /^server$/, (pod) => {
      for (const one of pod.status.conditions) if (one.type === 'Ready') one.status = 'False'
    }),
  )
  test('nobody ready behind the Service', async () => {
    const { causes, answeredBy } = await walk(direct, 'reset', empty)
    expect(causes).toEqual(['uh-no-endpoints proven'])
    expect(answeredBy?.hop).toBe('ztunnel')
  })
  test('is a reset where nobody named the symptom', async () => {
    expect((await walk(direct, 'unknown', empty)).causes).toEqual(['uh-no-endpoints proven'])
  })
  test('of another Service are another call', async () => {
    const edit = edits(open, rest, say(line(10, {}), early(11, '10.97.9.9:80', 'no healthy upstream: 10.97.9.9:80')))
    expect((await walk(direct, 'reset', edit)).verdict).toBe('clean')
  })
  test('a port that the Service does not list', async () => {
    const edit = edits(open, rest, say(early(11, `${vip}:8080`, `no healthy upstream: ${vip}:8080`)))
    const to = {
      kind: 'svc' as const,
      name: 'server',
      namespace: 'amb-demo',
      port: 8080,
      text: 'svc/server.amb-demo:8080',
    }
    const { causes, state } = await walk(direct, 'reset', edit, { to })
    expect(causes).toEqual(['uh-no-endpoints proven'])
    expect(state.diagnosis?.summary).toContain('has no port 8080')
  })
  test('no line at all is not "clean"', async () => {
    const { verdict, state } = await walk(direct, 'reset', edits(open, rest, say()))
    expect(verdict).toBe('inconclusive')
    expect(state.diagnosis?.notChecked[0]?.what).toBe('a connection of this call')
  })
})

describe('another port of the same pod is another call', () => {
  test('a scrape that is refused', async () => {
    const scrape = { target: `${server}:9090`, error: 'http status: 503 Service Unavailable' }
    expect((await walk(direct, 'reset', edits(open, rest, say(line(10, {}), line(11, scrape))))).verdict).toBe('clean')
  })
})

describe('what the waypoint’s own connection meets', () => {
  const relay = (error: string) => line(12, { from: 'waypoint-6f66dbf65d-66zkq', direction: 'inbound', error })
  const missed = relay('connection closed due to policy rejection: allow policies exist, but none allowed')
  const byClient = policy('callers', {
    selector: { matchLabels: { app: 'server' } },
    rules: [{ from: [{ source: { principals: ['cluster.local/ns/amb-demo/sa/client'] } }] }],
  })
  test('a policy that names the caller', async () => {
    const { causes } = await walk(behind, '503', edits(open, byClient, waypointSays(cut), say(missed)))
    expect(causes).toEqual(['ambient-waypoint-identity proven'])
  })
  test('a policy by HTTP fields and selector: ztunnel cannot read it, whoever calls', async () => {
    const byMethod = policy('get', {
      selector: { matchLabels: { app: 'server' } },
      rules: [{ to: [{ operation: { methods: ['GET'] } }] }],
    })
    const { causes } = await walk(behind, '503', edits(open, byMethod, waypointSays(cut), say(missed)))
    expect(causes).toEqual(['ambient-l7-allow-without-waypoint proven'])
  })
  const noWaypoint = `unknown waypoint: waypoint GatewayAddress { destination: Hostname(NamespacedHostname { namespace: "amb-demo", hostname: "waypoint.amb-demo.svc.cluster.local" }), hbone_mtls_port: 15008 } not found`
  const unknown = say(early(11, `${vip}:80`, noWaypoint), early(12, `${vip}:80`, noWaypoint))
  test('a policy that names the caller, where the logs of ztunnel may not be read', async () => {
    const hidden = edits(open, byClient, waypointSays(cut), forbid(/^kubectl logs ztunnel-/))
    const { causes, verdict } = await walk(behind, '503', hidden)
    expect(causes).toEqual(['ambient-waypoint-identity likely'])
    expect(verdict).toBe('suspects')
    const other = edits(open, waypointSays(cut), forbid(/^kubectl logs ztunnel-/))
    expect((await walk(behind, '503', other)).causes).toEqual([])
  })
  test('a policy that waits behind a waypoint without pods', async () => {
    const gone = edits(open, waypointSays('-'), unknown, without('Pod', /^waypoint-/))
    expect((await walk(behind, 'reset', edits(gone, byClient))).causes).toEqual([
      'ambient-waypoint-down proven',
      'ambient-waypoint-identity likely',
    ])
    expect((await walk(behind, 'reset', gone)).causes).toEqual(['ambient-waypoint-down proven'])
  })
  test('a waypoint that is ready again is not down', async () => {
    const silent = edits(
      open,
      unknown,
      editText(/logs waypoint/, () => ''),
    )
    const since = (time: string) =>
      change('Pod', /^waypoint-/, (pod) => {
        for (const one of pod.status.conditions) one.lastTransitionTime = time
      })
    const back = await walk(behind, 'reset', edits(silent, since('2026-11-21T06:02:00Z')))
    expect(back.causes).toEqual(['ambient-waypoint-down likely'])
    expect(back.state.diagnosis?.summary).toContain('has one since 2026-11-21T06:02:00Z')
    const before = await walk(behind, 'reset', edits(silent, since('2026-11-21T05:50:00Z')))
    expect(before.causes).toEqual(['ambient-waypoint-down likely'])
    expect(before.state.diagnosis?.summary).toContain('although it has a ready pod')
  })
  test('comes after what the waypoint refuses by itself', async () => {
    const { causes } = await walk(behind, '403', edits(byClient, say(missed)), { path: '/admin' })
    expect(causes[0]).toBe('authz-allow-list-miss proven')
  })
  test('a closed port is told by the destination’s ztunnel', async () => {
    const edit = edits(open, waypointSays(cut), say(relay('connection failed: Connection refused (os error 111)')))
    const { causes, outcome } = await walk(behind, '503', edit)
    expect(causes).toEqual(['uf-connection-refused proven'])
    expect(outcome('ambient-503-uc').status).toBe('ruled-out')
  })
  test('a refused tunnel is no closed port of the application', async () => {
    const refused =
      '503 URX,UF upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused} - "-" 0 160 1 -'
    const { causes, outcome } = await walk(behind, '503', edits(open, waypointSays(refused), say()))
    expect(causes).toEqual(['ambient-ztunnel-down likely'])
    expect(outcome('uf-connection-refused').status).not.toBe('fired')
  })
})

describe('a route at the waypoint', () => {
  const slow = editText(/logs waypoint/, (text) =>
    text.replaceAll('200 - via_upstream - "-" 0 287 7 4', '504 UT response_timeout - "-" 0 24 500 -'),
  )
  const limit = editText(/proxy-config listener waypoint/, (text) =>
    text.replace(/"timeout": ?"0s"/g, '"timeout":"0.500s"'),
  )
  const asked = { path: '/api/x' }
  test('whose timeout ends the request: the HTTPRoute that somebody wrote, not what istiod made of it', async () => {
    const { causes, state } = await walk('ambient-waypoint-route-404', '504', edits(slow, limit), asked)
    expect(causes).toEqual(['ut-route-timeout proven'])
    expect(state.diagnosis?.summary).toContain('HTTPRoute amb-demo/server-split gives')
    expect(state.diagnosis?.causes[0]?.fix.commands.join()).toContain('httproutes.gateway.networking.k8s.io')
  })
  test('that has no such limit', async () => {
    expect((await walk('ambient-waypoint-route-404', '504', slow, asked)).causes).toEqual(['ut-route-timeout likely'])
  })
})

describe('a node without ztunnel', () => {
  test('where the caller runs nobody is left to log', async () => {
    const edit = edits(open, rest, say(), without('Pod', /^ztunnel-rlmk2$/))
    const { causes, state } = await walk(direct, 'reset', edit)
    expect(causes).toEqual(['ambient-ztunnel-down proven'])
    expect(state.diagnosis?.summary).toContain('where client runs')
  })
})

describe('NetworkPolicies count together', () => {
  const timedOut = line(11, {
    error: 'connection timed out, maybe a NetworkPolicy is blocking HBONE port 15008: deadline has elapsed',
  })
  const net = (name: string, spec: object) =>
    add({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: 'amb-demo' }, spec })
  const appPort = net('app', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 8080 }] }] })
  const meshPort = net('mesh', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 15008 }] }] })
  test('one that leaves 15008 out keeps it closed', async () => {
    const { causes, state } = await walk(direct, 'timeout', edits(open, rest, say(timedOut), appPort))
    expect(causes).toEqual(['ambient-netpol-15008 proven'])
    expect(state.diagnosis?.summary).toContain('amb-demo/app')
  })
  test('another one that allows it opens it: then something else drops the packets', async () => {
    const { causes, state } = await walk(direct, 'timeout', edits(open, rest, say(timedOut), appPort, meshPort))
    expect(causes).toEqual(['ambient-netpol-15008 likely'])
    expect(state.diagnosis?.summary).not.toContain('amb-demo/app')
  })
  test('behind a waypoint, whether the caller was told 503, 504 or waited', async () => {
    const waited = waypointSays('503 UF upstream_reset_before_response_started{connection_timeout} - "-" 0 91 10000 -')
    for (const symptom of ['503', '504', 'timeout'] as const)
      expect((await walk(behind, symptom, edits(open, waited, say(), appPort))).causes).toEqual([
        'ambient-netpol-15008 proven',
      ])
  })
  test('the caller’s side may keep it in', async () => {
    const egress = net('out', {
      podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['client'] }] },
      policyTypes: ['Egress'],
      egress: [{ ports: [{ port: 8080 }] }],
    })
    const { causes, state } = await walk(direct, 'timeout', edits(open, rest, say(timedOut), egress))
    expect(causes).toEqual(['ambient-netpol-15008 proven'])
    expect(state.diagnosis?.summary).toContain('keeps client.amb-demo from port 15008')
  })
})

describe('what is over', () => {
  const refusal = line(11, {
    direction: 'inbound',
    error: 'connection closed due to policy rejection: explicitly denied by: amb-demo/lock',
  })
  const before = refusal.replace('T06:00', 'T03:00')
  const through = [41, 42, 43, 44].map((second) => line(second, {}))
  test('refused hours ago, and let through ever since', async () => {
    const { causes, verdict, state } = await walk(direct, 'reset', edits(open, rest, say(before, before, ...through)))
    expect(causes).toEqual([])
    expect(verdict).toBe('inconclusive')
    expect(state.diagnosis?.notChecked[0]).toMatchObject({ what: 'whether it still fails' })
    expect(state.diagnosis?.notChecked[0]?.reason).toContain('amb-demo/lock')
  })
  test('another failure since: that is the one of now', async () => {
    const broken = line(50, { direction: 'inbound', error: 'connection failed: Connection refused (os error 111)' })
    const { causes } = await walk(direct, 'reset', edits(open, rest, say(before, ...through, broken, broken)))
    expect(causes).toEqual(['uf-connection-refused proven'])
  })
  test('refused a moment ago, or now and then, is not over', async () => {
    const soon = edits(open, rest, say(refusal, refusal, ...through))
    expect((await walk(direct, 'reset', soon)).causes[0]).toContain('authz-deny-rule-matched')
    const again = edits(
      open,
      rest,
      say(
        before,
        ...through,
        line(50, {
          direction: 'inbound',
          error: 'connection closed due to policy rejection: explicitly denied by: amb-demo/lock',
        }),
      ),
    )
    expect((await walk(direct, 'reset', again)).causes[0]).toContain('authz-deny-rule-matched')
  })
})

describe('identity and certificates', () => {
  const failing = (error: string) => edits(open, rest, say(line(11, { error })))
  test('istiod does not trust ztunnel with the identities of its node', async () => {
    const { causes } = await walk(
      direct,
      'reset',
      failing('identity error: signing gRPC error (Unauthenticated): request impersonation authentication failure'),
    )
    expect(causes).toEqual(['ca-unauthenticated proven'])
  })
  test('any other failure to get a certificate is only likely the CA', async () => {
    expect(
      (await walk(direct, 'reset', failing('identity error: signing gRPC error (Unavailable): no'))).causes,
    ).toEqual(['ca-unauthenticated likely'])
  })
  test('a certificate that has run out, and one that is not trusted', async () => {
    const tls = (what: string) => `tls error: tls handshake error: Custom { kind: InvalidData, error: ${what} }`
    expect((await walk(direct, 'reset', failing(tls('InvalidCertificate(Expired)')))).causes).toEqual([
      'workload-cert-expired proven',
    ])
    expect((await walk(direct, 'reset', failing(tls('InvalidCertificate(UnknownIssuer)')))).causes).toEqual([
      'cert-verify-failed likely',
    ])
  })
})

describe('policies that nobody took', () => {
  const passes = edits(open, rest, say(line(11, {})))
  const selector = { matchLabels: { app: 'server' } }
  test('CUSTOM at ztunnel', async () => {
    const custom = policy(
      'ext',
      { selector, action: 'CUSTOM', provider: { name: 'x' }, rules: [{}] },
      condition('ZtunnelAccepted', 'UnsupportedValue'),
    )
    expect((await walk(direct, 'not-applied', edits(passes, custom))).causes).toEqual([
      'authz-policy-not-selecting proven',
    ])
  })
  test('targetRefs to a Service that is not there', async () => {
    const lost = (name: string) =>
      policy(
        'lost',
        {
          targetRefs: [{ kind: 'Service', group: '', name }],
          action: 'DENY',
          rules: [{ to: [{ operation: { methods: ['PUT'] } }] }],
        },
        condition('WaypointAccepted', 'TargetNotFound'),
      )
    const near = await walk(
      behind,
      'not-applied',
      edits(open, lost('servr'), waypointSays('200 - via_upstream - "-" 0 287 3 2')),
    )
    expect(near.causes).toEqual(['authz-policy-not-selecting proven'])
    const far = await walk(
      behind,
      'not-applied',
      edits(open, lost('invoices'), waypointSays('200 - via_upstream - "-" 0 287 3 2')),
    )
    expect(far.causes).toEqual([])
  })
  test('a call to the pod’s own address passes the waypoint by', async () => {
    const straight = edits(open, say(line(59, { service: null })), waypointSays('200 - via_upstream - "-" 0 287 3 2'))
    const { causes } = await walk(behind, 'not-applied', straight, { host: server })
    expect(causes).toEqual(['ambient-waypoint-bypassed proven'])
    expect((await walk(behind, 'not-applied', straight)).causes).toEqual([])
  })
})

describe('a trace ends where nobody takes the connection on', () => {
  const stop = async (name: string, edit: Edit, via: boolean) =>
    ambientStop((await play(name, { edit })).situation, via)?.where
  test('at the waypoint without a pod, at the node without ztunnel, at the Service without a ready pod', async () => {
    const unready = change('Pod', /^server$/, (pod) => {
      for (const one of pod.status.conditions) if (one.type === 'Ready') one.status = 'False'
    })
    expect(await stop(behind, without('Pod', /^waypoint-/), true)).toBe('at the waypoint')
    expect(await stop(direct, without('Pod', /^ztunnel-rlmk2$/), false)).toBe('at client.amb-demo')
    expect(await stop(direct, without('Pod', /^ztunnel-5kd4h$/), false)).toBe('at server.amb-demo')
    expect(await stop(direct, unready, false)).toBe("at the caller's ztunnel")
    expect(await stop(behind, edits(), true)).toBeUndefined()
  })
})
