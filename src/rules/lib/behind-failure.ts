import type { Exchange } from '../../situation/exchanges.ts'
import type { Situation } from '../../situation/situation.ts'

/**
 * Every failing request ends before the destination's policies and application are asked, and none has got through since the
 * first of them: what would fail behind shows only once this is repaired.
 */
export function stopsBeforeApplication({ failing, exchanges }: Situation): boolean {
  const [first] = failing
  if (!first) return false
  const since = exchanges.filter(({ time }) => (time ?? '') >= (first.time ?? ''))
  return since.every((exchange) => !hasArrived(exchange))
}

/** The destination's proxy had the request in hand, or somebody behind the caller's side answered it. */
export function hasArrived({ client, gateway, waypoint, server }: Exchange): boolean {
  if (server) return server.record.details !== 'filter_chain_not_found' && server.record.method !== null
  return (waypoint ?? gateway ?? client)?.record.details === 'via_upstream'
}
