import type { AnyRule } from '../../model/finding.ts'
import appOwn403 from './app-own-403.ts'
import authzAllowListMiss from './authz-allow-list-miss.ts'
import authzBlocksProbesAndScrapers from './authz-blocks-probes-and-scrapers.ts'
import authzDenyRuleMatched from './authz-deny-rule-matched.ts'
import authzEmptyRulesConfusion from './authz-empty-rules-confusion.ts'
import authzHttpAttrsOnTcp from './authz-http-attrs-on-tcp.ts'
import authzIpSourceWrong from './authz-ip-source-wrong.ts'
import authzOrInsteadOfAnd from './authz-or-instead-of-and.ts'
import authzPathOrHostMismatch from './authz-path-or-host-mismatch.ts'
import authzPolicyNotSelecting from './authz-policy-not-selecting.ts'
import authzPrincipalEmptyPlaintext from './authz-principal-empty-plaintext.ts'
import authzPrincipalWrongIdentity from './authz-principal-wrong-identity.ts'
import authzTcpConnectionClosed from './authz-tcp-connection-closed.ts'
import corsPreflightRejected from './cors-preflight-rejected.ts'
import jwtMissingGives403 from './jwt-missing-gives-403.ts'

export const authzRules: readonly AnyRule[] = [
  appOwn403,
  authzAllowListMiss,
  authzBlocksProbesAndScrapers,
  authzDenyRuleMatched,
  authzEmptyRulesConfusion,
  authzHttpAttrsOnTcp,
  authzIpSourceWrong,
  authzOrInsteadOfAnd,
  authzPathOrHostMismatch,
  authzPolicyNotSelecting,
  authzPrincipalEmptyPlaintext,
  authzPrincipalWrongIdentity,
  authzTcpConnectionClosed,
  corsPreflightRejected,
  jwtMissingGives403,
]
