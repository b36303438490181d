import type { AnyRule } from '../../model/finding.ts'
import globalRatelimitMisfire from './global-ratelimit-misfire.ts'
import localRatelimit429 from './local-ratelimit-429.ts'

export const rateLimitRules: readonly AnyRule[] = [globalRatelimitMisfire, localRatelimit429]
