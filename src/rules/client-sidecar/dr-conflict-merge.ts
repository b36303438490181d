import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { clusterFacts, objectName, refOfObject, ruleFor } from '../lib/cluster.ts'
import { editFix, hitOf } from '../lib/make-hit.ts'
import { destinationName, senderName } from '../lib/words.ts'

/** Several DestinationRules name one host, and what one of them says is lost. */
export default defineRule({
  code: 'dr-conflict-merge',
  layer: 'client-sidecar-cluster',
  severity: 'warning',
  explains: ['not-applied'],
  title: 'A DestinationRule is hidden by another one',
  why: 'For one host and caller one DestinationRule counts: that of the caller’s namespace, else that of the Service’s, else that of the root namespace. What the others say has no effect.',
  needs: ['server.config', ['client.config', 'server.config']],
  applies: ({ server }) => server.host !== null,
  check(situation) {
    const { server, store, client } = situation
    const namespaces = [client.namespace, server.namespace]
    if (!server.host || namespaces.some((name) => name !== null && store.readable('DestinationRule', name) !== 'yes'))
      return quiet
    const selected = ruleFor(situation, server.host)
    const winner = selected?.objects[0]
    if (!selected || !winner) return quiet
    const lost = [
      ...selected.hidden.map(({ object, why }) => ({ object, why })),
      ...selected.duplicateSubsets.map(({ name, ignoredIn }) => ({
        object: ignoredIn,
        why: `subset ${name} is defined twice, and the older definition counts`,
      })),
      // Merged rules keep their subsets; of several traffic policies only one counts.
      ...selected.objects
        .filter((object) => object !== selected.policyFrom && object.spec?.trafficPolicy && selected.policyFrom)
        .map((object) => ({
          object,
          why: `the trafficPolicy of ${selected.policyFrom ? objectName(selected.policyFrom) : 'another rule'} counts`,
        })),
    ].filter(({ object }) => object.spec?.trafficPolicy || object.spec?.subsets)
    const stored = (object: typeof winner) =>
      store.get('DestinationRule', object.metadata.namespace ?? null, object.metadata.name)
    const [first] = lost
    const kept = stored(winner)
    if (!first)
      return kept
        ? ruledOut(
            'no other DestinationRule of this host is hidden',
            quoteObject(kept, 'the one that counts', winner.spec?.host),
          )
        : quiet
    const route = routeOfCall(situation, 'client')
    const cluster =
      route?.clusters
        .map(({ name }) => clusterFacts(situation, name, route))
        .find(({ parsed }) => parsed.host === server.host) ?? null
    const seen =
      cluster?.exists === true &&
      cluster.object?.name === winner.metadata.name &&
      cluster.object.namespace === winner.metadata.namespace
    const loser = stored(first.object)
    return fired(
      hitOf({
        subject: objectName(first.object),
        title: `${objectName(first.object)} has no effect on ${senderName(situation)}: ${objectName(winner)} counts`,
        statement: `Both name ${destinationName(situation)}. For ${senderName(situation)} ${objectName(winner)} counts, and ${objectName(first.object)} does not: ${first.why}.${seen ? ' The cluster of the caller’s proxy carries the first one only.' : ''}`,
        certainty: seen ? 'proven' : 'likely',
        supporting: [
          ...(kept ? [quoteObject(kept, `what counts, ${objectName(winner)}`, winner.spec)] : []),
          ...(loser ? [quoteObject(loser, `what is lost, ${objectName(first.object)}`, first.object.spec)] : []),
          ...(cluster
            ?.quotes('the cluster of the caller’s proxy', { from: cluster.object }, (spec) => spec?.trafficPolicy)
            .slice(0, 1) ?? []),
          ...(situation.meshEntry && first.object.metadata.namespace === situation.rootNamespace
            ? [quote(situation.meshEntry, 'which namespace is the root', situation.rootNamespace)]
            : []),
        ],
        fix: editFix(
          refOfObject(winner),
          `Put what callers need of ${objectName(first.object)} into ${objectName(winner)}; keep what is there.`,
          `callers for whom ${objectName(winner)} counts`,
          'settings that were without effect begin to count',
        ),
        verify: {
          command: `istioctl proxy-config clusters ${client.pod?.name ?? 'POD'}.${client.pod?.namespace ?? 'NAMESPACE'} --fqdn ${server.host} -o json`,
          expect: 'the wanted settings in the cluster',
        },
        wouldDecide: seen
          ? null
          : {
              command: `istioctl proxy-config clusters ${client.pod?.name ?? 'POD'}.${client.pod?.namespace ?? 'NAMESPACE'} --fqdn ${server.host}`,
              why: 'the column DESTINATION RULE shows which one the proxy has',
            },
      }),
    )
  },
})
