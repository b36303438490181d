import type { Quote } from '../../model/evidence.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { bareHost, type Line } from '../../situation/exchanges.ts'
import { ipOf } from '../../situation/hints.ts'
import type { Stored } from '../../situation/objects.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { gatewaysUseWaypoint, type WaypointView } from '../../situation/waypoint.ts'
import { isToWaypoint } from '../../situation/ztunnel-lines.ts'
import { defineRule } from '../define-rule.ts'
import {
  carried,
  conditionsOf,
  isAmbientCall,
  policiesForWaypoint,
  quoteCondition,
  quoteZtunnel,
  quoteZtunnelService,
  ztunnelService,
} from '../lib/ambient.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

/** L7 policy waits at a waypoint that this call does not pass. */
export default defineRule({
  code: 'ambient-waypoint-bypassed',
  layer: 'ambient-waypoint',
  severity: 'error',
  explains: ['not-applied', 'unknown'],
  title: 'The call does not pass the waypoint that should enforce policy',
  why: 'A waypoint that is named and does not exist, or is not bound, is passed by: traffic goes straight to the pod and nothing reads HTTP. Callers with a sidecar, callers outside the mesh and calls to a pod’s own address pass it by as well.',
  needs: ['server.config'],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/waypoint/'],
  applies: (situation) =>
    isAmbientCall(situation) &&
    (situation.waypoint !== null || policiesForWaypoint(situation, 'AuthorizationPolicy').length > 0),
  check(situation) {
    const direct = sentStraight(situation)
    const seen = seenAtWaypoint(situation)
    if (seen && !(direct && isPodAddressed(situation)))
      return ruledOut('the waypoint logged this call', quoteLine(seen, 'the call passed the waypoint'))
    const known = ztunnelService(situation)
    const bound = bindingOf(situation)
    if (known && known.data.waypoint === null) return fired(bypassed(situation, notBound(situation, bound), bound))
    if (bound && bound.condition.status === 'False')
      return fired(bypassed(situation, notBound(situation, bound), bound))
    const around = goesAround(situation) ?? (direct ? byPodAddress(situation) : null)
    if (around) return fired(bypassed(situation, around, bound))
    return known?.data.waypoint
      ? ruledOut('ztunnel sends calls to this Service through the waypoint', quoteZtunnelService(known))
      : quiet
  },
})

/** From outside every caller looks alike: only the request that a gateway handed on is this call. */
function seenAtWaypoint(situation: Situation): Line | null {
  if (situation.gateway === null) return situation.linesAt('waypoint').at(-1) ?? null
  return situation.exchanges.findLast(({ gateway, waypoint }) => gateway && waypoint)?.waypoint ?? null
}

/** The proof that a call went to a pod and not to the waypoint: what ztunnel or the proxy in front wrote about its next hop. */
function sentStraight(situation: Situation): Quote | null {
  const { server, waypoint } = situation
  const isPod = (address: string | null) => server.pods.some(({ ip }) => ip !== null && ip === ipOf(address))
  const line = situation.exchanges
    .flatMap(({ client, gateway }) => [gateway, client])
    .findLast((one) => one !== null && one !== undefined && isPod(one.record.upstreamHost))
  if (line) return quoteLine(line, `the next hop was the pod itself: ${line.record.upstreamHost}`)
  const bound = boundSince(situation)
  const tunnel = carried(situation).findLast(
    ({ record }) =>
      record.direction === 'outbound' &&
      waypoint !== null &&
      // With a Service in the line the Service was called, and the waypoint was not known yet.
      record.dstService === null &&
      !isToWaypoint(situation, record) &&
      isPod(record.dstAddress) &&
      // A connection made before the waypoint was there says nothing of today.
      (bound === null || record.time === null || record.time > bound),
  )
  return tunnel ? quoteZtunnel(tunnel, 'the caller’s ztunnel sent it straight to the pod') : null
}

function boundSince(situation: Situation): string | null {
  const service = situation.server.service
  const conditions: unknown = service?.object.status?.conditions
  const bound = Array.isArray(conditions)
    ? conditions.find((one) => one?.type === 'istio.io/WaypointBound' && one?.status === 'True')
    : undefined
  return typeof bound?.lastTransitionTime === 'string' ? bound.lastTransitionTime : null
}

function isPodAddressed({ given, server }: Situation): boolean {
  const host = given.host === null ? null : bareHost(given.host)
  return given.to?.kind === 'pod' || server.pods.some(({ ip }) => ip !== null && ip === host)
}

function byPodAddress({ server }: Situation): Why {
  return {
    words: `the call went to the pod's own address, and a waypoint for Services is passed only by calls to ${server.host ?? 'the Service'}`,
    fix: `let the caller use ${server.host ?? 'the name of the Service'}, or let ztunnel accept only the waypoint's identity for these pods`,
    commands: [],
  }
}

interface Binding {
  readonly service: Stored
  readonly condition: ReturnType<typeof conditionsOf>[number]
}

function bindingOf({ server, waypoint }: Situation): Binding | null {
  const service = server.service ?? waypoint?.namedBy ?? null
  const condition = service ? conditionsOf(service).find(({ type }) => type === 'istio.io/WaypointBound') : undefined
  return service && condition ? { service, condition } : null
}

interface Why {
  readonly words: string
  readonly fix: string
  readonly commands: readonly string[]
}

function notBound({ waypoint, server }: Situation, bound: Binding | null): Why {
  const service = server.service?.object.metadata.name ?? 'the Service'
  const namespace = server.namespace ?? ''
  if (!waypoint)
    return {
      words: `Service ${namespace}/${service} names no waypoint, so nothing on its way reads HTTP`,
      fix: `bind Service ${service} to a waypoint of its namespace with the label istio.io/use-waypoint`,
      commands: [`kubectl -n ${namespace} label service ${service} istio.io/use-waypoint=WAYPOINT`],
    }
  const label = `${waypoint.namedBy.object.kind} ${waypoint.namedBy.object.metadata.name}`
  const resource = waypoint.namedBy.object.kind.toLowerCase()
  if (waypoint.gateway === null)
    return {
      words: `${label} names waypoint ${waypoint.namespace}/${waypoint.name}, and there is no such Gateway: traffic goes straight to the pods`,
      fix: `write the name of a waypoint that exists into istio.io/use-waypoint of ${label}, or deploy ${waypoint.name} in ${waypoint.namespace}`,
      commands: [
        `kubectl ${waypoint.namedBy.object.kind === 'Namespace' ? '' : `-n ${namespace} `}label ${resource} ${waypoint.namedBy.object.metadata.name} istio.io/use-waypoint=WAYPOINT --overwrite`,
        `istioctl waypoint apply -n ${waypoint.namespace} --name ${waypoint.name}`,
      ],
    }
  return {
    words: `waypoint ${waypoint.namespace}/${waypoint.name} exists, but Service ${namespace}/${service} is not bound to it${
      bound ? ` (${bound.condition.reason})` : ''
    }`,
    ...bindingFix(waypoint, bound?.condition.reason ?? null, namespace),
  }
}

/** What keeps a waypoint that is there from taking the Service, by the reason that istiod gives. */
function bindingFix({ namespace, name }: WaypointView, reason: string | null, of: string): Omit<Why, 'words'> {
  const gateway = `${namespace}/${name}`
  const resource = 'gateways.gateway.networking.k8s.io'
  if (reason === 'UnsupportedTrafficType')
    return {
      fix: `let waypoint ${gateway} take calls to Services: istio.io/waypoint-for is another kind of traffic, "service" or "all" is meant`,
      commands: [`kubectl -n ${namespace} label ${resource} ${name} istio.io/waypoint-for=service --overwrite`],
    }
  if (reason === 'AttachmentDenied')
    return {
      fix: `let waypoint ${gateway} take Services of namespace ${of}: allowedRoutes of its listener admits others only`,
      commands: [`kubectl -n ${namespace} edit ${resource} ${name}`],
    }
  return {
    fix: `make waypoint ${gateway} take this Service: read its condition, its label istio.io/waypoint-for and its allowedRoutes`,
    commands: [`kubectl -n ${namespace} get ${resource} ${name} -o yaml`],
  }
}

/** Callers whose traffic ztunnel does not send through a waypoint. */
function goesAround({ client, gateway, server, waypoint, store }: Situation): Why | null {
  if (!waypoint?.gateway) return null
  if (gateway && !gatewaysUseWaypoint(store, server))
    return {
      words: `the call comes through a gateway, and gateways pass waypoints by unless the Service has istio.io/ingress-use-waypoint=true`,
      fix: 'label the Service istio.io/ingress-use-waypoint=true',
      commands: [
        `kubectl -n ${server.namespace ?? ''} label service ${server.service?.object.metadata.name ?? 'SERVICE'} istio.io/ingress-use-waypoint=true`,
      ],
    }
  if (client.pod?.hasEnvoy)
    return {
      words: `${client.label} has a sidecar, and sidecars send straight to the pods`,
      fix: `bring ${client.label} into the ambient mesh, or enforce at ztunnel what has to hold for it too: an ALLOW policy for the waypoint's identity alone`,
      commands: [],
    }
  if (client.pod?.proxy === 'none')
    return {
      words: `${client.label} is not in the mesh, and only callers in it are sent through the waypoint`,
      fix: `bring ${client.label} into the ambient mesh, or let ztunnel accept only the waypoint's identity`,
      commands: [],
    }
  return null
}

function bypassed(situation: Situation, why: Why, bound: Binding | null): Hit {
  const known = ztunnelService(situation)
  const policies = ['AuthorizationPolicy', 'RequestAuthentication'].flatMap((kind) =>
    policiesForWaypoint(situation, kind),
  )
  const straight = sentStraight(situation)
  const passes = straight ? undefined : carried(situation).at(-1)
  const unbound = policies.flatMap((stored) => {
    const condition = conditionsOf(stored).find(({ type, status }) => type === 'WaypointAccepted' && status === 'False')
    return condition ? [quoteCondition(stored, condition)] : []
  })
  const finding = situation.analyze.find(
    ({ code, message, origin }) =>
      code === 'IST0171' &&
      message.includes('WaypointBound') &&
      origin?.name === situation.server.service?.object.metadata.name,
  )
  const direct = known !== null && known.data.waypoint === null
  const proven =
    direct || bound?.condition.status === 'False' || straight !== null || (passes !== undefined && !situation.gateway)
  const names = policies.map(({ object }) => `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`)
  const { waypoint } = situation
  return {
    subject: waypoint ? `waypoint ${waypoint.namespace}/${waypoint.name}` : destinationName(situation),
    title: `Calls to ${destinationName(situation)} do not pass a waypoint: ${why.words}`,
    statement: `${why.words.charAt(0).toUpperCase()}${why.words.slice(1)}.${
      names.length > 0
        ? ` ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} for a waypoint, and nobody enforces ${names.length === 1 ? 'it' : 'them'} for ${callerName(situation)}.`
        : ''
    }`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      ...(known ? [quoteZtunnelService(known)] : []),
      ...(bound ? [quoteCondition(bound.service, bound.condition)] : []),
      ...(waypoint
        ? [
            quoteObject(
              waypoint.namedBy,
              `${waypoint.namedBy.object.kind} ${waypoint.namedBy.object.metadata.name} names the waypoint`,
              { 'istio.io/use-waypoint': waypoint.name },
            ),
          ]
        : []),
      ...unbound,
      ...(finding ? [quote(finding.entry, 'istioctl analyze says so', `${finding.code} ${finding.message}`)] : []),
      ...(straight ? [straight] : []),
      ...(passes ? [quoteZtunnel(passes, 'ztunnel carried the call straight to the pod')] : []),
    ],
    contradicting: [],
    fix: {
      statement: `Of the policies leave everything as it is; ${why.fix}.`,
      commands: why.commands,
      scope: `all callers of ${destinationName(situation)}`,
      risk: 'policies that were not enforced so far are enforced at once, and may refuse callers',
      undo: 'put the label back as it was',
    },
    verify: tryAgain(situation, 'what the policy says, and a line in the log of the waypoint'),
    wouldDecide: proven
      ? null
      : {
          command: 'istioctl ztunnel-config service',
          why: 'a name in the column WAYPOINT for this Service means that calls go through it; None, that they go past it',
        },
    about: 'call',
  }
}
