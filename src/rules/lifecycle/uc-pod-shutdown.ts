import { fired, quiet } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { ipOf } from '../../situation/hints.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { secondsBetween } from '../lib/container-times.ts'
import { failingLines } from '../lib/deciding-line.ts'
import { hit } from '../lib/hit.ts'
import { quotePod } from '../lib/pod-facts.ts'
import { messagesOf } from '../lib/sync-state.ts'
import { destinationName, plural, tryAgain } from '../lib/words.ts'

/** Requests hit a pod that is going away: it stops before everybody knows. */
export default defineRule({
  code: 'uc-pod-shutdown',
  layer: 'lifecycle',
  severity: 'error',
  explains: ['503', 'reset', '502'],
  title: 'Requests meet a pod that is shutting down',
  why: 'A pod gets its signal at the same moment as it is taken out of the endpoints. Until every proxy has heard of it, requests still arrive, and a pod that stops at once resets them.',
  needs: [['client.accessLog', 'gateway.accessLog', 'waypoint.accessLog'], 'server.config'],
  yieldsTo: ['proxy-stale-or-disconnected'],
  applies: ({ server }) => !server.external,
  check(situation) {
    const cut = failingLines(
      situation,
      ({ record, role }) => role !== 'server' && record.flags.some((flag) => flag === 'UC' || flag === 'UF'),
    )
    if (cut.length === 0 || situation.store.readable('Pod', situation.serverNamespace ?? '') !== 'yes') return quiet
    // Errors at pods that stay are not about shutdown.
    const leaving = cut.flatMap((line) => leavingPod(situation, line) ?? [])
    const [first] = leaving
    if (!first || leaving.length < cut.length) return quiet
    const name = destinationName(situation)
    const proven = leaving.some(({ proof }) => proof)
    return fired(
      hit({
        subject: first.what,
        title: `Requests to ${name} end at ${first.what}, which is shutting down`,
        statement: `${plural(leaving.length, 'failing request')} went to ${first.what}; no failing request went to a pod that stays. It stopped before the callers' proxies took it off their lists.`,
        certainty: proven ? 'proven' : 'likely',
        supporting: leaving
          .slice(0, 3)
          .flatMap(({ line, quotes }) => [quoteLine(line, 'the connection was cut off'), ...quotes]),
        wouldDecide: proven
          ? null
          : {
              command: `kubectl get events -n ${situation.serverNamespace} --sort-by=.lastTimestamp`,
              why: 'a Killing event for a pod of the destination at that time proves it',
            },
        fix: {
          statement: `Give the pods of ${name} a moment between signal and end: a preStop sleep of a few seconds for the application, and terminationDrainDuration or EXIT_ON_ZERO_ACTIVE_CONNECTIONS for the proxy. Keep the rest of the pod template.`,
          commands: [],
          scope: `the pods of ${name}`,
          risk: 'pods take that much longer to go',
          undo: 'remove the hook',
        },
        verify: tryAgain(situation, 'no 503 during the next rollout'),
      }),
    )
  },
})

/** The pod a line went to, when that is leaving or has left. */
function leavingPod(situation: Situation, line: Line) {
  const ip = ipOf(line.record.upstreamHost)
  if (ip === null) return null
  const pod = situation.podByIp(ip)
  const killed = situation.events.findLast(
    ({ reason, object, lastSeen }) =>
      reason === 'Killing' &&
      (pod ? object.name === pod.name : belongs(situation, object.name)) &&
      Math.abs(secondsBetween(lastSeen, line.record.time) ?? Number.POSITIVE_INFINITY) <= 120,
  )
  const killQuote = killed
    ? [
        quote(
          killed.entry,
          'it was told to end at that time',
          `${killed.reason} ${killed.object.name}: ${killed.message}`,
        ),
      ]
    : []
  if (pod?.terminating)
    return {
      line,
      what: `${pod.name}.${pod.namespace}`,
      proof: true,
      quotes: [quotePod(pod, `deletionTimestamp ${pod.object.metadata.deletionTimestamp}`), ...killQuote],
    }
  if (pod) {
    const draining = messagesOf(situation, pod, /Agent draining Proxy/).at(-1)
    return draining
      ? {
          line,
          what: `${pod.name}.${pod.namespace}`,
          proof: true,
          quotes: [quote(draining.entry, 'its proxy drains', draining.text, draining.line)],
        }
      : null
  }
  // An address that no pod has any more: without the event it may be old endpoints as well.
  return killed
    ? { line, what: `${killed.object.name}.${situation.serverNamespace}`, proof: true, quotes: killQuote }
    : null
}

function belongs({ server, store, serverNamespace }: Situation, podName: string): boolean {
  const names = server.pods.flatMap(({ workload }) => (workload ? [workload.name] : []))
  const deployments = store.list('Deployment', serverNamespace ?? undefined).map(({ object }) => object.metadata.name)
  return (names.length > 0 ? names : deployments).some((name) => podName.startsWith(`${name}-`))
}
