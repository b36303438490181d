import type { AnyRule } from '../../model/finding.ts'
import faultInjectionLeftOn from './fault-injection-left-on.ts'
import ncScopedOut from './nc-scoped-out.ts'
import ncSubsetUndefined from './nc-subset-undefined.ts'
import retryMultipliedTimeout from './retry-multiplied-timeout.ts'
import uhSubsetSelectsNone from './uh-subset-selects-none.ts'
import uoCircuitBreaker from './uo-circuit-breaker.ts'
import utRouteTimeout from './ut-route-timeout.ts'
import vsNotOnMesh from './vs-not-on-mesh.ts'

export const clientSidecarRules: readonly AnyRule[] = [
  faultInjectionLeftOn,
  ncScopedOut,
  ncSubsetUndefined,
  retryMultipliedTimeout,
  uhSubsetSelectsNone,
  uoCircuitBreaker,
  utRouteTimeout,
  vsNotOnMesh,
]
