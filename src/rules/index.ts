import type { AnyRule } from '../model/finding.ts'
import { authzRules } from './authz/index.ts'

const groups: readonly (readonly AnyRule[])[] = [authzRules]

/** Every rule, sorted by code. A new rule is one line in the index of its group. */
export const rules: readonly AnyRule[] = groups.flat().sort((a, b) => (a.code < b.code ? -1 : 1))
