import type { AnsweredByHop, Certainty } from './answered-by.ts'
import type { Quote } from './evidence.ts'
import type { Hit } from './finding.ts'
import type { Layer } from './layer.ts'

export type VerdictKind = 'cause' | 'suspects' | 'clean' | 'inconclusive'

export interface Cause extends Hit {
  readonly code: string
  readonly layer: Layer
  readonly why: string
  readonly severity: 'error' | 'warning' | 'info'
  readonly seeAlso: readonly string[]
}

export interface RuledOut {
  readonly code: string
  readonly layer: Layer
  readonly because: string
  readonly evidence: readonly Quote[]
}

export interface NotChecked {
  readonly what: string
  readonly layer: Layer
  readonly reason: string
  readonly unlock: string
}

export interface AnsweredBy {
  readonly hop: AnsweredByHop
  readonly certainty: Certainty
  readonly because: string
  readonly evidence: readonly Quote[]
}

export interface NextStep {
  readonly command: string | null
  readonly statement: string | null
  readonly because: string
  readonly effect: 'reads' | 'sends-traffic' | 'changes'
}

/** What the walk concludes. For `suspects`, causes hold the candidates and each says what would decide. */
export interface Diagnosis {
  readonly verdict: VerdictKind
  readonly summary: string
  readonly answeredBy: AnsweredBy
  readonly causes: readonly Cause[]
  /** True, but not about this symptom on this call. */
  readonly otherFindings: readonly Cause[]
  readonly ruledOut: readonly RuledOut[]
  readonly notChecked: readonly NotChecked[]
  readonly nextSteps: readonly NextStep[]
  /** What the walk itself saw of the symptom. */
  readonly observed: readonly Quote[]
}
