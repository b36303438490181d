import { fired, quiet, ruledOut } from '../../model/finding.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { quotePod, workloadCommand } from '../lib/pod-facts.ts'
import { quoted } from '../lib/words.ts'

/** A namespace asks for the ambient mesh and a pod in it has a sidecar: the pod is not in the ambient mesh. */
export default defineRule({
  code: 'ambient-sidecar-mixed',
  layer: 'injection',
  severity: 'warning',
  explains: ['not-injected', 'not-applied'],
  title: 'A pod with a sidecar in a namespace of the ambient mesh',
  why: 'ztunnel leaves pods with a sidecar alone. Such a pod enforces policies by itself, passes waypoints by as a caller, and needs a restart for what other pods of the namespace take at once.',
  needs: [['server.config', 'client.config'], 'mesh.namespaces'],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/add-workloads/'],
  check(situation) {
    const ends = [situation.client.pod, situation.server.pod].filter((pod): pod is PodView => pod !== null)
    const mixed = ends.filter((pod) => pod.hasEnvoy && isSidecar(pod) && ambientNamespace(situation, pod))
    if (mixed.length === 0) {
      const [first] = ends
      const namespace = first ? ambientNamespace(situation, first) : null
      return first && namespace
        ? ruledOut(`${first.name} has no sidecar`, quotePod(first, 'its namespace is in the ambient mesh'))
        : quiet
    }
    return fired(
      ...mixed.slice(0, 1).map((pod) => {
        const namespace = ambientNamespace(situation, pod)
        const asks = Object.entries({ ...pod.labels, ...pod.annotations }).find(
          ([key]) => key === 'sidecar.istio.io/inject',
        )
        return {
          subject: `Pod ${pod.namespace}/${pod.name}`,
          title: `${pod.name} has a sidecar, although namespace ${pod.namespace} is labelled for the ambient mesh`,
          statement: `Namespace ${pod.namespace} has istio.io/dataplane-mode=ambient, and ${pod.name} runs a sidecar${
            asks ? ` (${asks[0]}=${asks[1]})` : ''
          }. ztunnel leaves it alone, so what holds for the ambient pods of the namespace does not hold for it.`,
          certainty: 'likely' as const,
          supporting: [
            ...(namespace
              ? [quoteObject(namespace, `labels of namespace ${pod.namespace}`, namespace.object.metadata.labels)]
              : []),
            quotePod(pod, `${pod.name} has a sidecar`),
            ...(asks ? [quote(pod.entry, 'the pod asks for it', `${asks[0]}: ${asks[1]}`)] : []),
          ],
          contradicting: [],
          fix: {
            statement: `Decide for one of the two: either take the sidecar request off the pod template and replace the pods, or label the pod template istio.io/dataplane-mode=none; leave the other pods of ${pod.namespace} as they are.`,
            commands: [...workloadCommand(pod, 'edit')],
            scope: `the pods of ${pod.workload?.name ?? pod.name}`,
            risk: 'without the sidecar its L7 policies need a waypoint',
            undo: 'put the label or annotation back and replace the pods',
          },
          verify: {
            command: `kubectl get pods -n ${pod.namespace} ${quoted(pod.name)} -o jsonpath='{.metadata.annotations}'`,
            expect: 'ambient.istio.io/redirection or sidecar.istio.io/status, not both worlds in one namespace',
          },
          wouldDecide: {
            command: `istioctl ztunnel-config workload --workload-namespace ${pod.namespace}`,
            why: 'HBONE in the column PROTOCOL means that ztunnel takes this pod; TCP, that it does not',
          },
          // Two ways into the mesh side by side work; it is worth knowing and seldom the reason.
          about: 'aside' as const,
        }
      }),
    )
  },
})

function isSidecar({ proxy }: PodView): boolean {
  return proxy === 'sidecar' || proxy === 'native-sidecar'
}

function ambientNamespace({ store }: Situation, { namespace }: PodView) {
  const stored = store.get('Namespace', null, namespace)
  return stored?.object.metadata.labels?.['istio.io/dataplane-mode'] === 'ambient' ? stored : null
}
