import type { MeshRule } from '../define-rule.ts'
import caUnauthenticated from './ca-unauthenticated.ts'
import certVerifyFailed from './cert-verify-failed.ts'
import configOrder503 from './config-order-503.ts'
import debugEndpointDenied from './debug-endpoint-denied.ts'
import injectWebhookUnreachable from './inject-webhook-unreachable.ts'
import injectWebhookX509 from './inject-webhook-x509.ts'
import istiodDown from './istiod-down.ts'
import istiodOverloaded from './istiod-overloaded.ts'
import proxyNackError from './proxy-nack-error.ts'
import proxyStaleOrDisconnected from './proxy-stale-or-disconnected.ts'
import revisionOrDiscoveryFiltered from './revision-or-discovery-filtered.ts'
import revisionRemoved from './revision-removed.ts'
import rootCaExpired from './root-ca-expired.ts'
import staleRds404 from './stale-rds-404.ts'
import upgradeBehaviourChange from './upgrade-behaviour-change.ts'
import versionSkewProxies from './version-skew-proxies.ts'
import workloadCertExpired from './workload-cert-expired.ts'

export const controlPlaneRules: readonly MeshRule[] = [
  caUnauthenticated,
  certVerifyFailed,
  configOrder503,
  debugEndpointDenied,
  injectWebhookUnreachable,
  injectWebhookX509,
  istiodDown,
  istiodOverloaded,
  proxyNackError,
  proxyStaleOrDisconnected,
  revisionOrDiscoveryFiltered,
  revisionRemoved,
  rootCaExpired,
  staleRds404,
  upgradeBehaviourChange,
  versionSkewProxies,
  workloadCertExpired,
]
