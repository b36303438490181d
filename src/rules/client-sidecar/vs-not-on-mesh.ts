import { objectText } from '../../mesh/config-object.ts'
import type { Certainty } from '../../model/answered-by.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { refOfObject } from '../lib/cluster.ts'
import { editCommand, refOf, undoEdit } from '../lib/front.ts'
import { hitOf } from '../lib/make-hit.ts'
import { type UnseenRoute, unseenRoutes } from '../lib/unseen-routes.ts'
import { callerName, destinationName } from '../lib/words.ts'

/** A VirtualService about the destination that calls between pods do not see. */
export default defineRule({
  code: 'vs-not-on-mesh',
  layer: 'client-sidecar-routing',
  severity: 'error',
  explains: ['not-applied'],
  title: 'The VirtualService does not apply inside the mesh',
  why: 'A VirtualService that lists gateways applies to those only: calls from pod to pod take it when the list has the word mesh, or when there is no list. It must name the host that callers use, and exportTo and Sidecar resources must let the caller’s proxy see it.',
  needs: ['server.config', ['client.config', 'server.config']],
  seeAlso: ['https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService'],
  applies: ({ gateway, client, server }) => gateway === null && client.pods.length > 0 && server.host !== null,
  check(situation) {
    const route = routeOfCall(situation, 'client')
    const all = unseenRoutes(situation)
    if (route?.object?.kind === 'VirtualService') {
      const own = situation.store.get('VirtualService', route.object.namespace, route.object.name)
      return all.some(({ isMeant }) => isMeant) || own
        ? ruledOut(
            `the route of the call comes from ${objectText(route.object)}`,
            ...route.quotes('where the route comes from', route.object),
          )
        : quiet
    }
    const seen = route?.from === 'proxy'
    return fired(...all.map((one) => hitFor(situation, one, { seen, alone: all.length === 1 })))
  },
})

interface Known {
  /** The proxy's own route was read, and comes from no VirtualService. */
  readonly seen: boolean
  readonly alone: boolean
}

function hitFor(situation: Situation, { stored, obstacles, sidecar, isMeant }: UnseenRoute, known: Known): Hit {
  const ref = refOf(stored)
  const name = objectText(ref)
  const { spec, metadata } = stored.object
  const route = routeOfCall(situation, 'client')
  const finding = situation.analyze.find(
    ({ code, origin }) =>
      (code === 'IST0140' || code === 'IST0132') && origin?.name === ref.name && origin.namespace === ref.namespace,
  )
  // An object of a third namespace that hides itself may be meant for that namespace alone.
  const isNear = [situation.clientNamespace, situation.serverNamespace].includes(metadata.namespace ?? null)
  const isProven = known.seen && known.alone && isMeant && isNear
  const certainty: Certainty = isProven ? 'proven' : isMeant ? 'likely' : 'possible'
  const { pod } = situation.client
  const routes = `istioctl proxy-config routes ${pod?.name ?? 'POD'}.${pod?.namespace ?? 'NAMESPACE'}`
  const why = obstacles.map((one) => one.why).join(', and ')
  return hitOf({
    subject: name,
    title: titleOf(situation, name, obstacles, spec),
    statement: `${name} ${isMeant ? 'is about' : 'routes to'} ${destinationName(situation)}: ${why}. ${
      known.seen
        ? `The route that the proxy of ${callerName(situation)} holds for this host comes from no VirtualService.`
        : 'The routes of the caller’s proxy could not be read.'
    }`,
    certainty,
    supporting: [
      quoteObject(stored, `where ${name} applies`, {
        hosts: spec?.hosts,
        gateways: spec?.gateways,
        exportTo: spec?.exportTo,
      }),
      ...(sidecar ? quoteSidecar(situation, sidecar) : []),
      ...(route?.quotes('the route of this call, without a VirtualService', {
        virtualHost: route.virtualHost,
        virtualService: null,
        clusters: route.clusters,
      }) ?? []),
      ...(finding
        ? [quote(finding.entry, 'istioctl analyze on the same object', `${finding.code} ${finding.message}`)]
        : []),
    ],
    fix: {
      statement: `If ${name} is meant for calls between pods, ${obstacles.map(({ change }) => change).join('; and ')}. Its hosts must name the Service as callers do.`,
      commands: [
        ...(obstacles.every(({ kind }) => kind === 'sidecar') ? [] : [editCommand(ref)]),
        ...(sidecar ? [editCommand(refOfObject(sidecar))] : []),
      ],
      scope: `every caller in the mesh of the hosts of ${name}`,
      risk: 'all its routes then apply to pods too, also those written for the gateway',
      undo: undoEdit(ref),
    },
    verify: { command: routes, expect: `${ref.name}.${ref.namespace} in the column VIRTUAL SERVICE` },
    wouldDecide: isProven
      ? null
      : known.seen
        ? {
            command: `kubectl get virtualservices.networking.istio.io -n ${ref.namespace} ${ref.name} -o yaml`,
            why: `it shows what ${name} says: if that is the change that was made, it never reached this proxy, which holds no VirtualService for this host`,
          }
        : { command: routes, why: 'the column VIRTUAL SERVICE shows what the proxy takes for this host' },
  })
}

// biome-ignore lint/suspicious/noExplicitAny: the spec of any object
function titleOf(situation: Situation, name: string, obstacles: UnseenRoute['obstacles'], spec: any): string {
  const [first] = obstacles
  const who = callerName(situation)
  if (first?.kind === 'gateways')
    return `${name} applies to ${spec?.gateways?.join(', ')} only, so ${who} does not take it`
  if (first?.kind === 'short-name') return `${name} names another host than ${who} calls, and does nothing here`
  if (first?.kind === 'other-host') return `${name} applies to ${spec?.hosts?.join(', ')}, which ${who} does not call`
  return `${name} is not shown to ${who}`
}

function quoteSidecar({ store }: Situation, sidecar: Parameters<typeof refOfObject>[0]) {
  const { namespace, name } = refOfObject(sidecar)
  const stored = store.get('Sidecar', namespace, name)
  return stored ? [quoteObject(stored, 'what its proxies are shown', sidecar.spec?.egress)] : []
}
