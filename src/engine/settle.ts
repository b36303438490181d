import type { EvidenceKey } from '../model/evidence.ts'
import { type AnyRule, blind, quiet, type RuleOutcome } from '../model/finding.ts'

/** `empty`: asked for, and this call has no such thing. `pending`: not asked, or its inputs are not there yet. */
export type KeyStatus = 'ok' | 'missing' | 'empty' | 'pending'

export interface Settling<S> {
  readonly situation: S
  readonly statusOf: (key: EvidenceKey) => KeyStatus
  readonly unlockOf: (key: EvidenceKey) => string | null
  /** True once nothing more will be collected: what is pending then stays unread. */
  readonly final: boolean
}

/** A rule's outcome, or null while what it needs is still on its way. */
export function settle<S>(rule: AnyRule, { situation, statusOf, unlockOf, final }: Settling<S>): RuleOutcome | null {
  if (rule.applies && !rule.applies(situation)) return final ? quiet : null
  const missing: EvidenceKey[] = []
  for (const need of rule.needs) {
    const alternatives: readonly EvidenceKey[] = typeof need === 'string' ? [need] : need
    const statuses = alternatives.map(statusOf)
    if (statuses.includes('ok')) continue
    if (statuses.includes('pending') && !final) return null
    // Nothing of that kind on this call's way: the rule has no subject here.
    if (statuses.every((status) => status === 'empty')) return quiet
    missing.push(...alternatives.filter((_, index) => statuses[index] !== 'empty'))
  }
  if (missing.length > 0) return blind(missing, missing.map(unlockOf).find((unlock) => unlock !== null) ?? null)
  return rule.check(situation)
}
