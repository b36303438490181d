import { describe, expect, test } from 'vitest'
import type { RuleOutcome } from '../../src/model/finding.ts'
import { callerSays } from '../helpers/log-edits.ts'
import { play } from '../helpers/play.ts'
import { type Edit, editJson, edits, editText, forbid } from '../helpers/session-fixtures.ts'

const hit = (outcome: RuleOutcome) => (outcome.status === 'fired' ? outcome.hits[0] : undefined)
const fires = (certainty: string) => ({ status: 'fired', hits: [{ certainty, about: 'call' }] })

describe('routes that fail requests', () => {
  test('a fault names its VirtualService, how often it hits, and leaves the rest of the object alone', async () => {
    const { outcome } = await play('500-fault-left-on')
    expect(outcome('fault-injection-left-on')).toMatchObject(fires('proven'))
    expect(hit(outcome('fault-injection-left-on'))?.statement).toContain('9 of the 24')
    expect(hit(outcome('fault-injection-left-on'))?.fix.statement).toContain('keep its hosts')
  })

  test('without any line a fault that fits the symptom is likely, and one that does not fit is quiet', async () => {
    const edit = forbid(/^kubectl logs/)
    expect((await play('500-fault-left-on', { edit })).outcome('fault-injection-left-on')).toMatchObject(
      fires('likely'),
    )
    const other = await play('500-fault-left-on', { edit, given: (given) => ({ ...given, symptom: '404' }) })
    expect(other.outcome('fault-injection-left-on').status).toBe('quiet')
  })

  test('a fault is ruled out where lines carry another flag', async () => {
    expect((await play('503-overflow')).outcome('fault-injection-left-on').status).toBe('ruled-out')
  })

  test('a route timeout is proven by the duration of the line', async () => {
    const { outcome } = await play('504-route-timeout')
    expect(outcome('ut-route-timeout')).toMatchObject(fires('proven'))
    expect((await play('503-overflow')).outcome('ut-route-timeout').status).toBe('ruled-out')
  })

  test('a route that allows more than the line waited is not the proven limit (changed: timeout of the route)', async () => {
    const { outcome } = await play('504-route-timeout', {
      edit: editText(/^istioctl proxy-config route/, (text) => text.replaceAll('"timeout": "1s"', '"timeout": "9s"')),
    })
    expect(outcome('ut-route-timeout')).toMatchObject(fires('likely'))
    expect(hit(outcome('ut-route-timeout'))?.wouldDecide).not.toBeNull()
  })

  test('a timeout per try is told from the timeout of the route (changed: details of the lines)', async () => {
    const { outcome, state } = await play('504-route-timeout', {
      edit: editText(/^kubectl logs web/, (text) =>
        text.replaceAll('UT response_timeout', 'UT upstream_per_try_timeout'),
      ),
    })
    expect(outcome('retry-multiplied-timeout')).toMatchObject(fires('proven'))
    expect(outcome('ut-route-timeout').status).toBe('ruled-out')
    expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['retry-multiplied-timeout'])
    expect((await play('504-route-timeout')).outcome('retry-multiplied-timeout').status).toBe('ruled-out')
  })

  test('a caller that always hangs up after the same time has a timeout (changed: lines of the caller)', async () => {
    const { outcome, state } = await play('504-route-timeout', {
      given: (given) => ({ ...given, symptom: 'timeout' }),
      edit: editText(/^kubectl logs web/, (text) =>
        text.replaceAll('504 UT response_timeout', '0 DC downstream_remote_disconnect'),
      ),
    })
    expect(outcome('dc-client-gave-up')).toMatchObject(fires('proven'))
    expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['dc-client-gave-up'])
  })

  test('a hang-up further in is the echo of a timeout before it', async () => {
    expect((await play('504-route-timeout')).outcome('dc-client-gave-up').status).toBe('ruled-out')
  })

  test('an idle stream is ended by the proxy that says so (changed: the recorded answer)', async () => {
    const { outcome } = await play('503-overflow', callerSays('timeout', '408 SI stream_idle_timeout - "-"'))
    expect(outcome('stream-idle-timeout')).toMatchObject(fires('proven'))
    expect((await play('504-route-timeout')).outcome('stream-idle-timeout').status).toBe('ruled-out')
  })

  test('a Host header that no virtual host takes (changed: authority and answer)', async () => {
    const options = callerSays('404', '404 NR route_not_found - "-"')
    const { outcome } = await play('503-overflow', {
      ...options,
      given: (given) => ({ ...given, symptom: '404', host: null, path: null }),
      edit: edits(
        options.edit ?? ((result) => result),
        editText(/^kubectl logs web/, (text) => text.replaceAll('"ledger.pay:8080"', '"nobody.example:8080"')),
        // A proxy that passes on what it does not know has a virtual host for everything.
        editJson(/^istioctl proxy-config route/, (list) =>
          list.map((table: any) => ({
            ...table,
            virtualHosts: table.virtualHosts?.filter((host: any) => !host.domains?.includes('*')),
          })),
        ),
      ),
    })
    expect(outcome('sidecar-host-header-no-vhost')).toMatchObject(fires('proven'))
    expect((await play('404-path-order')).outcome('sidecar-host-header-no-vhost').status).not.toBe('fired')
  })
})

describe('clusters', () => {
  test('an undefined subset is named with those that exist', async () => {
    const { outcome } = await play('503-subset-undefined')
    expect(outcome('nc-subset-undefined')).toMatchObject(fires('proven'))
    expect(hit(outcome('nc-subset-undefined'))?.statement).toContain('v1, v2, v3 and not v99')
    expect((await play('503-subset-empty')).outcome('nc-subset-undefined').status).toBe('ruled-out')
  })

  test('a route to a port that the Service lacks (changed: cluster of the route)', async () => {
    const { outcome } = await play('503-subset-undefined', {
      edit: editText(/^istioctl proxy-config route/, (text) =>
        text.replaceAll('outbound|9080|v99|', 'outbound|9999||'),
      ),
    })
    expect(hit(outcome('nc-subset-undefined'))?.statement).toMatch(/has port 9080 and not 9999/)
  })

  test('a subset that only a hidden DestinationRule defines is scoped out (changed: a rule in the caller’s namespace)', async () => {
    const hiding = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'mine', namespace: 'shop', creationTimestamp: '2020-01-01T00:00:00Z' },
      spec: { host: 'ledger.pay.svc.cluster.local', subsets: [{ name: 'other', labels: { version: 'v1' } }] },
    }
    const defining = {
      ...hiding,
      metadata: { name: 'theirs', namespace: 'pay', creationTimestamp: '2020-01-01T00:00:00Z' },
      spec: { ...hiding.spec, subsets: [{ name: 'v7', labels: { version: 'v1' } }] },
    }
    const options = callerSays(
      '503',
      '503 NC cluster_not_found - "-"',
      editText(/^istioctl proxy-config route/, (text) =>
        text.replaceAll('"cluster": "outbound|8080||ledger.pay', '"cluster": "outbound|8080|v7|ledger.pay'),
      ),
      editText(/^kubectl logs web/, (text) =>
        text.replaceAll(/(NC cluster_not_found .*) outbound\|8080\|\|\S+/g, '$1 -'),
      ),
      editJson(/^kubectl get pods,services.* -n shop /, (list) => ({
        ...list,
        items: [...list.items.filter((item: any) => item.kind !== 'DestinationRule'), hiding],
      })),
      editJson(/^kubectl get pods,services.* -n pay /, (list) => ({
        ...list,
        items: [...list.items.filter((item: any) => item.kind !== 'DestinationRule'), defining],
      })),
    )
    const { outcome } = await play('503-overflow', options)
    expect(outcome('nc-scoped-out')).toMatchObject(fires('proven'))
    expect(hit(outcome('nc-scoped-out'))?.statement).toContain('DestinationRule pay/theirs')
    expect(outcome('nc-subset-undefined').status).not.toBe('fired')
    expect((await play('503-subset-undefined')).outcome('nc-scoped-out').status).not.toBe('fired')
  })

  test('a Sidecar that does not list the destination (changed: a Sidecar, no cluster, no line of a cluster)', async () => {
    const sidecar = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Sidecar',
      metadata: { name: 'narrow', namespace: 'shop', creationTimestamp: '2020-01-01T00:00:00Z' },
      spec: { egress: [{ hosts: ['./*', 'istio-system/*'] }] },
    }
    const options = callerSays(
      '503',
      '503 NC cluster_not_found - "-"',
      editText(/^kubectl logs web/, (text) =>
        text.replaceAll(/(NC cluster_not_found .*) outbound\|8080\|\|\S+/g, '$1 -'),
      ),
      editJson(/^istioctl proxy-config cluster/, (list) =>
        list.filter(({ name }: any) => !String(name).includes('ledger.pay')),
      ),
      editJson(/^kubectl get pods,services.* -n shop /, (list) => ({ ...list, items: [...list.items, sidecar] })),
    )
    const { outcome } = await play('503-overflow', options)
    expect(hit(outcome('nc-scoped-out'))?.fix.statement).toMatch(
      /pay\/ledger\.pay\.svc\.cluster\.local to egress\.hosts of Sidecar shop\/narrow; keep/,
    )
  })

  test('an empty subset is told from an empty Service', async () => {
    const empty = await play('503-subset-empty')
    expect(empty.outcome('uh-subset-selects-none')).toMatchObject(fires('proven'))
    expect(empty.outcome('uh-no-endpoints').status).toBe('ruled-out')
    const none = await play('503-no-endpoints')
    expect(none.outcome('uh-subset-selects-none').status).toBe('ruled-out')
  })

  test('a full pool names the limits and the rule that sets them', async () => {
    const { outcome } = await play('503-overflow')
    expect(hit(outcome('uo-circuit-breaker'))?.title).toContain('maxConnections 1')
    expect((await play('503-no-endpoints')).outcome('uo-circuit-breaker').status).toBe('ruled-out')
  })

  test('ejected endpoints are told from missing ones (changed: the answer, and live health)', async () => {
    const options = callerSays(
      '503',
      '503 UH no_healthy_upstream - "-"',
      editJson(/^istioctl proxy-config endpoint/, (list) =>
        list.map((entry: any) =>
          String(entry.name ?? '').includes('ledger.pay')
            ? {
                ...entry,
                hostStatuses: entry.hostStatuses?.map((host: any) => ({
                  ...host,
                  healthStatus: { ...host.healthStatus, failedOutlierCheck: true },
                })),
              }
            : entry,
        ),
      ),
    )
    const { outcome, state } = await play('503-overflow', options)
    expect(outcome('uh-outlier-ejected')).toMatchObject(fires('proven'))
    expect(outcome('uh-no-endpoints').status).toBe('ruled-out')
    expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['uh-outlier-ejected'])
    expect((await play('503-no-endpoints')).outcome('uh-outlier-ejected').status).toBe('ruled-out')
  })

  test('used-up retries are never more than a possibility, and yield to what failed', async () => {
    const { outcome, state } = await play('503-connection-refused')
    expect(outcome('urx-retries-exhausted')).toMatchObject(fires('possible'))
    expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['uf-connection-refused'])
    expect((await play('503-overflow')).outcome('urx-retries-exhausted').status).toBe('ruled-out')
  })
})

describe('configuration without effect', () => {
  test('a VirtualService of a gateway is not that of the mesh', async () => {
    const { outcome } = await play('not-applied-gateway-only')
    expect(outcome('vs-not-on-mesh')).toMatchObject(fires('proven'))
    const applied = await play('504-route-timeout', { given: (given) => ({ ...given, symptom: 'not-applied' }) })
    expect(applied.outcome('vs-not-on-mesh').status).toBe('ruled-out')
  })

  test('two VirtualServices of one host: the one in the route counts (changed: a second, younger one)', async () => {
    const options = {
      given: (given: any) => ({ ...given, symptom: 'not-applied' as const }),
      edit: editJson(/^kubectl get pods,services.* -n pay /, (list: any) => {
        const own = list.items.find((item: any) => item.kind === 'VirtualService')
        const twin = {
          ...own,
          metadata: { ...own.metadata, name: 'ledger-new', creationTimestamp: '2030-01-01T00:00:00Z' },
        }
        return { ...list, items: [...list.items, twin] }
      }),
    }
    const { outcome } = await play('504-route-timeout', options)
    expect(outcome('vs-conflict-same-host')).toMatchObject(fires('proven'))
    expect(hit(outcome('vs-conflict-same-host'))?.subject).toBe('VirtualService pay/ledger-new')
    const one = await play('504-route-timeout', { given: options.given })
    expect(one.outcome('vs-conflict-same-host').status).toBe('ruled-out')
  })

  test('a DestinationRule that another one hides (changed: one more in the Service’s namespace)', async () => {
    const hidden = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'ignored', namespace: 'pay', creationTimestamp: '2020-01-01T00:00:00Z' },
      spec: { host: 'ledger', trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } },
    }
    const given = (same: any) => ({ ...same, symptom: 'not-applied' as const })
    const { outcome } = await play('503-overflow', {
      given,
      edit: editJson(/^kubectl get pods,services.* -n pay /, (list) => ({ ...list, items: [...list.items, hidden] })),
    })
    expect(outcome('dr-conflict-merge')).toMatchObject(fires('proven'))
    expect(hit(outcome('dr-conflict-merge'))?.title).toContain('DestinationRule shop/ledger-pool counts')
    const alone = await play('503-overflow', {
      given,
      edit: editJson(/^kubectl get pods,services.* -n pay /, (list) => ({
        ...list,
        items: list.items.filter((item: any) => item.kind !== 'DestinationRule'),
      })),
    })
    expect(alone.outcome('dr-conflict-merge').status).toBe('ruled-out')
  })

  test('settings of a subset that no route names (changed: a trafficPolicy in a subset)', async () => {
    const given = (same: any) => ({ ...same, symptom: 'not-applied' as const })
    const withPolicy = editJson(/^kubectl get pods,services.* -n shop /, (list) => ({
      ...list,
      items: list.items.map((item: any) =>
        item.kind === 'DestinationRule' && item.metadata.name === 'ledger-pool'
          ? {
              ...item,
              spec: {
                ...item.spec,
                subsets: [
                  { name: 'v1', labels: { version: 'v1' }, trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } },
                ],
              },
            }
          : item,
      ),
    }))
    const { outcome } = await play('503-overflow', { given, edit: withPolicy })
    expect(outcome('dr-subset-policy-not-activated')).toMatchObject(fires('proven'))
    const routed = await play('503-overflow', {
      given,
      edit: edits(
        withPolicy,
        editText(/^istioctl proxy-config route/, (text) =>
          text.replaceAll('"cluster": "outbound|8080||ledger.pay', '"cluster": "outbound|8080|v1|ledger.pay'),
        ),
      ),
    })
    expect(routed.outcome('dr-subset-policy-not-activated').status).toBe('ruled-out')
  })
})

test('what arrives at the destination does not rule out what the caller’s proxy does by itself', async () => {
  const { situation } = await play('500-fault-left-on')
  const own = situation.client.pod?.name ?? ''
  const edit: Edit = (result, command) =>
    command.args[0] === 'logs' && command.args.includes(own) ? { ...result, stdout: '' } : result
  const played = await play('500-fault-left-on', { edit })
  expect(played.situation.passing.length).toBeGreaterThan(0)
  expect(played.outcome('fault-injection-left-on')).toMatchObject({
    status: 'fired',
    hits: [{ certainty: 'possible', wouldDecide: { command: expect.stringContaining(own) } }],
  })
})
