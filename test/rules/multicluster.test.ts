import { describe, expect, test } from 'vitest'
import { add, change } from '../helpers/edit-objects.ts'
import { play } from '../helpers/play.ts'
import { type Edit, editJson, edits, editText, forbid } from '../helpers/session-fixtures.ts'

const config = /get pods,.* -n pay /
const without = (kind: string): Edit =>
  editJson(config, (list) => ({ ...list, items: list.items.filter((item: any) => item.kind !== kind) }))

test('a Service that only another cluster has (Service taken away, finding added)', async () => {
  const edit = edits(
    without('Service'),
    editJson(/analyze -n pay/, () => [
      {
        code: 'IST0170',
        level: 'Warning',
        message: 'The Service orders is inconsistent across clusters "a","b": services don\'t exist in cluster a',
        origin: 'Service pay/orders',
      },
    ]),
  )
  const found = (await play('503-no-endpoints', { edit })).outcome('mc-service-missing-locally')
  expect(found.status === 'fired' && found.hits[0]?.title).toContain('orders')
  expect((await play('503-no-endpoints')).outcome('mc-service-missing-locally').status).toBe('ruled-out')
})

test('a remote cluster that istiod cannot read is only possible (line of istiod written in)', async () => {
  const line = '2026-11-21T06:00:00.000000Z\terror\tmulticluster\tremote cluster b failed to sync: timed out\n'
  const edit = editText(/logs istiod/, (text) => text + line)
  const given = (one: any) => ({ ...one, symptom: 'not-applied' as const })
  const found = (await play('503-no-endpoints', { edit: edits(without('Pod'), edit), given })).outcome(
    'mc-remote-secret',
  )
  expect(found.status === 'fired' && found.hits[0]?.certainty).toBe('possible')
  // Where the log of istiod is not collected the rule has nothing to say, and is not blind either.
  expect((await play('503-no-endpoints', { edit })).outcome('mc-remote-secret').status).toBe('quiet')
  expect((await play('ambient-allowed', { edit, given })).outcome('mc-remote-secret').status).toBe('quiet')
})

describe('mc-root-mismatch', () => {
  const refusedAt = (address: string) =>
    editText(/logs web/, (log) =>
      log
        .split('\n')
        .map((line) =>
          line.includes('||orders.')
            ? line
                .replace(
                  ' 503 - via_upstream - "-"',
                  ' 503 URX,UF upstream_reset_before_response_started{remote_connection_failure|TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end} - "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end"',
                )
                .replace(/"10\.244\.[\d.]+:8081"/, `"${address}"`)
            : line,
        )
        .join('\n'),
    )
  const walk = (address: string) =>
    play('503-connection-refused', {
      edit: edits(
        editText(/logs orders/, () => ''),
        refusedAt(address),
      ),
    })

  test('a handshake over the gateway of another cluster (lines written in)', async () => {
    const played = await walk('203.0.113.7:15443')
    const found = played.outcome('mc-root-mismatch')
    expect(found.status === 'fired' && found.hits[0]?.certainty).toBe('likely')
    expect(found.status === 'fired' && found.hits[0]?.wouldDecide?.command).toContain('istio-ca-root-cert')
    expect(played.state.diagnosis?.causes.map(({ code }) => code)).toEqual(['mc-root-mismatch'])
  })

  test('an address that is no other cluster’s proves nothing about one', async () => {
    expect((await walk('203.0.113.7:8081')).outcome('mc-root-mismatch').status).toBe('quiet')
    expect((await play('503-connection-refused')).outcome('mc-root-mismatch').status).toBe('quiet')
  })
})

describe('mc-network-unknown', () => {
  // The caller's lines are made to wait in vain for an address that no pod of this cluster has; it sends nothing to the real pod.
  const stranger = '10.77.3.9'
  const silent = edits(
    editText(/logs orders/, () => ''),
    editText(/logs web/, (log) =>
      log
        .split('\n')
        .map((line) =>
          line.includes('||orders.')
            ? line
                .replace(
                  ' 503 - via_upstream - "-"',
                  ' 503 URX,UF upstream_reset_before_response_started{connection_timeout} - "connection_timeout"',
                )
                .replace(/"10\.244\.[\d.]+:8081"/, `"${stranger}:8081"`)
            : line,
        )
        .join('\n'),
    ),
  )
  const endpointsOf =
    (cluster: string): Edit =>
    (result, command) =>
      / proxy-config eds web/.test(` ${command.args.join(' ')}`)
        ? {
            exit: { kind: 'exited', code: 0 },
            stdout: JSON.stringify([
              {
                clusterName: 'outbound|80||orders.pay.svc.cluster.local',
                endpoints: [
                  {
                    lbEndpoints: [
                      {
                        endpoint: { address: { socketAddress: { address: stranger, portValue: 8081 } } },
                        metadata: { filterMetadata: { istio: { workload: `orders;pay;orders;v1;${cluster}` } } },
                      },
                    ],
                  },
                ],
              },
            ]),
            stderr: '',
            durationMs: 1,
          }
        : result
  const eastWest = (ingress: readonly object[]) =>
    add({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'cross', namespace: 'istio-system', labels: {} },
      spec: { type: 'LoadBalancer', ports: [{ port: 15443 }], selector: { app: 'cross' } },
      status: { loadBalancer: ingress.length > 0 ? { ingress } : {} },
    })
  const outcomeOf = async (edit: Edit) => {
    const played = await play('503-connection-refused', { edit })
    return { played, outcome: played.outcome('mc-network-unknown') }
  }

  test('a pod of another cluster, no network label, a gateway without an address (lines, eds, Service written in)', async () => {
    const { played, outcome } = await outcomeOf(edits(silent, endpointsOf('west'), eastWest([])))
    expect(outcome.status === 'fired' && outcome.hits[0]?.certainty).toBe('proven')
    expect(outcome.status === 'fired' && outcome.hits[0]?.statement).toMatch(/cluster west.*no label.*cross/s)
    expect(played.state.diagnosis?.causes.map(({ code }) => code)).toEqual(['mc-network-unknown'])
  })

  test('without a gateway for other clusters both may share a network: likely (no Service)', async () => {
    const { outcome } = await outcomeOf(edits(silent, endpointsOf('west')))
    expect(outcome.status === 'fired' && outcome.hits[0]?.certainty).toBe('likely')
  })

  test('a named network on this side leaves the other side to be asked (label written in)', async () => {
    const labelled = change('Namespace', /^istio-system$/, (namespace) => {
      namespace.metadata.labels['topology.istio.io/network'] = 'north'
    })
    const { outcome } = await outcomeOf(edits(silent, endpointsOf('west'), eastWest([{ ip: '203.0.113.7' }]), labelled))
    expect(outcome.status === 'fired' && outcome.hits[0]?.certainty).toBe('likely')
  })

  test('without eds it is only possible, and eds would decide (eds forbidden)', async () => {
    const { outcome } = await outcomeOf(edits(silent, forbid(/proxy-config eds/), eastWest([])))
    expect(outcome.status === 'fired' && outcome.hits[0]?.certainty).toBe('possible')
    expect(outcome.status === 'fired' && outcome.hits[0]?.wouldDecide?.command).toContain('proxy-config eds')
  })

  test('an address of this cluster, a gateway’s port, or a lone cluster are not it', async () => {
    expect((await outcomeOf(edits(silent, endpointsOf('Kubernetes'), eastWest([])))).outcome.status).toBe('ruled-out')
    const through = editText(/logs web/, (log) => log.replaceAll(`"${stranger}:8081"`, `"${stranger}:15443"`))
    expect((await outcomeOf(edits(silent, through, endpointsOf('west')))).outcome.status).toBe('ruled-out')
    expect((await outcomeOf(edits(silent, forbid(/proxy-config eds/)))).outcome.status).toBe('quiet')
  })

  test('walks of other failures run no extra command, and the rule is quiet', async () => {
    const { entries, outcome } = await play('503-connection-refused')
    expect(entries.filter(({ probe }) => probe === 'eds')).toEqual([])
    expect(outcome('mc-network-unknown').status).toBe('quiet')
  })
})
