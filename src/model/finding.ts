import type { Certainty } from './answered-by.ts'
import type { SymptomId } from './call.ts'
import type { EvidenceKey, Quote } from './evidence.ts'
import type { Layer } from './layer.ts'

export interface Fix {
  /** One sentence: the smallest change that explains away the symptom. */
  readonly statement: string
  /** Shown, never run. */
  readonly commands: readonly string[]
  /** Who or what the change touches. */
  readonly scope: string
  readonly risk: string
  readonly undo: string
}

export interface Verify {
  readonly command: string
  readonly expect: string
}

export interface Decider {
  readonly command: string
  readonly why: string
}

/** What a rule found. Certainty never exceeds what the supporting quotes carry. */
export interface Hit {
  readonly subject: string
  /** One line that names it: "web talks plaintext to ledger, which accepts only mTLS". */
  readonly title: string
  /** What is so, with names and numbers from the evidence. */
  readonly statement: string
  readonly certainty: Certainty
  readonly supporting: readonly Quote[]
  readonly contradicting: readonly Quote[]
  readonly fix: Fix
  readonly verify: Verify
  readonly wouldDecide: Decider | null
  /**
   * `call`: it explains this symptom on this call. `next`: it will bite once what bites now is fixed.
   * `aside`: it is true, but about something else.
   */
  readonly about: 'call' | 'next' | 'aside'
  /** Overrides the rule's layer where the same mode shows at several layers (a gateway or a waypoint). */
  readonly layer?: Layer
}

export type RuleOutcome =
  | { readonly status: 'fired'; readonly hits: readonly Hit[] }
  /** Looked, and it is not this: `because` says what eliminated it. */
  | { readonly status: 'ruled-out'; readonly because: string; readonly evidence: readonly Quote[] }
  /** Looked or not applicable, nothing to say. */
  | { readonly status: 'quiet' }
  /** Applies to this call, but what it needs could not be read. */
  | { readonly status: 'blind'; readonly missing: readonly EvidenceKey[]; readonly unlock: string | null }

/** What a rule's `check` may return; the helpers below make these. */
export const quiet: RuleOutcome = { status: 'quiet' }
export function fired(...hits: readonly Hit[]): RuleOutcome {
  return hits.length === 0 ? quiet : { status: 'fired', hits }
}
export function ruledOut(because: string, ...evidence: readonly Quote[]): RuleOutcome {
  return { status: 'ruled-out', because, evidence }
}
export function blind(missing: readonly EvidenceKey[], unlock: string | null = null): RuleOutcome {
  return { status: 'blind', missing, unlock }
}

/**
 * Evidence in, finding out. `S` is the joined view of the call (src/situation).
 * A rule reads only what it is given, changes nothing, keeps nothing between runs, asks no clock.
 */
export interface Rule<S> {
  /** The id in the failure-mode catalogue; finding code, doc anchor and branch name at once. */
  readonly code: string
  readonly layer: Layer
  readonly severity: 'error' | 'warning' | 'info'
  /** Symptoms it can explain. `[]`: it explains none by itself (anti-patterns, signals). */
  readonly explains: readonly SymptomId[]
  readonly title: string
  /** Why this breaks calls, for someone who does not know Istio well. */
  readonly why: string
  /** Each element must be readable, or one of the alternatives in it; otherwise the rule is blind. */
  readonly needs: readonly (EvidenceKey | readonly EvidenceKey[])[]
  /** Codes that, when proven on the same call, explain this one away: a consequence yields to its cause. */
  readonly yieldsTo?: readonly string[]
  readonly seeAlso?: readonly string[]
  /** False: the rule has nothing to do with this call, whatever could be read. */
  readonly applies?: (situation: S) => boolean
  readonly check: (situation: S) => RuleOutcome
}

// biome-ignore lint/suspicious/noExplicitAny: a list of rules does not care for their situation type
export type AnyRule = Rule<any>
