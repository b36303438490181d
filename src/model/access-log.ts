/** One line that an Envoy wrote about one request (`http`) or connection (`tcp`). `null` is what Envoy printed as `-`. */
export interface AccessLogRecord {
  readonly kind: 'http' | 'tcp'
  /** RFC 3339 as printed, when the line carries it. */
  readonly time: string | null
  readonly method: string | null
  readonly path: string | null
  readonly protocol: string | null
  /** 0 for connections and for requests that ended before a response. */
  readonly code: number | null
  /** Short flags in the printed order, `[]` for `-`. Unknown ones are kept. */
  readonly flags: readonly string[]
  readonly details: string | null
  readonly termination: string | null
  readonly transportFailure: string | null
  readonly bytesReceived: number | null
  readonly bytesSent: number | null
  readonly durationMs: number | null
  readonly upstreamTimeMs: number | null
  readonly forwardedFor: string | null
  readonly userAgent: string | null
  readonly requestId: string | null
  readonly authority: string | null
  readonly upstreamHost: string | null
  /** Without the trailing `;` some releases print. */
  readonly upstreamCluster: string | null
  readonly upstreamLocal: string | null
  readonly downstreamLocal: string | null
  readonly downstreamRemote: string | null
  readonly sni: string | null
  readonly routeName: string | null
  /** Fields of custom formats and JSON keys that have no place above. */
  readonly extra: Readonly<Record<string, unknown>>
  readonly format: 'text' | 'json' | 'custom'
  /** The line as it was, at most a few kilobytes of it. */
  readonly raw: string
  /** 1-based, in the stream it came from. */
  readonly line: number
  /** What `kubectl logs --prefix` and the like put before the line: `pod/web-1/istio-proxy`. */
  readonly source?: string
  /**
   * The line can be read in a second way: something in a header or path looks like fields of an access log, or two
   * lines ran together. The reading given is the one that a client cannot forge through headers.
   */
  readonly ambiguous?: true
}

/** One entry of a ztunnel log that is about a connection. */
export interface ZtunnelRecord {
  readonly time: string | null
  readonly level: string | null
  readonly scope: string | null
  readonly message: string
  readonly direction: 'inbound' | 'outbound' | null
  readonly error: string | null
  readonly srcAddress: string | null
  readonly srcWorkload: string | null
  readonly srcNamespace: string | null
  readonly srcIdentity: string | null
  readonly dstAddress: string | null
  readonly dstHboneAddress: string | null
  readonly dstWorkload: string | null
  readonly dstNamespace: string | null
  readonly dstService: string | null
  readonly dstIdentity: string | null
  readonly bytesSent: number | null
  readonly bytesReceived: number | null
  readonly durationMs: number | null
  readonly extra: Readonly<Record<string, unknown>>
  readonly raw: string
  readonly line: number
}
