import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { type Injection, injectionLabels, injectionOf, isAmbient, unproxiedPods } from '../lib/injection.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import { aboutSidecar } from '../lib/no-sidecar.ts'
import { quotePod, withoutProxy, workloadCommand } from '../lib/pod-facts.ts'

/** Labels and webhook would give the pod a sidecar, and it has none: injection happens once, when a pod is made. */
export default defineRule({
  code: 'pod-predates-injection',
  layer: 'injection',
  severity: 'error',
  explains: ['not-injected'],
  title: 'The pod is older than its injection',
  why: 'A sidecar is added when a pod is created, and never later. Pods from before the label, or from a moment when the webhook was away, stay without one until they are replaced.',
  needs: [['client.config', 'server.config'], 'mesh.namespaces'],
  seeAlso: ['https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/'],
  check(situation) {
    const pods = unproxiedPods(situation).filter((pod) => !isAmbient(situation, pod))
    const found = pods.flatMap((pod) => injectionOf(situation, pod) ?? [])
    const due = found.filter(({ answer }) => answer.injected !== false)
    if (due.length > 0) return fired(...mergeHits(due.map((injection) => predates(situation, injection))))
    const [other] = found
    return other
      ? ruledOut(
          `a new pod would get no sidecar either: ${other.answer.because}`,
          quoteObject(other.namespace, 'labels of its namespace', other.namespace.object.metadata.labels ?? {}),
        )
      : quiet
  },
})

function predates(situation: Situation, { pod, namespace, answer, webhook, webhooksRead }: Injection): Hit {
  const analyzer = situation.analyze.find(
    ({ code, origin }) =>
      code === 'IST0103' && origin?.kind === 'Pod' && origin.namespace === pod.namespace && origin.name === pod.name,
  )
  const serves = answer.injected === true && webhook !== null
  const proven = analyzer !== undefined || serves
  const name = podLabel(pod)
  return {
    subject: name,
    title: `${name} has no sidecar, and would get one if it were created now`,
    statement: `${withoutProxy(pod)}, although ${answer.because}${
      webhook ? ` and webhook ${webhook.webhook.name} of ${webhook.stored.object.metadata.name} selects such pods` : ''
    }. It was created at ${pod.object.metadata.creationTimestamp ?? 'an unknown time'}, before injection was set up for it or while the webhook was not called.`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      quotePod(pod, withoutProxy(pod)),
      quoteObject(
        namespace,
        `labels of namespace ${pod.namespace}: ${injectionLabels(namespace.object)}`,
        namespace.object.metadata.labels,
      ),
      ...(webhook
        ? [
            quoteObject(webhook.stored, 'this webhook selects such pods', {
              name: webhook.webhook.name,
              namespaceSelector: webhook.webhook.namespaceSelector,
            }),
          ]
        : []),
      ...(analyzer ? [quote(analyzer.entry, 'istioctl analyze says so', `${analyzer.code} ${analyzer.message}`)] : []),
    ],
    contradicting: [],
    fix: {
      statement: `Let the workload of ${pod.name}.${pod.namespace} make a new pod; no label has to change.`,
      commands: workloadCommand(pod, 'rollout restart'),
      scope: `the pods of ${name}`,
      risk: 'its pods are replaced one by one; with a single replica there is a gap',
      undo: 'nothing to undo: the pods come back with a sidecar',
    },
    verify: {
      command: `kubectl get pods -n ${pod.namespace} -o jsonpath='{range .items[*]}{.metadata.name}{" "}{.spec.containers[*].name}{" "}{.spec.initContainers[*].name}{"\\n"}{end}'`,
      expect: `istio-proxy among the containers or the initContainers of the new pod of ${name}`,
    },
    wouldDecide: proven
      ? null
      : {
          command: webhooksRead
            ? `istioctl x check-inject -n ${pod.namespace} ${pod.name}`
            : 'kubectl get mutatingwebhookconfigurations -o yaml',
          why: webhooksRead
            ? 'a webhook whose column INJECTED is ticked would inject a new pod, so a restart is enough; none would, and labels have to change first'
            : 'it shows the labels that each webhook selects: one that fits this pod means that a new pod would be injected',
        },
    about: aboutSidecar(situation.symptom),
  }
}
