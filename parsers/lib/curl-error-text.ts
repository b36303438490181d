/** `curl -s` says why only in its own words on a `*` line; the number is what people search for. */
const words: readonly (readonly [code: number, pattern: RegExp])[] = [
  [
    60,
    /SSL certificate problem|no alternative certificate subject name|certificate subject name .* does not match|unable to get local issuer/i,
  ],
  [
    35,
    /SSL_connect|SSL_ERROR_SYSCALL|ssl_handshake|TLS connect error|wrong version number|sslv3 alert|tlsv1\S* alert|SSL connect error|gnutls_handshake|schannel: .*failed/i,
  ],
  [58, /problem with the local SSL certificate|could not load .*(?:PEM|client) certificate/i],
  [77, /error setting certificate (?:verify locations|file)/i],
  [6, /^(?:Could not|Couldn't|Couldn’t) resolve host/i],
  [5, /^(?:Could not|Couldn't) resolve proxy/i],
  [
    28,
    /^(?:Operation|Connection|Resolving|SSL connection|Proxy CONNECT).* (?:timed out|timeout)|^connection timeout|^SSL connection timeout/i,
  ],
  [7, /^Failed to connect to|^(?:Couldn't|Could not) connect to server/i],
  [52, /^Empty reply from server/i],
  [55, /^Send failure|SSL_write\(\)/i],
  [
    56,
    /^Recv failure|SSL_read|^Failure when receiving data|CONNECT tunnel failed|Proxy CONNECT aborted|GnuTLS recv error/i,
  ],
  [16, /HTTP2 framing layer|nghttp2 .*fail/i],
  [92, /HTTP\/2 stream \d+ was (?:not closed cleanly|reset)/i],
  [95, /HTTP\/3 stream \d+ /i],
  [18, /^transfer closed with|end of response with .* missing/i],
  [1, /^Received HTTP\/0\.9 when not allowed|^Unsupported (?:HTTP version|protocol)|Protocol .* not supported/i],
  [47, /^Maximum \(\d+\) redirects followed/i],
]

/** The exit code that these words belong to, or null when they report no failure. */
export function judgeCurlError(text: string): number | null {
  for (const [code, pattern] of words) if (pattern.test(text)) return code
  return null
}
