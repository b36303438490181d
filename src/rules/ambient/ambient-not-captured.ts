import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { type PodView, podLabel } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { enrolmentOf, plaintextDenied, quoteZtunnel, ztunnelErrors, ztunnelWorkload } from '../lib/ambient.ts'
import { callName, destinationName, tryAgain } from '../lib/words.ts'

/** A pod whose labels ask for the ambient mesh, and whose traffic does not pass ztunnel. */
export default defineRule({
  code: 'ambient-not-captured',
  layer: 'ambient-ztunnel',
  severity: 'error',
  explains: ['reset', '503', '403', 'not-applied', 'not-injected', 'timeout', 'unknown'],
  title: 'A pod that should be in the ambient mesh is not captured',
  why: 'The node’s CNI agent redirects a pod’s traffic to ztunnel and writes ambient.istio.io/redirection on it. Where that has not happened, the pod speaks plaintext, has no identity, and no policy reaches it.',
  needs: [['server.config', 'client.config'], 'mesh.namespaces'],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/troubleshoot-ztunnel/'],
  applies: ({ client, server, store }) =>
    [...client.pods, ...server.pods].some(
      ({ namespace, labels }) =>
        labels['istio.io/dataplane-mode'] !== undefined ||
        store.get('Namespace', null, namespace)?.object.metadata.labels?.['istio.io/dataplane-mode'] === 'ambient',
    ),
  check(situation) {
    const ends = [situation.client.pod, situation.server.pod].filter((pod): pod is PodView => pod !== null)
    const hits = ends.flatMap((pod) => {
      const outside = isOutside(situation, pod)
      return outside ? [uncaptured(situation, pod, outside)] : []
    })
    if (hits.length > 0) return fired(...hits)
    const captured = ends.map((pod) => ({ pod, known: ztunnelWorkload(situation, pod) }))
    const [first] = captured.filter(({ pod }) => pod.proxy === 'ambient')
    if (!first) return quiet
    return ruledOut(
      'both ends are in the mesh as their labels ask',
      first.known
        ? quote(
            first.known.entry,
            `ztunnel takes ${first.pod.name} into the mesh`,
            `PROTOCOL ${first.known.data.protocol}`,
          )
        : quoteAnnotation(first.pod),
    )
  },
})

interface Outside {
  readonly because: string
  /** Labels ask for the mesh and it has not happened: the node's agent is to blame, not the labels. */
  readonly broken: boolean
}

function isOutside(situation: Situation, pod: PodView): Outside | null {
  if (pod.proxy !== 'none') return null
  const enrolment = enrolmentOf(situation, pod)
  const namespaceIsAmbient =
    situation.store.get('Namespace', null, pod.namespace)?.object.metadata.labels?.['istio.io/dataplane-mode'] ===
    'ambient'
  if (enrolment.shouldBe) return { because: enrolment.because, broken: true }
  // Somebody took the pod out of a namespace that is in.
  return namespaceIsAmbient ? { because: enrolment.because, broken: false } : null
}

function uncaptured(situation: Situation, pod: PodView, { because, broken }: Outside): Hit {
  const known = ztunnelWorkload(situation, pod)
  const isClient = pod === situation.client.pod
  const denial = isClient
    ? ztunnelErrors(situation, plaintextDenied).find(({ record }) => record.srcIdentity === null)
    : undefined
  const outsideForSure = known?.data.protocol === 'TCP' || pod.annotations['ambient.istio.io/redirection'] === undefined
  const aboutIt = situation.symptom === 'not-injected' || situation.symptom === 'not-applied'
  const proven = outsideForSure && (denial !== undefined || aboutIt)
  const who = podLabel(pod)
  return {
    subject: `Pod ${pod.namespace}/${pod.name}`,
    title: broken
      ? `${who} should be in the ambient mesh, but its traffic does not pass ztunnel`
      : `${who} is kept out of the ambient mesh: ${because}`,
    statement: `${because}, and ${pod.name} ${
      pod.annotations['ambient.istio.io/redirection'] === 'pending'
        ? 'is still waiting for ztunnel'
        : 'has no annotation ambient.istio.io/redirection'
    }${known ? `; ztunnel lists it as ${known.data.protocol}` : ''}. ${
      isClient
        ? `It sends plaintext without an identity${denial ? `, which the policy of ${destinationName(situation)} refuses` : ''}.`
        : 'What reaches it passes no ztunnel, so no policy is enforced for it.'
    }`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      ...(known
        ? [
            quote(
              known.entry,
              `ztunnel does not take ${pod.name} into the mesh`,
              `NAMESPACE ${known.data.namespace} NAME ${known.data.name} PROTOCOL ${known.data.protocol}`,
            ),
          ]
        : []),
      quoteAnnotation(pod),
      ...(denial
        ? [quoteZtunnel(denial, 'the destination’s ztunnel refused plaintext: no identity of the caller')]
        : []),
    ],
    contradicting: [],
    fix: broken
      ? {
          statement: `Look at the CNI agent of node ${pod.node ?? '?'} first, then replace this one pod, so that the agent captures it while it starts; leave the labels as they are.`,
          commands: [
            `kubectl get pods -n ${situation.given.istioNamespace} -l k8s-app=istio-cni-node -o wide`,
            ...(pod.workload
              ? [`kubectl -n ${pod.namespace} rollout restart ${pod.workload.kind} ${pod.workload.name}`]
              : []),
          ],
          scope: `pod ${pod.name}`,
          risk: 'the pod is replaced; one that belongs to no workload has to be created again by hand',
          undo: 'nothing to undo: the pod runs as before, inside the mesh',
        }
      : {
          statement: `If ${who} is meant to be in the mesh, remove what keeps it out (${because}); nothing else changes.`,
          commands: [`kubectl -n ${pod.namespace} get pod ${pod.name} -o yaml`],
          scope: `pod ${pod.name} and those of its workload`,
          risk: 'its calls then pass ztunnel and are subject to policies',
          undo: 'put the label back',
        },
    verify: aboutIt
      ? {
          command: `istioctl ztunnel-config workload --workload-namespace ${pod.namespace}`,
          expect: `${pod.name} with PROTOCOL HBONE`,
        }
      : tryAgain(situation, 'an answer, and a line of ztunnel with src.identity'),
    wouldDecide: proven
      ? null
      : {
          command: `kubectl logs -n ${situation.given.istioNamespace} -l app=ztunnel --tail=200`,
          why: `its line shows how ztunnel saw ${callName(situation)}: one without src.identity proves plaintext`,
        },
    about: 'call',
  }
}

function quoteAnnotation(pod: PodView) {
  const value = pod.annotations['ambient.istio.io/redirection']
  return quote(
    pod.entry,
    value === undefined
      ? `${pod.name} was not captured by the node’s agent`
      : `${pod.name} was captured by the node’s agent`,
    `annotation ambient.istio.io/redirection: ${value ?? 'absent'}`,
  )
}
