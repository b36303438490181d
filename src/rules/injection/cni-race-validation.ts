import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { lastEnd } from '../lib/container-times.ts'
import { hit } from '../lib/hit.ts'
import { mergeHits } from '../lib/merge-hits.ts'
import { containersOf } from '../lib/pod-facts.ts'
import { aboutStart } from './istio-init-fails.ts'

/** The pod was started before the CNI plugin was on its node: its traffic is not redirected, and a check notices. */
export default defineRule({
  code: 'cni-race-validation',
  layer: 'cni',
  severity: 'error',
  explains: ['503', 'not-injected'],
  title: 'The pod started before istio-cni was on its node',
  why: 'With istio-cni the node sets up the redirection when a pod starts. On a fresh node the plugin may come second; then istio-validation finds no redirection and ends the pod.',
  needs: [['client.config', 'server.config']],
  seeAlso: ['https://istio.io/latest/docs/setup/additional-setup/cni/#race-condition--mitigation'],
  check(situation) {
    const hits = [...situation.client.pods, ...situation.server.pods].flatMap((pod) => raced(situation, pod) ?? [])
    return hits.length > 0 ? fired(...mergeHits(hits)) : quiet
  },
})

function raced(situation: Situation, pod: PodView): Hit | null {
  const check = containersOf(pod).find(({ name, init }) => init && name === 'istio-validation')
  const end = check ? lastEnd(check) : null
  if (!check || pod.ready || end === null || end.exitCode === 0) return null
  const marked = pod.labels['cni.istio.io/uninitialized']
  const proven = end.exitCode === 126 || marked !== undefined
  const name = podLabel(pod)
  return hit({
    subject: name,
    title: `${name} started on ${pod.node ?? 'its node'} before istio-cni was there`,
    statement: `istio-validation of ${pod.name}.${pod.namespace} ended with exit code ${end.exitCode}: the pod's traffic is not redirected to its proxy.`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      quote(
        pod.entry,
        'how istio-validation ended',
        JSON.stringify(check.status?.lastState?.terminated ?? check.status?.state),
      ),
    ],
    wouldDecide: proven
      ? null
      : {
          command: `kubectl logs -n ${pod.namespace} ${pod.name} -c istio-validation`,
          why: 'a refused connection to 127.0.0.6:15002 proves that no redirection was set up',
        },
    fix: {
      statement: `Delete this pod, so that it starts again now that the plugin is on ${pod.node ?? 'the node'}; the repair controller of istio-cni does that by itself where it is on.`,
      commands: [`kubectl delete pod -n ${pod.namespace} ${pod.name}`],
      scope: 'this one pod, which does not work anyway',
      risk: 'none beyond the pod',
      undo: 'nothing to undo',
    },
    verify: { command: `kubectl get pods -n ${pod.namespace} -o wide`, expect: 'the new pod is Running and ready' },
    about: aboutStart(situation, pod),
  })
}
