import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { appContainers, lastEnd, proxyContainer, secondsBetween } from '../lib/container-times.ts'
import { hit } from '../lib/hit.ts'
import { workloadCommand } from '../lib/pod-facts.ts'
import { messagesOf } from '../lib/sync-state.ts'

const isReady = /Envoy proxy is ready/
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/

/** The application was up before its proxy had a configuration, found no network, and ended. */
export default defineRule({
  code: 'app-before-proxy',
  layer: 'lifecycle',
  severity: 'warning',
  explains: ['reset', '503', 'timeout'],
  title: 'The application starts before its proxy is ready',
  why: 'Traffic is redirected from the first moment, and until the proxy has its configuration nothing gets out. Applications that connect at start fail, and work after a restart.',
  needs: [['client.config', 'server.config']],
  seeAlso: [
    'https://istio.io/latest/docs/ops/common-problems/injection/#pod-or-containers-start-with-network-issues-if-istio-proxy-is-not-ready',
  ],
  check(situation) {
    const pods = situation.client.pods.length > 0 ? situation.client.pods : situation.server.pods
    const [first] = pods.flatMap((pod) => raced(situation, pod) ?? [])
    return first ? fired(first) : quiet
  },
})

function raced(situation: Situation, pod: PodView): Hit | null {
  const proxy = proxyContainer(pod)
  // A native sidecar, or one that the application waits for, is ready first.
  if (!proxy || proxy.native || proxy.spec.lifecycle?.postStart !== undefined) return null
  const message = messagesOf(situation, pod, isReady)[0]
  const readyAt = time.exec(message?.text ?? '')?.[0] ?? proxy.status?.state?.running?.startedAt ?? null
  for (const app of appContainers(pod)) {
    const end = lastEnd(app)
    const before = secondsBetween(end?.finishedAt, readyAt)
    const restarts: number = app.status?.restartCount ?? 0
    if (end === null || end.exitCode === 0 || restarts === 0 || restarts > 3 || before === null || before < 0) continue
    // Long before the proxy: another life of the pod, or another cause.
    if (before > 120) continue
    const name = podLabel(pod)
    return hit({
      subject: name,
      title: `${app.name} of ${name} ended before its proxy was ready`,
      statement: `Container ${app.name} of ${pod.name}.${pod.namespace} ended with exit code ${end.exitCode} at ${end.finishedAt}, ${before} s before its proxy was ${message ? 'ready' : 'started'} (${readyAt}). It has restarted ${restarts} times since.`,
      certainty: message ? 'likely' : 'possible',
      supporting: [
        quote(pod.entry, 'how it ended', JSON.stringify(app.status?.lastState?.terminated)),
        ...(message ? [quote(message.entry, 'when its proxy was ready', message.text, message.line)] : []),
      ],
      wouldDecide: {
        command: `kubectl logs -n ${pod.namespace} ${pod.name} -c ${app.name} --previous`,
        why: 'a refused connection in its last lines proves that it was the missing network',
      },
      fix: {
        statement: `Let the application wait: holdApplicationUntilProxyStarts in annotation proxy.istio.io/config of the pod template of ${name}, or native sidecars. Keep the rest of the annotation.`,
        commands: workloadCommand(pod, 'edit'),
        scope: `the pods of ${name}`,
        risk: 'the pods start a few seconds later',
        undo: 'remove the setting',
      },
      verify: { command: `kubectl get pods -n ${pod.namespace}`, expect: 'no restart of the application in new pods' },
      about: situation.symptom !== '503' && situation.exchanges.length === 0 ? 'call' : 'aside',
    })
  }
  return null
}
