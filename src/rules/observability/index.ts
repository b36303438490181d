import type { AnyRule } from '../../model/finding.ts'
import accesslogDisabled from './accesslog-disabled.ts'
import accesslogOneSided from './accesslog-one-sided.ts'

export const observabilityRules: readonly AnyRule[] = [accesslogDisabled, accesslogOneSided]
