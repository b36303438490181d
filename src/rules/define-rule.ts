import type { Rule } from '../model/finding.ts'
import type { Situation } from '../situation/situation.ts'

export type MeshRule = Rule<Situation>

/** Declares a rule. Its file carries the name of its code. */
export function defineRule(rule: MeshRule): MeshRule {
  return rule
}
