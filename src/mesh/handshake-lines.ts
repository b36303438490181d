/** How a port is treated by a proxy: declared HTTP, declared TCP or TLS, or found out from the first bytes. */
export type PortKind = 'http' | 'tcp' | 'auto'

/** What a proxy's access log shows. `null` in a field: not known. */
export interface ExpectedLine {
  readonly code: number | null
  readonly flags: readonly string[]
  readonly details: string | null
  readonly transportFailure: string | null
}

export const wrongVersion = 'WRONG_VERSION_NUMBER'
export const verifyFailed = 'CERTIFICATE_VERIFY_FAILED'

/** The client as far as its log line depends on it. */
interface Speaker {
  readonly protocol: 'http' | 'tcp'
  readonly proxy: boolean
  readonly appTls?: unknown
}

export const noChain: ExpectedLine = {
  code: 0,
  flags: ['NR'],
  details: 'filter_chain_not_found',
  transportFailure: null,
}
export const plainTcp: ExpectedLine = { code: 0, flags: [], details: null, transportFailure: null }
/** The client's proxy only moved bytes and saw nothing wrong. */
export const passedThrough: ExpectedLine = plainTcp
export const terminated: ExpectedLine = {
  code: 503,
  flags: ['UC'],
  details: 'upstream_reset_before_response_started{connection_termination}',
  transportFailure: null,
}

export function plaintextRefused(client: Speaker): ExpectedLine {
  return client.protocol === 'http' ? terminated : { code: 0, flags: ['UR'], details: null, transportFailure: null }
}

/** The client's proxy could not finish the handshake. Envoy puts the flags in the order in which they were set. */
export function handshakeRefused(client: Speaker, reason: string | null): ExpectedLine {
  const http = client.protocol === 'http'
  return {
    code: http ? 503 : 0,
    flags: http ? ['URX', 'UF'] : ['UF', 'URX'],
    details: http ? 'upstream_reset_before_response_started{remote_connection_failure' : null,
    transportFailure: reason,
  }
}

/** A failed inbound handshake is not logged on HTTP chains; TCP chains write a bare line. */
export function unloggedOnHttp(
  client: Speaker,
  server: { readonly portKind: PortKind },
  bypass = false,
): ExpectedLine | null {
  if (server.portKind === 'http') return null
  if (server.portKind === 'tcp') return plainTcp
  // ALPN decides on sniffed ports: only a client's proxy that speaks HTTP announces it.
  return client.proxy && !bypass && client.protocol === 'http' && !client.appTls ? null : plainTcp
}
