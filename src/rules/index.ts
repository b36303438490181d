import type { AnyRule } from '../model/finding.ts'
import { ambientRules } from './ambient/index.ts'
import { appRules } from './app/index.ts'
import { authzRules } from './authz/index.ts'
import { clientSidecarRules } from './client-sidecar/index.ts'
import { controlPlaneRules } from './control-plane/index.ts'
import { egressRules } from './egress/index.ts'
import { extAuthzRules } from './ext-authz/index.ts'
import { extensionRules } from './extension/index.ts'
import { gatewayRules } from './gateway/index.ts'
import { injectionRules } from './injection/index.ts'
import { kubernetesEndpointsRules } from './kubernetes-endpoints/index.ts'
import { lifecycleRules } from './lifecycle/index.ts'
import { multiclusterRules } from './multicluster/index.ts'
import { networkRules } from './network/index.ts'
import { observabilityRules } from './observability/index.ts'
import { probeRules } from './probes/index.ts'
import { protocolRules } from './protocol/index.ts'
import { rateLimitRules } from './rate-limit/index.ts'
import { requestAuthnRules } from './request-authn/index.ts'
import { transportRules } from './transport-mtls/index.ts'

const groups: readonly (readonly AnyRule[])[] = [
  extensionRules,
  multiclusterRules,
  networkRules,
  rateLimitRules,
  protocolRules,
  ambientRules,
  appRules,
  egressRules,
  kubernetesEndpointsRules,
  clientSidecarRules,
  authzRules,
  controlPlaneRules,
  extAuthzRules,
  gatewayRules,
  injectionRules,
  lifecycleRules,
  observabilityRules,
  probeRules,
  requestAuthnRules,
  transportRules,
]

/** Every rule, sorted by code. A new rule is one line in the index of its group. */
export const rules: readonly AnyRule[] = groups.flat().sort((a, b) => (a.code < b.code ? -1 : 1))
