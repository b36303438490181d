import type { AnyRule } from '../../model/finding.ts'
import uhNoEndpoints from './uh-no-endpoints.ts'

export const kubernetesEndpointsRules: readonly AnyRule[] = [uhNoEndpoints]
