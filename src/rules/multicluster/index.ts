import type { MeshRule } from '../define-rule.ts'
import mcNetworkUnknown from './mc-network-unknown.ts'
import mcRemoteSecret from './mc-remote-secret.ts'
import mcRootMismatch from './mc-root-mismatch.ts'
import mcServiceMissingLocally from './mc-service-missing-locally.ts'

export const multiclusterRules: readonly MeshRule[] = [
  mcNetworkUnknown,
  mcRemoteSecret,
  mcRootMismatch,
  mcServiceMissingLocally,
]
