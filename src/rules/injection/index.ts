import type { MeshRule } from '../define-rule.ts'
import cniRaceValidation from './cni-race-validation.ts'
import injectionLabelConflict from './injection-label-conflict.ts'
import istioInitFails from './istio-init-fails.ts'
import namespaceNotLabelled from './namespace-not-labelled.ts'
import nativeSidecarMisread from './native-sidecar-misread.ts'
import optOutOrHostnetwork from './opt-out-or-hostnetwork.ts'
import podPredatesInjection from './pod-predates-injection.ts'
import uid1337 from './uid-1337.ts'

export const injectionRules: readonly MeshRule[] = [
  cniRaceValidation,
  injectionLabelConflict,
  istioInitFails,
  namespaceNotLabelled,
  nativeSidecarMisread,
  optOutOrHostnetwork,
  podPredatesInjection,
  uid1337,
]
