import { objectText } from '../../mesh/config-object.ts'
import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { type CallRoute, routeOfCall } from '../lib/call-route.ts'
import { objectName } from '../lib/cluster.ts'
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
import { type MissingCluster, type MissingKind, missingClusters } from '../lib/missing-cluster.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The route names a subset, a port or a host that nobody has defined, so the proxy has no cluster of that name. */
export default defineRule({
  code: 'nc-subset-undefined',
  layer: 'client-sidecar-cluster',
  severity: 'error',
  explains: ['503', '500', 'reset'],
  title: 'The route leads to something nobody defined',
  why: 'A VirtualService may name any subset, port or host. Where no DestinationRule defines the subset, or no Service has that port or name, the proxy gets a route without a cluster behind it and answers 503 itself.',
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
  seeAlso: ['https://istio.io/latest/docs/reference/config/analysis/ist0101/'],
  check(situation) {
    const signs = frontLines(situation, isNotFound)
    const role = signs.at(-1)?.role ?? frontRole(situation)
    const route = routeOfCall(situation, role)
    if (signs.length === 0 && (situation.failing.length > 0 || frontWasSeen(situation)))
      return signMissing(situation, 'no line says that a cluster was not found')
    const missing = missingClusters(situation, route).find(({ why }) => isUndefined(why))
    if (!missing) return signs.length > 0 ? quiet : signMissing(situation, 'every cluster of the route exists')
    return fired(undefinedHit(situation, { role, route, missing, lines: signs.map(({ line }) => line) }))
  },
})

export function isNotFound({ record }: Line): boolean {
  return record.flags.includes('NC') || record.details === 'cluster_not_found'
}

function isUndefined({ kind }: MissingKind): boolean {
  return kind === 'subset-undefined' || kind === 'port-undefined' || kind === 'no-host'
}

function textOf({ parsed, why }: MissingCluster): string {
  const { host, port, subset } = parsed
  switch (why.kind) {
    case 'subset-undefined':
      return why.rules.length > 0
        ? `${why.rules.map(objectName).join(' and ')} ${why.defined.length > 0 ? `defines ${why.defined.join(', ')}` : 'defines no subset'} and not ${subset}`
        : `no DestinationRule defines subset ${subset} of ${host}`
    case 'port-undefined':
      return `${objectName(why.service)} has ${why.ports.length > 0 ? `port ${why.ports.join(', ')}` : 'no port'} and not ${port}`
    default:
      return `there is no Service ${host}`
  }
}

interface Found {
  readonly role: FrontRole
  readonly route: CallRoute | null
  readonly missing: MissingCluster
  readonly lines: readonly Line[]
}

function undefinedHit(situation: Situation, { role, route, missing, lines }: Found): Hit {
  const { parsed, name, why } = missing
  const object = route?.object ?? null
  const owner = object ? objectText(object) : 'the route'
  const where = parsed.subset === '' ? `${parsed.host}:${parsed.port}` : `subset ${parsed.subset} of ${parsed.host}`
  const finding = situation.analyze.find(
    ({ code, origin }) =>
      code === 'IST0101' && object !== null && origin?.name === object.name && origin.namespace === object.namespace,
  )
  const definers = why.kind === 'subset-undefined' ? why.rules : why.kind === 'port-undefined' ? [why.service] : []
  const clusters = route?.traced?.entries.clusters ?? null
  return hitOf({
    subject: owner,
    title: `${owner} sends ${destinationName(situation)} to ${where}, which nobody defines`,
    statement: `${lines.length > 0 ? `${frontName(situation, role)} had no cluster for ${share(situation, lines)}. ` : ''}The route of ${owner} leads to ${name}${missing.percent < 100 ? ` for ${missing.percent} % of the requests` : ''}; ${textOf(missing)}.`,
    certainty: lines.length > 0 ? 'proven' : unseenCertainty(situation),
    supporting: [
      ...quoteSign(situation, lines, `${frontName(situation, role)} did not find the cluster of its route`),
      ...(route?.quotes(`the route of ${owner} leads to ${name}`, { clusters: route.clusters }) ?? []),
      ...(missing.seen && clusters
        ? [quote(clusters, `${name} is not among the clusters of ${frontName(situation, role)}`)]
        : []),
      ...definers.flatMap((definer) => {
        const stored = situation.store.get(definer.kind, definer.metadata.namespace ?? null, definer.metadata.name)
        return stored
          ? [quoteObject(stored, `what ${objectName(definer)} defines`, definer.spec?.subsets ?? definer.spec?.ports)]
          : []
      }),
      ...(finding
        ? [quote(finding.entry, 'istioctl analyze says the same', `${finding.code} ${finding.message}`)]
        : []),
      ...quotePassing(situation, role),
    ],
    fix: object
      ? editFix(
          object,
          `In ${owner}, route to ${why.kind === 'subset-undefined' && why.defined.length > 0 ? `a subset that exists (${why.defined.join(', ')})` : 'what exists'} instead of ${where}, or define it; keep the other routes and matches.`,
          `requests that take this route of ${owner}`,
          'the traffic goes where the corrected route says: make sure that it can take it',
        )
      : handOver(`Define ${where}, or route to what exists.`, 'requests on this route'),
    verify: tryAgain(situation, 'no NC in the new line'),
    wouldDecide:
      lines.length > 0
        ? null
        : {
            command: `kubectl logs ${situation.client.pod?.name ?? 'POD'} -n ${situation.client.pod?.namespace ?? 'NAMESPACE'} -c istio-proxy`,
            why: 'a line with NC shows that this request took that route',
          },
  })
}
