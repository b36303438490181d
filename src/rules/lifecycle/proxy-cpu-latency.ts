import { fired, quiet, type RuleOutcome, ruledOut } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
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
    const timed = situation.lines.filter(
      ({ pod, record }) => pod !== null && record.durationMs !== null && record.upstreamTimeMs !== null,
    )
    // One odd request is no pattern.
    const found = roles
      .map((role) => timed.filter((line) => line.role === role))
      .map((all) => ({ all, slow: all.filter(isOwnTime) }))
      .find(({ all, slow }) => slow.length >= 3 && slow.length * 3 >= all.length)
    const [first] = found?.slow ?? []
    if (!found || !first?.pod) return spentBehind(timed)
    const { slow, all } = found
    const { pod, role } = first
    const where = role === 'server' ? destinationName(situation) : `${pod.name}.${pod.namespace}`
    const proxy = proxyContainer(pod)
    const limit: unknown = proxy?.spec.resources?.limits?.cpu
    return fired(
      hit({
        subject: `${pod.name}.${pod.namespace}`,
        title: `The proxy of ${where} takes most of the time itself`,
        statement: `${plural(slow.length, 'request')} of ${all.length} took ${first.record.durationMs} ms and the like, of which ${role === 'server' ? 'the application' : 'what lies behind it'} took ${first.record.upstreamTimeMs} ms until it began to answer.${limit ? ` The proxy may use ${String(limit)} CPU.` : ''}`,
        certainty: 'possible',
        supporting: [
          ...slow.slice(0, 3).map((line) => quoteLine(line, 'whole duration against the part of what lies behind')),
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
          why: 'an istio-proxy at its CPU limit proves it; else the reader is slow, or the answer long',
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

const roles = ['server', 'waypoint', 'gateway', 'client'] as const

/** Most of the time went by after the upstream had begun to answer, or before it was asked. */
function isOwnTime({ record }: Line): boolean {
  const { durationMs, upstreamTimeMs, flags } = record
  return (
    durationMs !== null &&
    upstreamTimeMs !== null &&
    durationMs >= 500 &&
    upstreamTimeMs <= durationMs / 5 &&
    flags.length === 0
  )
}

/** The destination's proxy waited for the application nearly all of the time. */
function spentBehind(timed: readonly Line[]): RuleOutcome {
  const slow = timed.findLast(
    ({ role, record }) =>
      role === 'server' &&
      (record.durationMs ?? 0) >= 500 &&
      (record.upstreamTimeMs ?? 0) >= (record.durationMs ?? 0) * 0.9,
  )
  return slow
    ? ruledOut(
        `the application itself took ${slow.record.upstreamTimeMs} of ${slow.record.durationMs} ms`,
        quoteLine(slow, 'the whole duration, and the part of the application'),
      )
    : quiet
}
