import { istioctlVerbs } from './allowed-istioctl.ts'
import { kubectlVerbs } from './allowed-kubectl.ts'
import type { Verb } from './verb.ts'

/** Everything that this program can start. What is not in this table is refused, whoever asks. */
export const allowedVerbs: readonly Verb[] = [...kubectlVerbs, ...istioctlVerbs]
