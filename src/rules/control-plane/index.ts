import type { MeshRule } from '../define-rule.ts'

export const controlPlaneRules: readonly MeshRule[] = []
