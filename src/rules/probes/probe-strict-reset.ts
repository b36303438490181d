import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import { mtlsOf } from '../../situation/security.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { quoteEvent } from '../lib/creation-events.ts'
import { hit } from '../lib/hit.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import { workloadCommand } from '../lib/pod-facts.ts'
import { type HttpProbe, probeFailures, probesOf } from '../lib/probes.ts'
import { modeText, quoteMode } from '../lib/transport.ts'

/** The kubelet probes a port in plaintext that accepts only mutual TLS. */
export default defineRule({
  code: 'probe-strict-reset',
  layer: 'probes',
  severity: 'error',
  explains: ['503', 'reset'],
  title: 'The kubelet’s probe meets STRICT',
  why: 'The kubelet is no part of the mesh and probes in plaintext. Injection sends HTTP, TCP and gRPC probes to the agent instead; where it does not, STRICT resets the probe and the pod never becomes ready.',
  needs: ['server.config', 'server.events'],
  seeAlso: ['https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/'],
  check(situation) {
    const hits = situation.server.pods
      .filter(({ hasEnvoy }) => hasEnvoy)
      .flatMap((pod) => resetProbe(situation, pod) ?? [])
    return hits.length > 0 ? fired(...mergeHits(hits)) : quiet
  },
})

function resetProbe(situation: Situation, pod: PodView): Hit | null {
  const event = probeFailures(situation, pod, /connection reset by peer|: EOF\b/).at(-1)
  if (!event) return null
  const probe = probesOf(pod).find((one) => !one.rewritten && message(event.message, one))
  const port = probe ? containerPort(pod, probe) : null
  if (!probe || port === null) return null
  const accepts = mtlsOf(situation, pod, port)
  if (accepts && accepts.mode !== 'STRICT') return null
  const name = podLabel(pod)
  return hit({
    subject: name,
    title: `The ${probe.kind} of ${name} goes to port ${port} in plaintext, which STRICT resets`,
    statement: `The kubelet asks port ${port}${probe.path ? ` at ${probe.path}` : ''} of container ${probe.container} directly: the probe was not rewritten to the agent. ${accepts ? modeText(accepts) : 'What the port accepts could not be read'}, so the connection is reset${pod.ready ? '' : ' and the pod is not ready'}.`,
    certainty: accepts ? 'proven' : 'likely',
    supporting: [
      quoteEvent(event, 'the kubelet says how the probe ended'),
      quote(
        pod.entry,
        'the probe as it stands in the pod',
        JSON.stringify({ container: probe.container, [probe.kind]: { path: probe.path, port: probe.port } }),
      ),
      ...(accepts ? [quoteMode(situation, { accepts, target: pod })] : []),
    ],
    wouldDecide: accepts
      ? null
      : {
          command: `kubectl get peerauthentications.security.istio.io -n ${pod.namespace} -o yaml`,
          why: 'STRICT for this port means that it accepts only mutual TLS, and the kubelet has none',
        },
    fix: {
      statement: `Let injection rewrite the probe (annotation sidecar.istio.io/rewriteAppHTTPProbers: "true" on the pod template of ${name}), or probe a port that is left out of the mesh. Keep STRICT.`,
      commands: workloadCommand(pod, 'edit'),
      scope: `the pods of ${name}`,
      risk: 'a port left out of the mesh accepts plaintext from everybody',
      undo: 'remove the annotation',
    },
    verify: { command: `kubectl get pods -n ${pod.namespace}`, expect: 'the new pod is ready' },
    about: situation.server.pods.some(({ ready }) => ready) ? 'aside' : 'call',
  })
}

function message(text: string, probe: HttpProbe): boolean {
  const kind = probe.kind.replace('Probe', '')
  if (!text.toLowerCase().startsWith(kind)) return false
  return probe.path === '' || text.includes(probe.path)
}

function containerPort(pod: PodView, { port }: HttpProbe): number | null {
  if (typeof port === 'number') return port
  return pod.ports.find(({ name }) => name === port)?.port ?? null
}
