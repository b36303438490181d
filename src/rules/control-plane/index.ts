import type { MeshRule } from '../define-rule.ts'
import injectWebhookUnreachable from './inject-webhook-unreachable.ts'
import injectWebhookX509 from './inject-webhook-x509.ts'
import istiodDown from './istiod-down.ts'
import istiodOverloaded from './istiod-overloaded.ts'
import proxyNackError from './proxy-nack-error.ts'
import proxyStaleOrDisconnected from './proxy-stale-or-disconnected.ts'
import revisionRemoved from './revision-removed.ts'

export const controlPlaneRules: readonly MeshRule[] = [
  injectWebhookUnreachable,
  injectWebhookX509,
  istiodDown,
  istiodOverloaded,
  proxyNackError,
  proxyStaleOrDisconnected,
  revisionRemoved,
]
