import { objectText } from '../../mesh/config-object.ts'
import { fired, quiet } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { clusterOfLine } from '../lib/cluster.ts'
import { frontLines, frontName, frontRole, quotePassing, quoteSign, share } from '../lib/front.ts'
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
  needs: [
    [
      'client.accessLog',
      'gateway.accessLog',
      'waypoint.accessLog',
      'client.clusters',
      'gateway.clusters',
      'client.config',
      'server.config',
    ],
  ],
  seeAlso: ['https://istio.io/latest/docs/tasks/traffic-management/circuit-breaking/'],
  check(situation) {
    const signs = frontLines(
      situation,
      ({ record }) => record.flags.includes('UO') || /\{overflow/.test(record.details ?? ''),
    )
    const last = signs.at(-1)
    // With no line at all a small pool is one of the things that may be behind it.
    if (!last && situation.exchanges.length > 0) return signMissing(situation, 'no line speaks of a full pool')
    const role = last?.role ?? frontRole(situation)
    const route = routeOfCall(situation, role)
    const cluster = clusterOfLine(situation, last?.line ?? null, route)
    const limits = cluster?.limits ?? {}
    const { object = null } = cluster ?? {}
    const limitText = Object.entries(limits)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ')
    const name = object ? objectText(object) : null
    if (!last && (limitText === '' || situation.symptom !== '503')) return quiet
    const maintenance = last?.line.record.details === 'maintenance_mode'
    const isProven = last !== undefined && (limitText !== '' || maintenance)
    return fired(
      hitOf({
        subject: name ?? cluster?.name ?? 'the connection pool',
        title: `${name ?? 'A pool limit'} lets only so many requests through to ${destinationName(situation)}${limitText ? ` (${limitText})` : ''}`,
        statement: `${last ? `${frontName(situation, role)} turned away ${share(situation, signs)} because its pool for ${cluster?.name ?? 'the destination'} was full.` : 'No line of this call could be read to see whether requests are turned away.'}${
          limitText
            ? ` The limits are ${limitText}${name ? `, from ${name}` : ''}.`
            : ' No limit of it could be read: Envoy limits retries by itself, too.'
        }`,
        certainty: isProven ? 'proven' : last ? 'likely' : 'possible',
        supporting: [
          ...quoteSign(
            situation,
            signs.map(({ line }) => line),
            `${frontName(situation, role)} logged an overflow`,
          ),
          ...(cluster?.quotes(
            `limits of the pool${name ? ` from ${name}` : ''}`,
            limits,
            (spec) => spec?.trafficPolicy?.connectionPool,
          ) ?? []),
          ...quotePassing(situation, role),
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
              why: 'it shows the connectionPool of this host, which names the limit that was reached',
            },
      }),
    )
  },
})
