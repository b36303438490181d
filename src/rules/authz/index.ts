import type { AnyRule } from '../../model/finding.ts'
import appOwn403 from './app-own-403.ts'
import authzAllowListMiss from './authz-allow-list-miss.ts'
import authzDenyRuleMatched from './authz-deny-rule-matched.ts'

export const authzRules: readonly AnyRule[] = [appOwn403, authzAllowListMiss, authzDenyRuleMatched]
