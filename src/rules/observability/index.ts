import type { AnyRule } from '../../model/finding.ts'
import accesslogDisabled from './accesslog-disabled.ts'

export const observabilityRules: readonly AnyRule[] = [accesslogDisabled]
