import type { Quote } from '../../model/evidence.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import { matchesLabels } from '../../situation/pods.ts'
import { quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import {
  carried,
  isAmbientCall,
  policiesForWaypoint,
  quoteZtunnel,
  quoteZtunnelService,
  ztunnelService,
} from '../lib/ambient.ts'
import { isServiceHost } from '../lib/service-hosts.ts'
import { waypointFix } from '../lib/waypoint-fix.ts'
import { callerName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** Routing or token rules for a Service that nothing which reads HTTP stands before. */
export default defineRule({
  code: 'ambient-l7-config-without-waypoint',
  layer: 'ambient-waypoint',
  severity: 'error',
  explains: ['not-applied', 'unknown'],
  title: 'Routing or token rules without a waypoint to enforce them',
  why: 'ztunnel carries connections and reads no HTTP. A VirtualService, an HTTPRoute or a RequestAuthentication does nothing between ambient pods unless the Service is bound to a waypoint.',
  needs: ['server.config'],
  yieldsTo: ['ambient-waypoint-bypassed', 'ambient-not-captured'],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/l7-features/'],
  // A caller with a sidecar routes by itself.
  applies: (situation) =>
    isAmbientCall(situation) && situation.client.pod?.hasEnvoy !== true && situation.gateway === null,
  check(situation) {
    const known = ztunnelService(situation)
    const [seen] = situation.linesAt('waypoint').slice(-1)
    const bound = known?.data.waypoint
      ? quoteZtunnelService(known)
      : seen
        ? quoteLine(seen, 'the call passed the waypoint')
        : null
    const all = waiting(situation)
    // A waypoint takes routes as they are, and tokens only by targetRefs: a selector leads to the pod, where nothing reads them.
    const objects = bound ? all.filter(({ object: one }) => one.kind === 'RequestAuthentication') : all
    const [object] = objects
    if (!object) return bound ? ruledOut('calls to this Service pass a waypoint, which reads HTTP', bound) : quiet
    if (bound && tokensAtWaypoint(situation))
      return ruledOut('a RequestAuthentication is attached to the waypoint', bound)
    if (bound) return fired(bySelector(situation, objects, bound))
    if (!known && situation.waypoint !== null) return quiet
    const passes = carried(situation).at(-1)
    const names = objects.map(({ object: one }) => `${one.kind} ${one.metadata.namespace}/${one.metadata.name}`)
    const service = situation.server.service?.object.metadata.name ?? 'SERVICE'
    const namespace = situation.server.namespace ?? ''
    return fired({
      subject: names[0] ?? '',
      title: `${names[0]} has no effect on ${callerName(situation)} → ${destinationName(situation)}: no waypoint reads HTTP there`,
      statement: `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} for ${destinationName(situation)}, and the Service is bound to no waypoint. ztunnel carries the connection as it is, so ${names.length === 1 ? 'it does' : 'they do'} nothing.`,
      certainty: known ? 'proven' : 'likely',
      supporting: [
        ...(known ? [quoteZtunnelService(known)] : []),
        ...objects
          .slice(0, 3)
          .map((stored) =>
            quoteObject(stored, `what ${stored.object.kind} ${stored.object.metadata.name} says`, stored.object.spec),
          ),
        ...(passes ? [quoteZtunnel(passes, 'ztunnel carried the call to its end')] : []),
      ],
      contradicting: [],
      fix: {
        statement: `Deploy a waypoint in ${namespace} and bind Service ${service} to it with the label istio.io/use-waypoint, or move the rule to a gateway that the callers pass; ${names.join(', ')} can stay as ${names.length === 1 ? 'it is' : 'they are'}.`,
        commands: [
          `istioctl waypoint apply -n ${namespace}`,
          `kubectl -n ${namespace} label service ${service} istio.io/use-waypoint=waypoint`,
        ],
        scope: `all ambient callers of Service ${service}`,
        risk: 'one more hop; policies at ztunnel then see the waypoint as the caller',
        undo: `kubectl -n ${namespace} label service ${service} istio.io/use-waypoint-`,
      },
      verify: tryAgain(situation, 'what the rule asks for, and a line in the log of the waypoint'),
      wouldDecide: known
        ? null
        : {
            command: 'istioctl ztunnel-config service',
            why: 'a name in the column WAYPOINT for this Service means that calls go through it; None, that they go past it',
          },
      about: 'call',
    })
  },
})

/** Tokens are asked for where the call passes, by another object: then this one is left over. */
function tokensAtWaypoint(situation: Situation): boolean {
  return policiesForWaypoint(situation, 'RequestAuthentication').length > 0
}

function bySelector(situation: Situation, objects: readonly Stored[], bound: Quote): Hit {
  const names = objects.map(({ object: one }) => `${one.kind} ${one.metadata.namespace}/${one.metadata.name}`)
  const [first] = objects
  return {
    subject: names[0] ?? '',
    title: `${names[0]} has no effect on ${callerName(situation)} → ${destinationName(situation)}: a waypoint takes it only by targetRefs`,
    statement: `${names.join(', ')} ${names.length === 1 ? 'attaches' : 'attach'} by selector or namespace, which leads to the pods. ztunnel, which stands there, reads no tokens, and the waypoint of ${destinationName(situation)} takes only what names the Service or the Gateway in targetRefs.`,
    certainty: 'proven',
    supporting: [
      ...objects.slice(0, 3).map((stored) =>
        quoteObject(stored, `where ${stored.object.metadata.name} is meant to act`, {
          selector: stored.object.spec?.selector ?? null,
          targetRefs: stored.object.spec?.targetRefs ?? null,
        }),
      ),
      bound,
    ],
    contradicting: [],
    fix: first ? waypointFix(situation, first) : handOver('Attach it with targetRefs.', destinationName(situation)),
    verify: tryAgain(situation, '401 for a token that is not valid'),
    wouldDecide: null,
    about: 'call',
  }
}

/** Objects about the destination that only something which reads HTTP can follow. */
function waiting({ store, server }: Situation): readonly Stored[] {
  const service = server.service?.object
  const host = server.host
  const routes = [...store.list('HTTPRoute'), ...store.list('GRPCRoute')].filter(({ object }) =>
    refersTo(object.spec?.parentRefs, object.metadata.namespace, service?.metadata),
  )
  const services = store.list('VirtualService').filter(({ object }) => {
    const gateways: readonly string[] = object.spec?.gateways ?? ['mesh']
    const hosts: readonly string[] = object.spec?.hosts ?? []
    return (
      gateways.includes('mesh') &&
      host !== null &&
      hosts.some((name) => isServiceHost(name, object.metadata.namespace, host))
    )
  })
  const tokens = store.list('RequestAuthentication', server.namespace ?? undefined).filter(({ object }) => {
    const labels = object.spec?.selector?.matchLabels
    return labels
      ? server.pods.some((pod) => matchesLabels(labels, pod.labels))
      : !object.spec?.targetRefs && !object.spec?.targetRef
  })
  return [...routes, ...services, ...tokens]
}

function refersTo(
  parents: unknown,
  own: string | undefined,
  service: { readonly name: string; readonly namespace?: string } | undefined,
): boolean {
  return (
    Array.isArray(parents) &&
    service !== undefined &&
    parents.some(
      (parent) =>
        parent?.kind === 'Service' && parent?.name === service.name && (parent?.namespace ?? own) === service.namespace,
    )
  )
}
