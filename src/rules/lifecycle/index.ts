import type { MeshRule } from '../define-rule.ts'

export const lifecycleRules: readonly MeshRule[] = []
