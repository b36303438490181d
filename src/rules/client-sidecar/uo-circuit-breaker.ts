import { objectText } from '../../mesh/config-object.ts'
import { fired } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { clusterOfLine } from '../lib/cluster.ts'
import { frontLines, frontName, quotePassing, quoteSign, share } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The pool towards the destination is full, and the proxy turns requests away instead of queueing them. */
export default defineRule({
  code: 'uo-circuit-breaker',
  layer: 'client-sidecar-cluster',
  severity: 'error',
  explains: ['503', 'reset', 'slow'],
  title: 'A limit of the connection pool turns requests away',
  why: 'A DestinationRule limits how many connections, waiting requests or retries a proxy allows towards a destination. What comes on top gets 503 at once, from the caller’s own proxy.',
  needs: [['client.accessLog', 'gateway.accessLog', 'waypoint.accessLog']],
  seeAlso: ['https://istio.io/latest/docs/tasks/traffic-management/circuit-breaking/'],
  check(situation) {
    const signs = frontLines(
      situation,
      ({ record }) => record.flags.includes('UO') || /\{overflow/.test(record.details ?? ''),
    )
    const last = signs.at(-1)
    if (!last) return signMissing(situation, 'no line speaks of a full pool')
    const route = routeOfCall(situation, last.role)
    const cluster = clusterOfLine(situation, last.line, route)
    const limits = cluster?.limits ?? {}
    const { object = null } = cluster ?? {}
    const limitText = Object.entries(limits)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ')
    const name = object ? objectText(object) : null
    const maintenance = last.line.record.details === 'maintenance_mode'
    const isProven = limitText !== '' || maintenance
    return fired(
      hitOf({
        subject: name ?? cluster?.name ?? 'the connection pool',
        title: `${name ?? 'A pool limit'} lets only so many requests through to ${destinationName(situation)}${limitText ? ` (${limitText})` : ''}`,
        statement: `${frontName(situation, last.role)} turned away ${share(situation, signs)} because its pool for ${cluster?.name ?? 'the destination'} was full.${
          limitText
            ? ` The limits are ${limitText}${name ? `, from ${name}` : ''}.`
            : ' No limit of it could be read: Envoy limits retries by itself, too.'
        }`,
        certainty: isProven ? 'proven' : 'likely',
        supporting: [
          ...quoteSign(
            situation,
            signs.map(({ line }) => line),
            `${frontName(situation, last.role)} logged an overflow`,
          ),
          ...(cluster?.quotes(
            `limits of the pool${name ? ` from ${name}` : ''}`,
            limits,
            (spec) => spec?.trafficPolicy?.connectionPool,
          ) ?? []),
          ...quotePassing(situation, last.role),
        ],
        fix: object
          ? editFix(
              object,
              `Raise connectionPool (${limitText || 'the limit that is hit'}) in ${name} to what the callers need at once; leave outlierDetection, tls and subsets as they are.`,
              `every caller for whom ${name} counts`,
              'the destination gets more requests at once than the limit meant to allow',
            )
          : handOver(
              'Raise the limit of the pool that is full, or send fewer requests at once.',
              'callers of this destination',
            ),
        verify: tryAgain(situation, 'no UO in new log lines at the same load'),
        wouldDecide: isProven
          ? null
          : {
              command: `kubectl get destinationrules.networking.istio.io -n ${situation.server.namespace ?? 'NAMESPACE'} -o yaml`,
              why: 'a connectionPool for this host names the limit',
            },
      }),
    )
  },
})
