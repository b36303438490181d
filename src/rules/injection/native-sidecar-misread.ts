import { fired, quiet } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { defineRule } from '../define-rule.ts'
import { aboutSidecar } from '../lib/no-sidecar.ts'
import { quotePod } from '../lib/pod-facts.ts'
import { handOver } from '../lib/words.ts'

/** The pod that is said to have no sidecar has one, among its init containers. */
export default defineRule({
  code: 'native-sidecar-misread',
  layer: 'observability',
  severity: 'info',
  explains: ['not-injected'],
  title: 'The sidecar is there, as an init container',
  why: 'Since 1.27 the sidecar is an init container that keeps running. Counting containers, or reading "1/1", misses it.',
  needs: [['client.config', 'server.config']],
  seeAlso: ['https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/'],
  applies: ({ symptom }) => symptom === 'not-injected',
  check({ client, server, given, symptom }) {
    const pods = given.from ? client.pods : client.pods.length > 0 ? client.pods : server.pods
    const [pod] = pods
    if (!pod || pods.some(({ proxy }) => proxy !== 'native-sidecar')) return quiet
    const name = podLabel(pod)
    return fired({
      subject: name,
      title: `${name} has a sidecar: istio-proxy is among its initContainers`,
      statement: `${pods.length === 1 ? `${pod.name}.${pod.namespace} runs` : `All ${pods.length} pods of ${name} run`} istio-proxy as an init container with restartPolicy Always. Nothing is missing; the check looked at containers only.`,
      certainty: 'proven',
      supporting: [quotePod(pod, 'a native sidecar')],
      contradicting: [],
      fix: handOver('Nothing in the mesh has to change: let the check look at initContainers, too.', 'the check'),
      verify: {
        command: `kubectl get pod -n ${pod.namespace} ${pod.name} -o jsonpath='{.spec.containers[*].name} {.spec.initContainers[*].name}'`,
        expect: 'istio-proxy in the list',
      },
      wouldDecide: null,
      about: aboutSidecar(symptom),
    })
  },
})
