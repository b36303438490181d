import type { MeshRule } from '../define-rule.ts'
import injectionLabelConflict from './injection-label-conflict.ts'
import namespaceNotLabelled from './namespace-not-labelled.ts'
import nativeSidecarMisread from './native-sidecar-misread.ts'
import optOutOrHostnetwork from './opt-out-or-hostnetwork.ts'
import podPredatesInjection from './pod-predates-injection.ts'

export const injectionRules: readonly MeshRule[] = [
  injectionLabelConflict,
  namespaceNotLabelled,
  nativeSidecarMisread,
  optOutOrHostnetwork,
  podPredatesInjection,
]
