import { objectText } from '../../mesh/config-object.ts'
import { hostsMatch, resolveHost } from '../../mesh/hosts.ts'
import { fired, quiet, ruledOut } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { editCommand, refOf, undoEdit } from '../lib/front.ts'
import { hitOf } from '../lib/make-hit.ts'
import { callerName, destinationName } from '../lib/words.ts'

/** The VirtualService is meant for gateways only; calls between pods do not see it. */
export default defineRule({
  code: 'vs-not-on-mesh',
  layer: 'client-sidecar-routing',
  severity: 'error',
  explains: ['not-applied'],
  title: 'The VirtualService does not apply inside the mesh',
  why: 'A VirtualService that lists gateways applies to those only. Calls from pod to pod take it when the list has the word mesh, or when there is no list.',
  needs: ['server.config', ['client.config', 'server.config']],
  seeAlso: ['https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService'],
  applies: ({ gateway, client, server }) => gateway === null && client.pods.length > 0 && server.host !== null,
  check(situation) {
    const host = situation.server.host ?? ''
    const all = situation.store.list('VirtualService').filter((stored) => namesHost(stored, host))
    const bound = all.filter(({ object }) => !isOnMesh(object.spec?.gateways))
    const route = routeOfCall(situation, 'client')
    if (route?.object?.kind === 'VirtualService') {
      const own = situation.store.get('VirtualService', route.object.namespace, route.object.name)
      return bound.length > 0 || own
        ? ruledOut(
            `the route of the call comes from ${objectText(route.object)}`,
            ...route.quotes('where the route comes from', route.object),
          )
        : quiet
    }
    const hits = bound.map((stored) => hitFor(situation, stored, route?.from === 'proxy'))
    return fired(...hits)
  },
})

function namesHost({ object }: Stored, host: string): boolean {
  const hosts: readonly string[] = object.spec?.hosts ?? []
  return hosts.some((name) => {
    const full = resolveHost(name, object.metadata.namespace ?? '', 'cluster.local')
    // `ledger.pay` has a dot and stays as it is; callers do use that name.
    return hostsMatch(full, host) || host.startsWith(`${name}.`)
  })
}

function isOnMesh(gateways: unknown): boolean {
  return !Array.isArray(gateways) || gateways.length === 0 || gateways.includes('mesh')
}

function hitFor(situation: Situation, stored: Stored, seen: boolean) {
  const ref = refOf(stored)
  const name = objectText(ref)
  const gateways: readonly string[] = stored.object.spec?.gateways ?? []
  const route = routeOfCall(situation, 'client')
  const finding = situation.analyze.find(
    ({ code, origin }) =>
      (code === 'IST0140' || code === 'IST0132') && origin?.name === ref.name && origin.namespace === ref.namespace,
  )
  const { pod } = situation.client
  return hitOf({
    subject: name,
    title: `${name} applies to ${gateways.join(', ')} only, so ${callerName(situation)} does not take it`,
    statement: `${name} names ${destinationName(situation)} and lists gateways ${gateways.join(', ')} without mesh. ${
      seen
        ? `The route that the proxy of ${callerName(situation)} holds for this host comes from no VirtualService.`
        : 'The routes of the caller’s proxy could not be read.'
    }`,
    certainty: seen ? 'proven' : 'likely',
    supporting: [
      quoteObject(stored, `where ${name} applies`, { hosts: stored.object.spec?.hosts, gateways }),
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
      statement: `If ${name} is meant for calls between pods, add mesh to its gateways and keep ${gateways.join(', ')}; its hosts must then name the Service as callers do.`,
      commands: [editCommand(ref)],
      scope: `every caller in the mesh of the hosts of ${name}`,
      risk: 'all its routes then apply to pods too, also those written for the gateway',
      undo: undoEdit(ref),
    },
    verify: {
      command: `istioctl proxy-config routes ${pod?.name ?? 'POD'}.${pod?.namespace ?? 'NAMESPACE'}`,
      expect: `${ref.name}.${ref.namespace} in the column VIRTUAL SERVICE`,
    },
    wouldDecide: seen
      ? null
      : {
          command: `istioctl proxy-config routes ${pod?.name ?? 'POD'}.${pod?.namespace ?? 'NAMESPACE'}`,
          why: 'the column VIRTUAL SERVICE shows what the proxy takes for this host',
        },
  })
}
