import type { AnyRule } from '../../model/finding.ts'
import authzDenyRuleMatched from './authz-deny-rule-matched.ts'

export const authzRules: readonly AnyRule[] = [authzDenyRuleMatched]
