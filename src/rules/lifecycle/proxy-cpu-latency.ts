import { fired, quiet } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { proxyContainer } from '../lib/container-times.ts'
import { hit } from '../lib/hit.ts'
import { workloadCommand } from '../lib/pod-facts.ts'
import { destinationName, plural } from '../lib/words.ts'

/** The time goes by inside a proxy: the application answered long before the proxy was done. */
export default defineRule({
  code: 'proxy-cpu-latency',
  layer: 'proxy-resource',
  severity: 'warning',
  explains: ['slow', 'timeout', '504'],
  title: 'A proxy itself takes the time',
  why: 'The log gives the whole duration and the time until the upstream’s first bytes. A large rest is spent in the proxy, or in sending to a slow reader; a proxy short of CPU is the usual reason.',
  needs: [['server.accessLog', 'client.accessLog']],
  check(situation) {
    const slow = situation.lines.filter(({ role, record }) => {
      const { durationMs, upstreamTimeMs } = record
      if (role !== 'server' || durationMs === null || upstreamTimeMs === null) return false
      return durationMs >= 500 && upstreamTimeMs <= durationMs / 5 && record.flags.length === 0
    })
    const all = situation.lines.filter(({ role, record }) => role === 'server' && record.durationMs !== null)
    const [first] = slow
    // One odd request is no pattern.
    if (!first?.pod || slow.length < 3 || slow.length * 3 < all.length) return quiet
    const { pod } = first
    const proxy = proxyContainer(pod)
    const limit: unknown = proxy?.spec.resources?.limits?.cpu
    return fired(
      hit({
        subject: `${pod.name}.${pod.namespace}`,
        title: `The proxy of ${destinationName(situation)} takes most of the time itself`,
        statement: `${plural(slow.length, 'request')} of ${all.length} took ${first.record.durationMs} ms and the like, of which the application took ${first.record.upstreamTimeMs} ms.${limit ? ` The proxy may use ${String(limit)} CPU.` : ''}`,
        certainty: 'possible',
        supporting: [
          ...slow.slice(0, 3).map((line) => quoteLine(line, 'whole duration against the application’s part')),
          ...(limit
            ? [
                quote(
                  pod.entry,
                  'its CPU limit',
                  `istio-proxy limits: ${JSON.stringify(proxy?.spec.resources?.limits)}`,
                ),
              ]
            : []),
        ],
        wouldDecide: {
          command: `kubectl top pod -n ${pod.namespace} ${pod.name} --containers`,
          why: 'an istio-proxy at its CPU limit would prove it; else the reader is slow',
        },
        fix: {
          statement: `Raise the CPU limit of the proxy of ${podLabel(pod)} (annotation sidecar.istio.io/proxyCPULimit), or its concurrency; keep the other annotations.`,
          commands: workloadCommand(pod, 'edit'),
          scope: `the pods of ${podLabel(pod)}`,
          risk: 'its pods are replaced; nodes must have that CPU',
          undo: 'put the limit back',
        },
        verify: {
          command: `kubectl logs -n ${pod.namespace} ${pod.name} -c istio-proxy --tail=50`,
          expect: 'durations near the upstream’s own time',
        },
      }),
    )
  },
})
