import type { Line } from '../../situation/exchanges.ts'

/** The proxy refused a destination that it does not know: HTTP gets 502 from route block_all, TCP ends in BlackHoleCluster. */
export function isBlocked({ record }: Line): boolean {
  return record.routeName === 'block_all' || record.upstreamCluster === 'BlackHoleCluster'
}

/** The proxy took the destination for a host outside: it refused it, or passed the bytes on without a look. */
export function isUnknownHost(line: Line): boolean {
  return isBlocked(line) || line.record.upstreamCluster === 'PassthroughCluster'
}
