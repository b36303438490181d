/** Flags with which Envoy still sends requests to a host (or only tells about the past). */
const harmless = new Set([
  'degraded_active_hc',
  'degraded_eds_health',
  'degraded_outlier_detection',
  'active_hc_timeout',
])

export function isHealthy(flags: readonly string[]): boolean {
  return flags.every((flag) => harmless.has(flag))
}

export const ejectedFlag = 'failed_outlier_check'
