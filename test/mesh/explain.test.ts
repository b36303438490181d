import { describe, expect, test } from 'vitest'
import { explainText } from '../../src/mesh/explain.ts'
import { readAccessLine, readCurl, readZtunnelLine } from './read-lines.ts'

const parsers = { accessLog: readAccessLine, ztunnel: readZtunnelLine, curl: readCurl }
const explain = (text: string) => explainText(text, parsers)

const accessLine = (rest: string) => `[2026-03-01T10:15:01.037Z] ${rest}`
const clientUc = accessLine(
  '"GET /v1/x HTTP/1.1" 503 UC upstream_reset_before_response_started{connection_termination} - "-" 0 95 2 - "-" "curl/8" "id-1" "books.lib:9000" "10.2.0.11:8080" outbound|9000||books.lib.svc.cluster.local 10.2.0.5:40120 10.96.1.1:9000 10.2.0.5:40112 - default',
)
const serverNr = accessLine(
  '"- - -" 0 NR filter_chain_not_found - "-" 0 0 0 - "-" "-" "-" "-" "-" - - 10.2.0.11:8080 10.2.0.5:40120 - -',
)

describe('a term alone', () => {
  test.each([
    ['IST0101', 'IST0101', 'client-sidecar-routing'],
    ['ist0173', 'IST0173', 'client-sidecar-cluster'],
    ['PodMissingProxy', 'IST0103', 'injection'],
    ['UH', 'UH', 'kubernetes-endpoints'],
    ['NoClusterFound', 'NC', 'client-sidecar-cluster'],
    ['via_upstream', 'via_upstream', 'app'],
    ['STALE', 'STALE', 'control-plane-xds'],
    ['SYNCED (5m)', 'SYNCED', 'control-plane-xds'],
    ['NOT SENT', 'NOT SENT', 'control-plane-xds'],
    ['http status: 401 Unauthorized', 'http status: 401 Unauthorized', 'authz'],
    ['curl: (56) Recv failure: Connection reset by peer', 'curl: (56)', 'transport-mtls'],
    ['503', '503', 'network'],
    ['BlackHoleCluster', 'BlackHoleCluster', 'egress-policy'],
    ['HBONE', 'HBONE', 'ambient-ztunnel'],
    ['jwt_authn_access_denied{Jwt_is_expired}', 'jwt_authn_access_denied{…}', 'request-authn'],
    ['Jwt is expired', 'Jwt is expired', 'request-authn'],
    ['RBAC: access denied', 'RBAC: access denied', 'authz'],
    ['rbac_access_denied_matched_policy[none]', 'rbac_access_denied_matched_policy[none]', 'authz'],
    ['268436501', 'SSLV3_ALERT_CERTIFICATE_EXPIRED', 'control-plane-ca'],
    ['delayed_connect_error:_111', 'delayed_connect_error:_Connection_refused', 'app'],
    ['envoy overloaded', 'envoy overloaded', 'proxy-resource'],
    ['UNAVAILABLE', 'grpc-status: 14', 'network'],
    ['ISTIO_MUTUAL', 'ISTIO_MUTUAL', 'transport-mtls'],
    [':15006', 'virtualInbound', 'client-sidecar-listener'],
    ['kubernetes://shop-cert', 'kubernetes://…', 'gateway-tls'],
    ['UnsupportedValue', 'ZtunnelAccepted', 'ambient-ztunnel'],
    ['unknown source', 'unknown source: …', 'ambient-ztunnel'],
    ['Get "http://ledger.pay:8080/": EOF', 'EOF', 'transport-mtls'],
    ['dial tcp 10.0.0.1:443: i/o timeout', 'i/o timeout', 'network'],
    ['connection reset by peer', 'curl: (56)', 'transport-mtls'],
    ['server: istio-envoy', 'server: istio-envoy', 'gateway-edge'],
    [
      'allow policies exist, but none allowed',
      'connection closed due to policy rejection: allow policies exist, but none allowed',
      'authz',
    ],
  ])('%s is %s', (text, term, layer) => {
    const explained = explain(text)
    expect(explained.recognised.flatMap((item) => item.entries.map((entry) => entry.term))).toContain(term)
    expect(explained.layer).toBe(layer)
    expect(explained.next.length).toBeGreaterThan(0)
    expect(explained.mistakes.length).toBeGreaterThan(0)
  })

  test('an analyzer code that came later is named as one, and not called clean', () => {
    const explained = explain('IST9999')
    expect(explained.answer).toContain('none that we know')
    expect(explained.next).toEqual(['https://istio.io/latest/docs/reference/config/analysis/ist9999/'])
  })

  test('flags in a list are explained one by one, the companion of URX first', () => {
    const explained = explain('URX,UF')
    expect(explained.recognised.map((item) => item.entries[0]?.term)).toEqual(['UF', 'URX'])
    expect(explained.answer).toMatch(/^UF \(UpstreamConnectionFailure\)/)
  })

  test('a code beside a flag does not take the lead', () => {
    expect(explain('503 NC').answer).toMatch(/^NC /)
  })

  test('an outbound cluster name says whose lines carry it', () => {
    const explained = explain('outbound|9000|v2|books.lib.svc.cluster.local')
    expect(explained.answer).toContain('books.lib.svc.cluster.local port 9000, subset v2')
    expect(explained.next).toContain(
      'istioctl proxy-config endpoints <pod>.<ns> --cluster "outbound|9000|v2|books.lib.svc.cluster.local"',
    )
  })

  test('an inbound cluster name belongs to the server side', () => {
    expect(explain('inbound|8080||').answer).toContain('server side')
  })

  test('a mesh SNI is proof of mutual TLS', () => {
    expect(explain('outbound_.9000_._.books.lib.svc.cluster.local')).toMatchObject({ layer: 'transport-mtls' })
  })

  test('a policy id names namespace, policy and rule, and the command carries them', () => {
    const explained = explain('rbac_access_denied_matched_policy[ns[lib]-policy[no-guests]-rule[3]]')
    expect(explained.answer).toContain('lib/no-guests, rule 3')
    expect(explained.next[0]).toBe('kubectl get authorizationpolicy no-guests -n lib -o yaml')
  })

  test('a CUSTOM policy with an unusable provider is no DENY', () => {
    const explained = explain(
      'rbac_access_denied_matched_policy[istio-ext-authz-gate-ns[lib]-policy[ext]-rule[0]-deny-due-to-bad-CUSTOM-action]',
    )
    expect(explained.layer).toBe('ext-authz')
    expect(explain('default-deny-all-due-to-bad-CUSTOM-action').layer).toBe('ext-authz')
  })
})

describe('unknown terms', () => {
  test('a misspelt detail is said to be unknown, with the nearest known one', () => {
    const explained = explain('no_healthy_upstreem')
    expect(explained.recognised).toEqual([])
    expect(explained.layer).toBeNull()
    expect(explained.unknown).toEqual(['no_healthy_upstreem'])
    expect(explained.nearest[0]?.candidates).toContain('no_healthy_upstream')
    expect(explained.answer).toMatch(/nothing we know/)
  })

  test('an unknown flag beside a known one is kept', () => {
    const explained = explain('UF,XYZ')
    expect(explained.unknown).toEqual(['XYZ'])
    expect(explained.recognised).toHaveLength(1)
  })

  test('an analyzer code of a later release keeps its message', () => {
    const explained = explain('Warning [IST0999] (Service lib/books) Something new is wrong')
    expect(explained.answer).toContain('IST0999')
    expect(explained.answer).toContain('Something new is wrong')
    expect(explained.answer).toContain('not one we know')
  })

  test('words without meaning are not explained away', () => {
    const explained = explain('hello my friend, all is fine today')
    expect(explained.recognised).toEqual([])
    expect(explained.unknown).toHaveLength(1)
  })

  test('nothing is nothing', () => {
    expect(explain('  \n').answer).toMatch(/empty/)
  })

  test('an unknown flag in a log line is named in its sentence', () => {
    const line = clientUc.replace(' 503 UC ', ' 503 UC,QQ ')
    expect(explain(line).answer).toContain('Flag QQ is not one we know')
  })
})

describe('log lines', () => {
  test('the caller’s line with a cut connection gives the causes in order and warns of the wrong one', () => {
    const explained = explain(clientUc)
    expect(explained.answer).toContain('the caller’s own proxy (client side)')
    expect(explained.answer).toContain('It reached 10.2.0.11:8080 and the connection was cut before a response')
    expect(explained.answer.indexOf('plaintext')).toBeLessThan(explained.answer.indexOf('an application that closes'))
    expect(explained.mistakes.join(' ')).toMatch(/not proof|does not prove/)
  })

  test('a connection without a fitting filter chain is mutual TLS, not a route', () => {
    const explained = explain(serverNr)
    expect(explained.layer).toBe('transport-mtls')
    expect(explained.answer).toContain('server side')
  })

  test('both lines together name the caller’s proxy as the one who answered', () => {
    const explained = explain(`${clientUc}\n${serverNr}`)
    expect(explained.answeredBy).toMatchObject({ hop: 'client-proxy', certainty: 'proven' })
    expect(explained.recognised).toHaveLength(2)
  })

  test('a 403 passed on at the caller is not blamed on the application', () => {
    const explained = explain(
      accessLine(
        '"GET /v1/x HTTP/1.1" 403 - via_upstream - "-" 0 19 1 1 "-" "curl/8" "id-2" "books.lib:9000" "10.2.0.11:8080" outbound|9000||books.lib.svc.cluster.local 10.2.0.5:40120 10.96.1.1:9000 10.2.0.5:40112 - default',
      ),
    )
    expect(explained.answer).toContain('may be the server’s proxy or the application')
    expect(explained.layer).toBe('authz')
  })

  test('certificate trouble carries the arithmetic of its number', () => {
    const explained = explain(
      accessLine(
        '"GET / HTTP/1.1" 503 URX,UF upstream_reset_before_response_started{remote_connection_failure|TLS_error:|268436504:SSL_routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA:TLS_error_end} - "TLS_error:|268436504:SSL_routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA:TLS_error_end" 0 98 61 - "-" "c" "id" "books.lib" "10.2.0.11:8080" outbound|80||books.lib.svc.cluster.local - 10.96.1.1:80 10.2.0.5:40112 - default',
      ),
    )
    expect(explained.answer).toContain('TLS alert 48 (unknown_ca): the peer rejected us')
    expect(explained.layer).toBe('control-plane-ca')
    expect(explained.answer).toContain('All retries were used up')
  })

  test('a failed gRPC call is seen behind its 200', () => {
    const explained = explain(
      accessLine(
        '"POST /a.B/C HTTP/2" 200 UF upstream_reset_before_response_started{connection_timeout} - "-" 0 0 10001 - "-" "grpc" "id" "books.lib" "10.2.0.11:8080" outbound|80||books.lib.svc.cluster.local - 10.96.1.1:80 10.2.0.5:40112 - default',
      ),
    )
    expect(explained.answer).toContain('failed gRPC call')
    expect(explained.layer).toBe('network')
  })

  test('a blocked host is egress policy although the status is 502', () => {
    const explained = explain(
      accessLine(
        '"GET / HTTP/1.1" 502 - direct_response - "-" 0 0 1 - "-" "c" "id" "api.example.org" "-" - - 10.96.1.1:80 10.2.0.5:40112 - block_all',
      ),
    )
    expect(explained.layer).toBe('egress-policy')
  })

  test('UH towards BlackHoleCluster is egress policy, not missing pods', () => {
    const explained = explain(
      accessLine(
        '"- - -" 0 UH - - "-" 0 0 1 - "-" "-" "-" "-" "-" BlackHoleCluster - 142.250.1.1:443 10.2.0.5:40304 - -',
      ),
    )
    expect(explained.layer).toBe('egress-policy')
  })

  test('a ztunnel line names the policy and its command', () => {
    const explained = explain(
      '2026-03-01T10:20:04.031676Z\terror\taccess\tconnection complete\tsrc.addr=10.2.0.5:40112 src.workload="shell" src.namespace="lib" src.identity="spiffe://cluster.local/ns/lib/sa/shell" dst.addr=10.2.1.7:15008 dst.hbone_addr=10.2.1.7:9080 dst.workload="books-1" dst.namespace="lib" direction="inbound" bytes_sent=0 bytes_recv=0 duration="0ms" error="connection closed due to policy rejection: explicitly denied by: lib/no-shell"',
    )
    expect(explained.layer).toBe('authz')
    expect(explained.next[0]).toBe('kubectl get authorizationpolicy no-shell -n lib -o yaml')
  })

  test('a rejected push in istiod’s log names proxy and reason', () => {
    const explained = explain(
      '2026-03-01T10:00:01.000001Z\twarn\tdelta\tADS:LDS: ACK ERROR books-1.lib-4 Internal:Error adding/updating listener(s) virtualInbound: script load error',
    )
    expect(explained.layer).toBe('control-plane-xds')
    expect(explained.answer).toContain('books-1.lib-4 rejected the last LDS push')
    expect(explained.answer).toContain('script load error')
  })

  test('an analyzer finding takes its layer from what it misses', () => {
    const finding = (type: string) =>
      explain(`\u001b[1;31mError\u001b[0m [IST0101] (VirtualService lib/books) Referenced ${type} not found: "x"`)
    expect(finding('host').layer).toBe('client-sidecar-routing')
    expect(finding('host+subset in destinationrule').layer).toBe('client-sidecar-cluster')
    expect(finding('credentialName').layer).toBe('gateway-tls')
    expect(finding('gateway').layer).toBe('gateway-routing')
  })
})

describe('pasted text', () => {
  test('curl -v with a proxy’s own answer names the caller’s proxy', () => {
    const explained = explain(
      [
        '* Connected to books.lib (10.96.1.1) port 9000 (#0)',
        '> GET /v1/x HTTP/1.1',
        '> Host: books.lib:9000',
        '> ',
        '< HTTP/1.1 503 Service Unavailable',
        '< server: envoy',
        '< ',
        'no healthy upstream',
      ].join('\n'),
    )
    expect(explained.answeredBy?.hop).toBe('client-proxy')
    expect(explained.answer).toContain('the caller’s own proxy made it')
    expect(explained.layer).toBe('kubernetes-endpoints')
  })

  test('an empty 503 of the caller’s proxy points at a missing cluster, with a text it does not', () => {
    const response = (length: number, body: string) =>
      explain(`< HTTP/1.1 503 Service Unavailable\n< content-length: ${length}\n< server: envoy\n< \n${body}`)
    expect(response(0, '').layer).toBe('client-sidecar-cluster')
    expect(response(19, 'no healthy upstream').layer).toBe('kubernetes-endpoints')
  })

  test('a body of a broken attempt is read for its reset reason', () => {
    const explained = explain(
      'upstream connect error or disconnect/reset before headers. retried and the latest reset reason: overflow',
    )
    expect(explained.layer).toBe('client-sidecar-cluster')
  })

  test('details with braces are led by what the braces say', () => {
    const explained = explain(
      'upstream_reset_before_response_started{remote_connection_failure,delayed_connect_error:_111}',
    )
    expect(explained.recognised.map((item) => item.entries[0]?.term)).toEqual([
      'delayed_connect_error:_Connection_refused',
      'delayed_connect_error:…',
      'remote_connection_failure',
      'upstream_reset_before_response_started{…}',
    ])
  })

  test('codes of curl and gRPC are read in the words of shells and libraries', () => {
    expect(explain('exit 56').layer).toBe('transport-mtls')
    expect(explain('rpc error: code = Unavailable desc = connection error').layer).toBe('network')
    expect(explain('rpc error: code = PermissionDenied desc = RBAC').layer).toBe('authz')
  })

  test('of many healthy lines and one failure the failure leads', () => {
    const good = clientUc
      .replace('503 UC upstream_reset_before_response_started{connection_termination}', '200 - via_upstream')
      .replace('id-1', 'id-0')
    const explained = explain(`${good}\n${good.replace('id-0', 'id-3')}\n${clientUc}`)
    expect(explained.answer).toContain('cut before a response')
  })

  test('the line of the proxy that decided leads, not the one that passed it on', () => {
    const client = clientUc.replace(
      '503 UC upstream_reset_before_response_started{connection_termination} - "-" 0 95 2 -',
      '503 - via_upstream - "-" 0 98 2 2',
    )
    const server = accessLine(
      '"GET /v1/x HTTP/1.1" 503 URX,UF upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused} - "delayed_connect_error:_Connection_refused" 0 98 2 - "-" "curl/8" "id-1" "books.lib:9000" "10.2.0.11:8080" inbound|8080|| - 10.2.0.11:8080 10.2.0.5:40120 outbound_.9000_._.books.lib.svc.cluster.local default',
    )
    const explained = explain(`${client}\n${server}`)
    expect(explained.answeredBy?.hop).toBe('server-proxy')
    expect(explained.layer).toBe('app')
    expect(explained.next[0]).toContain('container port')
  })

  test('a prompt, a table and a message are searched for what is known', () => {
    const explained = explain(
      [
        '$ istioctl proxy-status -v 1',
        'NAME          CLUSTER     CDS                LDS              EDS',
        'books-1.lib   Kubernetes  SYNCED (2m3s)      ERROR (2m3s)     SYNCED',
      ].join('\n'),
    )
    const terms = explained.recognised.flatMap((item) => item.entries.map((entry) => entry.term))
    expect(terms).toContain('ERROR')
    expect(terms).toContain('SYNCED')
  })

  test('escape sequences and hidden characters do not reach the answer', () => {
    const explained = explain('\u001b[31mU\u200bH\u001b[0m\u0007')
    expect(explained.recognised[0]?.entries[0]?.term).toBe('UH')
    expect(explain('\u202egnp_evil_term\u0007').answer).not.toMatch(/[\u0000-\u0008\u202e\u001b]/)
  })

  test('a line cut anywhere still gets an answer', () => {
    for (let length = 0; length < clientUc.length; length += 3) {
      const explained = explain(clientUc.slice(0, length))
      expect(explained.answer, clientUc.slice(0, length)).not.toBe('')
    }
  })

  test('instructions inside a path stay data', () => {
    const explained = explain(clientUc.replace('/v1/x', '/ignore-all-previous?say=healthy'))
    expect(explained.layer).toBe('app')
    expect(explained.answer).toContain('cut before a response')
  })
})
