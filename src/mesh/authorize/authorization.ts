import type { Action } from './envoy-rule.ts'
import type { Unknown } from './three-valued.ts'

export interface ConsideredRule {
  readonly index: number
  readonly id: string
  readonly result: 'match' | 'no-match' | 'unknown'
  readonly because: string
  /** Not in the proxy's filter: HTTP fields in an ALLOW rule on TCP, or a rule that istiod cannot translate. */
  readonly dropped: boolean
  /** Fields that this proxy cannot test, so that the rule covers more than it says. */
  readonly ignoredFields: readonly string[]
  readonly unknowns: readonly Unknown[]
}

export interface ConsideredPolicy {
  /** `namespace/name`. */
  readonly policy: string
  readonly action: Action
  readonly attaches: boolean | 'unknown'
  readonly why: string
  readonly dryRun: boolean
  readonly rules: readonly ConsideredRule[]
}

export interface Decider {
  /** `null`: no single policy; see `why`. */
  readonly policy: string | null
  readonly action: Action | null
  readonly ruleIndex: number | null
  readonly why: string
}

export interface ShadowResult {
  readonly policy: string
  readonly action: Action
  readonly ruleIndex: number | null
  readonly result: 'match' | 'no-match' | 'unknown'
  readonly why: string
}

export interface Authorization {
  readonly decision: 'allowed' | 'denied' | 'cannot-decide'
  readonly by: Decider | null
  readonly considered: readonly ConsideredPolicy[]
  /** What would have to be known. Empty unless it matters for the decision. */
  readonly unknowns: readonly Unknown[]
  /** What Envoy logs for a denial; `null` when it logs none, or when it is open which of several it is. */
  readonly rbacId: string | null
  /** Other rules of the deciding kind that fit as well. Envoy names only one. */
  readonly alsoMatches: readonly string[]
  /** What the server's ztunnel logs for a denial. */
  readonly ztunnelText: string | null
  readonly dryRun: readonly ShadowResult[]
  readonly audit: readonly ShadowResult[]
}
