import { fired, quiet } from '../../model/finding.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'

const sandbox = /no ztunnel connection|partial add error|unable to push CNI event/i

/** A pod cannot start because the node's CNI agent has no ztunnel to tell about it. */
export default defineRule({
  code: 'ambient-sandbox-no-ztunnel',
  layer: 'ambient-ztunnel',
  severity: 'error',
  explains: ['not-injected', '503', 'reset', 'timeout', 'unknown'],
  title: 'Pods do not start: the node’s CNI agent has no ztunnel',
  why: 'The CNI agent hands every new ambient pod to the ztunnel of its node before the pod may start. While that ztunnel is away, the sandbox of the pod fails again and again and its containers stay in ContainerCreating.',
  needs: [['server.events', 'client.events']],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/troubleshoot-ztunnel/'],
  check({ events, client, server, pods, given }) {
    const ours = [...client.pods, ...server.pods]
    const found = events.filter(
      ({ reason, message }) =>
        reason === 'FailedCreatePodSandBox' && /istio-cni/.test(message) && sandbox.test(message),
    )
    for (const event of found.reverse()) {
      const pod = ours.find(({ name, namespace }) => name === event.object.name && namespace === event.object.namespace)
      if (!pod) continue
      const stuck = pod.phase === 'Pending'
      const ztunnel = pods.find(({ proxy, node }) => proxy === 'ztunnel' && node === pod.node)
      return fired({
        subject: `Pod ${pod.namespace}/${pod.name}`,
        title: `${pod.name}.${pod.namespace} cannot start: the CNI agent of ${pod.node ?? 'its node'} has no ztunnel to hand it to`,
        statement: `The sandbox of ${pod.name} failed ${event.count} times because the Istio CNI plugin could not reach ztunnel${
          ztunnel ? `; ${ztunnel.name} on that node is ${ztunnel.ready ? 'ready now' : 'not ready'}` : ''
        }. ${stuck ? 'The pod is still waiting.' : 'The pod has started since.'}`,
        certainty: stuck ? 'proven' : 'possible',
        supporting: [
          quote(event.entry, `event of ${pod.name}, ${event.count} times`, event.message),
          quote(pod.entry, `${pod.name} is ${pod.phase}`, `phase ${pod.phase}`),
          ...(ztunnel
            ? [
                quote(
                  ztunnel.entry,
                  `ztunnel on ${pod.node}`,
                  `${ztunnel.name} Ready=${ztunnel.ready ? 'True' : 'False'}`,
                ),
              ]
            : []),
        ],
        contradicting: [],
        fix: {
          statement: `Bring ztunnel on node ${pod.node ?? '?'} back, and read its log and that of istio-cni there; the pod starts by itself afterwards.`,
          commands: [
            `kubectl get pods -n ${given.istioNamespace} -l app=ztunnel -o wide`,
            `kubectl get pods -n ${given.istioNamespace} -l k8s-app=istio-cni-node -o wide`,
          ],
          scope: `new ambient pods on ${pod.node ?? 'that node'}`,
          risk: 'replacing a running ztunnel cuts the connections it carries',
          undo: 'nothing to undo',
        },
        verify: { command: `kubectl get pod -n ${pod.namespace} ${pod.name}`, expect: 'Running and ready' },
        wouldDecide: stuck
          ? null
          : {
              command: `kubectl describe pod -n ${pod.namespace} ${pod.name}`,
              why: 'its latest events show whether it still happens',
            },
        about: stuck ? 'call' : 'aside',
      })
    }
    return quiet
  },
})
