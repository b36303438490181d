import type { AnyRule } from '../../model/finding.ts'
import registryOnly502 from './registry-only-502.ts'

export const egressRules: readonly AnyRule[] = [registryOnly502]
