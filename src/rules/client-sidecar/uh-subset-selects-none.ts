import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { matchesLabels } from '../../situation/pods.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { clusterFacts, clusterOfLine, objectName, refOfObject, withSubset } from '../lib/cluster.ts'
import {
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
import { subsetOf } from '../lib/subsets.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

/** The subset exists, and no pod carries its labels: the cluster stays empty while the Service has pods. */
export default defineRule({
  code: 'uh-subset-selects-none',
  layer: 'client-sidecar-cluster',
  severity: 'error',
  explains: ['503', 'reset'],
  title: 'The labels of a subset fit no pod',
  why: 'A route that sends requests to a subset uses only pods with the labels of that subset. Where no pod has them, the proxy has nowhere to go, however many other pods the Service has.',
  needs: [
    [
      'client.accessLog',
      'gateway.accessLog',
      'waypoint.accessLog',
      'client.endpoints',
      'gateway.endpoints',
      'client.config',
      'server.config',
    ],
  ],
  check(situation) {
    const signs = frontLines(
      situation,
      ({ record }) => record.flags.includes('UH') || record.details === 'no_healthy_upstream',
    )
    const last = signs.at(-1)
    const role = last?.role ?? frontRole(situation)
    const route = routeOfCall(situation, role)
    if (!last && (situation.failing.length > 0 || frontWasSeen(situation)))
      return signMissing(situation, 'no line says that there was no healthy endpoint')
    const empty = route?.clusters
      .map(({ name }) => clusterFacts(situation, name, route))
      .find(({ parsed, endpoints }) => parsed.subset !== '' && (endpoints?.length === 0 || route.from === 'objects'))
    const cluster = last ? clusterOfLine(situation, last.line, route) : (empty ?? null)
    if (!cluster) return quiet
    if (cluster.parsed.subset === '') return signMissing(situation, 'the cluster that had no endpoint names no subset')
    const { parsed } = cluster
    const subset = subsetOf(situation, parsed)
    const namespace = parsed.host.split('.')[1] ?? ''
    const podsRead = situation.store.readable('Pod', namespace) === 'yes'
    const service = situation.store.get('Service', namespace, parsed.host.split('.')[0] ?? '')
    const pods = situation.pods.filter(
      (pod) => pod.namespace === namespace && matchesLabels(service?.object.spec?.selector, pod.labels),
    )
    if (podsRead && service && pods.length === 0)
      return signMissing(situation, 'the Service has no pod at all, in no subset')
    const fitting = subset ? pods.filter((pod) => matchesLabels(subset.labels, pod.labels)) : []
    if (fitting.length > 0)
      return ruledOut(
        `pods carry the labels of subset ${parsed.subset}`,
        quote(fitting[0]?.entry ?? '', 'a pod of the subset', JSON.stringify(subset?.labels ?? {})),
      )
    if (!last && cluster.endpoints === null && (!subset || !podsRead)) return quiet
    const finding = situation.analyze.find(
      ({ code, message, origin }) =>
        code === 'IST0173' && message.includes(` ${parsed.subset} `) && origin?.name === subset?.from.metadata.name,
    )
    const labels = subset ? Object.entries(subset.labels).map(([key, value]) => `${key}=${value}`) : []
    const isKnown = subset !== null && podsRead && service !== null
    const rule = subset
      ? situation.store.get('DestinationRule', subset.from.metadata.namespace ?? null, subset.from.metadata.name)
      : null
    const whole = clusterFacts(situation, withSubset(parsed, ''), route)
    const name = frontName(situation, role)
    return fired(
      hitOf({
        subject: `${parsed.host}, subset ${parsed.subset}`,
        title: `Subset ${parsed.subset} of ${destinationName(situation)} selects no pod${labels.length > 0 ? ` (${labels.join(', ')})` : ''}`,
        statement: `${last ? `${name} sent ${share(situation, signs)} to subset ${parsed.subset} and found nobody there. ` : ''}${
          subset
            ? `${objectName(subset.from)} gives it the labels ${labels.join(', ')}; ${podsRead ? `none of the ${pods.length} pods of the Service carries them` : 'the pods could not be read'}.`
            : 'The DestinationRule that defines it could not be read.'
        }`,
        certainty: !last ? unseenCertainty(situation) : isKnown || finding !== undefined ? 'proven' : 'likely',
        supporting: [
          ...quoteSign(
            situation,
            signs.map(({ line }) => line),
            `${name} found no endpoint in subset ${parsed.subset}`,
          ),
          ...cluster.quoteEndpoints(`the cluster of subset ${parsed.subset} is empty`),
          ...(rule && subset
            ? [quoteObject(rule, `how the subset is defined`, { name: subset.name, labels: subset.labels })]
            : []),
          ...(finding
            ? [quote(finding.entry, 'istioctl analyze says the same', `${finding.code} ${finding.message}`)]
            : []),
          ...pods
            .slice(0, 1)
            .map((pod) =>
              quote(pod.entry, `labels of ${pod.name}, one of the ${pods.length} pods`, JSON.stringify(pod.labels)),
            ),
          ...whole.quoteEndpoints('the cluster without subset has endpoints'),
          ...quotePassing(situation, role),
        ],
        fix: rule
          ? editFix(
              refOfObject(rule.object),
              `Correct the labels of subset ${parsed.subset} in ${objectName(rule.object)} to those its pods carry, or give the pods that label; keep its other subsets and its trafficPolicy.`,
              `requests that a route sends to subset ${parsed.subset}`,
              'labels that fit more pods than meant send them traffic of this subset',
            )
          : {
              statement: `Correct the labels of subset ${parsed.subset}, or route to a subset that has pods.`,
              commands: [],
              scope: `requests to subset ${parsed.subset}`,
              risk: 'none while only reading',
              undo: 'nothing to undo',
            },
        verify: tryAgain(situation, 'an answer of the application, and no UH in the new line'),
        wouldDecide:
          last && (isKnown || finding)
            ? null
            : {
                command: `kubectl get pods -n ${namespace || 'NAMESPACE'} --show-labels`,
                why: `it shows whether a pod carries the labels of subset ${parsed.subset}`,
              },
      }),
    )
  },
})
