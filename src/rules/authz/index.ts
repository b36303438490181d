import type { AnyRule } from '../../model/finding.ts'
import authzAllowListMiss from './authz-allow-list-miss.ts'
import authzDenyRuleMatched from './authz-deny-rule-matched.ts'

export const authzRules: readonly AnyRule[] = [authzAllowListMiss, authzDenyRuleMatched]
