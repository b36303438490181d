import type { MeshRule } from '../define-rule.ts'
import probeRewrite500 from './probe-rewrite-500.ts'
import probeStrictReset from './probe-strict-reset.ts'
import proxyReadinessFails from './proxy-readiness-fails.ts'

export const probeRules: readonly MeshRule[] = [probeRewrite500, probeStrictReset, proxyReadinessFails]
