import type { MeshRule } from '../define-rule.ts'

export const injectionRules: readonly MeshRule[] = []
