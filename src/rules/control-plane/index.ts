import type { MeshRule } from '../define-rule.ts'
import caUnauthenticated from './ca-unauthenticated.ts'
import certVerifyFailed from './cert-verify-failed.ts'
import injectWebhookUnreachable from './inject-webhook-unreachable.ts'
import injectWebhookX509 from './inject-webhook-x509.ts'
import istiodDown from './istiod-down.ts'
import istiodOverloaded from './istiod-overloaded.ts'
import proxyNackError from './proxy-nack-error.ts'
import proxyStaleOrDisconnected from './proxy-stale-or-disconnected.ts'
import revisionRemoved from './revision-removed.ts'
import workloadCertExpired from './workload-cert-expired.ts'

export const controlPlaneRules: readonly MeshRule[] = [
  caUnauthenticated,
  certVerifyFailed,
  injectWebhookUnreachable,
  injectWebhookX509,
  istiodDown,
  istiodOverloaded,
  proxyNackError,
  proxyStaleOrDisconnected,
  revisionRemoved,
  workloadCertExpired,
]
