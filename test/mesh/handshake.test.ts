import { describe, expect, test } from 'vitest'
import type { ClientTls, ClientWire, MtlsMode } from '../../src/mesh/client-tls.ts'
import { type HandshakeClient, type HandshakeServer, handshake, type PortKind } from '../../src/mesh/handshake.ts'

function sends(wire: ClientWire, more: Partial<ClientTls> = {}): ClientTls {
  return {
    sends: wire,
    why: 'test',
    decidedBy: null,
    rule: null,
    sni: null,
    subjectAltNames: [],
    skipsVerification: false,
    mode: 'auto',
    ...more,
  }
}
const client = (
  wire: ClientWire,
  more: Partial<HandshakeClient> = {},
  tls: Partial<ClientTls> = {},
): HandshakeClient => ({
  tls: sends(wire, tls),
  proxy: true,
  portKind: 'http',
  protocol: 'http',
  ...more,
})
const server = (
  mode: MtlsMode | 'none' | 'ambient',
  portKind: PortKind = 'http',
  more: Partial<HandshakeServer> = {},
): HandshakeServer => ({
  kind: mode === 'none' || mode === 'ambient' ? mode : 'sidecar',
  mode: mode === 'none' ? 'PERMISSIVE' : mode === 'ambient' ? 'STRICT' : mode,
  portKind,
  ...more,
})

describe('HTTP port', () => {
  const table: Record<string, Record<ClientWire | 'no proxy', string>> = {
    none: {
      plaintext: 'ok',
      'istio-mtls': 'fails',
      'simple-tls': 'app-dependent',
      'mutual-tls': 'app-dependent',
      hbone: 'fails',
      unknown: 'cannot-decide',
      'no proxy': 'ok',
    },
    STRICT: {
      plaintext: 'fails',
      'istio-mtls': 'ok',
      'simple-tls': 'fails',
      'mutual-tls': 'cannot-decide',
      hbone: 'ok',
      unknown: 'cannot-decide',
      'no proxy': 'fails',
    },
    PERMISSIVE: {
      plaintext: 'ok',
      'istio-mtls': 'ok',
      'simple-tls': 'fails',
      'mutual-tls': 'fails',
      hbone: 'ok',
      unknown: 'cannot-decide',
      'no proxy': 'ok',
    },
    DISABLE: {
      plaintext: 'ok',
      'istio-mtls': 'fails',
      'simple-tls': 'fails',
      'mutual-tls': 'fails',
      hbone: 'ok',
      unknown: 'cannot-decide',
      'no proxy': 'ok',
    },
    ambient: {
      plaintext: 'fails',
      'istio-mtls': 'fails',
      'simple-tls': 'app-dependent',
      'mutual-tls': 'app-dependent',
      hbone: 'ok',
      unknown: 'cannot-decide',
      'no proxy': 'fails',
    },
  }
  for (const [mode, row] of Object.entries(table))
    for (const [wire, outcome] of Object.entries(row))
      test(`${wire} into ${mode}: ${outcome}`, () => {
        const from = wire === 'no proxy' ? client('plaintext', { proxy: false }) : client(wire as ClientWire)
        expect(handshake(from, server(mode as MtlsMode)).outcome).toBe(outcome)
      })
})

describe('what the logs show', () => {
  test.each<[string, HandshakeClient, HandshakeServer, string[] | null, string[] | null, string]>([
    ['plaintext into STRICT', client('plaintext'), server('STRICT'), ['UC'], ['NR'], '503'],
    [
      'the same over TCP',
      client('plaintext', { protocol: 'tcp', portKind: 'tcp' }),
      server('STRICT', 'tcp'),
      ['UR'],
      ['NR'],
      'reset',
    ],
    ['no proxy into STRICT', client('plaintext', { proxy: false }), server('STRICT'), null, ['NR'], 'reset'],
    ['mTLS into DISABLE', client('istio-mtls'), server('DISABLE'), ['URX', 'UF'], ['DPE'], '503'],
    [
      'mTLS into DISABLE over TCP',
      client('istio-mtls', { protocol: 'tcp', portKind: 'tcp' }),
      server('DISABLE', 'tcp'),
      ['UF', 'URX'],
      [],
      'reset',
    ],
    ['one-way TLS into STRICT', client('simple-tls'), server('STRICT'), ['URX', 'UF'], null, '503'],
    [
      'one-way TLS without a check',
      client('simple-tls', {}, { skipsVerification: true }),
      server('STRICT'),
      ['UC'],
      null,
      '503',
    ],
    ['mTLS to a pod without sidecar', client('istio-mtls'), server('none'), ['URX', 'UF'], null, '503'],
    [
      'a foreign SAN',
      client('istio-mtls', {}, { subjectAltNames: ['spiffe://x'] }),
      server('STRICT', 'http', { identities: ['spiffe://y'] }),
      ['URX', 'UF'],
      null,
      '503',
    ],
  ])('%s', (_, from, to, clientFlags, serverFlags, caller) => {
    const result = handshake(from, to)
    expect(result).toMatchObject({ outcome: 'fails', caller })
    expect(result.clientLine?.flags ?? null).toEqual(clientFlags)
    expect(result.serverLine?.flags ?? null).toEqual(serverFlags)
  })
})

describe('TLS of the application itself', () => {
  const own = (more: Partial<HandshakeClient> = {}, alpn?: string[]) =>
    client('istio-mtls', { appTls: alpn ? { alpn } : {}, portKind: 'tcp', ...more })
  const app = { app: { tls: true, trusted: false } }
  test.each<[string, HandshakeClient, HandshakeServer, string, string | null]>([
    ['inside mesh mTLS', own(), server('STRICT', 'tcp', app), 'ok', 'app-tls-inside-istio-mtls'],
    ['past the mesh on an HTTP port', own({ portKind: 'http' }), server('PERMISSIVE', 'http', app), 'fails', null],
    [
      'without proxy to a TCP port',
      own({ tls: sends('plaintext'), proxy: false }),
      server('PERMISSIVE', 'tcp', app),
      'ok',
      'tls-to-app',
    ],
    [
      'without proxy into STRICT',
      own({ tls: sends('plaintext'), proxy: false }),
      server('STRICT', 'tcp', app),
      'fails',
      null,
    ],
    [
      'that pretends to be the mesh',
      own({ tls: sends('plaintext'), proxy: false }, ['istio']),
      server('PERMISSIVE', 'tcp', app),
      'fails',
      null,
    ],
    [
      'to an unknown application',
      own({ tls: sends('plaintext'), proxy: false }),
      server('none', 'tcp'),
      'app-dependent',
      'tls-to-app',
    ],
    [
      'to one that speaks none',
      own({ tls: sends('plaintext'), proxy: false }),
      server('none', 'tcp', { app: { tls: false, trusted: false } }),
      'fails',
      null,
    ],
    [
      'on an HTTP port, known services only',
      own({ portKind: 'http', outboundPolicy: 'REGISTRY_ONLY' }),
      server('none', 'http', app),
      'fails',
      null,
    ],
  ])('%s', (_, from, to, outcome, wire) => {
    expect(handshake(from, to)).toMatchObject({ outcome, wire })
  })
})

test('mode MUTUAL depends on who signed', () => {
  const from = (ownCertificate: 'mesh' | 'foreign' | 'unreadable') =>
    client('mutual-tls', { ownCertificate }, { mode: 'MUTUAL', skipsVerification: true })
  expect(handshake(from('mesh'), server('STRICT')).outcome).toBe('ok')
  expect(handshake(from('foreign'), server('STRICT')).outcome).toBe('fails')
  expect(handshake(from('unreadable'), server('STRICT')).outcome).toBe('cannot-decide')
})
