import { objectText } from '../../mesh/config-object.ts'
import { fired, quiet } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { clusterOfLine } from '../lib/cluster.ts'
import { frontLines, frontName, quotePassing, quoteSign, share } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { destinationName, handOver, plural, tryAgain } from '../lib/words.ts'

/** The pods are ready, and the proxy has put them out of use because they failed before. */
export default defineRule({
  code: 'uh-outlier-ejected',
  layer: 'client-sidecar-cluster',
  severity: 'error',
  explains: ['503', 'reset'],
  title: 'Outlier detection has ejected every endpoint',
  why: 'A DestinationRule can tell proxies to stop using endpoints that fail. When all of them are out, the proxy has nowhere to go, although Kubernetes calls the pods ready.',
  needs: [
    ['client.accessLog', 'gateway.accessLog', 'waypoint.accessLog'],
    ['client.endpoints', 'gateway.endpoints', 'waypoint.endpoints', 'client.config', 'server.config'],
  ],
  yieldsTo: ['uh-no-endpoints', 'uh-subset-selects-none'],
  check(situation) {
    const signs = frontLines(
      situation,
      ({ record }) => record.flags.includes('UH') || record.details === 'no_healthy_upstream',
    )
    const last = signs.at(-1)
    if (!last) return signMissing(situation, 'no line says that there was no healthy endpoint')
    const route = routeOfCall(situation, last.role)
    const cluster = clusterOfLine(situation, last.line, route)
    if (!cluster) return quiet
    const all = cluster.endpoints ?? []
    const ejected = all.filter((endpoint) => endpoint.ejected === true)
    const readyPods = situation.server.pods.filter(({ ready }) => ready).length
    // Ejections end by themselves: healthy endpoints now, and a rule that ejects, is what is left to see.
    const wasEjected =
      ejected.length === 0 &&
      cluster.outlierDetection &&
      (all.some(({ usable }) => usable) || (cluster.endpoints === null && readyPods > 0))
    if (ejected.length === 0 && !wasEjected)
      return signMissing(
        situation,
        cluster.outlierDetection ? 'no endpoint is ejected' : 'nothing ejects endpoints of this cluster',
      )
    const name = cluster.object ? objectText(cluster.object) : null
    const destination = destinationName(situation)
    const failed = situation.exchanges.filter(
      ({ code, client, gateway }) => (code ?? 0) >= 500 && !((client ?? gateway)?.record.flags.includes('UH') ?? false),
    )
    return fired(
      hitOf({
        subject: destination,
        title: `${name ?? 'Outlier detection'} ${ejected.length > 0 ? `keeps ${ejected.length} of ${plural(all.length, 'endpoint')}` : 'may have put the endpoints'} of ${destination} out of use`,
        statement: `${frontName(situation, last.role)} had no healthy endpoint for ${share(situation, signs)}${ejected.length > 0 ? `; ${ejected.length} of ${plural(all.length, 'endpoint')} are ejected` : '. The endpoints are back now, and the cluster ejects endpoints that fail'}${name ? `, as ${name} says` : ''}.${
          failed.length > 0
            ? ` ${plural(failed.length, 'other request')} of this call failed with a 5xx: that is what ejects.`
            : ''
        }`,
        certainty: ejected.length > 0 && ejected.length === all.length ? 'proven' : 'likely',
        supporting: [
          ...quoteSign(
            situation,
            signs.map(({ line }) => line),
            `${frontName(situation, last.role)} found no healthy endpoint`,
          ),
          ...cluster.quoteEndpoints(`${ejected.length} of ${plural(all.length, 'endpoint')} ejected`),
          ...cluster.quotes(
            'the cluster ejects endpoints that fail',
            { outlierDetection: cluster.outlierDetection },
            (spec) => spec?.trafficPolicy?.outlierDetection,
          ),
          ...quotePassing(situation, last.role),
        ],
        fix: cluster.object
          ? editFix(
              cluster.object,
              `Find out what the endpoints fail with first. If ejecting is too eager, raise outlierDetection.consecutive5xxErrors or lower maxEjectionPercent in ${name}; keep connectionPool, tls and subsets.`,
              `callers for whom ${name} counts`,
              'endpoints that fail stay in use longer',
            )
          : handOver('Find out what the endpoints fail with; that is what ejects them.', destination),
        verify: tryAgain(situation, 'no UH in the new line'),
        wouldDecide:
          ejected.length > 0
            ? null
            : {
                command: `istioctl proxy-config endpoints ${situation.client.pod?.name ?? 'POD'}.${situation.client.pod?.namespace ?? 'NAMESPACE'} --cluster '${cluster.name}'`,
                why: 'OUTLIER CHECK FAILED while it happens shows the ejection',
              },
      }),
    )
  },
})
