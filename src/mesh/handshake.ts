import type { ClientTls, MtlsMode } from './client-tls.ts'
import {
  type ExpectedLine,
  handshakeRefused,
  noChain,
  type PortKind,
  passedThrough,
  plainTcp,
  plaintextRefused,
  terminated,
  unloggedOnHttp,
  verifyFailed,
  wrongVersion,
} from './handshake-lines.ts'

export type { ExpectedLine, PortKind } from './handshake-lines.ts'

export interface HandshakeClient {
  /** From `clientTls`. */
  readonly tls: ClientTls
  /** Whether a proxy of the client's side handles the connection; without one there is no client log line. */
  readonly proxy: boolean
  readonly portKind: PortKind
  /** What the application speaks inside. */
  readonly protocol: 'http' | 'tcp'
  /** The application itself starts TLS. */
  readonly appTls?: { readonly alpn?: readonly string[] }
  /** Whose authority signed the certificate that DestinationRule mode MUTUAL presents. Default: not known. */
  readonly ownCertificate?: 'mesh' | 'foreign' | 'unreadable'
  readonly outboundPolicy?: 'ALLOW_ANY' | 'REGISTRY_ONLY'
}

export interface HandshakeServer {
  readonly kind: 'sidecar' | 'ambient' | 'none'
  readonly mode: MtlsMode
  readonly portKind: PortKind
  /** SPIFFE ids of the server's certificate, when known. */
  readonly identities?: readonly string[]
  /** What the application itself does with TLS. */
  readonly app?: { readonly tls: boolean; readonly trusted: boolean }
}

export interface Handshake {
  readonly outcome: 'ok' | 'fails' | 'app-dependent' | 'cannot-decide'
  readonly wire: 'istio-mtls' | 'plaintext' | 'tls-to-app' | 'app-tls-inside-istio-mtls' | 'hbone' | null
  readonly why: string
  /** What the caller's application notices when it fails. */
  readonly caller: '503' | 'reset' | 'tls-alert' | 'closed' | null
  /** `null`: no line. `undefined`: a line, but its content is not predicted. */
  readonly clientLine: ExpectedLine | null | undefined
  readonly serverLine: ExpectedLine | null | undefined
}

/** What reaches the server's port. */
type Arrival =
  | { readonly kind: 'plaintext' }
  | { readonly kind: 'hbone' }
  | { readonly kind: 'istio-mtls'; readonly inside: 'plain' | 'tls' }
  /** TLS that no mesh certificate stands behind: one-way, with a foreign certificate, or the application's own. */
  | {
      readonly kind: 'tls'
      readonly from: 'proxy' | 'app'
      readonly istioAlpn: boolean
      readonly verifies: boolean
      readonly certificate: 'none' | 'mesh' | 'foreign' | 'unknown'
    }

/** Puts what the client sends in front of what the server accepts. */
export function handshake(client: HandshakeClient, server: HandshakeServer): Handshake {
  if (client.tls.sends === 'unknown') return undecided(client.tls.why)
  if (client.ownCertificate === 'unreadable' && client.tls.mode === 'MUTUAL')
    return undecided(
      'the certificate files of mode MUTUAL cannot be read: the proxy keeps whatever cluster it had before',
    )
  const bypass = client.proxy && client.appTls !== undefined && client.portKind === 'http'
  if (bypass && client.outboundPolicy === 'REGISTRY_ONLY')
    return fails(client, 'TLS on a port declared HTTP matches no HTTP chain; REGISTRY_ONLY sends it nowhere', {
      client: { code: 0, flags: ['UH'], details: null, transportFailure: null },
      server: null,
      caller: 'reset',
      tcp: true,
    })
  const arrival = arrivalOf(client, bypass)
  if (server.kind === 'sidecar') return atSidecar(client, server, arrival, bypass)
  return atApplication(client, server, arrival, bypass)
}

function arrivalOf(client: HandshakeClient, bypass: boolean): Arrival {
  // The proxy takes TLS on an HTTP port for unknown traffic: PassthroughCluster hands the bytes on.
  const sends = bypass ? 'plaintext' : client.tls.sends
  if (sends === 'hbone') return { kind: 'hbone' }
  if (sends === 'istio-mtls') return { kind: 'istio-mtls', inside: client.appTls ? 'tls' : 'plain' }
  if (sends === 'simple-tls' || sends === 'mutual-tls')
    return {
      kind: 'tls',
      from: 'proxy',
      istioAlpn: false,
      verifies: !client.tls.skipsVerification,
      certificate: sends === 'simple-tls' ? 'none' : certificateOf(client),
    }
  if (!client.appTls) return { kind: 'plaintext' }
  const istioAlpn = (client.appTls.alpn ?? []).some((name) => name === 'istio' || name.startsWith('istio-'))
  return { kind: 'tls', from: 'app', istioAlpn, verifies: false, certificate: 'none' }
}

function certificateOf(client: HandshakeClient): 'mesh' | 'foreign' | 'unknown' {
  return client.ownCertificate === 'mesh' || client.ownCertificate === 'foreign' ? client.ownCertificate : 'unknown'
}

function atSidecar(client: HandshakeClient, server: HandshakeServer, arrival: Arrival, bypass: boolean): Handshake {
  switch (arrival.kind) {
    case 'hbone':
      return ok('hbone', 'HBONE ends at the sidecar’s port 15008, which always wants a mesh certificate')
    case 'plaintext':
      if (server.mode !== 'STRICT') return ok('plaintext', `${server.mode} lets plaintext in`)
      return fails(client, 'STRICT has no filter chain for plaintext', {
        client: plaintextRefused(client),
        server: noChain,
        caller: client.proxy && client.protocol === 'http' ? '503' : 'reset',
      })
    case 'istio-mtls':
      if (server.mode === 'DISABLE') return tlsIntoPlainPort(client, server, arrival)
      if (sansDiffer(client, server))
        return fails(client, 'the server’s identity is not among the subjectAltNames that the client insists on', {
          client: handshakeRefused(client, `${verifyFailed}:verify_cert_failed:_SAN_matcher`),
          server: unloggedOnHttp(client, server),
        })
      return arrival.inside === 'tls'
        ? ok('app-tls-inside-istio-mtls', 'mesh mTLS around the application’s own TLS')
        : ok('istio-mtls', `${server.mode} takes mesh mTLS`)
    case 'tls':
      if (server.mode === 'DISABLE') return tlsIntoPlainPort(client, server, arrival)
      if (server.mode === 'STRICT') return foreignTlsIntoStrict(client, server, arrival, bypass)
      return foreignTlsIntoPermissive(client, server, arrival, bypass)
  }
}

/** DISABLE: the sidecar has only raw chains. An HTTP port chokes on the handshake, a TCP port hands it to the application. */
function tlsIntoPlainPort(client: HandshakeClient, server: HandshakeServer, arrival: Arrival): Handshake {
  if (server.portKind !== 'http') return atApplication(client, server, arrival, false)
  return fails(client, 'the port expects plain HTTP and gets a TLS handshake', {
    client: fromApp(arrival) ? passedThrough : handshakeRefused(client, wrongVersion),
    server: { code: 400, flags: ['DPE'], details: 'http1.codec_error', transportFailure: null },
    ...(fromApp(arrival) ? { caller: 'tls-alert' as const } : {}),
  })
}

function foreignTlsIntoStrict(
  client: HandshakeClient,
  server: HandshakeServer,
  arrival: Arrival & { kind: 'tls' },
  bypass: boolean,
): Handshake {
  if (arrival.certificate === 'mesh' && !(arrival.verifies && sansDiffer(client, server)))
    return ok('istio-mtls', 'the client presents a certificate of the mesh, though not in mesh mode')
  if (arrival.certificate === 'unknown')
    return undecided('whether the mesh signed the client’s certificate (mode MUTUAL) decides, and that is not known')
  const server_ = unloggedOnHttp(client, server, bypass)
  if (arrival.from === 'app')
    return fails(client, 'STRICT wants a client certificate of the mesh, the application’s TLS has none', {
      client: client.proxy ? passedThrough : null,
      server: server_,
      caller: 'tls-alert',
    })
  if (arrival.verifies)
    return fails(client, 'the client checks the mesh certificate against public authorities and refuses it', {
      client: handshakeRefused(client, `${verifyFailed}:verify_cert_failed`),
      server: server_,
    })
  // TLS 1.3: the client has finished when the server's refusal arrives, so it looks like a connection that was closed.
  return fails(client, 'STRICT wants a client certificate of the mesh and closes the connection without one', {
    client: client.protocol === 'http' ? terminated : { code: 0, flags: [], details: null, transportFailure: null },
    server: server_,
    caller: client.protocol === 'http' ? '503' : 'closed',
  })
}

function foreignTlsIntoPermissive(
  client: HandshakeClient,
  server: HandshakeServer,
  arrival: Arrival & { kind: 'tls' },
  bypass: boolean,
): Handshake {
  if (arrival.istioAlpn)
    return fails(client, 'the ALPN promises mesh mTLS, but there is no client certificate', {
      client: client.proxy ? passedThrough : null,
      server: unloggedOnHttp(client, server, bypass),
      caller: 'tls-alert',
    })
  if (server.portKind !== 'http') return atApplication(client, server, arrival, bypass)
  return fails(client, 'on an HTTP port PERMISSIVE takes mesh mTLS or plaintext, no other TLS', {
    client: arrival.from === 'app' ? { code: 0, flags: ['UR'], details: null, transportFailure: null } : undefined,
    server: noChain,
    caller: arrival.from === 'app' ? 'reset' : '503',
  })
}

/** No proxy in front, or one that passes the bytes on: the application decides about TLS. */
function atApplication(client: HandshakeClient, server: HandshakeServer, arrival: Arrival, bypass: boolean): Handshake {
  const serverLine = server.kind === 'sidecar' ? plainTcp : null
  switch (arrival.kind) {
    case 'hbone':
      return server.kind === 'ambient'
        ? ok('hbone', 'ztunnel takes HBONE at port 15008')
        : fails(client, 'nothing listens on port 15008 of the pod', { client: undefined, server: serverLine })
    case 'plaintext':
      if (server.kind === 'ambient' && server.mode === 'STRICT')
        return fails(
          client,
          'STRICT: ztunnel denies plaintext (istio_converted_static_strict or the converted policy)',
          {
            client: undefined,
            server: null,
            caller: client.proxy && client.protocol === 'http' ? '503' : 'reset',
          },
        )
      return ok('plaintext', 'nothing on the server’s side asks for TLS')
    case 'istio-mtls':
      // Either way it fails: an application that speaks TLS has no mesh certificate.
      return fails(client, 'mesh mTLS reaches an application that knows nothing of it', {
        client: handshakeRefused(
          client,
          server.app === undefined ? null : server.app.tls ? `${verifyFailed}:verify_cert_failed` : wrongVersion,
        ),
        server: serverLine,
      })
    case 'tls':
      return foreignTlsAtApplication(client, server, arrival, bypass, serverLine)
  }
}

function foreignTlsAtApplication(
  client: HandshakeClient,
  server: HandshakeServer,
  arrival: Arrival & { kind: 'tls' },
  bypass: boolean,
  serverLine: ExpectedLine | null,
): Handshake {
  if (!server.app)
    return {
      outcome: 'app-dependent',
      wire: 'tls-to-app',
      why: 'the TLS handshake reaches the application: it works if that speaks TLS there',
      caller: null,
      clientLine: undefined,
      serverLine: undefined,
    }
  if (server.app.tls && (server.app.trusted || !arrival.verifies))
    return ok('tls-to-app', 'the application itself answers the TLS handshake')
  const reason = server.app.tls ? `${verifyFailed}:verify_cert_failed` : wrongVersion
  return fails(
    client,
    server.app.tls ? 'the client does not trust the application’s certificate' : 'the application speaks no TLS there',
    {
      client: arrival.from === 'app' ? (client.proxy ? passedThrough : null) : handshakeRefused(client, reason),
      server: serverLine,
      ...(arrival.from === 'app' ? { caller: 'tls-alert' as const, tcp: bypass } : {}),
    },
  )
}

function fromApp(arrival: Arrival): boolean {
  return arrival.kind === 'tls' && arrival.from === 'app'
}

function sansDiffer(client: HandshakeClient, server: HandshakeServer): boolean {
  const wanted = client.tls.subjectAltNames
  if (wanted.length === 0 || server.identities === undefined) return false
  return !server.identities.some((identity) => wanted.includes(identity))
}

function ok(wire: NonNullable<Handshake['wire']>, why: string): Handshake {
  return { outcome: 'ok', wire, why, caller: null, clientLine: undefined, serverLine: undefined }
}

function undecided(why: string): Handshake {
  return { outcome: 'cannot-decide', wire: null, why, caller: null, clientLine: undefined, serverLine: undefined }
}

function fails(
  client: HandshakeClient,
  why: string,
  seen: {
    readonly client: ExpectedLine | null | undefined
    readonly server: ExpectedLine | null | undefined
    readonly caller?: Handshake['caller']
    /** The client's proxy handled it as TCP whatever the port says. */
    readonly tcp?: boolean
  },
): Handshake {
  const http = client.protocol === 'http' && !client.appTls && !seen.tcp
  return {
    outcome: 'fails',
    wire: null,
    why,
    caller: seen.caller ?? (client.proxy && http ? '503' : 'reset'),
    clientLine: client.proxy ? seen.client : null,
    serverLine: seen.server,
  }
}
