import type { RuleOutcome } from '../model/finding.ts'
import type { Condition } from '../model/runbook.ts'

/** What conditions may ask about. */
export interface Known {
  readonly outcomes: ReadonlyMap<string, RuleOutcome>
  readonly isMissing: (key: string) => boolean
  readonly answers: Readonly<Record<string, string>>
}

export function holds(condition: Condition, known: Known): boolean {
  if (condition.found !== undefined) return known.outcomes.get(condition.found)?.status === 'fired'
  if (condition.missing !== undefined) return known.isMissing(condition.missing)
  if (condition.answer !== undefined) {
    const [question = '', choice = ''] = condition.answer.split(':')
    return (known.answers[question] ?? 'unknown') === choice
  }
  if (condition.all) return condition.all.every((part) => holds(part, known))
  if (condition.any) return condition.any.some((part) => holds(part, known))
  if (condition.not) return !holds(condition.not, known)
  return false
}
