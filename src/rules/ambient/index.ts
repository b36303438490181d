import type { MeshRule } from '../define-rule.ts'
import ambientL7AllowWithoutWaypoint from './ambient-l7-allow-without-waypoint.ts'
import ambientL7DenyNoop from './ambient-l7-deny-noop.ts'
import ambientNotCaptured from './ambient-not-captured.ts'
import ambientWaypointBypassed from './ambient-waypoint-bypassed.ts'
import waypointRouteNoMatch from './waypoint-route-no-match.ts'

export const ambientRules: readonly MeshRule[] = [
  ambientL7AllowWithoutWaypoint,
  ambientL7DenyNoop,
  ambientNotCaptured,
  ambientWaypointBypassed,
  waypointRouteNoMatch,
]
