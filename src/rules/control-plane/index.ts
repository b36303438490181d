import type { MeshRule } from '../define-rule.ts'
import proxyNackError from './proxy-nack-error.ts'
import proxyStaleOrDisconnected from './proxy-stale-or-disconnected.ts'

export const controlPlaneRules: readonly MeshRule[] = [proxyNackError, proxyStaleOrDisconnected]
