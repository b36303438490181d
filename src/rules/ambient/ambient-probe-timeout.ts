import { fired, quiet } from '../../model/finding.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { isAmbientCall } from '../lib/ambient.ts'

const timedOut =
  /(?:Liveness|Readiness|Startup) probe failed:.*(?:i\/o timeout|context deadline exceeded|Client\.Timeout)/is

/** Probes of an ambient pod time out: the kubelet's packets do not come back the way ztunnel expects. */
export default defineRule({
  code: 'ambient-probe-timeout',
  layer: 'ambient-ztunnel',
  severity: 'warning',
  explains: ['503', 'reset', 'timeout'],
  title: 'Probes of an ambient pod time out',
  why: 'The node’s agent gives probes of the kubelet a source address of their own, 169.254.7.127, so that they reach ambient pods unseen by policies. Network plugins that rewrite or drop that address break every probe as soon as a namespace is labelled.',
  needs: ['server.events'],
  seeAlso: ['https://istio.io/latest/docs/ambient/install/platform-prerequisites/'],
  applies: isAmbientCall,
  check({ events, server, given }) {
    const pods = server.pods.filter(({ proxy, ready }) => proxy === 'ambient' && !ready)
    const found = events.filter(
      ({ reason, message, object }) =>
        reason === 'Unhealthy' &&
        timedOut.test(message) &&
        pods.some(({ name, namespace }) => name === object.name && namespace === object.namespace),
    )
    const event = found.at(-1)
    const pod = pods.find(({ name }) => name === event?.object.name)
    if (!event || !pod) return quiet
    return fired({
      subject: `Pod ${pod.namespace}/${pod.name}`,
      title: `Probes of ${pod.name}.${pod.namespace} time out, so it is not ready; in the ambient mesh the network plugin may drop them`,
      statement: `${pod.name} is in the ambient mesh and not ready. Its probe timed out ${event.count} times. An application that is slow looks the same, so the proof is whether it recovers outside the mesh.`,
      certainty: 'possible',
      supporting: [
        quote(event.entry, `event of ${pod.name}, ${event.count} times`, event.message),
        quote(
          pod.entry,
          `${pod.name} is captured and not ready`,
          `ambient.istio.io/redirection: ${pod.annotations['ambient.istio.io/redirection'] ?? 'absent'}`,
        ),
      ],
      contradicting: [],
      fix: {
        statement:
          'Use the setting that Istio documents for this network plugin (masquerading of link-local addresses), or a release of the plugin that has it; leave probes and labels as they are.',
        commands: [],
        scope: 'probes of ambient pods on this cluster',
        risk: 'settings of the network plugin concern every pod of the cluster',
        undo: 'restore the setting',
      },
      verify: {
        command: `kubectl get pod -n ${pod.namespace} ${pod.name}`,
        expect: 'ready, without new Unhealthy events',
      },
      wouldDecide: {
        command: `kubectl logs -n ${given.istioNamespace} -l k8s-app=istio-cni-node --tail=200`,
        why: 'a line about its address set for probes shows that the node’s agent is in trouble; none, that the probe fails for another reason',
      },
      about: 'call',
    })
  },
})
