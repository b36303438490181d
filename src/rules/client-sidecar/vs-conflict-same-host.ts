import { objectText } from '../../mesh/config-object.ts'
import { byAge } from '../../mesh/destination-rule.ts'
import { isExportedTo, resolveHost } from '../../mesh/hosts.ts'
import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { objectName, refOfObject } from '../lib/cluster.ts'
import { editFix, hitOf } from '../lib/make-hit.ts'
import { isUndiscovered, otherRevisionOf } from '../lib/read-by-istiod.ts'
import { destinationName } from '../lib/words.ts'

/** Two VirtualServices claim one host inside the mesh. One of them counts, the other does nothing. */
export default defineRule({
  code: 'vs-conflict-same-host',
  layer: 'client-sidecar-routing',
  severity: 'error',
  explains: ['not-applied'],
  title: 'Two VirtualServices claim the same host',
  why: 'Inside the mesh only one VirtualService counts for a host. With several, the older one wins and the rest is ignored, without any word in their status.',
  needs: ['server.config', ['client.config', 'server.config']],
  applies: ({ gateway, server }) => gateway === null && server.host !== null,
  check(situation) {
    const host = situation.server.host ?? ''
    const own = situation.client.namespace
    const claiming = situation.store
      .objects('VirtualService')
      .filter((object) => {
        const { spec, metadata } = object
        const gateways: readonly string[] = spec?.gateways ?? []
        const onMesh = gateways.length === 0 || gateways.includes('mesh')
        const hosts: readonly string[] = spec?.hosts ?? []
        const visible =
          own === null ||
          isExportedTo(spec?.exportTo, metadata.namespace ?? '', own, situation.mesh.defaultVirtualServiceExportTo)
        return (
          onMesh &&
          visible &&
          otherRevisionOf(situation, object) === null &&
          isUndiscovered(situation, metadata.namespace ?? '') !== true &&
          hosts.some((name) => resolveHost(name, metadata.namespace ?? '').toLowerCase() === host.toLowerCase())
        )
      })
      .sort(byAge)
    const [first] = claiming
    const route = routeOfCall(situation, 'client')
    if (!first) return quiet
    const stored = (object: typeof first) =>
      situation.store.get('VirtualService', object.metadata.namespace ?? null, object.metadata.name)
    const only = stored(first)
    if (claiming.length === 1)
      return only
        ? ruledOut('only one VirtualService names the host', quoteObject(only, 'the only one', only.object.spec?.hosts))
        : quiet
    const seen = route?.from === 'proxy' && route.object?.kind === 'VirtualService' ? route.object : null
    const winner =
      claiming.find(({ metadata }) => metadata.name === seen?.name && metadata.namespace === seen.namespace) ?? first
    const losers = claiming.filter((one) => one !== winner)
    const finding = situation.analyze.find(
      ({ code, origin }) => code === 'IST0109' && claiming.some(({ metadata }) => metadata.name === origin?.name),
    )
    const isProven = seen !== null
    const lost = losers.map(objectName).join(' and ')
    return fired(
      hitOf({
        subject: lost,
        title: `${objectName(winner)} and ${lost} claim ${destinationName(situation)}; only the first counts`,
        statement: `${claiming.length} VirtualServices name ${host} for calls inside the mesh.${isProven ? ` The route of the caller's proxy comes from ${objectText(seen)}` : ` The oldest, ${objectName(winner)}, should win`}; ${lost} ${losers.length === 1 ? 'has' : 'have'} no effect.`,
        certainty: isProven ? 'proven' : 'likely',
        supporting: [
          ...(route?.quotes('where the route comes from', { route: route.object, clusters: route.clusters }) ?? []),
          ...losers.flatMap((object) => {
            const found = stored(object)
            return found
              ? [
                  quoteObject(found, `${objectName(object)} names the same host`, {
                    hosts: object.spec?.hosts,
                    http: object.spec?.http,
                  }),
                ]
              : []
          }),
          ...(finding
            ? [quote(finding.entry, 'istioctl analyze says the same', `${finding.code} ${finding.message}`)]
            : []),
        ],
        fix: editFix(
          refOfObject(winner),
          `Move the routes of ${lost} into ${objectName(winner)}, the more specific matches first, then remove ${lost}; keep the routes that are there.`,
          `every caller of ${host} in the mesh`,
          'routes are tried in order: a general one in front hides those after it',
        ),
        verify: {
          command: `istioctl proxy-config routes ${situation.client.pod?.name ?? 'POD'}.${situation.client.pod?.namespace ?? 'NAMESPACE'}`,
          expect: 'the wanted routes under one VIRTUAL SERVICE for this host',
        },
        wouldDecide: isProven
          ? null
          : {
              command: `istioctl proxy-config routes ${situation.client.pod?.name ?? 'POD'}.${situation.client.pod?.namespace ?? 'NAMESPACE'}`,
              why: 'the column VIRTUAL SERVICE shows which of them the proxy takes',
            },
      }),
    )
  },
})
