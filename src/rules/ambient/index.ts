import type { MeshRule } from '../define-rule.ts'
import ambient503Uc from './ambient-503-uc.ts'
import ambientL7AllowWithoutWaypoint from './ambient-l7-allow-without-waypoint.ts'
import ambientL7ConfigWithoutWaypoint from './ambient-l7-config-without-waypoint.ts'
import ambientL7DenyNoop from './ambient-l7-deny-noop.ts'
import ambientNetpol15008 from './ambient-netpol-15008.ts'
import ambientNotCaptured from './ambient-not-captured.ts'
import ambientProbeTimeout from './ambient-probe-timeout.ts'
import ambientSandboxNoZtunnel from './ambient-sandbox-no-ztunnel.ts'
import ambientSidecarMixed from './ambient-sidecar-mixed.ts'
import ambientWaypointBypassed from './ambient-waypoint-bypassed.ts'
import ambientWaypointDown from './ambient-waypoint-down.ts'
import ambientWaypointIdentity from './ambient-waypoint-identity.ts'
import ambientZtunnelDown from './ambient-ztunnel-down.ts'
import waypointRouteNoMatch from './waypoint-route-no-match.ts'

export const ambientRules: readonly MeshRule[] = [
  ambient503Uc,
  ambientL7AllowWithoutWaypoint,
  ambientL7ConfigWithoutWaypoint,
  ambientL7DenyNoop,
  ambientNetpol15008,
  ambientNotCaptured,
  ambientProbeTimeout,
  ambientSandboxNoZtunnel,
  ambientSidecarMixed,
  ambientWaypointBypassed,
  ambientWaypointDown,
  ambientWaypointIdentity,
  ambientZtunnelDown,
  waypointRouteNoMatch,
]
