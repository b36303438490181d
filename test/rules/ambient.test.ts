import { describe, expect, test } from 'vitest'
import { type PlayOptions, play } from '../helpers/play.ts'
import { type Edit, editJson, edits, editText, forbid } from '../helpers/session-fixtures.ts'

const ztunnelLogs = /logs ztunnel/
const config = (namespace: string) => new RegExp(`get pods,.* -n ${namespace} `)

/** Changes every object of a kind in what `kubectl get` of a namespace printed. */
function objects(namespace: string, change: (object: any) => unknown): Edit {
  return editJson(config(namespace), (list) => ({
    ...list,
    items: list.items.flatMap((item: any) => change(item) ?? []),
  }))
}
function added(namespace: string, ...more: readonly unknown[]): Edit {
  return editJson(config(namespace), (list) => ({ ...list, items: [...list.items, ...more] }))
}
async function codes(name: string, options: PlayOptions = {}) {
  const { state, outcome } = await play(name, options)
  return { causes: state.diagnosis?.causes.map(({ code, certainty }) => `${code} ${certainty}`), state, outcome }
}

describe('policies that ztunnel cannot read', () => {
  test('an ALLOW by method and path refuses everybody at ztunnel', async () => {
    const { causes, state } = await codes('ambient-l7-allow-no-waypoint')
    expect(causes).toEqual(['ambient-l7-allow-without-waypoint proven'])
    expect(state.diagnosis?.causes[0]?.fix.statement).toContain('targetRefs to Service server')
  })
  test('with the logs of ztunnel forbidden it stays a suspect', async () => {
    const { causes, state } = await codes('ambient-l7-allow-no-waypoint', { edit: forbid(ztunnelLogs) })
    expect(causes).toContain('ambient-l7-allow-without-waypoint likely')
    expect(state.diagnosis?.verdict).toBe('suspects')
    expect(state.diagnosis?.causes[0]?.wouldDecide?.command).toContain('logs')
  })
  test('an ALLOW by identity alone is not that', async () => {
    const { outcome } = await codes('ambient-allow-list-miss')
    expect(outcome('ambient-l7-allow-without-waypoint').status).toBe('ruled-out')
  })
  test('a rule that would not fit the caller with HTTP either is not blamed (principal changed)', async () => {
    const { outcome } = await codes('ambient-l7-allow-no-waypoint', {
      edit: objects('amb-demo', (item) =>
        item.kind === 'AuthorizationPolicy'
          ? {
              ...item,
              spec: {
                ...item.spec,
                rules: [
                  {
                    from: [{ source: { principals: ['cluster.local/ns/x/sa/y'] } }],
                    to: [{ operation: { methods: ['GET'] } }],
                  },
                ],
              },
            }
          : item,
      ),
    })
    expect(outcome('ambient-l7-allow-without-waypoint').status).not.toBe('fired')
  })
  test('a DENY by path stops nothing', async () => {
    const { causes } = await codes('ambient-l7-deny-no-waypoint')
    expect(causes).toEqual(['ambient-l7-deny-noop proven'])
  })
  test('a DENY by path for another path is not blamed (asked for /status)', async () => {
    const { outcome } = await codes('ambient-l7-deny-no-waypoint', {
      given: (given) => ({ ...given, path: '/status' }),
    })
    expect(outcome('ambient-l7-deny-noop').status).toBe('quiet')
  })
  test('a DENY that ztunnel can test is ruled out (symptom changed to not-applied)', async () => {
    const { outcome } = await codes('ambient-l4-deny', { given: (given) => ({ ...given, symptom: 'not-applied' }) })
    expect(outcome('ambient-l7-deny-noop').status).toBe('ruled-out')
  })
})

describe('who is in the mesh', () => {
  test('a pod that the node agent did not capture', async () => {
    const { causes, state } = await codes('ambient-pod-not-captured-strict')
    expect(causes).toEqual(['ambient-not-captured proven'])
    expect(state.diagnosis?.answeredBy.hop).toBe('ztunnel')
  })
  test('is ruled out where both ends are captured', async () => {
    const { outcome } = await codes('ambient-allowed')
    expect(outcome('ambient-not-captured').status).toBe('ruled-out')
  })
  test('is never proven without the line of the refusal', async () => {
    const { causes } = await codes('ambient-pod-not-captured-strict', { edit: forbid(ztunnelLogs) })
    expect(causes).toContain('ambient-not-captured likely')
  })
  test('a pod that opts out is told apart from one the agent forgot (label added)', async () => {
    const { state } = await codes('ambient-pod-not-captured-strict', {
      edit: objects('amb-demo', (item) =>
        item.kind === 'Pod' && item.metadata.name === 'early'
          ? {
              ...item,
              metadata: { ...item.metadata, labels: { ...item.metadata.labels, 'istio.io/dataplane-mode': 'none' } },
            }
          : item,
      ),
    })
    expect(state.diagnosis?.causes[0]?.title).toContain('opts out')
  })
  test('a pod with a sidecar in an ambient namespace is noted (namespace of a sidecar mesh labelled)', async () => {
    const { outcome } = await codes('not-applied-gateway-only', {
      edit: editJson(/get namespaces/, (list) => ({
        ...list,
        items: list.items.map((item: any) => ({
          ...item,
          metadata: { ...item.metadata, labels: { ...item.metadata.labels, 'istio.io/dataplane-mode': 'ambient' } },
        })),
      })),
    })
    expect(outcome('ambient-sidecar-mixed').status).toBe('fired')
    expect((await codes('not-applied-gateway-only')).outcome('ambient-sidecar-mixed').status).toBe('quiet')
  })
  test('a sandbox that fails for want of ztunnel (event and phase written in)', async () => {
    const pending: Edit = objects('amb-demo', (item) =>
      item.kind === 'Pod' && item.metadata.name === 'early'
        ? { ...item, status: { ...item.status, phase: 'Pending' } }
        : item,
    )
    const event = editJson(/get events/, (list) => ({
      ...list,
      items: [
        ...list.items,
        {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: 'early.x', namespace: 'amb-demo' },
          type: 'Warning',
          reason: 'FailedCreatePodSandBox',
          message:
            'plugin type="istio-cni" name="istio-cni" failed (add): unable to push CNI event (status code 500): partial add error: no ztunnel connection',
          involvedObject: { kind: 'Pod', namespace: 'amb-demo', name: 'early' },
          count: 14,
          lastTimestamp: '2026-11-21T06:00:00Z',
        },
      ],
    }))
    const given = (one: any) => ({ ...one, symptom: 'not-injected' as const })
    const { outcome } = await codes('ambient-pod-not-captured-strict', { edit: edits(pending, event), given })
    expect(outcome('ambient-sandbox-no-ztunnel').status).toBe('fired')
    expect(
      (await codes('ambient-pod-not-captured-strict', { given })).outcome('ambient-sandbox-no-ztunnel').status,
    ).toBe('quiet')
  })
})

describe('waypoints', () => {
  test('one that is named and does not exist is passed by', async () => {
    const { causes, state } = await codes('ambient-waypoint-missing')
    expect(causes).toEqual(['ambient-waypoint-bypassed proven'])
    expect(state.diagnosis?.summary).toContain('server-waypoint')
  })
  test('a waypoint with a line of this call was not passed by', async () => {
    const { outcome } = await codes('ambient-waypoint-l7-denied', {
      given: (given) => ({ ...given, symptom: 'not-applied' }),
    })
    expect(outcome('ambient-waypoint-bypassed').status).toBe('ruled-out')
  })
  test('a route that takes another path answers 404', async () => {
    const { causes, state } = await codes('ambient-waypoint-route-404')
    expect(causes).toEqual(['waypoint-route-no-match proven'])
    expect(state.diagnosis?.causes[0]?.statement).toContain('/api')
  })
  test('a 403 of the waypoint is no missing route', async () => {
    const { outcome } = await codes('ambient-waypoint-l7-denied', { given: (given) => ({ ...given, symptom: '404' }) })
    expect(outcome('waypoint-route-no-match').status).not.toBe('fired')
  })
  test('one whose pod is gone fails closed (pod taken away, the lines of ztunnel end in a refusal)', async () => {
    const edit = edits(
      objects('amb-demo', (item) => (item.kind === 'Pod' && item.metadata.name.startsWith('waypoint') ? null : item)),
      editText(ztunnelLogs, (text) =>
        text.replaceAll(
          /\tinfo\taccess\tconnection complete\t(.*)/g,
          '\terror\taccess\tconnection complete\t$1 error="io error: Connection refused (os error 111)"',
        ),
      ),
    )
    const given = (one: any) => ({ ...one, symptom: 'reset' as const })
    const { causes, outcome } = await codes('ambient-waypoint-route-404', { edit, given })
    expect(causes).toEqual(['ambient-waypoint-down proven'])
    expect(outcome('ambient-ztunnel-down').status).not.toBe('fired')
  })
  test('a ready waypoint without errors is ruled out', async () => {
    const { outcome } = await codes('ambient-waypoint-route-404', {
      given: (given) => ({ ...given, symptom: 'reset' }),
    })
    expect(outcome('ambient-waypoint-down').status).toBe('ruled-out')
  })
  test('a policy at ztunnel that meets the waypoint instead of the caller (line written in)', async () => {
    const line =
      '2026-11-21T06:02:00.000000Z\terror\taccess\tconnection complete\tsrc.addr=10.245.100.9:50000 src.workload="waypoint-6f66dbf65d-66zkq" src.namespace="amb-demo" src.identity="spiffe://cluster.local/ns/amb-demo/sa/waypoint" dst.addr=10.245.170.4:15008 dst.hbone_addr=10.245.170.4:8080 dst.service="server.amb-demo.svc.cluster.local" dst.workload="server" dst.namespace="amb-demo" dst.identity="spiffe://cluster.local/ns/amb-demo/sa/server" direction="inbound" bytes_sent=0 bytes_recv=0 duration="0ms" error="connection closed due to policy rejection: allow policies exist, but none allowed"\n'
    const policy = {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'only-client', namespace: 'amb-demo' },
      spec: {
        selector: { matchLabels: { app: 'server' } },
        action: 'ALLOW',
        rules: [{ from: [{ source: { principals: ['cluster.local/ns/amb-demo/sa/client'] } }] }],
      },
    }
    const edit = edits(
      editText(ztunnelLogs, (text) => text + line),
      added('amb-demo', policy),
    )
    const given = (one: any) => ({ ...one, symptom: '503' as const })
    const { outcome } = await codes('ambient-waypoint-route-404', { edit, given })
    const found = outcome('ambient-waypoint-identity')
    expect(found.status === 'fired' && found.hits[0]?.title).toContain('amb-demo/only-client')
    expect((await codes('ambient-waypoint-route-404', { given })).outcome('ambient-waypoint-identity').status).toBe(
      'quiet',
    )
  })
  test('a VirtualService without a waypoint has no effect between ambient pods (object added)', async () => {
    const service = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'half', namespace: 'amb-demo' },
      spec: { hosts: ['server'], http: [{ route: [{ destination: { host: 'server' } }], timeout: '1s' }] },
    }
    const given = (one: any) => ({ ...one, symptom: 'not-applied' as const })
    const { causes } = await codes('ambient-allowed', { edit: added('amb-demo', service), given })
    expect(causes).toEqual(['ambient-l7-config-without-waypoint proven'])
    expect(
      (await codes('ambient-waypoint-route-404', { given })).outcome('ambient-l7-config-without-waypoint').status,
    ).toBe('ruled-out')
    expect((await codes('ambient-allowed', { given })).causes).toEqual([])
  })
})

describe('the network below', () => {
  const broken = (error: string) =>
    editText(ztunnelLogs, (text) =>
      text
        .replaceAll(/error="http status: 401 Unauthorized"/g, `error="${error}"`)
        .replaceAll(/^.*policy rejection.*\n/gm, ''),
    )
  test('a NetworkPolicy without 15008 (errors of ztunnel replaced, policy added)', async () => {
    const policy = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'app-only', namespace: 'amb-demo' },
      spec: {
        podSelector: { matchLabels: { app: 'server' } },
        policyTypes: ['Ingress'],
        ingress: [{ ports: [{ port: 8080, protocol: 'TCP' }] }],
      },
    }
    const edit = edits(
      broken('connection timed out, maybe a NetworkPolicy is blocking HBONE port 15008: deadline has elapsed'),
      objects('amb-demo', (item) => (item.kind === 'AuthorizationPolicy' ? null : item)),
      added('amb-demo', policy),
    )
    const { causes, state } = await codes('ambient-l7-allow-no-waypoint', {
      edit,
      given: (given) => ({ ...given, symptom: 'timeout' }),
    })
    expect(causes).toEqual(['ambient-netpol-15008 proven'])
    expect(state.diagnosis?.summary).toContain('amb-demo/app-only')
  })
  test('another error of ztunnel rules it out', async () => {
    expect((await codes('ambient-l4-deny')).outcome('ambient-netpol-15008').status).toBe('ruled-out')
  })
  test('no ztunnel on the node of the destination (refused at 15008, pod taken away)', async () => {
    const edit = edits(
      broken('io error: Connection refused (os error 111)'),
      objects('amb-demo', (item) => (item.kind === 'AuthorizationPolicy' ? null : item)),
      editJson(config('istio-system'), (list) => {
        const node = 'node-1'
        return {
          ...list,
          items: list.items.filter(
            (item: any) =>
              !(item.kind === 'Pod' && item.metadata.name.startsWith('ztunnel') && item.spec.nodeName === node),
          ),
        }
      }),
    )
    const { causes } = await codes('ambient-l7-allow-no-waypoint', { edit })
    expect(causes).toEqual(['ambient-ztunnel-down proven'])
    expect((await codes('ambient-allowed')).outcome('ambient-ztunnel-down').status).toBe('ruled-out')
  })
  test('probes that time out are only possibly the network plugin (event written in, pod not ready)', async () => {
    const unready: Edit = objects('amb-demo', (item) =>
      item.kind === 'Pod' && item.metadata.name === 'server'
        ? {
            ...item,
            status: {
              ...item.status,
              conditions: item.status.conditions.map((one: any) =>
                one.type === 'Ready' ? { ...one, status: 'False' } : one,
              ),
            },
          }
        : item,
    )
    const event = editJson(/get events/, (list) => ({
      ...list,
      items: [
        ...list.items,
        {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: 'server.x', namespace: 'amb-demo' },
          type: 'Warning',
          reason: 'Unhealthy',
          message: 'Readiness probe failed: Get "http://10.245.170.4:8080/": dial tcp 10.245.170.4:8080: i/o timeout',
          involvedObject: { kind: 'Pod', namespace: 'amb-demo', name: 'server' },
          count: 9,
          lastTimestamp: '2026-11-21T06:00:00Z',
        },
      ],
    }))
    const given = (one: any) => ({ ...one, symptom: '503' as const })
    const found = (await codes('ambient-allowed', { edit: edits(unready, event), given })).outcome(
      'ambient-probe-timeout',
    )
    expect(found.status === 'fired' && found.hits[0]?.certainty).toBe('possible')
    expect((await codes('ambient-allowed', { given })).outcome('ambient-probe-timeout').status).toBe('quiet')
  })
  test('a tunnel that was cut under a waypoint is possible only while ztunnel is silent (lines replaced)', async () => {
    const line = '503 UC upstream_reset_before_response_started{connection_termination}'
    const cut = editText(/logs waypoint/, (text) =>
      text
        .replaceAll('404 NR route_not_found', line)
        .replaceAll(/"server\.amb-demo" "-"/g, '"server.amb-demo" "envoy://connect_originate/10.245.170.4:8080"'),
    )
    const given = (one: any) => ({ ...one, symptom: '503' as const })
    const found = (await codes('ambient-waypoint-route-404', { edit: cut, given })).outcome('ambient-503-uc')
    expect(found.status === 'fired' && found.hits[0]?.certainty).toBe('possible')
    expect((await codes('ambient-waypoint-route-404', { given })).outcome('ambient-503-uc').status).toBe('quiet')
  })
})

describe('who answered where no proxy reads HTTP', () => {
  test('a connection that ztunnel carried to its end was answered by the application', async () => {
    const { state } = await codes('ambient-allowed')
    expect(state.diagnosis?.verdict).toBe('clean')
    expect(state.diagnosis?.answeredBy).toMatchObject({ hop: 'app', certainty: 'proven' })
  })
  test('nothing is said where the logs of ztunnel may not be read', async () => {
    const { state } = await codes('ambient-allowed', { edit: forbid(ztunnelLogs) })
    expect(state.diagnosis?.verdict).toBe('inconclusive')
    expect(state.diagnosis?.answeredBy.hop).toBe('unknown')
  })
})
