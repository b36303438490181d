import { fired, type Hit, quiet } from '../../model/finding.ts'
import { ipOf } from '../../situation/hints.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { lastEnd, proxyContainer, secondsBetween } from '../lib/container-times.ts'
import { hit } from '../lib/hit.ts'
import { workloadCommand } from '../lib/pod-facts.ts'
import { messagesOf, proxiesOnTheWay } from '../lib/sync-state.ts'

/** The kernel killed a proxy on the way for its memory. */
export default defineRule({
  code: 'proxy-oom',
  layer: 'proxy-resource',
  severity: 'error',
  explains: ['503', 'reset', '502', 'timeout'],
  title: 'A proxy is killed for its memory',
  why: 'A proxy that knows the whole mesh, or counts too much, grows beyond its limit and is killed. All its connections end at that moment.',
  needs: [['client.config', 'server.config']],
  seeAlso: ['https://istio.io/latest/docs/ops/deployment/performance-and-scalability/'],
  check(situation) {
    const [first] = proxiesOnTheWay(situation)
      .flatMap((pod) => killed(situation, pod) ?? [])
      .sort((a, b) => Number(a.about === 'aside') - Number(b.about === 'aside'))
    return first ? fired(first) : quiet
  },
})

function killed(situation: Situation, pod: PodView): Hit | null {
  const proxy = proxyContainer(pod)
  const end = proxy ? lastEnd(proxy) : null
  const message = messagesOf(situation, pod, /Envoy may have been out of memory killed/).at(-1)
  if (!proxy || (end?.reason !== 'OOMKilled' && !message)) return null
  const line = lineAtThatTime(situation, pod, end?.finishedAt ?? null)
  const limit: unknown = proxy.spec.resources?.limits?.memory
  const name = podLabel(pod)
  const isDown = proxy.status?.ready === false || proxy.status?.state?.waiting !== undefined
  return hit({
    subject: `${pod.name}.${pod.namespace}`,
    title: `The proxy of ${pod.name}.${pod.namespace} was killed for its memory`,
    statement: `istio-proxy of ${pod.name}.${pod.namespace} ended with ${end?.reason ?? 'an out-of-memory kill'}${end?.finishedAt ? ` at ${end.finishedAt}` : ''}${limit ? ` at a limit of ${String(limit)}` : ''}; it has restarted ${proxy.status?.restartCount ?? 0} times.${
      line ? ' The call failed at that moment.' : ''
    }`,
    // One kill some day is no reason; a proxy that is down now, or was killed again and again, may be.
    certainty: line ? 'proven' : isDown || (proxy.status?.restartCount ?? 0) > 2 ? 'likely' : 'possible',
    supporting: [
      ...(end
        ? [
            quote(
              pod.entry,
              'how its proxy ended',
              JSON.stringify(proxy.status?.lastState?.terminated ?? proxy.status?.state),
            ),
          ]
        : []),
      ...(message ? [quote(message.entry, 'its agent says so', message.text, message.line)] : []),
      ...(line ? [quoteLine(line, 'a request that was cut off then')] : []),
    ],
    wouldDecide: line
      ? null
      : {
          command: `kubectl describe pod -n ${pod.namespace} ${pod.name}`,
          why: 'it shows when it was killed last: at the time of the failing requests, that is the cause; at another, it is not',
        },
    fix: {
      statement: `Raise the memory limit of the proxy of ${name} (annotation sidecar.istio.io/proxyMemoryLimit), then give it less to know with a Sidecar resource. Keep the other annotations.`,
      commands: workloadCommand(pod, 'edit'),
      scope: `the pods of ${name}`,
      risk: 'a Sidecar resource that is too narrow hides destinations from it',
      undo: 'put the limit back',
    },
    verify: { command: `kubectl get pod -n ${pod.namespace} ${pod.name}`, expect: 'no new restarts' },
    about: line || (situation.failing.length === 0 && situation.exchanges.length === 0) ? 'call' : 'aside',
  })
}

function lineAtThatTime(situation: Situation, pod: PodView, time: string | null) {
  const exchange = situation.failing.find(({ client, gateway }) => {
    const front = client ?? gateway
    const there = ipOf(front?.record.upstreamHost ?? null) === pod.ip || front?.pod?.name === pod.name
    const apart = secondsBetween(time, front?.record.time ?? null)
    return there && apart !== null && Math.abs(apart) <= 30
  })
  return exchange?.client ?? exchange?.gateway ?? null
}
