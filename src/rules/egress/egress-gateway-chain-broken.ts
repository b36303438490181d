import { objectText } from '../../mesh/config-object.ts'
import { parseClusterName } from '../../mesh/names.ts'
import { fired, quiet } from '../../model/finding.ts'
import { quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { quoteSign, share } from '../lib/front.ts'
import { editFix, hitOf } from '../lib/make-hit.ts'
import { callerName, handOver, tryAgain } from '../lib/words.ts'

/** Traffic to an outside host is sent through an egress gateway, and a link of that chain is missing. */
export default defineRule({
  code: 'egress-gateway-chain-broken',
  layer: 'egress',
  severity: 'error',
  explains: ['503', '404', 'reset', 'tls', '502'],
  title: 'The way through the egress gateway is broken',
  why: 'Sending traffic out through a gateway takes a route in the mesh, a subset or port of the gateway, a Gateway, and a second route there. Where one of them is missing, requests end at the caller’s proxy or at the gateway.',
  needs: [
    ['client.accessLog', 'client.routes'],
    ['client.routes', 'client.config'],
  ],
  applies: ({ server }) => server.external,
  check(situation) {
    const route = routeOfCall(situation, 'client')
    const lines = situation.failing.flatMap(({ client }) => (client ? [client] : []))
    const last = lines.at(-1)
    if (!last) return quiet
    // What the line names is where this request went, whatever the routes say by now.
    const named = last.record.upstreamCluster === null ? [] : [last.record.upstreamCluster]
    const relay = [...named, ...(route?.clusters ?? []).map(({ name }) => name)]
      .map((name) => parseClusterName(name))
      .find(({ role, host }) => role === 'outbound' && host.endsWith('.svc.cluster.local'))
    if (!relay) return quiet
    const { flags, details } = last.record
    const atCaller = flags.includes('NC') || flags.includes('UH') || details === 'cluster_not_found'
    const beyond = details === 'via_upstream' && (last.record.code ?? 0) >= 400
    if (!atCaller && !beyond) return quiet
    const gateway = relay.host.replace('.svc.cluster.local', '')
    const owner = route?.object ? objectText(route.object) : 'the route'
    return fired(
      hitOf({
        subject: owner,
        title: atCaller
          ? `${owner} sends traffic to ${situation.server.host} through ${gateway}, which ${callerName(situation)} cannot reach`
          : `${gateway} answers ${last.record.code} for ${situation.server.host}`,
        statement: `${owner} leads to ${relay.raw}. ${atCaller ? `The caller's proxy ended ${share(situation, lines)} itself (${flags.join(',') || details}): that subset or port of the gateway does not exist or has no endpoint.` : `The caller's proxy delivered ${share(situation, lines)} there, and ${last.record.code} came back; whether the gateway or the outside host made it stands in the gateway's log.`}`,
        certainty: atCaller ? 'proven' : 'likely',
        supporting: [
          ...quoteSign(situation, lines, 'what the caller got'),
          ...(route?.object ? route.quotes('the route through the gateway', { clusters: route.clusters }) : []),
          quoteLine(last, 'where the request went'),
        ],
        fix: route?.object
          ? editFix(
              route.object,
              `Complete the chain that ${owner} begins: ${atCaller ? `the subset or port that ${relay.raw} names` : 'a Gateway server and a route for this host at the gateway'}; keep the mesh part of ${owner}.`,
              `callers of ${situation.server.host}`,
              'traffic leaves through the gateway as soon as the chain is whole',
            )
          : handOver('Complete the chain through the egress gateway.', `callers of ${situation.server.host}`),
        verify: tryAgain(situation, 'an answer of the outside host'),
        wouldDecide: atCaller
          ? null
          : {
              command: `kubectl logs -n ${relay.host.split('.')[1] ?? 'NAMESPACE'} deploy/${relay.host.split('.')[0] ?? 'GATEWAY'}`,
              why: "flag and details of the gateway's line say who answered",
            },
      }),
    )
  },
})
