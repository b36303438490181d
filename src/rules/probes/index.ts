import type { MeshRule } from '../define-rule.ts'

export const probeRules: readonly MeshRule[] = []
