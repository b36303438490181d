import { fired, quiet } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { type Injection, injectionOf, servedRevisions, unproxiedPods } from '../lib/injection.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import { noSidecar } from '../lib/no-sidecar.ts'
import { workloadCommand } from '../lib/pod-facts.ts'

/** Two labels ask two webhooks, and the one that counts is served by none. */
export default defineRule({
  code: 'injection-label-conflict',
  layer: 'injection',
  severity: 'error',
  explains: ['not-injected'],
  title: 'Injection labels contradict each other',
  why: 'istio-injection outweighs istio.io/rev on a namespace. With both, the default revision is asked, and where it does not exist nobody injects.',
  needs: [['client.config', 'server.config'], 'mesh.namespaces'],
  seeAlso: ['https://istio.io/latest/docs/setup/upgrade/canary/'],
  check(situation) {
    const hits = unproxiedPods(situation)
      .flatMap((pod) => injectionOf(situation, pod) ?? [])
      .flatMap((injection) => conflict(situation, injection) ?? [])
    return hits.length > 0 ? fired(...mergeHits(hits)) : quiet
  },
})

function conflict(situation: Situation, injection: Injection) {
  const { pod, namespace, answer, webhook, webhooksRead } = injection
  const labels = namespace.object.metadata.labels ?? {}
  const switched = labels['istio-injection']
  const namespaceRevision = labels['istio.io/rev']
  const podRevision = pod.labels['istio.io/rev']
  const contradicts =
    switched !== undefined && (namespaceRevision !== undefined || (podRevision !== undefined && switched === 'enabled'))
  if (!contradicts || answer.injected === true || webhook) return null
  const analyzer = situation.analyze.find(({ code, origin }) => code === 'IST0123' && origin?.name === pod.namespace)
  const name = podLabel(pod)
  const wish = namespaceRevision ?? podRevision ?? ''
  const served = servedRevisions(situation)
  const proven = webhooksRead || switched === 'disabled' || analyzer !== undefined
  return noSidecar(situation, injection, {
    title: `Namespace ${pod.namespace} carries istio-injection=${switched} beside istio.io/rev=${wish}, so nobody injects ${name}`,
    statement: `${answer.because}. Both labels are there, and istio-injection counts${
      served ? `; webhooks serve ${served.join(', ') || 'no revision at all'}` : ''
    }.`,
    certainty: proven ? 'proven' : 'likely',
    quotes: analyzer ? [quote(analyzer.entry, 'istioctl analyze says so', `${analyzer.code} ${analyzer.message}`)] : [],
    ...(proven
      ? {}
      : {
          wouldDecide: {
            command: 'kubectl get mutatingwebhookconfigurations -o yaml',
            why: 'it shows the labels that each webhook selects: none for this revision means that nobody injects it',
          },
        }),
    fix: {
      statement: `Remove the label istio-injection from namespace ${pod.namespace} and keep istio.io/rev=${wish}; then restart ${name}.`,
      commands: [
        `kubectl label namespace ${pod.namespace} istio-injection-`,
        ...workloadCommand(pod, 'rollout restart'),
      ],
      scope: `pods that are created in ${pod.namespace} from then on`,
      risk: `they are injected by revision ${wish}: its istiod must be there`,
      undo: `kubectl label namespace ${pod.namespace} istio-injection=${switched}`,
    },
  })
}
