import type { MeshRule } from '../define-rule.ts'
import lintAllowForgetsScrapers from './lint-allow-forgets-scrapers.ts'
import lintBothModes from './lint-both-modes.ts'
import lintClaimsWithoutAuthentication from './lint-claims-without-authentication.ts'
import lintCredentialMissing from './lint-credential-missing.ts'
import lintDenyAllUnnamed from './lint-deny-all-unnamed.ts'
import lintDenyWithoutRules from './lint-deny-without-rules.ts'
import lintEnvoyfilterVersion from './lint-envoyfilter-version.ts'
import lintFaultLeftOn from './lint-fault-left-on.ts'
import lintL7WithoutWaypoint from './lint-l7-without-waypoint.ts'
import lintMtlsDisabled from './lint-mtls-disabled.ts'
import lintNamespaceWidePolicy from './lint-namespace-wide-policy.ts'
import lintNoConnectionLimits from './lint-no-connection-limits.ts'
import lintOldApiVersion from './lint-old-api-version.ts'
import lintPathTrap from './lint-path-trap.ts'
import lintPeerauthScope from './lint-peerauth-scope.ts'
import lintPermissiveUndocumented from './lint-permissive-undocumented.ts'
import lintPortWithoutProtocol from './lint-port-without-protocol.ts'
import lintSelectsNothing from './lint-selects-nothing.ts'
import lintStrictPlaintextCaller from './lint-strict-plaintext-caller.ts'
import lintTokenNotRequired from './lint-token-not-required.ts'
import lintTwoGatewayApis from './lint-two-gateway-apis.ts'
import lintUnsafeRetries from './lint-unsafe-retries.ts'
import lintVersionSkew from './lint-version-skew.ts'

/** Anti-patterns. They stay out of diagnoses: `lint` runs them over objects. */
export const lintRules: readonly MeshRule[] = [
  lintAllowForgetsScrapers,
  lintBothModes,
  lintClaimsWithoutAuthentication,
  lintCredentialMissing,
  lintDenyAllUnnamed,
  lintDenyWithoutRules,
  lintEnvoyfilterVersion,
  lintFaultLeftOn,
  lintL7WithoutWaypoint,
  lintMtlsDisabled,
  lintNamespaceWidePolicy,
  lintNoConnectionLimits,
  lintOldApiVersion,
  lintPathTrap,
  lintPeerauthScope,
  lintPermissiveUndocumented,
  lintPortWithoutProtocol,
  lintSelectsNothing,
  lintStrictPlaintextCaller,
  lintTokenNotRequired,
  lintTwoGatewayApis,
  lintUnsafeRetries,
  lintVersionSkew,
]
