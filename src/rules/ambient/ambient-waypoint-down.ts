import type { ZtunnelService } from '../../../parsers/ztunnel-services.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { ZtunnelLine } from '../../situation/exchanges.ts'
import { ipOf } from '../../situation/hints.ts'
import type { PodView } from '../../situation/pods.ts'
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
    if (last && ready.length > 0 && !empty)
      return unknownWaypoint.test(last.record.error ?? '') ? fired(readyNow(situation, last, ready)) : quiet
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

/** ztunnel found no waypoint, and there is one now: it came back since, or ztunnel has not heard of it. */
function readyNow(situation: Situation, last: ZtunnelLine, ready: readonly PodView[]): Hit {
  const { waypoint } = situation
  const name = `${waypoint?.namespace}/${waypoint?.name}`
  const since = ready.flatMap((pod) => readySince(pod) ?? []).sort()[0] ?? null
  const failed = last.record.time
  const isBack = since !== null && failed !== null && Date.parse(since) > Date.parse(failed)
  const destination = destinationName(situation)
  return {
    subject: `waypoint ${name}`,
    title: isBack
      ? `Waypoint ${name} had no ready pod when calls to ${destination} failed, and has one since ${since}`
      : `ztunnel found no waypoint ${name} for calls to ${destination}, although it has a ready pod`,
    statement: isBack
      ? `The last call that failed is of ${failed}: ${last.record.error}. The waypoint is ready since ${since}; what failed before that may be over.`
      : `Calls to ${destination} go through waypoint ${name}, which was ready when the caller's ztunnel said ${failed === null ? '' : `at ${failed} `}that there is none: ${last.record.error}. ztunnel has old configuration, or its view of the waypoint's Service lacks the pod.`,
    certainty: 'likely',
    supporting: [quoteZtunnel(last, 'the caller’s ztunnel found no waypoint')],
    contradicting: ready
      .slice(0, 1)
      .map(({ entry, name: pod }) => quote(entry, `${pod} is ready now`, `Ready=True since ${since ?? 'unknown'}`)),
    fix: {
      statement: isBack
        ? 'Nothing to change in the mesh now: send the request again, and read why the waypoint was away.'
        : `Find out why ztunnel does not know the waypoint: its own state first, then whether istiod reaches it; leave the label istio.io/use-waypoint where it is.`,
      commands: isBack
        ? [`kubectl -n ${waypoint?.namespace} get events --sort-by=.lastTimestamp`]
        : ['istioctl proxy-status', 'istioctl ztunnel-config service'],
      scope: 'every Service that is bound to this waypoint',
      risk: 'none: these only read',
      undo: 'nothing to undo',
    },
    verify: tryAgain(situation, 'an answer, and a line in the log of the waypoint'),
    wouldDecide: {
      command: `istioctl ztunnel-config service --service-namespace ${waypoint?.namespace}`,
      why: `whether ztunnel has an address behind Service ${waypoint?.name} now; then send the request again`,
    },
    about: 'call',
  }
}

function readySince({ object }: PodView): string | null {
  const conditions: readonly { type?: string; lastTransitionTime?: string }[] = object.status?.conditions ?? []
  return conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? null
}

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
