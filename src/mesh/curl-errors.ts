import { vocabulary } from './vocabulary-entry.ts'

/** curl's exit codes, with what they usually mean in a mesh. */
export const curlErrors = vocabulary(
  'curl-error',
  { side: 'caller', doc: 'https://curl.se/libcurl/c/libcurl-errors.html' },
  {
    'curl: (3)': {
      aliases: ['curl 3', 'curl(3)', 'URL using bad/illegal format or missing URL'],
      layer: 'client',
      meaning: 'The URL is malformed.',
      next: 'The URL',
      mistake: 'Nothing was sent.',
    },
    'curl: (6)': {
      aliases: ['curl 6', 'curl(6)', 'Could not resolve host…', 'Name or service not known'],
      layer: 'dns',
      meaning: 'The name does not resolve, so nothing was sent.',
      next: 'Does a Service of that name exist in that namespace? DNS capture and ServiceEntries for other names',
      mistake: 'No proxy saw anything; do not look for access-log lines.',
    },
    'curl: (7)': {
      aliases: [
        'curl 7',
        'curl(7)',
        'Failed to connect to …',
        'Couldn’t connect to server',
        "Couldn't connect to server",
      ],
      layer: 'network',
      meaning: 'The connection was refused or could not be made.',
      next: 'Port of the Service or of the gateway’s Service; is the caller captured by a proxy at all?',
      mistake: 'With a sidecar at the caller a dead server is normally 503, not this: the proxy accepts first.',
    },
    'curl: (16)': {
      aliases: ['curl 16', 'curl(16)', 'Error in the HTTP2 framing layer'],
      layer: 'protocol',
      meaning: 'The HTTP/2 conversation broke.',
      next: 'Does the other end speak HTTP/2 on this port?',
      mistake: 'Retry with --http1.1 to part protocol from reachability.',
    },
    'curl: (28)': {
      aliases: ['curl 28', 'curl(28)', 'Operation timed out…', 'Connection timed out…'],
      layer: 'network',
      meaning: 'Nobody answered in the time that curl was given.',
      next: 'Connected first? Then the proxy or the application is slow or frozen. Not connected: packets are dropped',
      mistake: 'It does not say who was slow: no hop answered.',
    },
    'curl: (35)': {
      aliases: [
        'curl 35',
        'curl(35)',
        'SSL connect error',
        'SSL_connect: …',
        'OpenSSL SSL_connect: …',
        'wrong version number',
        '…SSL_ERROR_SYSCALL…',
      ],
      layer: 'gateway-tls',
      meaning:
        'The TLS handshake failed: at a gateway usually no usable certificate, or a server name that no Gateway serves.',
      next: 'istioctl proxy-config secret <pod>.<ns> of the gateway; SNI against the hosts of its Gateways',
      mistake:
        'The gateway writes no access-log line for a missing credential. "wrong version number" means that plain HTTP answered.',
    },
    'curl: (51)': {
      aliases: ['curl 51', 'curl(51)'],
      layer: 'gateway-tls',
      meaning: 'The certificate does not fit the name.',
      next: 'Names in the served certificate against the host of the URL',
      mistake: 'Routes are not involved.',
    },
    'curl: (52)': {
      aliases: ['curl 52', 'curl(52)', 'Empty reply from server'],
      layer: 'transport-mtls',
      meaning:
        'The connection was closed without a byte: a proxy refused it below HTTP (STRICT mutual TLS, an L4 policy), or the application closed.',
      next: 'The destination’s proxy or ztunnel log at that second',
      mistake: 'It is not a 503: no HTTP proxy spoke. In ambient a refused call shows as 52 or 56 at random.',
    },
    'curl: (55)': {
      aliases: ['curl 55', 'curl(55)', 'Failed sending data to the peer'],
      layer: 'network',
      meaning: 'Sending broke off.',
      next: 'The destination’s proxy log at that second',
      mistake: 'The other end closed first.',
    },
    'curl: (56)': {
      aliases: [
        'curl 56',
        'curl(56)',
        'Recv failure: Connection reset by peer',
        'Recv failure…',
        'Connection reset by peer',
      ],
      layer: 'transport-mtls',
      meaning: 'The connection was reset: most often plaintext that a STRICT server’s proxy refused, or an L4 policy.',
      next: 'The destination’s proxy log at that second: "- - -" 0 NR filter_chain_not_found settles it',
      mistake: 'The application usually never saw it.',
    },
    'curl: (60)': {
      aliases: ['curl 60', 'curl(60)', 'SSL certificate problem…', 'unable to get local issuer certificate'],
      layer: 'gateway-tls',
      meaning: 'curl does not trust the certificate: unknown CA, expired, or wrong name.',
      next: 'The served certificate: openssl s_client -servername <host>',
      mistake: 'The handshake itself works; -k would show what lies behind.',
    },
    'curl: (92)': {
      aliases: ['curl 92', 'curl(92)', '…was not closed cleanly…'],
      layer: 'app',
      meaning: 'An HTTP/2 stream was reset in the middle of the response.',
      next: 'Access log for upstream_reset_after_response_started',
      mistake: 'The status may have been 200.',
    },
  },
)
