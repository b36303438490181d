import { describe, expect, test } from 'vitest'
import { nothingPasted } from '../../src/situation/hints.ts'
import { type PlayOptions, play } from '../helpers/play.ts'
import { type Edit, editJson, edits, editText, forbid, readFixture } from '../helpers/session-fixtures.ts'

const config = (namespace: string) => new RegExp(`get pods,.* -n ${namespace} `)
const gatewayLog = /logs istio-ingressgateway/

function objects(namespace: string, change: (object: any) => unknown): Edit {
  return editJson(config(namespace), (list) => ({
    ...list,
    items: list.items.flatMap((item: any) => change(item) ?? []),
  }))
}
const kind = (name: string, change: (object: any) => unknown) =>
  objects('shop', (item) => (item.kind === name ? change(item) : item))
const spec = (item: any, more: object) => ({ ...item, spec: { ...item.spec, ...more } })
const added = (namespace: string, ...more: readonly unknown[]) =>
  editJson(config(namespace), (list) => ({ ...list, items: [...list.items, ...more] }))

async function codes(name: string, options: PlayOptions = {}) {
  const { state, outcome } = await play(name, options)
  return { causes: state.diagnosis?.causes.map(({ code, certainty }) => `${code} ${certainty}`), state, outcome }
}

test('who may not list in all namespaces finds the gateway where gateways usually run', async () => {
  const listed = readFixture('404-path-order').commands.find(({ args }) => args.join(' ').startsWith('get pods -A -l '))
  const inNamespace: Edit = (result, { args }) =>
    args.join(' ').startsWith('get pods -n istio-ingress -l istio=ingressgateway') && listed ? listed.result : result
  const { causes, state } = await codes('404-path-order', { edit: edits(forbid(/ -A /), inNamespace) })
  expect(causes).toEqual(['vs-path-match-or-order proven'])
  expect(state.diagnosis?.notChecked.map(({ what }) => what)).toContain(
    'pods of the gateway on the way (gateway pods istio=ingressgateway)',
  )
})

describe('404 by the gateway', () => {
  test('a host that no VirtualService has', async () => {
    const { causes, state } = await codes('404-gateway-host')
    expect(causes).toEqual(['gateway-host-no-route proven'])
    expect(state.diagnosis?.causes[0]?.fix.commands).toHaveLength(2)
  })
  test('stays likely while the routes may not be read', async () => {
    const { causes, state } = await codes('404-gateway-host', { edit: forbid(/proxy-config/) })
    expect(causes).toEqual(['gateway-host-no-route likely'])
    expect(state.diagnosis?.causes[0]?.wouldDecide?.command).toContain('proxy-config routes')
  })
  test('stays likely while the log may not be read', async () => {
    const { causes } = await codes('404-gateway-host', { edit: forbid(gatewayLog) })
    expect(causes).toEqual(['gateway-host-no-route likely'])
  })
  test('the same from a log in JSON (lines rewritten)', async () => {
    const edit = editText(gatewayLog, (text) =>
      text.replaceAll(/^\[(\S+)\] "GET (\S+) HTTP\/1\.1" 404 NR route_not_found .*$/gm, (_, time, path) =>
        JSON.stringify({
          start_time: time,
          method: 'GET',
          path,
          protocol: 'HTTP/1.1',
          response_code: 404,
          response_flags: 'NR',
          response_code_details: 'route_not_found',
          authority: 'other.example.com',
          downstream_local_address: '10.244.200.29:8080',
          upstream_cluster: null,
        }),
      ),
    )
    expect((await codes('404-gateway-host', { edit })).causes).toEqual(['gateway-host-no-route proven'])
  })
  test('a path that differs in upper and lower case', async () => {
    const { causes, state, outcome } = await codes('404-path-order')
    expect(causes).toEqual(['vs-path-match-or-order proven'])
    expect(state.diagnosis?.causes[0]?.statement).toContain('upper and lower case')
    expect(outcome('gateway-host-no-route').status).toBe('ruled-out')
  })
  test('without the routes the objects still tell path from host', async () => {
    expect((await codes('404-path-order', { edit: forbid(/proxy-config/) })).causes).toEqual([
      'vs-path-match-or-order likely',
    ])
  })
  test('objects that do have the host make it a matter of stale routes (host added to both)', async () => {
    const edit = edits(
      kind('VirtualService', (item) => spec(item, { hosts: ['other.example.com'] })),
      kind('Gateway', (item) =>
        spec(item, { servers: item.spec.servers.map((server: any) => ({ ...server, hosts: ['other.example.com'] })) }),
      ),
    )
    const { state } = await codes('404-gateway-host', { edit })
    expect(state.diagnosis?.verdict).toBe('suspects')
    expect(state.diagnosis?.causes[0]?.contradicting).toHaveLength(1)
  })
  test('a VirtualService that names no Gateway which exists (reference and host changed)', async () => {
    const edit = kind('VirtualService', (item) =>
      spec(item, { gateways: ['edge-gateway'], hosts: ['other.example.com'] }),
    )
    const { causes, state } = await codes('404-gateway-host', { edit })
    expect(causes).toEqual(['vs-gateway-ref-wrong proven'])
    expect(state.diagnosis?.causes[0]?.fix.statement).toContain('shop/edge')
    expect((await codes('404-path-order')).outcome('vs-gateway-ref-wrong').status).toBe('ruled-out')
  })
  test('tls routes on a server that ends TLS (VirtualService and Gateway changed)', async () => {
    const edit = edits(
      kind('VirtualService', (item) => ({
        ...item,
        spec: {
          gateways: ['edge'],
          hosts: ['other.example.com'],
          tls: [{ match: [{ sniHosts: ['other.example.com'] }], route: [] }],
        },
      })),
      kind('Gateway', (item) =>
        spec(item, {
          servers: [
            {
              hosts: ['other.example.com'],
              port: { number: 443, protocol: 'HTTPS', name: 'https' },
              tls: { mode: 'SIMPLE', credentialName: 'c' },
            },
          ],
        }),
      ),
    )
    const { causes } = await codes('404-gateway-host', { edit })
    expect(causes).toEqual(['tls-routes-on-terminating-gateway proven'])
    expect((await codes('404-path-order')).outcome('tls-routes-on-terminating-gateway').status).toBe('quiet')
  })
  test('a reused connection: the handshake named another host (SNI and protocol written in, routes copied)', async () => {
    const line = editText(gatewayLog, (text) =>
      text.replaceAll('HTTP/1.1"', 'HTTP/2"').replaceAll(/(10\.244\.200\.29:8080 \S+) - -/g, '$1 shop.example.com -'),
    )
    const routes = editJson(/proxy-config route istio-ingress/, (tables) => [
      ...tables,
      {
        name: 'https.443.https.other.shop',
        virtualHosts: [{ name: 'other.example.com:443', domains: ['other.example.com'], routes: [] }],
      },
    ])
    const { causes } = await codes('404-gateway-host', { edit: edits(line, routes) })
    expect(causes).toEqual(['http2-coalescing-404 proven'])
    expect((await codes('404-gateway-host', { edit: line })).outcome('http2-coalescing-404').status).toBe('quiet')
    const same = editText(gatewayLog, (text) =>
      text.replaceAll(/(10\.244\.200\.29:8080 \S+) - -/g, '$1 other.example.com -'),
    )
    expect((await codes('404-gateway-host', { edit: same })).outcome('http2-coalescing-404').status).toBe('ruled-out')
  })
  test('a port in the Host header (authority and domains changed)', async () => {
    const edit = edits(
      editText(gatewayLog, (text) => text.replaceAll('"shop.example.com"', '"shop.example.com:8443"')),
      editJson(/proxy-config route istio-ingress/, (tables) =>
        tables.map((table: any) => ({
          ...table,
          ignorePortInHostMatching: false,
          virtualHosts: table.virtualHosts?.map((host: any) => ({ ...host, domains: ['shop.example.com'] })),
        })),
      ),
    )
    const { causes } = await codes('404-path-order', { edit })
    expect(causes).toContain('host-header-with-port proven')
    expect((await codes('404-path-order')).outcome('host-header-with-port').status).toBe('ruled-out')
  })
})

describe('what is between Gateway and VirtualService', () => {
  const host = 'other.example.com'
  test('a VirtualService bound to another Gateway (host added to both, reference changed)', async () => {
    const edit = edits(
      kind('VirtualService', (item) => spec(item, { hosts: [host], gateways: ['shop/internal'] })),
      kind('Gateway', (item) =>
        spec(item, { servers: item.spec.servers.map((one: any) => ({ ...one, hosts: [host] })) }),
      ),
      added('shop', {
        apiVersion: 'networking.istio.io/v1',
        kind: 'Gateway',
        metadata: { name: 'internal', namespace: 'shop' },
        spec: { selector: { istio: 'internal' }, servers: [{ hosts: ['*'], port: { number: 80, protocol: 'HTTP' } }] },
      }),
    )
    const { causes, state } = await codes('404-gateway-host', { edit })
    expect(causes).toEqual(['gateway-host-no-route proven'])
    expect(state.diagnosis?.causes[0]?.fix.statement).toContain('add shop/edge to spec.gateways')
  })
  test('a server that takes routes of another namespace only (hosts changed)', async () => {
    const edit = edits(
      kind('VirtualService', (item) => spec(item, { hosts: [host] })),
      kind('Gateway', (item) =>
        spec(item, { servers: item.spec.servers.map((one: any) => ({ ...one, hosts: [`elsewhere/${host}`] })) }),
      ),
    )
    const { causes, state } = await codes('404-gateway-host', { edit })
    expect(causes).toEqual(['gateway-host-no-route proven'])
    expect(state.diagnosis?.causes[0]?.fix.statement).toContain(`write shop/${host}`)
  })
})

describe('before the gateway', () => {
  const curl = (status: number, server: string) => ({
    ...nothingPasted,
    curl: {
      url: null,
      host: 'shop.example.com',
      port: 80,
      method: 'GET',
      path: '/api',
      status,
      responseHeaders: [['server', server]] as const,
      body: '<html>',
      errorCode: null,
      errorText: null,
      sni: null,
      address: null,
    },
  })
  test('a response that a load balancer signed is no answer of the application', async () => {
    const given = (one: any) => ({ ...one, symptom: '502' as const, host: 'shop.example.com', path: '/api' })
    const { state } = await play('404-path-order', { given, pasted: curl(502, 'awselb/2.0') })
    expect(state.diagnosis?.answeredBy.hop).toBe('external')
    expect(state.diagnosis?.causes.map(({ code, certainty }) => `${code} ${certainty}`)).toEqual(['lb-edge-502 proven'])
    const own = await play('404-path-order', { given, pasted: curl(502, 'istio-envoy') })
    expect(own.state.diagnosis?.causes.every(({ certainty }) => certainty !== 'proven')).toBe(true)
  })
  test('no 502 in the log is no finding for who got something else', async () => {
    expect((await codes('404-path-order')).outcome('lb-edge-502').status).toBe('quiet')
  })
})

describe('a Kubernetes Ingress', () => {
  const ingress = (more: object, annotations = {}) =>
    editJson(/get gateways\.networking\.istio\.io,.* -A /, (list) => ({
      ...list,
      items: [
        ...list.items,
        {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'Ingress',
          metadata: { name: 'legacy', namespace: 'other', annotations },
          spec: { rules: [{ host: 'other.example.com', http: { paths: [] } }], ...more },
        },
      ],
    }))
  /** The recordings were made without an Ingress: this answers for kubectl. */
  const classes =
    (controller: string): Edit =>
    (result, { args }) =>
      args[1] === 'ingressclasses.networking.k8s.io'
        ? {
            exit: { kind: 'exited', code: 0 },
            stdout: JSON.stringify({
              apiVersion: 'v1',
              kind: 'List',
              items: [
                {
                  apiVersion: 'networking.k8s.io/v1',
                  kind: 'IngressClass',
                  metadata: { name: 'public' },
                  spec: { controller },
                },
              ],
            }),
            stderr: '',
            durationMs: 1,
          }
        : result
  const code = 'kube-ingress-or-class-mismatch'

  test('of another controller gives the gateway no route (Ingress added)', async () => {
    const edit = edits(ingress({ ingressClassName: 'public' }), classes('k8s.io/ingress-nginx'))
    const { causes, state } = await codes('404-gateway-host', { edit })
    expect(causes).toEqual([`${code} proven`])
    expect(state.diagnosis?.causes[0]?.statement).toContain('k8s.io/ingress-nginx')
  })
  test('without a class is nobody’s, unless istiod takes those as well', async () => {
    expect((await codes('404-gateway-host', { edit: ingress({}) })).causes).toEqual([`${code} proven`])
    const lenient = editJson(/get configmap istio /, (map) => ({
      ...map,
      data: { ...map.data, mesh: `${map.data.mesh}\ningressControllerMode: DEFAULT\n` },
    }))
    const { causes, outcome } = await codes('404-gateway-host', { edit: edits(ingress({}), lenient) })
    expect(causes).toEqual(['gateway-host-no-route proven'])
    expect(outcome(code).status).toBe('ruled-out')
  })
  test('whose class nobody could read is a suspect', async () => {
    const { outcome } = await codes('404-gateway-host', { edit: ingress({ ingressClassName: 'public' }) })
    expect(outcome(code)).toMatchObject({ status: 'fired', hits: [{ certainty: 'likely' }] })
  })
  test('of Istio’s class, by annotation or controller, is ruled out; one for another host is nothing', async () => {
    const annotated = ingress({ ingressClassName: 'public' }, { 'kubernetes.io/ingress.class': 'istio' })
    expect((await codes('404-gateway-host', { edit: annotated })).outcome(code).status).toBe('ruled-out')
    const own = edits(ingress({ ingressClassName: 'public' }), classes('istio.io/ingress-controller'))
    expect((await codes('404-gateway-host', { edit: own })).outcome(code).status).toBe('ruled-out')
    const elsewhere = ingress({ rules: [{ host: 'third.example.com' }] })
    expect((await codes('404-gateway-host', { edit: elsewhere })).outcome(code).status).toBe('quiet')
  })
})

describe('only a host is known', () => {
  const onlyHost: PlayOptions = { given: (given) => ({ ...given, to: null }) }

  test('the routes of all namespaces tell where it leads', async () => {
    const { causes, state } = await codes('404-path-order', onlyHost)
    expect(causes).toEqual(['vs-path-match-or-order proven'])
    // No route takes this path, so it leads nowhere.
    expect(state.call?.to).toBe('shop.example.com')
    const tls = await codes('tls-credential-missing', onlyHost)
    expect(tls.causes).toEqual(['ingress-credential-missing proven'])
    expect(tls.state.call?.to).toBe('web.shop:80')
  })
  test('a host that nothing publishes is known by the log of the gateway', async () => {
    expect((await codes('404-gateway-host', onlyHost)).causes).toEqual(['gateway-host-no-route proven'])
  })
  test('a host that nothing publishes and no gateway logged may be a call to the outside', async () => {
    const { causes, state } = await codes('404-gateway-host', {
      given: (given) => ({ ...given, to: null, symptom: '502', host: 'api.example.net' }),
    })
    expect(causes).toEqual([])
    expect(state.diagnosis?.verdict).toBe('inconclusive')
    expect(state.diagnosis?.notChecked[0]?.unlock).toContain('--from')
  })
  test('the destination alone names the hosts it is published for', async () => {
    const { state } = await codes('404-path-order', {
      given: (given) => ({ ...given, host: null }),
    })
    expect(state.diagnosis?.notChecked[0]?.unlock).toContain('--host shop.example.com')
  })
})

describe('TLS at the ingress', () => {
  test('a credential that is not there', async () => {
    const { causes, state, outcome } = await codes('tls-credential-missing')
    expect(causes).toEqual(['ingress-credential-missing proven'])
    expect(state.diagnosis?.answeredBy.hop).toBe('gateway')
    expect(outcome('ingress-sni-mismatch').status).toBe('ruled-out')
  })
  test('stays likely while the gateway may not be asked', async () => {
    expect((await codes('tls-credential-missing', { edit: forbid(/proxy-config/) })).causes).toEqual([
      'ingress-credential-missing likely',
    ])
  })
  test('one that the gateway may not read', async () => {
    const { causes, outcome } = await codes('tls-credential-unauthorized')
    expect(causes).toEqual(['ingress-credential-unauthorized proven'])
    expect(outcome('ingress-credential-missing').status).toBe('ruled-out')
  })
  test('is only possible without the words of istiod', async () => {
    const { causes } = await codes('tls-credential-unauthorized', { edit: forbid(/logs istiod/) })
    expect(causes).toEqual(['ingress-credential-unauthorized possible'])
  })
  test('one that holds no certificate (what istiod and analyze said is replaced)', async () => {
    const edit = edits(
      editText(/logs istiod/, (text) =>
        text.replace(
          /proxy \S+ attempted to access unauthorized.*/,
          "failed to fetch key and certificate for kubernetes://shop-cert: found secret, but didn't have expected keys (cert and key) or (tls.crt and tls.key)",
        ),
      ),
      editJson(/analyze -n shop/, () => [
        {
          code: 'IST0161',
          level: 'Error',
          message: 'The credential referenced by the Gateway shop/edge in namespace istio-ingress is invalid',
          origin: 'Gateway shop/edge',
          documentationUrl: 'x',
        },
      ]),
    )
    const { causes } = await codes('tls-credential-unauthorized', { edit })
    expect(causes).toEqual(['ingress-credential-invalid proven'])
    expect((await codes('tls-credential-missing')).outcome('ingress-credential-invalid').status).toBe('quiet')
  })
  test('a name in the handshake that no server takes (asked for another host)', async () => {
    const { causes } = await codes('tls-credential-missing', {
      given: (given) => ({ ...given, host: 'api.example.com' }),
    })
    expect(causes).toContain('ingress-sni-mismatch likely')
    const line =
      '[2026-11-21T06:13:20.000Z] "- - -" 0 NR filter_chain_not_found - "-" 0 0 0 - "-" "-" "-" "-" "-" - - 10.244.200.33:8443 10.244.251.20:50000 - -\n'
    const withLine = await codes('tls-credential-missing', { edit: editText(gatewayLog, (text) => text + line) })
    expect(withLine.outcome('ingress-sni-mismatch').status).toBe('fired')
  })
  const withSecret = (secret: string, pem: string) =>
    editJson(/proxy-config secret istio-ingress/, ({ dynamicWarmingSecrets: _, ...dump }) => ({
      ...dump,
      dynamicActiveSecrets: [
        ...dump.dynamicActiveSecrets,
        {
          name: `kubernetes://${secret}`,
          versionInfo: '1',
          secret: { name: `kubernetes://${secret}`, tlsCertificate: { certificateChain: { inlineString: pem } } },
        },
      ],
    }))
  const short = `-----BEGIN CERTIFICATE-----
MIIBfjCCASOgAwIBAgIUcX8kZ0lqV9mJtY3D1nB4VY0f0+kwCgYIKoZIzj0EAwIw
-----END CERTIFICATE-----`
  /** Made for this test: shop.example.com, the year 2024. Its key is gone. */
  const past = `-----BEGIN CERTIFICATE-----
MIIBHDCBxAIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBBzaG9wLmV4YW1wbGUu
Y29tMB4XDTI0MDEwMTAwMDAwMFoXDTI1MDEwMTAwMDAwMFowGzEZMBcGA1UEAwwQ
c2hvcC5leGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJDGrGNN
D8Zuv0G/5P5AEEdHjozbfMZ1O+mBVtGjNMNiTeySIq09WOTo8HJKW5n7SAKDj/v9
MuxhIS7uGR3drEwwCgYIKoZIzj0EAwIDRwAwRAIgDxY5hL3Bm8ABipJyuHApzTIv
GiiP+m57TPrFJ3+AprwCIDNE5naGewRvMKeRro4CPTijp5ZcxDIAaAJF9h5nVtbG
-----END CERTIFICATE-----`
  /** The same for 2025 to 2060, which needs the longer form of time. */
  const lasting = `-----BEGIN CERTIFICATE-----
MIIBHzCBxgIBAjAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBBzaG9wLmV4YW1wbGUu
Y29tMCAXDTI1MDEwMTAwMDAwMFoYDzIwNjAwMTAxMDAwMDAwWjAbMRkwFwYDVQQD
DBBzaG9wLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2V7P
xPBg/ycBKN3L+G3adJ+BQ8I8EZF7RHPx6K0auVsXz/lW3SIZRxALBkgC4zsd0fgN
rrHBW3pRZUCPXRtcjzAKBggqhkjOPQQDAgNIADBFAiEAq1FBioaiRq1MEN9PNV9i
5xopMU8EeYztaZnrYBN66e8CICEgLhE38cBOlNLaSbeN22Wn4BISVTbFLiRl7ekC
0H4b
-----END CERTIFICATE-----`
  test('a certificate that is valid is ruled out', async () => {
    const { outcome } = await codes('tls-credential-missing', { edit: withSecret('missing-cert', lasting) })
    const found = outcome('ingress-cert-expired')
    expect(found.status === 'ruled-out' && found.because).toContain('2060-01-01')
  })
  test('a certificate that cannot be read is no expired one', async () => {
    const { outcome } = await codes('tls-credential-missing', { edit: withSecret('missing-cert', short) })
    expect(outcome('ingress-cert-expired').status).toBe('quiet')
  })
  test('a certificate that has expired, and one that is not valid yet (put in the place of the missing one)', async () => {
    const taken = editJson(/proxy-config secret istio-ingress/, ({ dynamicWarmingSecrets: _, ...dump }) => {
      const own = dump.dynamicActiveSecrets.find(({ name }: any) => name === 'default')
      return {
        ...dump,
        dynamicActiveSecrets: [...dump.dynamicActiveSecrets, { ...own, name: 'kubernetes://missing-cert' }],
      }
    })
    const over = (await codes('tls-credential-missing', { edit: withSecret('missing-cert', past) })).outcome(
      'ingress-cert-expired',
    )
    expect(over.status === 'fired' && over.hits[0]?.title).toContain('expired at 2025-01-01T00:00:00Z')
    // Sessions are played at the start of 2026, before this certificate was made.
    const early = (await codes('tls-credential-missing', { edit: taken })).outcome('ingress-cert-expired')
    expect(early.status === 'fired' && early.hits[0]?.title).toContain('not valid before 2026-11-21')
    expect((await codes('tls-credential-missing')).outcome('ingress-cert-expired').status).toBe('quiet')
  })
  test('http routes where TLS is passed through (mode changed)', async () => {
    const edit = kind('Gateway', (item) =>
      spec(item, {
        servers: item.spec.servers.map((server: any) => ({
          ...server,
          port: { ...server.port, protocol: 'TLS' },
          tls: { mode: 'PASSTHROUGH' },
        })),
      }),
    )
    expect((await codes('tls-credential-missing', { edit })).causes).toContain('passthrough-with-http-routes proven')
    expect((await codes('tls-credential-missing')).outcome('passthrough-with-http-routes').status).toBe('ruled-out')
  })
  test('a client certificate that is asked for (mode changed, credential there)', async () => {
    const edit = edits(
      kind('Gateway', (item) =>
        spec(item, {
          servers: item.spec.servers.map((server: any) => ({ ...server, tls: { ...server.tls, mode: 'MUTUAL' } })),
        }),
      ),
      withSecret('missing-cert', short),
      editText(/get secrets/, () => 'secret/missing-cert\n'),
      editJson(/analyze -n shop/, () => []),
    )
    const curl: any = {
      url: null,
      host: 'shop.example.com',
      port: 443,
      method: null,
      path: '/',
      status: null,
      responseHeaders: [],
      body: null,
      errorCode: 56,
      errorText: 'OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0',
      sni: null,
    }
    expect((await codes('tls-credential-missing', { edit })).causes).toContain('ingress-client-cert possible')
    expect(
      (await codes('tls-credential-missing', { edit, pasted: { records: [], ztunnel: [], curl } })).causes,
    ).toEqual(['ingress-client-cert proven'])
    expect((await codes('tls-credential-missing')).outcome('ingress-client-cert').status).toBe('ruled-out')
  })
  test('a server that istiod left out (line written in, another SNI than its chains)', async () => {
    const edit = edits(
      editText(
        /logs istiod/,
        (text) =>
          `${text}2026-11-21T06:13:12.000000Z\twarn\tmodel\tskipping server on gateway shop/edge, duplicate host names: [shop.example.com]\n`,
      ),
      editJson(/proxy-config listener istio-ingress/, (listeners) =>
        listeners.map((listener: any) => ({
          ...listener,
          filterChains: listener.filterChains?.map((chain: any) =>
            chain.filterChainMatch?.serverNames
              ? { ...chain, filterChainMatch: { ...chain.filterChainMatch, serverNames: ['b.example.com'] } }
              : chain,
          ),
        })),
      ),
    )
    const found = (await codes('tls-credential-missing', { edit })).outcome('ingress-gateway-conflict')
    expect(found.status === 'fired' && found.hits[0]?.certainty).toBe('proven')
    expect((await codes('tls-credential-missing')).outcome('ingress-gateway-conflict').status).toBe('quiet')
  })
  test('a port that the Service of the gateway does not have (port taken away)', async () => {
    const edit = objects('istio-ingress', (item) =>
      item.kind === 'Service' ? spec(item, { ports: item.spec.ports.filter(({ port }: any) => port !== 443) }) : item,
    )
    const found = (await codes('tls-credential-missing', { edit })).outcome('gateway-port-not-exposed')
    expect(found.status === 'fired' && found.hits[0]?.title).toContain('443')
    expect((await codes('tls-credential-missing')).outcome('gateway-port-not-exposed').status).toBe('ruled-out')
  })
})

describe('before the gateway', () => {
  test('a 502 that the gateway never logged', async () => {
    const given = (one: any) => ({ ...one, symptom: '502' as const })
    expect((await codes('404-gateway-host', { given })).causes).toEqual(['lb-edge-502 likely'])
    const seen = editText(gatewayLog, (text) =>
      text.replaceAll(' 404 NR route_not_found ', ' 502 UPE upstream_reset_before_response_started{protocol_error} '),
    )
    expect((await codes('404-gateway-host', { given, edit: seen })).outcome('lb-edge-502').status).toBe('ruled-out')
    expect(
      (await codes('404-gateway-host', { given, edit: forbid(gatewayLog) })).outcome('lb-edge-502').status,
    ).not.toBe('fired')
  })
  test('a caller that hangs up after the same time (lines replaced)', async () => {
    const given = (one: any) => ({ ...one, symptom: '504' as const })
    const left = editText(gatewayLog, (text) =>
      text.replaceAll(/ 404 NR route_not_found - "-" 0 0 \d+ /g, ' 0 DC downstream_remote_disconnect - "-" 0 0 60003 '),
    )
    const found = (await codes('404-gateway-host', { given, edit: left })).outcome('lb-idle-timeout-504')
    expect(found.status === 'fired' && found.hits[0]?.certainty).toBe('likely')
    expect((await codes('404-gateway-host', { given })).outcome('lb-idle-timeout-504').status).toBe('quiet')
  })
  test('redirects without end (lines replaced, httpsRedirect set)', async () => {
    const edit = edits(
      editText(gatewayLog, (text) => text.replaceAll(' 404 NR route_not_found ', ' 301 - direct_response ')),
      kind('Gateway', (item) =>
        spec(item, {
          servers: item.spec.servers.map((server: any) => ({
            ...server,
            hosts: ['other.example.com'],
            tls: { httpsRedirect: true },
          })),
        }),
      ),
    )
    const found = (await codes('404-gateway-host', { edit })).outcome('redirect-loop')
    expect(found.status).toBe('fired')
    expect((await codes('404-gateway-host')).outcome('redirect-loop').status).toBe('quiet')
  })
})

describe('Gateway API', () => {
  const route = (condition: object, type = 'Accepted') => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      hostnames: ['other.example.com'],
      parentRefs: [{ kind: 'Gateway', name: 'public', namespace: 'infra' }],
      rules: [{ backendRefs: [{ name: 'web', namespace: 'back', port: 80 }] }],
    },
    status: {
      parents: [
        {
          parentRef: { kind: 'Gateway', name: 'public', namespace: 'infra' },
          conditions: [{ type, status: 'False', message: 'said so', ...condition }],
        },
      ],
    },
  })
  /** How a gateway logs a route without a backend. */
  const saysNobody = editText(gatewayLog, (text) =>
    text.replaceAll(
      /404 NR route_not_found (.*"other\.example\.com" "-") - /g,
      '500 NC cluster_not_found $1 UnknownService ',
    ),
  )
  const good = route({ status: 'True', reason: 'Accepted' })
  const resolved = route({ status: 'True', reason: 'ResolvedRefs' }, 'ResolvedRefs')
  test('a route that the Gateway does not let in (route added)', async () => {
    const { causes } = await codes('404-gateway-host', {
      edit: added('shop', route({ reason: 'NotAllowedByListeners' })),
    })
    expect(causes).toEqual(['gwapi-route-not-allowed proven'])
    expect(
      (await codes('404-gateway-host', { edit: added('shop', good) })).outcome('gwapi-route-not-allowed').status,
    ).toBe('ruled-out')
    expect((await codes('404-gateway-host')).outcome('gwapi-route-not-allowed').status).toBe('quiet')
  })
  test('hostnames that do not meet (route added)', async () => {
    const { causes } = await codes('404-gateway-host', {
      edit: added(
        'shop',
        route({
          reason: 'NoMatchingListenerHostname',
          message: 'no hostnames matched parent hostname "*.domain.example"',
        }),
      ),
    })
    expect(causes).toEqual(['gwapi-hostname-mismatch proven'])
    expect(
      (await codes('404-gateway-host', { edit: added('shop', good) })).outcome('gwapi-hostname-mismatch').status,
    ).toBe('ruled-out')
  })
  test('a backend in a namespace that has not granted it (route added, asked for 500)', async () => {
    const given = (one: any) => ({ ...one, symptom: '500' as const })
    const edit = added(
      'shop',
      route(
        {
          reason: 'RefNotPermitted',
          message: 'backendRef back/web not accessible to a HTTPRoute in namespace "shop" (missing a ReferenceGrant?)',
        },
        'ResolvedRefs',
      ),
    )
    expect((await codes('404-gateway-host', { edit, given })).causes).toEqual(['gwapi-ref-not-permitted likely'])
    const { causes, state } = await codes('404-gateway-host', { edit: edits(edit, saysNobody), given })
    expect(causes).toEqual(['gwapi-ref-not-permitted proven'])
    expect(state.diagnosis?.summary).toContain('back')
    expect(
      (await codes('404-gateway-host', { edit: added('shop', resolved), given })).outcome('gwapi-ref-not-permitted')
        .status,
    ).toBe('ruled-out')
  })
  test('a backend that is not there (route added, lines say 500)', async () => {
    const given = (one: any) => ({ ...one, symptom: '500' as const })
    const unresolved = route({ reason: 'BackendNotFound', message: 'backend(back/web) not found' }, 'ResolvedRefs')
    const edit = added('shop', unresolved)
    const { causes, outcome } = await codes('404-gateway-host', { edit: edits(edit, saysNobody), given })
    expect(causes).toEqual(['gwapi-backend-invalid-500 proven'])
    expect(outcome('gwapi-ref-not-permitted').status).toBe('quiet')
    // Only the condition: which requests it is about, the log has to say.
    expect((await codes('404-gateway-host', { edit, given })).causes).toEqual(['gwapi-backend-invalid-500 likely'])
    // The application's own 500 comes from another rule of the route.
    const app = editText(gatewayLog, (text) =>
      text.replaceAll(
        '404 NR route_not_found - "-" 0 0 0 - "10.244.251.20"',
        '500 - via_upstream - "-" 0 12 3 2 "10.244.251.20"',
      ),
    )
    expect((await codes('404-gateway-host', { edit: edits(edit, app), given })).causes).not.toContain(
      'gwapi-backend-invalid-500 proven',
    )
    expect(
      (await codes('404-gateway-host', { edit: added('shop', resolved), given })).outcome('gwapi-backend-invalid-500')
        .status,
    ).toBe('ruled-out')
  })
  test('a route that another gateway leaves out is nobody’s cause where the gateway has one (route added, app answers)', async () => {
    const edit = edits(
      added('shop', {
        ...route({ reason: 'NoMatchingListenerHostname' }),
        spec: { ...good.spec, hostnames: ['shop.example.com'] },
      }),
      editText(gatewayLog, (text) =>
        text.replaceAll('404 NR route_not_found - "-" 0 0 0 -', '404 - via_upstream - "-" 0 9 2 1'),
      ),
    )
    const { outcome } = await codes('404-path-order', { edit })
    expect(outcome('gwapi-hostname-mismatch').status).toBe('quiet')
    expect(outcome('gwapi-route-not-allowed').status).toBe('quiet')
  })
  const k8sGateway = (listener: object, own: object) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'public', namespace: 'shop' },
    spec: {
      gatewayClassName: 'istio',
      listeners: [
        {
          name: 'https',
          port: 443,
          protocol: 'HTTPS',
          hostname: 'shop.example.com',
          tls: { certificateRefs: [{ name: 'nope' }] },
        },
      ],
    },
    status: {
      conditions: [{ type: 'Programmed', status: 'True', reason: 'Programmed', message: '', ...own }],
      listeners: [
        {
          name: 'https',
          conditions: [{ type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: '', ...listener }],
        },
      ],
    },
  })
  const alone = kind('Gateway', (item) => (item.apiVersion.startsWith('networking') ? null : item))
  test('a certificate that cannot be resolved (Gateway replaced)', async () => {
    const edit = edits(
      alone,
      added(
        'shop',
        k8sGateway(
          {
            status: 'False',
            reason: 'InvalidCertificateRef',
            message: 'invalid certificate reference /Secret/nope, secret shop/nope not found',
          },
          {},
        ),
      ),
    )
    expect((await codes('tls-credential-missing', { edit })).outcome('gwapi-bad-cert-ref').status).toBe('fired')
    expect(
      (await codes('tls-credential-missing', { edit: edits(alone, added('shop', k8sGateway({}, {}))) })).outcome(
        'gwapi-bad-cert-ref',
      ).status,
    ).toBe('ruled-out')
  })
  test('a Gateway without an address (Gateway replaced)', async () => {
    const pending = {
      status: 'False',
      reason: 'AddressNotAssigned',
      message: 'address pending for hostname "public-istio.shop.svc.cluster.local"',
    }
    const edit = edits(alone, added('shop', k8sGateway({}, pending)))
    expect((await codes('tls-credential-missing', { edit })).outcome('gwapi-not-programmed').status).toBe('fired')
    expect(
      (await codes('tls-credential-missing', { edit: edits(alone, added('shop', k8sGateway({}, {}))) })).outcome(
        'gwapi-not-programmed',
      ).status,
    ).toBe('ruled-out')
  })
  test('definitions that are too old (finding and an object without status added)', async () => {
    const { status: _, ...bare } = good
    const old = editJson(/analyze -n shop/, () => [
      {
        code: 'IST0176',
        level: 'Error',
        message: 'The installed Gateway API definitions are older than this release needs',
        origin: 'CustomResourceDefinition httproutes.gateway.networking.k8s.io',
      },
    ])
    const { causes } = await codes('404-gateway-host', { edit: edits(old, added('shop', bare)) })
    expect(causes).toEqual(['gwapi-crd-missing-or-old proven'])
    expect(
      (await codes('404-gateway-host', { edit: added('shop', good) })).outcome('gwapi-crd-missing-or-old').status,
    ).toBe('ruled-out')
  })
})
