import { objectText } from '../../mesh/config-object.ts'
import { fired, type Hit, quiet, type RuleOutcome } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import type { Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { type CallRoute, routeOfCall } from '../lib/call-route.ts'
import {
  type FrontRole,
  frontLines,
  frontName,
  frontRole,
  frontWasSeen,
  quotePassing,
  quoteSign,
  share,
  unseenCertainty,
} from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** Tests of failure that nobody removed: the proxy answers or delays by itself, for a share of the requests. */
export default defineRule({
  code: 'fault-injection-left-on',
  layer: 'client-sidecar-routing',
  severity: 'error',
  explains: ['400', '401', '403', '404', '413', '429', '500', '502', '503', '504', 'slow', 'timeout'],
  title: 'A fault rule fails or delays requests on purpose',
  why: 'A VirtualService can tell proxies to fail or delay a share of the requests, to test how callers cope. Left on, it looks like a flaky service, and the service never sees those requests.',
  needs: [
    [
      'client.accessLog',
      'gateway.accessLog',
      'waypoint.accessLog',
      'client.routes',
      'gateway.routes',
      'client.config',
      'server.config',
    ],
  ],
  seeAlso: ['https://istio.io/latest/docs/tasks/traffic-management/fault-injection/'],
  check(situation) {
    const signs = frontLines(situation, isFault)
    const role = signs.at(-1)?.role ?? frontRole(situation)
    const route = routeOfCall(situation, role)
    if (signs.length > 0)
      return fired(
        faultHit(
          situation,
          role,
          route,
          signs.map(({ line }) => line),
        ),
      )
    return situation.failing.length > 0 || frontWasSeen(situation)
      ? signMissing(situation, 'no line carries FI or DI')
      : fromRoute(situation, role, route)
  },
})

function isFault({ record }: Line): boolean {
  return record.flags.some((flag) => flag === 'FI' || flag === 'DI') || record.details === 'fault_filter_abort'
}

function faultText(route: CallRoute | null): string {
  const { abort, delay } = route?.fault ?? {}
  const parts = [
    ...(abort ? [`aborts ${abort.percent} % with ${abort.status ?? 'an error'}`] : []),
    ...(delay ? [`delays ${delay.percent} % by ${delay.ms} ms`] : []),
  ]
  return parts.join(' and ')
}

/** No line could be read: what the route says is all there is. */
function fromRoute(situation: Situation, role: FrontRole, route: CallRoute | null): RuleOutcome {
  const { abort, delay } = route?.fault ?? {}
  const fits =
    (abort && String(abort.status) === situation.symptom) ||
    (delay && (situation.symptom === 'slow' || situation.symptom === 'timeout'))
  return fits ? fired(faultHit(situation, role, route, [])) : quiet
}

function faultHit(situation: Situation, role: FrontRole, route: CallRoute | null, lines: readonly Line[]): Hit {
  const object = route?.object ?? null
  const name = object ? objectText(object) : 'a fault rule'
  const text = faultText(route)
  const fault = route?.fault ?? null
  // Delayed requests go on to the destination; aborted ones never do.
  const aborted = lines.filter(({ record }) => record.flags.includes('FI') || record.details === 'fault_filter_abort')
  const did =
    aborted.length > 0
      ? `${frontName(situation, role)} made the answer itself in ${share(situation, aborted)}; they never reached the destination. `
      : lines.length > 0
        ? `${frontName(situation, role)} held back ${share(situation, lines)} before it sent them on. `
        : ''
  return hitOf({
    subject: name,
    title: `${name} ${text || 'injects faults'} on requests to ${destinationName(situation)}`,
    statement: `${did}${
      fault ? `Its route has a fault from ${name}: it ${text}.` : 'Which object the fault comes from could not be read.'
    }`,
    certainty: lines.length > 0 ? 'proven' : unseenCertainty(situation),
    supporting: [
      ...quoteSign(situation, lines, `${frontName(situation, role)} injected a fault`),
      ...(fault ? (route?.quotes('the route injects faults', { fault }) ?? []) : []),
      ...quotePassing(situation, role),
    ],
    fix: object
      ? editFix(
          object,
          `Remove the fault block from the http route of ${name}; keep its hosts, matches and destinations.`,
          `every request that takes this route of ${name}`,
          'a test that relies on the fault ends',
        )
      : handOver('Remove the fault block from the VirtualService behind this route.', 'every request on this route'),
    verify: tryAgain(situation, 'no injected answer, and no FI or DI in new log lines'),
    wouldDecide:
      lines.length > 0
        ? null
        : { command: logCommand(situation), why: 'a line with FI or DI shows that the fault hits this call' },
  })
}

function logCommand({ client, gateway }: Situation): string {
  const pod = client.pod ?? gateway?.pods[0] ?? null
  return pod
    ? `kubectl logs ${pod.name} -n ${pod.namespace} -c istio-proxy`
    : "kubectl logs of the caller's proxy (container istio-proxy)"
}
