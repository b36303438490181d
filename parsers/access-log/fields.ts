/** The fields of Istio's default format, in printed order: a field's number is its place in a `Spans` table. */
export const Field = {
  time: 0,
  method: 1,
  path: 2,
  protocol: 3,
  code: 4,
  flags: 5,
  details: 6,
  termination: 7,
  transportFailure: 8,
  bytesReceived: 9,
  bytesSent: 10,
  durationMs: 11,
  upstreamTimeMs: 12,
  forwardedFor: 13,
  userAgent: 14,
  requestId: 15,
  authority: 16,
  upstreamHost: 17,
  upstreamCluster: 18,
  upstreamLocal: 19,
  downstreamLocal: 20,
  downstreamRemote: 21,
  sni: 22,
  routeName: 23,
} as const

export type FieldName = keyof typeof Field
export const fieldCount = 24

/** JSON keys of Istio's default encoding. */
export const jsonKeys: Readonly<Record<FieldName, string>> = {
  time: 'start_time',
  method: 'method',
  path: 'path',
  protocol: 'protocol',
  code: 'response_code',
  flags: 'response_flags',
  details: 'response_code_details',
  termination: 'connection_termination_details',
  transportFailure: 'upstream_transport_failure_reason',
  bytesReceived: 'bytes_received',
  bytesSent: 'bytes_sent',
  durationMs: 'duration',
  upstreamTimeMs: 'upstream_service_time',
  forwardedFor: 'x_forwarded_for',
  userAgent: 'user_agent',
  requestId: 'request_id',
  authority: 'authority',
  upstreamHost: 'upstream_host',
  upstreamCluster: 'upstream_cluster',
  upstreamLocal: 'upstream_local_address',
  downstreamLocal: 'downstream_local_address',
  downstreamRemote: 'downstream_remote_address',
  sni: 'requested_server_name',
  routeName: 'route_name',
}

export const fieldOfJsonKey: ReadonlyMap<string, FieldName> = new Map(
  // Object.entries forgets the key type; the table above is the only source of these names.
  (Object.entries(jsonKeys) as [FieldName, string][]).map(([name, key]) => [key, name]),
)
