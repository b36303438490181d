import type { AnyRule } from '../../model/finding.ts'
import ufConnectTimeoutNetwork from './uf-connect-timeout-network.ts'

export const networkRules: readonly AnyRule[] = [ufConnectTimeoutNetwork]
