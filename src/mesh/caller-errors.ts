import { vocabulary } from './vocabulary-entry.ts'

/** What HTTP clients of other languages say where curl gives a number. */
export const callerErrors = vocabulary(
  'caller-error',
  { side: 'caller' },
  {
    EOF: {
      aliases: [
        'unexpected EOF',
        'socket hang up',
        'RemoteDisconnected',
        'Remote end closed connection without response',
        'NoHttpResponseException',
        'upstream prematurely closed connection…',
      ],
      layer: 'transport-mtls',
      meaning:
        'The connection was closed without an answer: a proxy refused it below HTTP (STRICT mutual TLS, an L4 policy), or the application closed.',
      next: 'The destination’s proxy or ztunnel log at that second',
      mistake: 'It is not a 503: no HTTP proxy spoke.',
    },
    ECONNRESET: {
      aliases: [
        'read: connection reset by peer',
        '…: read: connection reset by peer',
        'Connection reset',
        'write: broken pipe',
        'EPIPE',
      ],
      layer: 'transport-mtls',
      meaning:
        'The connection was reset: most often plaintext that a STRICT server’s proxy refused, an L4 policy, or an application that closes idle connections.',
      next: 'The destination’s proxy log at that second: "- - -" 0 NR filter_chain_not_found means mutual TLS',
      mistake:
        'With a sidecar at the caller the same fault is an HTTP 503: a reset says that no sidecar spoke for the caller, or that the connection is no HTTP.',
    },
    ECONNREFUSED: {
      aliases: ['connect: connection refused', '…: connect: connection refused'],
      layer: 'network',
      meaning: 'Nobody listens at that address and port, as seen from the caller itself.',
      next: 'Is the caller captured by a proxy? Its own port 15001, or the gateway’s Service and ports',
      mistake: 'A captured caller hardly ever sees this from a dead server: its proxy accepts first and answers 503.',
    },
    'i/o timeout': {
      aliases: [
        '…: i/o timeout',
        'context deadline exceeded',
        '…Client.Timeout exceeded while awaiting headers…',
        'ETIMEDOUT',
        'Read timed out',
        'connect timed out',
      ],
      layer: 'network',
      meaning: 'The caller’s own patience ended before an answer came.',
      next: 'The caller’s proxy: flag DC beside the request means that it was still waiting for the next hop',
      mistake: 'It is not the mesh’s timeout: that one is answered as 504.',
    },
    'no such host': {
      aliases: [
        '…: no such host',
        'ENOTFOUND',
        'EAI_AGAIN',
        'UnknownHostException',
        'Temporary failure in name resolution',
      ],
      layer: 'dns',
      meaning: 'The name does not resolve, so nothing was sent.',
      next: 'Does a Service of that name exist in that namespace? DNS capture and ServiceEntries for other names',
      mistake: 'No proxy saw anything; do not look for access-log lines.',
    },
    'first record does not look like a TLS handshake': {
      aliases: [
        'tls: first record does not look like a TLS handshake',
        'http: server gave HTTP response to HTTPS client',
        'Unrecognized SSL message, plaintext connection?',
      ],
      layer: 'protocol',
      meaning: 'The caller spoke TLS, and plain HTTP answered.',
      next: 'The port’s protocol in the Service (its name or appProtocol); who is meant to start TLS, application or proxy?',
      mistake: 'The certificate is not involved: no handshake took place.',
    },
    'PKIX path building failed…': {
      aliases: [
        'self-signed certificate in certificate chain',
        'CERTIFICATE_VERIFY_FAILED] certificate verify failed…',
      ],
      layer: 'gateway-tls',
      meaning: 'The caller does not trust the certificate that was shown.',
      next: 'The served certificate: openssl s_client -connect <host>:<port> -servername <host>',
      mistake: 'The handshake itself works: routes and policies come after it.',
    },
    'TLS handshake timeout': {
      aliases: ['…: TLS handshake timeout'],
      layer: 'network',
      meaning: 'The connection was made, and the other end never answered the handshake.',
      next: 'Does the port expect plain HTTP or a protocol in which the server speaks first?',
      mistake: 'A wrong certificate fails at once; this one waits.',
    },
  },
)
