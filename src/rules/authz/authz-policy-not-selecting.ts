import { authorize } from '../../mesh/authorize.ts'
import { attachment, targetRefs, unattached } from '../../mesh/policy-attachment.ts'
import { editDistance } from '../../mesh/vocabulary.ts'
import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Stored } from '../../situation/objects.ts'
import { matchesLabels, type PodView } from '../../situation/pods.ts'
import { requestOf, workloadOf } from '../../situation/security.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { idlePolicies } from '../lib/ambient-policies.ts'
import { policyFix, policyName } from '../lib/policy-fix.ts'
import { enforcerAt } from '../lib/refusal.ts'
import { selectorOf } from '../lib/selectors.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

/** A policy that reaches no proxy is only text. */
export default defineRule({
  code: 'authz-policy-not-selecting',
  layer: 'authz',
  severity: 'error',
  explains: ['not-applied'],
  title: 'A policy that is meant for this destination does not reach it',
  why: 'A policy acts where its namespace, selector or targetRef leads. A label that no pod has, or a policy in another namespace, leads nowhere.',
  needs: ['server.config'],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/security-issues/'],
  check(situation) {
    const pod = enforcerAt(situation, 'server')
    if (pod?.proxy === 'ambient') return fired(...idlePolicies(situation, pod))
    if (!pod?.hasEnvoy) return quiet
    const hits = situation.store.list('AuthorizationPolicy').flatMap((policy) => judge(situation, policy, pod))
    return fired(...hits)
  },
})

function judge(situation: Situation, policy: Stored, pod: PodView): Hit[] {
  const { attaches, why } = attachment(policy.object, workloadOf(pod), situation.mesh)
  if (attaches !== false) return []
  const nowhere = reachesNobody(situation, policy)
  const meant = isMeantFor(situation, policy, pod)
  // Whom it is meant for shows in its labels: a policy for a workload without pods is another one's business.
  if (!meant && !(nowhere && targetRefs(policy.object).length > 0)) return []
  const finding = situation.analyze.find(
    ({ code, origin }) =>
      ['IST0127', 'IST0166', 'IST0167'].includes(code) &&
      origin?.name === policy.object.metadata.name &&
      origin?.namespace === policy.object.metadata.namespace,
  )
  const decides = wouldRefuse(situation, policy, pod)
  const isProven = decides && nowhere && meant
  const name = policyName(policy)
  return [
    {
      subject: name,
      title: `${name} does not reach ${destinationName(situation)}`,
      statement: `${name} is not in force at ${pod.name}.${pod.namespace}: ${why}.${nowhere ? ' It reaches no other pod of its namespace either.' : ''}${decides ? ' If it reached it, this request would be refused.' : ''}`,
      // What reaches other pods may well be meant for those only.
      certainty: isProven ? 'proven' : meant && nowhere ? 'likely' : 'possible',
      supporting: [
        quoteObject(policy, `where ${name} is meant to act`, {
          namespace: policy.object.metadata.namespace,
          selector: policy.object.spec?.selector,
          targetRefs: targetRefs(policy.object),
        }),
        quoteObject(pod, `the labels of ${pod.name}.${pod.namespace}`, pod.labels),
        ...(finding ? [quote(finding.entry, `analyze says so: ${finding.code}`, finding.message)] : []),
      ],
      contradicting: [],
      fix: policyFix(
        policy,
        `Correct the selector or targetRef of ${name}, or its namespace, so that it reaches ${destinationName(situation)}; leave its rules as they are. Run it first with the annotation istio.io/dry-run: "true".`,
        'once it reaches the workload it acts at once: an ALLOW policy then denies everything that its rules do not fit',
      ),
      verify: tryAgain(situation, 'the answer that the policy is meant to give'),
      wouldDecide: isProven
        ? null
        : {
            command: `istioctl x authz check ${pod.name}.${pod.namespace}`,
            why: 'it lists the policies that this proxy has: the objects alone do not tell',
          },
      about: meant && (decides || nowhere) ? 'call' : 'aside',
    },
  ]
}

/** Only where all pods of its namespace were read can nobody be a fact. */
function reachesNobody(situation: Situation, { object }: Stored): boolean {
  const namespace = object.metadata.namespace ?? ''
  if (situation.store.readable('Pod', namespace) !== 'yes') return false
  const workloads = situation.pods.filter((pod) => pod.namespace === namespace).map(workloadOf)
  const wanted = selectorOf(object)
  const planned = situation.store
    .objects('Deployment')
    .some(
      ({ metadata, spec }) =>
        metadata.namespace === namespace && matchesLabels(wanted, spec?.template?.metadata?.labels ?? {}),
    )
  // Pods may be away for the moment.
  if (planned && Object.keys(wanted).length > 0) return false
  return unattached([object], workloads, situation.mesh).length > 0
}

/**
 * Its selector has the labels by which the Service finds this pod, or comes close to them; its targetRefs name the Service.
 * A label that many workloads share (version, team) says nothing about which of them is meant.
 */
function isMeantFor(situation: Situation, { object }: Stored, pod: PodView): boolean {
  const labels: Readonly<Record<string, string>> = object.spec?.selector?.matchLabels ?? {}
  const refs = targetRefs(object)
  const { service } = situation.server
  if (refs.length > 0)
    return refs.some(
      ({ kind, name }) =>
        kind === 'Service' && name === service?.object.metadata.name && object.metadata.namespace === pod.namespace,
    )
  const identity: Readonly<Record<string, string>> = service?.object.spec?.selector ?? identityOf(pod)
  const others = Object.values(labels)
  return Object.entries(identity).some(([key, value]) => {
    const wanted = labels[key]
    if (wanted !== undefined) return isNear(wanted, value)
    // The right value under another key: `name: ledger` for `app: ledger`.
    return others.some((other) => other === value)
  })
}

/** Labels that tell this workload from others, where no Service says which. */
function identityOf({ labels }: PodView): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).filter(([key]) => /^(?:app|k8s-app|name|app\.kubernetes\.io\/(?:name|instance))$/.test(key)),
  )
}

/** `ledger-v9` or `legder` for `ledger`; `ledger-batch` is another workload. */
function isNear(wanted: string, value: string): boolean {
  const bare = (text: string) => text.replace(/-v?\d+$/, '')
  if (bare(wanted) === bare(value)) return true
  return editDistance(wanted, value, 2) <= Math.min(2, Math.floor(value.length / 3))
}

/** What it would say about this request if it were in force here. */
function wouldRefuse(situation: Situation, { object }: Stored, pod: PodView): boolean {
  const { selector: _, targetRef: __, targetRefs: ___, ...spec } = object.spec ?? {}
  const here: KubeObject = { ...object, metadata: { ...object.metadata, namespace: pod.namespace }, spec }
  const exchange = situation.passing.at(-1) ?? null
  return authorize(requestOf(situation, exchange), [here], workloadOf(pod), situation.mesh).decision === 'denied'
}
