import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { quoteEvent } from '../lib/creation-events.ts'
import { hit } from '../lib/hit.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import { probeFailures } from '../lib/probes.ts'

const answered = /HTTP probe failed with statuscode: [45]\d\d|context deadline exceeded/

/** The agent passes the kubelet's probe on, and the application behind it does not answer well. */
export default defineRule({
  code: 'probe-rewrite-500',
  layer: 'app',
  severity: 'warning',
  explains: ['503'],
  title: 'The application fails its probe behind the agent',
  why: 'A rewritten probe goes to the agent at port 15020, which asks the application at localhost. Its 500 means that the application did not answer, or listens on another address, host name or with TLS.',
  needs: ['server.config', 'server.events'],
  // What callers meet is that no pod is ready; the probe says why.
  yieldsTo: ['uh-no-endpoints'],
  seeAlso: ['https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/'],
  check(situation) {
    const hits = situation.server.pods.flatMap((pod) => failsBehindAgent(situation, pod) ?? [])
    return hits.length > 0 ? fired(...mergeHits(hits)) : quiet
  },
})

function failsBehindAgent(situation: Situation, pod: PodView): Hit | null {
  const event = probeFailures(situation, pod, answered).findLast(({ message }) =>
    /:15020\/app-health\/|statuscode: 5\d\d/.test(message),
  )
  // Only pods whose probes go through the agent: others are judged by their application alone.
  const rewritten = JSON.stringify(pod.object.spec?.containers ?? []).includes('/app-health/')
  if (!event || !rewritten || pod.ready) return null
  const name = podLabel(pod)
  const path = /"path":"(\/app-health\/[^"]+)"/.exec(JSON.stringify(pod.object.spec?.containers ?? []))?.[1] ?? ''
  return hit({
    subject: name,
    title: `${name} fails its own health check`,
    statement: `The kubelet’s probe reaches the agent of ${pod.name}.${pod.namespace}, and the application behind it answers badly: ${event.message}.`,
    certainty: 'likely',
    supporting: [quoteEvent(event, 'the kubelet says how the probe ended')],
    wouldDecide: {
      command: `kubectl exec -n ${pod.namespace} ${pod.name} -c istio-proxy -- pilot-agent request GET ${path}`,
      why: 'it prints what the application answers to the agent',
    },
    fix: {
      statement: `Mend what the health check of ${name} asks, or its path, port, host or scheme in the pod template; the mesh only passes it on.`,
      commands: [],
      scope: `the pods of ${name}`,
      risk: 'a check that says less hides faults',
      undo: 'put the check back',
    },
    verify: { command: `kubectl get pods -n ${pod.namespace}`, expect: 'the pod is ready' },
    about: situation.server.pods.some(({ ready }) => ready) ? 'aside' : 'call',
  })
}
