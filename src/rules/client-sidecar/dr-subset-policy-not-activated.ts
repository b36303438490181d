import { parseClusterName } from '../../mesh/names.ts'
import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { objectName, refOfObject, ruleFor } from '../lib/cluster.ts'
import { editFix, hitOf } from '../lib/make-hit.ts'
import { destinationName } from '../lib/words.ts'

/** The settings stand in a subset, and no route leads to the subset. */
export default defineRule({
  code: 'dr-subset-policy-not-activated',
  layer: 'client-sidecar-cluster',
  severity: 'warning',
  explains: ['not-applied'],
  title: 'The settings of a subset have no effect without a route to it',
  why: 'The trafficPolicy of a subset counts only for requests that a VirtualService sends to that subset. Requests to the Service itself get the settings of the host.',
  needs: [['client.routes', 'gateway.routes', 'client.config'], 'server.config'],
  yieldsTo: ['vs-not-on-mesh', 'vs-conflict-same-host'],
  applies: ({ server }) => server.host !== null,
  check(situation) {
    const host = situation.server.host ?? ''
    const selected = ruleFor(situation, host)
    const subsets = selected?.subsets.filter(({ trafficPolicy }) => trafficPolicy !== null) ?? []
    const [first] = subsets
    if (!first) return quiet
    const role = situation.gateway ? 'gateway' : 'client'
    const route = routeOfCall(situation, role)
    if (!route || route.clusters.length === 0) return quiet
    const used = new Set(
      route.clusters
        .map(({ name }) => parseClusterName(name))
        .flatMap((name) => (name.host === host ? [name.subset] : [])),
    )
    const unused = subsets.filter(({ name }) => !used.has(name))
    if (!used.has('') || unused.length === 0)
      return ruledOut('the route leads to the subset', ...route.quotes('where the route leads', route.clusters))
    const rule = objectName(first.from)
    const stored = situation.store.get(
      'DestinationRule',
      first.from.metadata.namespace ?? null,
      first.from.metadata.name,
    )
    const names = unused.map(({ name }) => name).join(', ')
    const seen = route.from === 'proxy'
    return fired(
      hitOf({
        subject: rule,
        title: `The settings of subset ${names} in ${rule} do not count: no route leads there`,
        statement: `${rule} has a trafficPolicy in subset ${names}, and the route of this call leads to ${route.clusters.map(({ name }) => name).join(', ')}, which is no subset.`,
        certainty: seen ? 'proven' : 'likely',
        supporting: [
          ...(stored
            ? [
                quoteObject(
                  stored,
                  `settings of subsets in ${rule}`,
                  unused.map(({ name, trafficPolicy }) => ({ name, trafficPolicy })),
                ),
              ]
            : []),
          ...route.quotes('where the route leads', { clusters: route.clusters }),
        ],
        fix: editFix(
          refOfObject(first.from),
          `Move the settings to spec.trafficPolicy of ${rule} if they are meant for all pods, or route ${destinationName(situation)} to subset ${names} with a VirtualService; keep the other subsets.`,
          `callers for whom ${rule} counts`,
          'the settings begin to count for all requests',
        ),
        verify: {
          command: `istioctl proxy-config clusters ${situation.client.pod?.name ?? 'POD'}.${situation.client.pod?.namespace ?? 'NAMESPACE'} --fqdn ${host} -o json`,
          expect: 'the settings in the cluster that the route names',
        },
        wouldDecide: seen
          ? null
          : {
              command: `istioctl proxy-config routes ${situation.client.pod?.name ?? 'POD'}.${situation.client.pod?.namespace ?? 'NAMESPACE'} -o json`,
              why: 'the cluster of the route says whether a subset is used',
            },
      }),
    )
  },
})
