import { describe, expect, test } from 'vitest'
import { controlPlaneRules } from '../../src/rules/control-plane/index.ts'
import { injectionRules } from '../../src/rules/injection/index.ts'
import { lifecycleRules } from '../../src/rules/lifecycle/index.ts'
import { probeRules } from '../../src/rules/probes/index.ts'
import { transportRules } from '../../src/rules/transport-mtls/index.ts'
import { type Played, play } from '../helpers/play.ts'
import { editJson, edits, editText, forbid } from '../helpers/session-fixtures.ts'

const codes = ({ state }: Played) => state.diagnosis?.causes.map(({ code }) => code) ?? []
const config = / get pods,/

/** Objects of one kind and name in the namespaces that were read. */
function change(kind: string, name: RegExp, how: (object: any) => void) {
  return editJson(config, (list) => {
    for (const object of list.items) if (object.kind === kind && name.test(object.metadata.name)) how(object)
    return list
  })
}

describe('strict-plaintext-client', () => {
  test('names caller, policy and the refused connection', async () => {
    const played = await play('reset-strict-legacy')
    expect(codes(played)).toEqual(['strict-plaintext-client'])
    const [cause] = played.state.diagnosis?.causes ?? []
    expect(cause?.certainty).toBe('proven')
    expect(cause?.statement).toContain('PeerAuthentication pay/default sets STRICT')
    expect(cause?.supporting.some(({ excerpt }) => excerpt?.includes('filter_chain_not_found'))).toBe(true)
    expect(cause?.fix.statement).toContain('leave pay/default as it is')
  })

  test('a caller with a proxy whose annotation leaves the port out', async () => {
    const played = await play('reset-strict-legacy', {
      edit: change('Pod', /^batch-/, (pod) => {
        delete pod.metadata.labels['sidecar.istio.io/inject']
        pod.metadata.annotations = { 'traffic.sidecar.istio.io/excludeOutboundPorts': '9999,8080' }
        pod.spec.initContainers = [{ name: 'istio-proxy', restartPolicy: 'Always', args: ['proxy', 'sidecar'] }]
      }),
    })
    expect(codes(played)).toEqual(['strict-plaintext-client'])
    const [cause] = played.state.diagnosis?.causes ?? []
    expect(cause?.certainty).toBe('proven')
    expect(cause?.statement).toContain('excludeOutboundPorts')
  })

  test('nobody said who sees the 503: a refused caller without a proxy sees a reset (changed: address of istiod)', async () => {
    const played = await play('reset-strict-legacy', {
      given: (given) => ({ ...given, symptom: '503', from: null }),
      edit: editText(/^kubectl logs ledger/, (text) =>
        text.replaceAll(/10\.244\.200\.\d+(:\d+ - -)/g, '10.244.200.9$1'),
      ),
    })
    const [cause] = played.state.diagnosis?.causes ?? []
    expect(cause).toMatchObject({ code: 'strict-plaintext-client', certainty: 'possible' })
    expect(cause?.wouldDecide?.command).toMatch(/^kubectl logs istiod-/)
  })

  test('a refused caller whose pod is not known is looked for by its address', async () => {
    const played = await play('reset-strict-legacy', { given: (given) => ({ ...given, symptom: '503', from: null }) })
    const [cause] = played.state.diagnosis?.causes ?? []
    expect(cause).toMatchObject({ code: 'strict-plaintext-client', certainty: 'possible' })
    expect(cause?.wouldDecide?.command).toMatch(/^kubectl get pods -A --field-selector=status\.podIP=10\./)
  })

  test('an exclusion of another port is no reason', async () => {
    const played = await play('503-dr-disable-strict', {
      edit: change('Pod', /^web-/, (pod) => {
        pod.metadata.annotations['traffic.sidecar.istio.io/excludeOutboundPorts'] = '3306'
      }),
    })
    expect(codes(played)).toEqual(['dr-tls-disable-vs-strict'])
  })

  test('without the policies it is likely and says what would decide', async () => {
    const played = await play('reset-strict-legacy', { edit: forbid(/-n pay -o json|-n istio-system -o json/) })
    expect(codes(played)).not.toContain('dr-tls-disable-vs-strict')
    for (const cause of played.state.diagnosis?.causes ?? []) expect(cause.certainty).not.toBe('proven')
  })

  test('without the destination’s log it is a suspect', async () => {
    const played = await play('reset-strict-legacy', { edit: forbid(/^kubectl logs ledger/) })
    expect(played.state.diagnosis?.verdict).toBe('suspects')
    const [cause] = played.state.diagnosis?.causes ?? []
    expect(cause?.code).toBe('strict-plaintext-client')
    expect(cause?.certainty).toBe('likely')
    expect(cause?.wouldDecide?.command).toContain('kubectl logs -n pay ledger-')
  })

  test('plaintext that passes rules it out', async () => {
    const played = await play('permissive-migration')
    expect(played.outcome('strict-plaintext-client').status).toBe('ruled-out')
    expect(played.state.diagnosis?.verdict).toBe('clean')
  })

  test('ztunnel names STRICT itself', async () => {
    const { outcome } = await play('ambient-pod-not-captured-strict')
    expect(outcome('strict-plaintext-client').status).toBe('fired')
  })

  test('a proxy of another pod in the log is not the caller', async () => {
    // The refused connections come from an address that is not the caller's.
    const played = await play('reset-strict-legacy', {
      edit: editText(/^kubectl logs ledger/, (text) => text.replaceAll('10.244.200.19:', '10.244.200.77:')),
    })
    for (const cause of played.state.diagnosis?.causes ?? []) expect(cause.certainty).not.toBe('proven')
  })
})

describe('dr-tls-disable-vs-strict', () => {
  test('the fix takes out the tls block and nothing else', async () => {
    const played = await play('503-dr-disable-strict', {
      edit: change('DestinationRule', /^ledger-tls$/, (rule) => {
        rule.spec.trafficPolicy.connectionPool = { tcp: { maxConnections: 10 } }
        rule.spec.subsets = [{ name: 'blue', labels: { version: 'v1' } }]
      }),
    })
    expect(codes(played)).toEqual(['dr-tls-disable-vs-strict'])
    const fix = played.state.diagnosis?.causes[0]?.fix
    expect(fix?.statement).toContain('Remove spec.trafficPolicy.tls from DestinationRule shop/ledger-tls')
    expect(fix?.statement).toContain('trafficPolicy.connectionPool')
    expect(fix?.statement).toContain('subsets blue')
    expect(fix?.commands[0]).toContain('[{"op":"remove","path":"/spec/trafficPolicy/tls"}]')
  })

  test('a block of one port is found and removed there', async () => {
    const played = await play('503-dr-disable-strict', {
      edit: change('DestinationRule', /^ledger-tls$/, (rule) => {
        rule.spec.trafficPolicy = {
          portLevelSettings: [
            { port: { number: 9090 }, tls: { mode: 'SIMPLE' } },
            { port: { number: 8080 }, tls: { mode: 'DISABLE' }, outlierDetection: { consecutive5xxErrors: 3 } },
          ],
        }
      }),
    })
    const fix = played.state.diagnosis?.causes[0]?.fix
    expect(codes(played)).toEqual(['dr-tls-disable-vs-strict'])
    expect(fix?.commands[0]).toContain('/spec/trafficPolicy/portLevelSettings/1/tls')
    expect(fix?.statement).toContain('outlierDetection')
    expect(fix?.statement).toContain('9090')
  })

  test('the destination’s log forbidden: still the rule and the policy, never another cause', async () => {
    const played = await play('503-dr-disable-strict', { edit: forbid(/^kubectl logs ledger/) })
    expect(codes(played)).toEqual(['dr-tls-disable-vs-strict'])
  })

  test('PERMISSIVE instead of STRICT rules it out', async () => {
    const played = await play('503-dr-disable-strict', {
      edit: change('PeerAuthentication', /./, (policy) => {
        policy.spec.mtls.mode = 'PERMISSIVE'
      }),
    })
    expect(played.outcome('dr-tls-disable-vs-strict').status).toBe('ruled-out')
  })

  test('the certificate that one-way TLS refuses is no finding beside it (changed: SIMPLE, the TLS error)', async () => {
    const tls = 'TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end'
    const played = await play('503-dr-disable-strict', {
      edit: edits(
        change('DestinationRule', /./, ({ spec }) => {
          if (spec.trafficPolicy?.tls) spec.trafficPolicy.tls.mode = 'SIMPLE'
        }),
        editText(/^kubectl logs web/, (text) =>
          text.replaceAll(
            /503 UC upstream_reset_before_response_started\{connection_termination\} - "-"/g,
            `503 UF,URX upstream_reset_before_response_started{remote_connection_failure|${tls}} - "${tls}"`,
          ),
        ),
      ),
    })
    expect(codes(played)).toEqual(['dr-tls-disable-vs-strict'])
    expect(played.outcome('cert-verify-failed').status).toBe('fired')
    expect(played.state.diagnosis?.otherFindings.map(({ code }) => code)).not.toContain('cert-verify-failed')
    expect(played.state.diagnosis?.ruledOut.map(({ code }) => code)).toContain('cert-verify-failed')
  })

  test('a rule for another host does not count', async () => {
    const played = await play('503-dr-disable-strict', {
      edit: change('DestinationRule', /^ledger-tls$/, (rule) => {
        rule.spec.host = 'orders.pay.svc.cluster.local'
      }),
    })
    expect(codes(played)).not.toContain('dr-tls-disable-vs-strict')
  })

  test('it bites next where the call does not come so far', async () => {
    const rule = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'plain', namespace: 'shop', creationTimestamp: '2026-11-21T05:00:00Z' },
      spec: { host: 'ledger.pay.svc.cluster.local', trafficPolicy: { tls: { mode: 'DISABLE' } } },
    }
    const played = await play('503-not-ready', {
      edit: edits(
        editJson(/ get pods,.* -n shop /, (list) => ({ ...list, items: [...list.items, rule] })),
        editJson(/ get pods,.* -n pay /, (list) => ({
          ...list,
          items: [
            ...list.items.filter((item: any) => item.kind !== 'PeerAuthentication'),
            {
              apiVersion: 'security.istio.io/v1',
              kind: 'PeerAuthentication',
              metadata: { name: 'all', namespace: 'pay', creationTimestamp: '2026-11-21T05:00:00Z' },
              spec: { mtls: { mode: 'STRICT' } },
            },
          ],
        })),
      ),
    })
    const outcome = played.outcome('dr-tls-disable-vs-strict')
    expect(outcome.status === 'fired' && outcome.hits[0]?.about).toBe('next')
    expect(codes(played)).toEqual(['uh-no-endpoints', 'dr-tls-disable-vs-strict'])
  })
})

describe('dr-mutual-to-nonmesh', () => {
  test('names rule and pod', async () => {
    const played = await play('503-mutual-to-legacy')
    expect(codes(played)).toEqual(['dr-mutual-to-nonmesh'])
    expect(played.state.diagnosis?.causes[0]?.statement).toContain('DestinationRule shop/oldapp')
  })

  test('a stale label promises a proxy', async () => {
    const played = await play('503-mutual-to-legacy', {
      edit: edits(
        editJson(config, (list) => ({
          ...list,
          items: list.items.filter(({ kind }: any) => kind !== 'DestinationRule'),
        })),
        change('Pod', /^oldapp/, (pod) => {
          pod.metadata.labels['security.istio.io/tlsMode'] = 'istio'
        }),
      ),
    })
    expect(codes(played)).toEqual(['dr-mutual-to-nonmesh'])
    expect(played.state.diagnosis?.causes[0]?.fix.statement).toContain('security.istio.io/tlsMode')
  })

  test('another failure rules it out', async () => {
    const { outcome } = await play('503-app-resets')
    expect(outcome('dr-mutual-to-nonmesh').status).toBe('ruled-out')
  })
})

test('headless-podip-503: the call went through PassthroughCluster', async () => {
  const played = await play('503-dr-disable-strict', {
    edit: edits(
      editText(/^kubectl logs web/, (text) =>
        text.replaceAll('outbound|8080||ledger.pay.svc.cluster.local', 'PassthroughCluster'),
      ),
      editJson(config, (list) => ({
        ...list,
        items: list.items.filter(({ kind }: any) => kind !== 'DestinationRule'),
      })),
    ),
  })
  expect(codes(played)).toEqual(['headless-podip-503'])
  expect(played.state.diagnosis?.causes[0]?.certainty).toBe('proven')
  expect((await play('503-dr-disable-strict')).outcome('headless-podip-503').status).toBe('quiet')
})

test('prometheus-scrape-strict: the refused caller is a Prometheus', async () => {
  const prometheus = change('Pod', /^batch-/, (pod) => {
    pod.metadata.labels['app.kubernetes.io/name'] = 'prometheus'
  })
  const asking = (path: string) =>
    play('reset-strict-legacy', { edit: prometheus, given: (given) => ({ ...given, path }) })
  // Injection has rewritten the pod's own annotations to port 15020: they do not say what else is scraped.
  expect(codes(await asking('/metrics'))).toEqual(['prometheus-scrape-strict'])
  expect(codes(await asking('/v1/balance'))).toEqual(['strict-plaintext-client'])
  const scrape = await play('reset-strict-legacy', {
    edit: edits(
      change('Pod', /^batch-/, (pod) => {
        pod.metadata.labels['app.kubernetes.io/name'] = 'prometheus'
      }),
      change('Pod', /^ledger-/, (pod) => {
        pod.metadata.annotations['prometheus.io/port'] = '8080'
      }),
    ),
  })
  expect(codes(scrape)).toEqual(['prometheus-scrape-strict'])
})

describe('peerauth-scope-surprise', () => {
  const policy = (name: string, namespace: string, spec: any) => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name, namespace, creationTimestamp: '2026-11-21T05:00:00Z' },
    spec,
  })
  test('a port that is the Service’s and not the container’s', async () => {
    const played = await play('permissive-migration', {
      given: (given) => ({ ...given, symptom: 'not-applied', to: { ...given.to!, text: 'svc/ledger.pay', port: 80 } }),
      edit: edits(
        editJson(/ get pods,.* -n pay /, (list) => ({
          ...list,
          items: [
            ...list.items.map((item: any) =>
              item.kind === 'Service' && item.metadata.name === 'ledger'
                ? { ...item, spec: { ...item.spec, ports: [{ name: 'http', port: 80, targetPort: 8080 }] } }
                : item,
            ),
            policy('ports', 'pay', {
              selector: { matchLabels: { app: 'ledger' } },
              portLevelMtls: { 80: { mode: 'STRICT' } },
            }),
          ],
        })),
      ),
    })
    const outcome = played.outcome('peerauth-scope-surprise')
    expect(outcome.status).toBe('fired')
    if (outcome.status === 'fired') expect(outcome.hits[0]?.statement).toContain('it names port 80 of the Service')
  })
  test('quiet where nothing is passed over', async () => {
    expect((await play('healthy-strict')).outcome('peerauth-scope-surprise').status).toBe('quiet')
  })
})

test('tcp-idle-1h: connections that end after an hour', async () => {
  const hour = (text: string) => text.replace(/("-" \d+ \d+) \d+ -/g, '$1 3600241 -')
  const played = await play('tcp-http-policy', {
    edit: editText(/^kubectl logs/, (text) =>
      hour(text)
        .replaceAll(/ (?:UC|UF,URX|UR|-) \S+ rbac\S+ /g, ' - - - ')
        .replaceAll(/rbac_access_denied\S*/g, '-'),
    ),
  })
  const outcome = played.outcome('tcp-idle-1h')
  expect(outcome.status === 'fired' && outcome.hits[0]?.statement).toContain('3600 s')
  expect(played.state.diagnosis?.answeredBy).toMatchObject({ hop: 'client-proxy', certainty: 'possible' })
  // Both sides log each connection.
  const logged = played.situation.lines.filter(({ record }) => record.durationMs === 3_600_241).length
  const told = outcome.status === 'fired' ? Number(outcome.hits[0]?.statement.split(' ')[0]) : Number.NaN
  expect(told).toBe(played.situation.exchanges.length)
  expect(told).toBeLessThan(logged)
  expect((await play('tcp-http-policy')).outcome('tcp-idle-1h').status).toBe('quiet')
})

const own = [...transportRules, ...injectionRules, ...lifecycleRules, ...probeRules, ...controlPlaneRules]
test.each([
  '503-dr-disable-strict',
  '503-mutual-to-legacy',
  'reset-strict-legacy',
  'not-injected',
  'nack-listener',
  'stale-eds',
])('%s: no wrong cause without logs of the destination, and none without exec', async (name) => {
  const ownCodes = new Set(own.map(({ code }) => code))
  const wanted = new Set((await play(name)).state.diagnosis?.causes.map(({ code }) => code))
  const variants = [
    await play(name, { edit: forbid(/^kubectl logs/) }),
    await play(name, { given: (given) => ({ ...given, noExec: true }) }),
    await play(name, { edit: forbid(/-n (?:pay|shop|legacy) -o json/) }),
    await play(name, { edit: forbid(/proxy-status|proxy-config| exec /) }),
  ]
  for (const played of variants)
    for (const cause of played.state.diagnosis?.causes ?? [])
      if (ownCodes.has(cause.code) && cause.certainty === 'proven') expect([...wanted]).toContain(cause.code)
})
