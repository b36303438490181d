import { parseClusterName } from '../../mesh/names.ts'
import type { AccessLogRecord } from '../../model/access-log.ts'
import { fired } from '../../model/finding.ts'
import { ipOf } from '../../situation/hints.ts'
import { defineRule } from '../define-rule.ts'
import { frontLines, frontName, quotePassing, quoteSign, share } from '../lib/front.ts'
import { hitOf, signMissing } from '../lib/make-hit.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

/** The outside host closed a connection that the proxy had kept open. */
export default defineRule({
  code: 'external-lb-ip-change-503',
  layer: 'egress',
  severity: 'error',
  explains: ['503', 'reset'],
  title: 'The outside host drops connections that are kept open',
  why: 'Load balancers outside close idle connections and change their addresses. A proxy that keeps connections open for reuse finds out with the next request.',
  needs: [['client.accessLog', 'gateway.accessLog']],
  applies: ({ server }) => server.external,
  check(situation) {
    const signs = frontLines(situation, ({ record }) => {
      const role = record.upstreamCluster === null ? null : parseClusterName(record.upstreamCluster)
      const outside =
        role?.role === 'passthrough' ||
        role?.role === 'dynamic-dns' ||
        (role?.role === 'outbound' && !role.host.endsWith('.cluster.local'))
      return outside && (record.flags.includes('UC') || /\{connection_termination/.test(record.details ?? ''))
    })
    const last = signs.at(-1)
    if (!last) return signMissing(situation, 'no connection to the outside host was cut')
    const used = situation
      .linesAt(last.role)
      .filter(
        ({ record }) =>
          record.upstreamLocal !== null &&
          record.upstreamLocal === last.line.record.upstreamLocal &&
          record.details === 'via_upstream',
      )
    const fresh = situation.passing.find(
      ({ client, gateway }) => (client ?? gateway)?.record.upstreamLocal !== last.line.record.upstreamLocal,
    )
    const destination = destinationName(situation)
    // New connections pass while kept ones are cut: that is the difference that decides.
    const isProven = used.length > 0 && fresh !== undefined
    // The address may be that of a pod that takes mutual TLS only.
    const address =
      isCalledByAddress(last.line.record) && used.length === 0 ? ipOf(last.line.record.upstreamHost) : null
    return fired(
      hitOf({
        subject: destination,
        title: `${destination} closes connections that the proxy keeps open`,
        statement: `${frontName(situation, last.role)} lost the connection to ${last.line.record.upstreamHost ?? destination} in ${share(situation, signs)}.${used.length > 0 ? ` It had carried ${used.length} answers before.` : ''}${fresh ? ' Requests on other connections pass.' : ''}`,
        certainty: isProven ? 'proven' : address !== null ? 'possible' : 'likely',
        supporting: [
          ...quoteSign(
            situation,
            signs.map(({ line }) => line),
            'the outside host closed the connection',
          ),
          ...quotePassing(situation, last.role),
        ],
        fix: {
          statement: `Let connections to ${destination} end before the load balancer's idle time (a DestinationRule with connectionPool.http.idleTimeout for this host), with a ServiceEntry so that the host is known.`,
          commands: [],
          scope: `callers of ${destination}`,
          risk: 'connections to it are made anew more often',
          undo: 'take the DestinationRule and the ServiceEntry out again',
        },
        verify: tryAgain(situation, 'no UC in new lines over an hour'),
        wouldDecide: isProven
          ? null
          : address !== null
            ? {
                command: `kubectl get pods -A -o wide --field-selector=status.podIP=${address}`,
                why: 'a pod with this address is no outside host: its proxy may refuse what comes without mutual TLS',
              }
            : {
                command: `kubectl logs ${situation.client.pod?.name ?? 'POD'} -n ${situation.client.pod?.namespace ?? 'NAMESPACE'} -c istio-proxy --tail=-1`,
                why: 'earlier lines show whether the cut connections (UPSTREAM_LOCAL_ADDRESS) had been used before',
              },
      }),
    )
  },
})

/** Called by its address, so that nothing but the passthrough speaks for an outside host. */
function isCalledByAddress({ upstreamCluster, authority }: AccessLogRecord): boolean {
  return (
    upstreamCluster !== null && parseClusterName(upstreamCluster).role === 'passthrough' && ipOf(authority) !== null
  )
}
