import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { lastEnd } from '../lib/container-times.ts'
import { aboutCreation, failedCreations, quoteEvent } from '../lib/creation-events.ts'
import { hit } from '../lib/hit.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import { containersOf } from '../lib/pod-facts.ts'

/** The init container that redirects the pod's traffic cannot do so, and the pod never starts. */
export default defineRule({
  code: 'istio-init-fails',
  layer: 'cni',
  severity: 'error',
  explains: ['503', 'not-injected'],
  title: 'istio-init cannot set up the redirection',
  why: 'Without the CNI plugin an init container changes the pod’s iptables, for which it needs NET_ADMIN. A security standard, an SCC or a missing kernel module forbids it, and the pod stays in its init phase.',
  needs: [['client.config', 'server.config']],
  seeAlso: ['https://istio.io/latest/docs/setup/additional-setup/cni/'],
  check(situation) {
    const hits = [
      ...[...situation.client.pods, ...situation.server.pods].flatMap((pod) => initFails(situation, pod) ?? []),
      ...initForbidden(situation),
    ]
    return hits.length > 0 ? fired(...mergeHits(hits)) : quiet
  },
})

const refused = /\bistio-init\b/
const byStandard = /violates PodSecurity|security context constraint|NET_ADMIN|NET_RAW|admission webhook/

/** A security standard refuses the pod for what istio-init asks, so that there is no pod at all. */
function initForbidden(situation: Situation): readonly Hit[] {
  const [failed] = failedCreations(situation, (message) => refused.test(message) && byStandard.test(message)).filter(
    ({ end }) => end !== null,
  )
  if (!failed) return []
  const { event } = failed
  const { namespace, name } = event.object
  return [
    hit({
      subject: `${event.object.kind} ${namespace}/${name}`,
      title: `No pod of ${name} can be created: what istio-init asks for is forbidden in namespace ${namespace}`,
      statement: `The API server refuses the pod: ${event.message.slice(0, 300)}. istio-init wants NET_ADMIN and NET_RAW to redirect the pod's traffic.`,
      certainty: 'proven',
      supporting: [quoteEvent(event, 'the API server says why the pod was not created')],
      fix: {
        statement: `Use the istio-cni plugin, which needs no rights in the pod, or let namespace ${namespace} run pods with NET_ADMIN and NET_RAW (label pod-security.kubernetes.io/enforce); leave injection as it is.`,
        commands: [`kubectl get namespace ${namespace} --show-labels`],
        scope: `namespace ${namespace}`,
        risk: 'a namespace label that allows more lets other pods use it, too',
        undo: 'put the label back',
      },
      verify: {
        command: `kubectl get events -n ${namespace} --field-selector reason=FailedCreate`,
        expect: 'no new event that names istio-init, and new pods',
      },
      about: aboutCreation(situation, failed),
    }),
  ]
}

function initFails(situation: Situation, pod: PodView): Hit | null {
  const init = containersOf(pod).find(({ name, init: isInit }) => isInit && name === 'istio-init')
  const end = init ? lastEnd(init) : null
  const waiting: unknown = init?.status?.state?.waiting?.reason
  if (!init || pod.ready || !(waiting === 'CrashLoopBackOff' || (end !== null && end.exitCode !== 0))) return null
  const event = situation.events.findLast(
    ({ object, message }) => object.name === pod.name && /istio-init/.test(message),
  )
  const name = podLabel(pod)
  return hit({
    subject: name,
    title: `istio-init of ${name} fails, so its pod does not start`,
    statement: `Container istio-init of ${pod.name}.${pod.namespace} ended with exit code ${end?.exitCode ?? 'unknown'}${end?.reason ? ` (${end.reason})` : ''} and has restarted ${init.status?.restartCount ?? 0} times.`,
    certainty: 'proven',
    supporting: [
      quote(
        pod.entry,
        'the state of istio-init',
        JSON.stringify({ state: init.status?.state, lastState: init.status?.lastState }),
      ),
      ...(event ? [quote(event.entry, 'what the kubelet says', event.message)] : []),
    ],
    fix: {
      statement:
        'Use the istio-cni plugin, which needs no rights in the pod, or let this namespace run pods with NET_ADMIN and NET_RAW; its log says which right was missing.',
      commands: [`kubectl logs -n ${pod.namespace} ${pod.name} -c istio-init`],
      scope: `namespace ${pod.namespace}`,
      risk: 'a namespace label that allows more lets other pods use it, too',
      undo: 'take the label away again',
    },
    verify: { command: `kubectl get pod -n ${pod.namespace} ${pod.name}`, expect: 'Running, istio-init Completed' },
    about: aboutStart(situation, pod),
  })
}

/** A pod that cannot start explains a missing sidecar, and a destination of which no pod is ready. */
export function aboutStart({ symptom, server }: Situation, pod: PodView): Hit['about'] {
  if (symptom === 'not-injected') return 'call'
  return server.pods.includes(pod) && !server.pods.some(({ ready }) => ready) ? 'call' : 'aside'
}
