import { attachment } from '../../mesh/policy-attachment.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { workloadOf } from '../../situation/security.ts'
import type { Situation } from '../../situation/situation.ts'

/** ALLOW policies that reach a pod's proxy. */
export function allowPoliciesFor({ store, mesh }: Situation, pod: PodView): readonly Stored[] {
  return store
    .list('AuthorizationPolicy')
    .filter(
      ({ object }) =>
        (object.spec?.action ?? 'ALLOW') === 'ALLOW' && attachment(object, workloadOf(pod), mesh).attaches === true,
    )
}
