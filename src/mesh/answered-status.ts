import type { AccessLogRecord } from '../model/access-log.ts'

/** What a proxy answers by itself, by the reason in its line: the status that a caller without gRPC would have got. */
const ownAnswers: readonly (readonly [reason: RegExp, status: number])[] = [
  [/^upstream_reset_before_response_started\{protocol_error/, 502],
  [/^upstream_reset_before_response_started/, 503],
  [/^(?:no_healthy_upstream|cluster_not_found|dns_resolution_failure|maintenance_mode)/, 503],
  [/^(?:response_timeout|upstream_per_try_(?:idle_)?timeout|upstream_max_stream_duration_reached)/, 504],
  [/^stream_idle_timeout/, 504],
  [/^route_not_found/, 404],
  [/^rbac_access_denied/, 403],
  [/^jwt_authn_access_denied\{Audiences/, 403],
  [/^jwt_authn_access_denied/, 401],
  [/^ext_authz_(?:denied|error)/, 403],
  [/^(?:local_rate_limited|request_rate_limited)/, 429],
  [/^fault_filter_abort/, 503],
]

/**
 * The status of the answer in a line. To a gRPC caller a proxy says 200 and puts the failure into grpc-status, which no
 * default format prints: there the reason tells it.
 */
export function answeredStatus({ kind, code, details }: AccessLogRecord): number | null {
  if (kind !== 'http' || code !== 200 || details === null) return code
  return ownAnswers.find(([reason]) => reason.test(details))?.[1] ?? code
}

/** Clients of gRPC name themselves, and its paths are /PACKAGE.SERVICE/METHOD. */
export function isGrpcRequest({ method, path, userAgent }: AccessLogRecord): boolean {
  if (method !== 'POST') return false
  return /^grpc-/.test(userAgent ?? '') || /^\/[\w.]+\.[A-Z]\w*\/[A-Z]\w*$/.test(path ?? '')
}
