import type { Authorization } from '../../mesh/authorize.ts'
import { identityOf } from '../../mesh/workload.ts'
import type { Stored } from '../../situation/objects.ts'
import { workloadOf } from '../../situation/security.ts'
import type { Situation } from '../../situation/situation.ts'
import { podsOrMeant } from '../../situation/waypoint.ts'
import { authorizationOf } from './refusal.ts'

/** A refusal of the waypoint's own connection that no line shows, told from the policies at the destination's ztunnel. */
export interface WaypointRefusal {
  readonly identity: string
  readonly decision: Authorization
  readonly policy: Stored
}

/** Null where the policies could not all be read, or are not known to refuse the waypoint. */
export function waypointRefusal(situation: Situation): WaypointRefusal | null {
  const pod = situation.server.pods.find(({ proxy }) => proxy === 'ambient')
  const [waypoint] = situation.waypoint ? podsOrMeant(situation.waypoint) : []
  if (!pod || !waypoint) return null
  const identity = identityOf(workloadOf(waypoint), situation.mesh.trustDomain)
  const call = { at: 'ztunnel', pod, exchange: null, line: null, tcp: true, principal: identity } as const
  const decision = authorizationOf(situation, call)
  // A rule that ztunnel leaves out is a matter of its own.
  if (decision?.decision !== 'denied' || decision.considered.some(({ rules }) => rules.some(({ dropped }) => dropped)))
    return null
  const policy = decidingPolicy(situation, decision)
  return policy ? { identity, decision, policy } : null
}

function decidingPolicy({ store }: Situation, { by, considered }: Authorization): Stored | null {
  const name =
    by?.policy ??
    considered.find(({ action, attaches, dryRun }) => action === by?.action && attaches === true && !dryRun)?.policy
  const [namespace = '', policy = ''] = name?.split('/') ?? []
  return name === undefined ? null : store.get('AuthorizationPolicy', namespace, policy)
}
