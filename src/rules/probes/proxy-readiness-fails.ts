import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { proxyContainer } from '../lib/container-times.ts'
import { quoteEvent } from '../lib/creation-events.ts'
import { hit } from '../lib/hit.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import { probeFailures } from '../lib/probes.ts'
import { messagesOf, unansweredBy } from '../lib/sync-state.ts'

const notReady = /Envoy proxy is NOT ready: config not received from XDS server|config not received from (?:XDS|Pilot)/
const ready = /Envoy proxy is ready/

/** The proxy has not got its first configuration: the pod is not ready, whatever its application says. */
export default defineRule({
  code: 'proxy-readiness-fails',
  layer: 'control-plane-xds',
  severity: 'error',
  explains: ['503', 'not-applied'],
  title: 'A proxy waits for its first configuration',
  why: 'A proxy says that it is ready once istiod has sent it a configuration. Without istiod, or with the way to it closed, the pod stays at 1/2 and gets no traffic.',
  needs: [['server.config', 'client.config']],
  yieldsTo: ['istiod-down', 'proxy-nack-error', 'ca-unauthenticated'],
  check(situation) {
    const hits = [...situation.server.pods, ...situation.client.pods].flatMap((pod) => waiting(situation, pod) ?? [])
    return hits.length > 0 ? fired(...mergeHits(hits)) : quiet
  },
})

function waiting(situation: Situation, pod: PodView): Hit | null {
  const proxy = proxyContainer(pod)
  if (!proxy || pod.ready || proxy.status?.ready === true) return null
  // A proxy that hangs has had its configuration: that is another finding.
  if (unansweredBy(situation, pod).length > 0) return null
  const said = messagesOf(situation, pod, notReady).at(-1)
  const since = messagesOf(situation, pod, ready).at(-1)
  const event = probeFailures(situation, pod, /15021\/healthz\/ready|statuscode: 503/).at(-1)
  const waits = said !== undefined && (since === undefined || since.line < said.line)
  if (!waits && !event) return null
  const name = podLabel(pod)
  const alone = situation.server.pods.includes(pod) && !situation.server.pods.some((one) => one.ready)
  return hit({
    subject: name,
    title: `The proxy of ${pod.name}.${pod.namespace} has no configuration yet, so the pod is not ready`,
    statement: `istio-proxy of ${pod.name}.${pod.namespace} is not ready${waits ? ': it has received no configuration from istiod' : ''}.`,
    certainty: waits ? 'proven' : 'likely',
    supporting: [
      ...(waits ? [quote(said.entry, 'the agent says what it waits for', said.text, said.line)] : []),
      ...(event ? [quoteEvent(event, 'the kubelet says how the probe ended')] : []),
      quote(
        pod.entry,
        'the state of its proxy',
        JSON.stringify({ ready: proxy.status?.ready ?? null, state: proxy.status?.state ?? null }),
      ),
    ],
    wouldDecide: waits
      ? null
      : {
          command: `kubectl logs -n ${pod.namespace} ${pod.name} -c istio-proxy --tail=100`,
          why: 'the agent says there what it waits for',
        },
    fix: {
      statement: `Open the way from ${pod.name}.${pod.namespace} to istiod at port 15012 (NetworkPolicy, firewall, DNS of istiod), or bring istiod back; the pod becomes ready by itself.`,
      commands: [
        `kubectl get networkpolicies -n ${pod.namespace}`,
        `kubectl get pods -n ${situation.given.istioNamespace} -l app=istiod`,
      ],
      scope: 'pods that start while istiod cannot be reached',
      risk: 'a network rule that is too wide opens more than this port',
      undo: 'close it again',
    },
    verify: { command: `kubectl get pod -n ${pod.namespace} ${pod.name}`, expect: '2/2' },
    about: alone ? 'call' : 'aside',
  })
}
