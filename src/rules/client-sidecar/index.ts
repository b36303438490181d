import type { AnyRule } from '../../model/finding.ts'
import dcClientGaveUp from './dc-client-gave-up.ts'
import drConflictMerge from './dr-conflict-merge.ts'
import drSubsetPolicyNotActivated from './dr-subset-policy-not-activated.ts'
import egress443CapturedByUnrelatedService from './egress-443-captured-by-unrelated-service.ts'
import externalnameHijack from './externalname-hijack.ts'
import faultInjectionLeftOn from './fault-injection-left-on.ts'
import listenerConflictSamePort from './listener-conflict-same-port.ts'
import ncScopedOut from './nc-scoped-out.ts'
import ncSubsetUndefined from './nc-subset-undefined.ts'
import retryMultipliedTimeout from './retry-multiplied-timeout.ts'
import serviceentryTcpNoAddress from './serviceentry-tcp-no-address.ts'
import sidecarHostHeaderNoVhost from './sidecar-host-header-no-vhost.ts'
import streamIdleTimeout from './stream-idle-timeout.ts'
import uhOutlierEjected from './uh-outlier-ejected.ts'
import uhSubsetSelectsNone from './uh-subset-selects-none.ts'
import uoCircuitBreaker from './uo-circuit-breaker.ts'
import urxRetriesExhausted from './urx-retries-exhausted.ts'
import utRouteTimeout from './ut-route-timeout.ts'
import vsConflictSameHost from './vs-conflict-same-host.ts'
import vsNotOnMesh from './vs-not-on-mesh.ts'

export const clientSidecarRules: readonly AnyRule[] = [
  dcClientGaveUp,
  drConflictMerge,
  drSubsetPolicyNotActivated,
  egress443CapturedByUnrelatedService,
  externalnameHijack,
  faultInjectionLeftOn,
  listenerConflictSamePort,
  ncScopedOut,
  ncSubsetUndefined,
  retryMultipliedTimeout,
  serviceentryTcpNoAddress,
  sidecarHostHeaderNoVhost,
  streamIdleTimeout,
  uhOutlierEjected,
  uhSubsetSelectsNone,
  uoCircuitBreaker,
  urxRetriesExhausted,
  utRouteTimeout,
  vsConflictSameHost,
  vsNotOnMesh,
]
