import { describe, expect, test } from 'vitest'
import type { SymptomId } from '../../src/model/call.ts'
import { nothingPasted } from '../../src/situation/hints.ts'
import { callerSays } from '../helpers/log-edits.ts'
import { type PlayOptions, play } from '../helpers/play.ts'
import { type Edit, editJson, edits, editText, forbid } from '../helpers/session-fixtures.ts'

const proven = { status: 'fired', hits: [{ certainty: 'proven' }] }
const istio = (kind: string, name: string, namespace: string, spec: unknown) => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata: { name, namespace, creationTimestamp: '2020-01-01T00:00:00Z' },
  spec,
})
const add = (...objects: readonly unknown[]): Edit =>
  editJson(/^kubectl get pods,services.* -n shop /, (list) => ({ ...list, items: [...list.items, ...objects] }))

/** Changes what the caller's proxy logged about the outside host of 502-registry-only. */
function outside(
  symptom: SymptomId,
  answer: string,
  rest: string,
  port: number,
  ...more: readonly Edit[]
): PlayOptions {
  const edit = editText(/^kubectl logs web/, (text) =>
    text
      .replaceAll(/502 - direct_response - "-"/g, answer)
      .replaceAll(/"-" - - 10\.244\.250\.10:80 (\S+) - block_all/g, `${rest} 10.244.250.10:${port} $1 - -`),
  )
  return {
    given: (given) => ({ ...given, symptom, to: given.to ? { ...given.to, port } : null }),
    edit: edits(edit, ...more),
  }
}

describe('what may leave the mesh', () => {
  test('REGISTRY_ONLY names who sets it, and offers one ServiceEntry for the host', async () => {
    const { outcome } = await play('502-registry-only')
    const found = outcome('registry-only-502')
    expect(found).toMatchObject(proven)
    expect(found.status === 'fired' && found.hits[0]?.statement).toContain('Sidecar shop/default')
    expect(found.status === 'fired' && found.hits[0]?.fix.commands[0]).toContain('"ext.test"')
  })

  test('without lines the route of the proxy makes it likely; without the proxy the objects do', async () => {
    const edit = forbid(/^kubectl logs/)
    expect((await play('502-registry-only', { edit })).outcome('registry-only-502')).toMatchObject({
      hits: [{ certainty: 'likely' }],
    })
    const blindProxy = await play('502-registry-only', { edit, given: (given) => ({ ...given, noExec: true }) })
    expect(blindProxy.outcome('registry-only-502')).toMatchObject({ hits: [{ certainty: 'likely' }] })
  })

  test('it is ruled out where another reason stands in the lines', async () => {
    expect((await play('503-overflow')).outcome('registry-only-502').status).not.toBe('fired')
    const other = await play(
      '502-registry-only',
      outside(
        '503',
        '503 UF upstream_reset_before_response_started{connection_timeout} - "-"',
        '"10.0.0.9:80" PassthroughCluster -',
        80,
      ),
    )
    expect(other.outcome('registry-only-502').status).toBe('ruled-out')
  })
})

test('a host that the proxy cannot resolve (changed: UH on the cluster of a ServiceEntry with DNS)', async () => {
  const entry = istio('ServiceEntry', 'ext', 'shop', {
    hosts: ['ext.test'],
    resolution: 'DNS',
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
  })
  const { outcome, state } = await play(
    '502-registry-only',
    outside('503', '503 DF dns_resolution_failure - "-"', '"-" outbound|80||ext.test -', 80, add(entry)),
  )
  expect(outcome('serviceentry-dns-503')).toMatchObject(proven)
  expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['serviceentry-dns-503'])
  expect((await play('503-overflow')).outcome('serviceentry-dns-503').status).toBe('ruled-out')
})

test('an outside host that closes a kept connection (changed: UC on PassthroughCluster)', async () => {
  const { outcome } = await play(
    '502-registry-only',
    outside(
      '503',
      '503 UC upstream_reset_before_response_started{connection_termination} - "-"',
      '"10.0.0.9:80" PassthroughCluster 10.244.200.18:40000',
      80,
    ),
  )
  expect(outcome('external-lb-ip-change-503')).toMatchObject({ status: 'fired', hits: [{ certainty: 'likely' }] })
  expect((await play('502-registry-only')).outcome('external-lb-ip-change-503').status).toBe('ruled-out')
})

test('TLS inside TLS (changed: a ServiceEntry with HTTPS, a DestinationRule with SIMPLE, the TLS error)', async () => {
  const entry = istio('ServiceEntry', 'ext', 'shop', {
    hosts: ['ext.test'],
    resolution: 'DNS',
    ports: [{ number: 443, name: 'https', protocol: 'HTTPS' }],
  })
  const rule = istio('DestinationRule', 'ext', 'shop', {
    host: 'ext.test',
    trafficPolicy: { tls: { mode: 'SIMPLE' }, connectionPool: { tcp: { maxConnections: 9 } } },
  })
  const failure = 'TLS_error:|268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end'
  const { outcome } = await play(
    '502-registry-only',
    outside(
      '503',
      `503 UF upstream_reset_before_response_started{remote_connection_failure|${failure}} - "${failure}"`,
      '"10.0.0.9:443" outbound|443||ext.test -',
      443,
      add(entry, rule),
    ),
  )
  const found = outcome('double-tls-egress')
  expect(found).toMatchObject(proven)
  expect(found.status === 'fired' && found.hits[0]?.fix.statement).toContain('keep its other settings')
  expect((await play('502-registry-only')).outcome('double-tls-egress').status).toBe('ruled-out')
})

test('an egress gateway whose subset nobody defined (changed: the route, and NC)', async () => {
  const route = editJson(/^istioctl proxy-config route/, (list) =>
    list.map((table: any) =>
      table.name === '80'
        ? {
            ...table,
            virtualHosts: [
              {
                name: 'ext.test:80',
                domains: ['ext.test'],
                routes: [
                  {
                    match: { prefix: '/' },
                    route: { cluster: 'outbound|80|ext|egress.istio-system.svc.cluster.local', timeout: '0s' },
                    metadata: {
                      filterMetadata: {
                        istio: { config: '/apis/networking.istio.io/v1/namespaces/shop/virtual-service/via-egress' },
                      },
                    },
                  },
                ],
              },
            ],
          }
        : table,
    ),
  )
  const { outcome } = await play(
    '502-registry-only',
    outside('503', '503 NC cluster_not_found - "-"', '"-" - -', 80, route),
  )
  const found = outcome('egress-gateway-chain-broken')
  expect(found).toMatchObject(proven)
  expect(found.status === 'fired' && found.hits[0]?.subject).toBe('VirtualService shop/via-egress')
  expect((await play('502-registry-only')).outcome('egress-gateway-chain-broken').status).toBe('quiet')
})

test('a name that DNS does not know, and a ServiceEntry does (changed: a ServiceEntry, what curl said)', async () => {
  const entry = istio('ServiceEntry', 'ext', 'shop', {
    hosts: ['ext.test'],
    resolution: 'STATIC',
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
  })
  const curl = {
    url: null,
    host: 'ext.test',
    port: 80,
    address: null,
    method: 'GET',
    path: '/',
    status: null,
    responseHeaders: [],
    body: null,
    errorCode: 6,
    errorText: 'Could not resolve host: ext.test',
    sni: null,
  }
  const { outcome } = await play('502-registry-only', { pasted: { ...nothingPasted, curl }, edit: add(entry) })
  expect(outcome('dns-capture-nxdomain')).toMatchObject(proven)
  expect((await play('502-registry-only')).outcome('dns-capture-nxdomain').status).toBe('quiet')
})

test('connections that are never answered (changed: the recorded answer)', async () => {
  const { outcome } = await play(
    '503-overflow',
    callerSays(
      '503',
      '503 URX,UF upstream_reset_before_response_started{connection_timeout} - "-"',
      editText(/^kubectl logs web/, (text) =>
        text.replaceAll(/(connection_timeout.*?)"-" outbound\|8080/g, '$1"10.244.200.20:8080" outbound|8080'),
      ),
    ),
  )
  expect(outcome('uf-connect-timeout-network')).toMatchObject(proven)
  expect((await play('503-overflow')).outcome('uf-connect-timeout-network').status).toBe('ruled-out')
})

test('TLS to a blocked host ends in BlackHoleCluster, whose lines carry no name', async () => {
  const { outcome, state } = await play('502-registry-only', {
    given: (given) => ({ ...given, symptom: 'tls', to: given.to ? { ...given.to, port: 443 } : null }),
  })
  expect(outcome('registry-only-502')).toMatchObject(proven)
  expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['registry-only-502'])
})

describe('a port that somebody else takes', () => {
  const tcpLine = (cluster: string) => (text: string) =>
    text.replaceAll(/"- - -" 0 UH (.*) "-" BlackHoleCluster /g, `"- - -" 0 UF,URX $1 "10.0.0.9:443" ${cluster} `)
  const options = (cluster: string, ...objects: readonly unknown[]): PlayOptions => ({
    given: (given) => ({ ...given, symptom: 'tls', to: given.to ? { ...given.to, port: 443 } : null }),
    edit: edits(editText(/^kubectl logs web/, tcpLine(cluster)), add(...objects)),
  })

  test('a Service elsewhere that declares 443 as TCP (changed: the caller’s line, the Service)', async () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'registry', namespace: 'tools' },
      spec: { clusterIP: 'None', selector: { app: 'registry' }, ports: [{ name: 'tcp-registry', port: 443 }] },
    }
    const { outcome } = await play(
      '502-registry-only',
      options('outbound|443||registry.tools.svc.cluster.local', service),
    )
    expect(outcome('egress-443-captured-by-unrelated-service')).toMatchObject(proven)
    expect(outcome('serviceentry-tcp-no-address').status).toBe('quiet')
    expect((await play('502-registry-only')).outcome('egress-443-captured-by-unrelated-service').status).toBe('quiet')
  })

  test('a TCP ServiceEntry without addresses (changed: the caller’s line, the ServiceEntry)', async () => {
    const entry = istio('ServiceEntry', 'db', 'shop', {
      hosts: ['db.example'],
      resolution: 'DNS',
      ports: [{ number: 443, name: 'tcp', protocol: 'TCP' }],
    })
    const { outcome } = await play('502-registry-only', options('outbound|443||db.example', entry))
    expect(outcome('serviceentry-tcp-no-address')).toMatchObject(proven)
    const addressed = istio('ServiceEntry', 'db', 'shop', { ...(entry.spec as object), addresses: ['10.9.9.9'] })
    expect(
      (await play('502-registry-only', options('outbound|443||db.example', addressed))).outcome(
        'serviceentry-tcp-no-address',
      ).status,
    ).toBe('quiet')
  })

  test('an ExternalName Service (changed: the caller’s line, the Service)', async () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'alias', namespace: 'shop' },
      spec: { type: 'ExternalName', externalName: 'other.example', ports: [{ name: 'tcp', port: 443 }] },
    }
    const { outcome } = await play('502-registry-only', options('outbound|443||other.example', service))
    expect(outcome('externalname-hijack')).toMatchObject(proven)
    expect((await play('502-registry-only')).outcome('externalname-hijack').status).toBe('quiet')
  })

  test('TCP without an own address at a port that another Service declares as HTTP (changed: the Service’s port and address)', async () => {
    const edit = editJson(/^kubectl get pods,services.* -n pay /, (list) => ({
      ...list,
      items: list.items.map((item: any) =>
        item.kind === 'Service' && item.metadata.name === 'ledger'
          ? {
              ...item,
              spec: {
                ...item.spec,
                clusterIP: 'None',
                clusterIPs: ['None'],
                ports: item.spec.ports.map((port: any) => ({ ...port, name: 'tcp-db' })),
              },
            }
          : item,
      ),
    }))
    const said = callerSays('reset', '400 DPE http1.codec_error - "-"', edit)
    const { outcome } = await play('503-overflow', said)
    expect(outcome('listener-conflict-same-port').status).toBe('fired')
    expect((await play('503-overflow')).outcome('listener-conflict-same-port').status).toBe('quiet')
  })
})
