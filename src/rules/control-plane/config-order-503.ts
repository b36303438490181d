import { fired, quiet } from '../../model/finding.ts'
import type { Exchange } from '../../situation/exchanges.ts'
import type { Stored } from '../../situation/objects.ts'
import { quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { ruleFor } from '../lib/cluster.ts'
import { secondsBetween } from '../lib/container-times.ts'
import { hit } from '../lib/hit.ts'
import { clusterOf } from '../lib/transport.ts'
import { callerName, destinationName, plural, tryAgain } from '../lib/words.ts'

/** A route named a subset some moments before the DestinationRule that defines it had arrived. */
export default defineRule({
  code: 'config-order-503',
  layer: 'control-plane-xds',
  severity: 'info',
  explains: ['503'],
  title: 'A route arrived before the subset that it names',
  why: 'VirtualService and DestinationRule are pushed when they are applied. For the seconds between, routes may name a cluster that is not there, and requests get 503.',
  needs: [['client.accessLog', 'gateway.accessLog']],
  seeAlso: [
    'https://istio.io/latest/docs/ops/best-practices/traffic-management/#avoid-503-errors-while-reconfiguring-service-routes',
  ],
  check(situation) {
    const failing = situation.failing.filter(({ client, gateway }) => (client ?? gateway)?.record.flags.includes('NC'))
    const last = failing.at(-1)
    const [first] = failing
    const line = last?.client ?? last?.gateway
    if (!first || !last || !line || failing.length < situation.failing.length) return quiet
    const cluster = clusterOf(last)
    const after = situation.passing.filter(
      (one) => (one.time ?? '') > (last.time ?? '') && (cluster === null || clusterOf(one)?.raw === cluster.raw),
    )
    const late = after[0] ? madeBetween(situation, first, after[0]) : null
    const span = secondsBetween(first.time, last.time)
    const healed = after.at(-1)?.client ?? after.at(-1)?.gateway
    if (!healed || span === null || span > 60) return quiet
    return fired(
      hit({
        subject: destinationName(situation),
        title: `For ${Math.max(1, Math.round(span))} s ${callerName(situation)} had a route to a cluster that had not arrived yet`,
        statement: `${plural(failing.length, 'request')} got NC within ${Math.round(span)} s, and later ones to ${cluster?.raw ?? destinationName(situation)} pass.`,
        certainty: late ? 'proven' : 'likely',
        supporting: [
          quoteLine(line, 'the last one without a cluster'),
          quoteLine(healed, 'a later one through the same cluster'),
          ...(late
            ? [
                quoteObject(
                  late,
                  `made at ${late.object.metadata.creationTimestamp}, it defines the subset`,
                  late.object.spec?.subsets,
                ),
              ]
            : []),
        ],
        wouldDecide: late
          ? null
          : {
              command: `kubectl get virtualservices,destinationrules -n ${situation.serverNamespace ?? 'NAMESPACE'} -o yaml`,
              why: 'it shows when both were made and what they say: a VirtualService that names a subset or host from before its DestinationRule came explains those lines',
            },
        fix: {
          statement:
            'Nothing to mend now. Next time apply the DestinationRule first, wait until it has arrived, then the VirtualService; delete in reverse.',
          commands: [],
          scope: 'changes of routes and subsets',
          risk: 'none',
          undo: 'nothing to undo',
        },
        verify: tryAgain(situation, 'no 503'),
      }),
    )
  },
})

/** The DestinationRule that defines the subset of the later requests, where it was made after the first that failed. */
function madeBetween(situation: Situation, firstFailed: Exchange, firstPassed: Exchange): Stored | null {
  const subset = clusterOf(firstPassed)?.subset
  const [from, to] = [firstFailed.time, firstPassed.time].map((time) => Date.parse(time ?? ''))
  if (!subset || !situation.server.host || from === undefined || to === undefined) return null
  for (const { metadata, spec } of ruleFor(situation, situation.server.host)?.objects ?? []) {
    const stored = situation.store.get('DestinationRule', metadata.namespace ?? '', metadata.name)
    // Times of objects are cut to seconds.
    const made = Date.parse(stored?.object.metadata.creationTimestamp ?? '')
    const defines = Array.isArray(spec?.subsets) && spec.subsets.some((one: { name?: string }) => one?.name === subset)
    if (stored && defines && made + 1000 > from && made <= to) return stored
  }
  return null
}
