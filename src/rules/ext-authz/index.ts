import type { AnyRule } from '../../model/finding.ts'
import extAuthzDenied from './ext-authz-denied.ts'
import extAuthzProviderBroken from './ext-authz-provider-broken.ts'

export const extAuthzRules: readonly AnyRule[] = [extAuthzDenied, extAuthzProviderBroken]
