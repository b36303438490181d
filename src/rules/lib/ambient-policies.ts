import { authorize } from '../../mesh/authorize.ts'
import { attachment, targetRefs } from '../../mesh/policy-attachment.ts'
import { editDistance } from '../../mesh/vocabulary.ts'
import type { Hit } from '../../model/finding.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { requestOf, workloadOf } from '../../situation/security.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { type Condition, conditionsOf, quoteCondition } from './ambient.ts'
import { policyFix, policyName } from './policy-fix.ts'
import { destinationName, tryAgain } from './words.ts'

/** Why a policy that somebody wrote for an ambient destination is in force nowhere. */
interface Idle {
  readonly words: string
  readonly fix: string
  readonly condition: Condition | null
  /** It names this very workload, or its rules would refuse this very request. */
  readonly sure: boolean
}

/** Policies that ztunnel or the waypoint did not take, by their own status or by what they are. */
export function idlePolicies(situation: Situation, pod: PodView): readonly Hit[] {
  return situation.store.list('AuthorizationPolicy').flatMap((policy) => {
    const idle = atZtunnel(situation, policy, pod) ?? atWaypoint(situation, policy, pod)
    return idle ? [hitOf(situation, policy, pod, idle)] : []
  })
}

function atZtunnel(situation: Situation, { object, entry }: Stored, pod: PodView): Idle | null {
  if (targetRefs(object).length > 0) return null
  if (attachment(object, workloadOf(pod), situation.mesh).attaches !== true) return null
  const refused = conditionsOf({ object, entry }).find(
    ({ type, status }) => type === 'ZtunnelAccepted' && status === 'False',
  )
  const action = String(object.spec?.action ?? 'ALLOW')
  const isDryRun = /^(?:1|t|true)$/i.test(object.metadata.annotations?.['istio.io/dry-run'] ?? '')
  const needsProxy = action === 'CUSTOM' || action === 'AUDIT'
  if (!refused && !needsProxy && !isDryRun) return null
  const why = needsProxy
    ? `ztunnel knows ALLOW and DENY only, and this is ${action}`
    : isDryRun
      ? 'it is a dry run (annotation istio.io/dry-run), which refuses nobody'
      : `ztunnel did not take it (${refused?.reason ?? 'refused'})`
  return {
    words: `it attaches to ${pod.name} at ztunnel, and ${why}`,
    fix:
      isDryRun && !needsProxy
        ? 'Take the annotation istio.io/dry-run off once its rules are known to fit'
        : 'Attach it to the Service with targetRefs, with a waypoint before it',
    condition: refused ?? null,
    sure: refused !== undefined,
  }
}

function atWaypoint(situation: Situation, policy: Stored, pod: PodView): Idle | null {
  const { server, store } = situation
  const service = server.service?.object.metadata.name ?? null
  const namespace = policy.object.metadata.namespace ?? ''
  if (namespace !== server.namespace || service === null) return null
  const condition = conditionsOf(policy).find(
    ({ type, status, reason }) => type === 'WaypointAccepted' && status === 'False' && reason === 'TargetNotFound',
  )
  const lost = targetRefs(policy.object).filter(
    ({ kind, name }) =>
      kind === 'Service' &&
      store.readable('Service', namespace) === 'yes' &&
      store.get('Service', namespace, name) === null,
  )
  const [ref] = lost
  if (!ref || lost.length < targetRefs(policy.object).length) return null
  const near = editDistance(ref.name, service, 2) <= (service.length > 4 ? 2 : 1)
  if (!near && !wouldRefuse(situation, policy, pod)) return null
  return {
    words: `its targetRefs name ${ref.kind} ${namespace}/${ref.name}, and there is none`,
    fix: `Correct targetRefs to ${near ? `Service ${service}` : 'what it is meant for'}`,
    condition: condition ?? null,
    sure: near,
  }
}

/** What it would say about this request if it were in force before the pod. */
function wouldRefuse(situation: Situation, { object }: Stored, pod: PodView): boolean {
  const { selector: _, targetRef: __, targetRefs: ___, ...spec } = object.spec ?? {}
  const { annotations: ____, ...metadata } = object.metadata
  const here: KubeObject = { ...object, metadata: { ...metadata, namespace: pod.namespace }, spec }
  const exchange = situation.passing.at(-1) ?? null
  const workload = { ...workloadOf(pod), proxy: 'sidecar' as const }
  return authorize(requestOf(situation, exchange), [here], workload, situation.mesh).decision === 'denied'
}

function hitOf(situation: Situation, policy: Stored, pod: PodView, { words, fix, condition, sure }: Idle): Hit {
  const name = policyName(policy)
  const decides = wouldRefuse(situation, policy, pod)
  const proven = sure || decides
  return {
    subject: name,
    title: `${name} is not in force before ${destinationName(situation)}: ${words}`,
    statement: `${name} is not in force before ${destinationName(situation)}: ${words}.${decides ? ' If it were, this request would be refused.' : ''}`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      quoteObject(policy, `what ${name} says`, policy.object.spec),
      ...(condition ? [quoteCondition(policy, condition)] : []),
    ],
    contradicting: [],
    fix: policyFix(
      policy,
      `${fix} in ${name}; leave its rules as they are.`,
      'once it is in force it acts at once: an ALLOW policy then denies everything that its rules do not fit',
    ),
    verify: tryAgain(situation, 'the answer that the policy is meant to give'),
    wouldDecide: proven
      ? null
      : {
          command: `kubectl -n ${policy.object.metadata.namespace ?? ''} get authorizationpolicies.security.istio.io ${policy.object.metadata.name} -o yaml`,
          why: 'its conditions ZtunnelAccepted and WaypointAccepted say who took it',
        },
    about: 'call',
  }
}
