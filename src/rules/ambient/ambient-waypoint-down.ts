import type { ZtunnelService } from '../../../parsers/ztunnel-services.ts'
import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { ipOf } from '../../situation/hints.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { ztunnelOfCall } from '../../situation/ztunnel-lines.ts'
import { defineRule } from '../define-rule.ts'
import { isAmbientCall, quoteZtunnel, ztunnelService } from '../lib/ambient.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

const unknownWaypoint = /unknown waypoint|no (?:healthy|valid) (?:waypoint|upstream).*waypoint/i
const notThere = /Connection refused|timed out|unreachable|no healthy upstream/i

/** The Service is bound to a waypoint that has no pod to answer: ztunnel refuses to send past it. */
export default defineRule({
  code: 'ambient-waypoint-down',
  layer: 'ambient-waypoint',
  severity: 'error',
  explains: ['reset', '503', 'timeout', '504', 'unknown'],
  title: 'The waypoint has no ready pod',
  why: 'Once a Service is bound to a waypoint, ztunnel sends its calls there and nowhere else. When the waypoint has no ready pod the calls fail, although Gateway and Service still report that all is well.',
  needs: [['ztunnel.ztunnelLog', 'ztunnel.ztunnelServices']],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/troubleshoot-waypoint/'],
  applies: (situation) => isAmbientCall(situation) && situation.waypoint !== null,
  check(situation) {
    const { waypoint } = situation
    if (!waypoint) return quiet
    const known = ztunnelService(situation)
    // Not bound means passed by: that is another fault, and the calls go through.
    if (known && known.data.waypoint === null) return quiet
    const errors = errorsToWaypoint(situation)
    const last = errors.at(-1)
    const own = waypointService(situation)
    const empty = own !== null && own.data.endpointsTotal !== null && own.data.endpointsHealthy === 0
    const ready = waypoint.pods.filter((pod) => pod.ready)
    if (ready.length > 0 && !last && !empty) {
      const [pod] = ready
      return ruledOut(
        `waypoint ${waypoint.namespace}/${waypoint.name} has ${ready.length} ready pod${ready.length === 1 ? '' : 's'}`,
        quote(pod?.entry ?? '', `${pod?.name} is ready`, 'Ready=True'),
      )
    }
    if (!last && !empty) return quiet
    if (last && ready.length > 0 && !unknownWaypoint.test(last.record.error ?? '') && !empty) return quiet
    const name = `${waypoint.namespace}/${waypoint.name}`
    return fired({
      subject: `waypoint ${name}`,
      title: `Waypoint ${name} has no ready pod, so calls to ${destinationName(situation)} fail before it`,
      statement: `Calls to ${destinationName(situation)} go through waypoint ${name}, which has ${
        waypoint.pods.length === 0 ? 'no pod' : `${waypoint.pods.length} pods, none of them ready`
      }. ztunnel does not send past it${last ? ` and ends them: ${last.record.error}` : ''}.`,
      certainty: last ? 'proven' : 'likely',
      supporting: [
        ...(last
          ? [quoteZtunnel(last, `the caller’s ztunnel could not reach the waypoint (${errors.length} times)`)]
          : []),
        ...(own
          ? [
              quote(
                own.entry,
                `ztunnel knows no address behind Service ${own.data.name}`,
                `SERVICE ${own.data.name} ENDPOINTS ${own.data.endpointsHealthy}/${own.data.endpointsTotal}`,
              ),
            ]
          : []),
        quoteObject(
          waypoint.namedBy,
          `${waypoint.namedBy.object.kind} ${waypoint.namedBy.object.metadata.name} names it`,
          {
            'istio.io/use-waypoint': waypoint.name,
          },
        ),
      ],
      contradicting: [],
      fix: {
        statement: `Bring the pods of waypoint ${name} back (scale it up, or read why they do not start); leave the label istio.io/use-waypoint where it is, since without it no L7 policy is enforced.`,
        commands: [
          `kubectl -n ${waypoint.namespace} get pods -l gateway.networking.k8s.io/gateway-name=${waypoint.name} -o wide`,
          `kubectl -n ${waypoint.namespace} scale deployment ${waypoint.name} --replicas=1`,
        ],
        scope: 'every Service that is bound to this waypoint',
        risk: 'none beyond the pods that start',
        undo: `scale it back: kubectl -n ${waypoint.namespace} scale deployment ${waypoint.name} --replicas=0`,
      },
      verify: tryAgain(situation, 'an answer, and a line in the log of the waypoint'),
      wouldDecide: last
        ? null
        : {
            command: `kubectl logs -n ${situation.given.istioNamespace} -l app=ztunnel --tail=200`,
            why: 'its lines show what ztunnel meets when it tries the waypoint',
          },
      about: 'call',
    })
  },
})

function waypointService({ all, waypoint }: Situation) {
  for (const { data, entry } of all<readonly ZtunnelService[]>('ztunnel.ztunnelServices')) {
    const found = data.find(({ name, namespace }) => name === waypoint?.name && namespace === waypoint.namespace)
    if (found) return { data: found, entry }
  }
  return null
}

/** Errors of the caller's ztunnel on the way to the waypoint: by name, by address, or because no waypoint was found. */
function errorsToWaypoint(situation: Situation) {
  const { waypoint } = situation
  const addresses = new Set([...(waypoint?.pods ?? []).map(({ ip }) => ip), ...waypointAddresses(situation)])
  return ztunnelOfCall(situation).filter(({ record }) => {
    if (record.error === null || record.direction === 'inbound') return false
    if (unknownWaypoint.test(record.error)) return true
    const target = ipOf(record.dstAddress)
    const named =
      record.dstNamespace === waypoint?.namespace && record.dstWorkload?.startsWith(`${waypoint?.name}-`) === true
    return notThere.test(record.error) && (named || (target !== null && addresses.has(target)))
  })
}

function waypointAddresses({ waypoint }: Situation): readonly string[] {
  const addresses: unknown = waypoint?.gateway?.object.status?.addresses
  return Array.isArray(addresses) ? addresses.map((one) => String(one?.value ?? '')) : []
}
