import type { AnyRule } from '../../model/finding.ts'
import appOwn403 from './app-own-403.ts'
import authzAllowListMiss from './authz-allow-list-miss.ts'
import authzDenyRuleMatched from './authz-deny-rule-matched.ts'
import authzHttpAttrsOnTcp from './authz-http-attrs-on-tcp.ts'
import authzIpSourceWrong from './authz-ip-source-wrong.ts'
import authzPathOrHostMismatch from './authz-path-or-host-mismatch.ts'
import authzPrincipalEmptyPlaintext from './authz-principal-empty-plaintext.ts'
import authzPrincipalWrongIdentity from './authz-principal-wrong-identity.ts'
import authzTcpConnectionClosed from './authz-tcp-connection-closed.ts'
import jwtMissingGives403 from './jwt-missing-gives-403.ts'

export const authzRules: readonly AnyRule[] = [
  appOwn403,
  authzAllowListMiss,
  authzDenyRuleMatched,
  authzHttpAttrsOnTcp,
  authzIpSourceWrong,
  authzPathOrHostMismatch,
  authzPrincipalEmptyPlaintext,
  authzPrincipalWrongIdentity,
  authzTcpConnectionClosed,
  jwtMissingGives403,
]
