import { type ConfigObject, objectText } from '../../mesh/config-object.ts'
import { fired, type Hit, quiet, type RuleOutcome } from '../../model/finding.ts'
import type { Situation } from '../../situation/situation.ts'
import { quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { type FrontLine, frontLines, frontName, frontRole, quoteSign, share } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The route gives up before the destination has answered. The duration in the line says which limit it was. */
export default defineRule({
  code: 'ut-route-timeout',
  layer: 'client-sidecar-routing',
  severity: 'error',
  explains: ['504', 'timeout', 'slow'],
  title: 'The route timeout is shorter than the answer takes',
  why: 'A proxy that waits for a timeout in its route answers 504 by itself, whether or not the destination would have answered a moment later.',
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
  seeAlso: ['https://istio.io/latest/docs/concepts/traffic-management/#timeouts'],
  check(situation) {
    const signs = frontLines(
      situation,
      ({ record }) =>
        record.details === 'response_timeout' ||
        record.details === 'upstream_max_stream_duration_reached' ||
        (record.flags.includes('UT') && record.details === null),
    )
    if (signs.length > 0) return fired(timeoutHit(situation, signs))
    return situation.exchanges.length === 0
      ? fromRoute(situation)
      : signMissing(situation, 'no line ends in a route timeout')
  },
})

function timeoutHit(situation: Situation, signs: readonly FrontLine[]): Hit {
  const { role, line, exchange } = signs.at(-1) as FrontLine // the caller checked that there is one
  const route = routeOfCall(situation, role)
  const object = route?.object ?? null
  const waited = line.record.durationMs
  const limit = route?.timeoutMs ?? null
  // An injected delay comes before the router, whose clock the limit is.
  const delayed = line.record.flags.includes('DI') ? (route?.fault?.delay?.ms ?? 0) : 0
  // The limit in the route is only the reason when the request ran about that long.
  const fits = limit !== null && waited !== null && Math.abs(waited - delayed - limit) <= Math.max(100, limit * 0.1)
  const name = object ? objectText(object) : 'the route'
  const lines = signs.map((sign) => sign.line)
  const statement = fits
    ? `${frontName(situation, role)} gave up after ${waited} ms in ${share(situation, signs)}: the route of ${name} allows ${limit} ms${delayed > 0 ? `, after ${delayed} ms of injected delay` : ''}. ${destinationName(situation)} had not answered by then.`
    : `${frontName(situation, role)} gave up after ${waited ?? '?'} ms, and ${limit === null ? 'the route that was read has no such limit' : `the route that was read allows ${limit} ms`}. A header of the caller (x-envoy-upstream-rq-timeout-ms) or an earlier version of the route can set it.`
  return hitOf({
    subject: name,
    title: fits
      ? `${name} gives ${destinationName(situation)} ${limit} ms, and the answer takes longer`
      : `A timeout of ${waited ?? '?'} ms ends requests to ${destinationName(situation)}`,
    statement,
    certainty: fits ? 'proven' : 'likely',
    supporting: [
      ...quoteSign(situation, lines, `${frontName(situation, role)} stopped waiting after ${waited ?? '?'} ms`),
      ...(exchange.server
        ? [quoteLine(exchange.server, 'the destination was still at work when the caller hung up')]
        : []),
      ...(route?.quotes(`the route's timeout is ${limit ?? 'not set'} ms`, {
        timeout: limit,
        retries: route.retries,
      }) ?? []),
    ],
    fix: object
      ? editFix(
          object,
          `Find out why ${destinationName(situation)} takes that long, or raise ${fieldOf(object)} of ${name} above what a good answer needs; keep its matches, destinations and retries.`,
          `requests that take this route of ${name}`,
          'callers wait longer when the destination hangs, and hold their connections meanwhile',
        )
      : handOver('Find out which timeout ends it, and raise that one only for this path.', 'requests on this route'),
    verify: tryAgain(situation, 'no 504; the duration in the new line is below the timeout'),
    wouldDecide: fits
      ? null
      : {
          command: `istioctl proxy-config routes ${(line.pod ?? situation.client.pod)?.name ?? 'POD'}.${(line.pod ?? situation.client.pod)?.namespace ?? 'NAMESPACE'} -o json`,
          why: `a timeout of about ${waited ?? '?'} ms in the route of this request names the object`,
        },
  })
}

function fieldOf({ kind }: ConfigObject): string {
  return kind === 'HTTPRoute' ? 'timeouts.request in the rule' : 'timeout in the http route'
}

/** No line of this call: a timeout in its route is one of the things that may end it. */
function fromRoute(situation: Situation): RuleOutcome {
  const role = frontRole(situation)
  const route = routeOfCall(situation, role)
  const limit = route?.timeoutMs ?? null
  if (!route?.object || limit === null || (situation.symptom !== '504' && situation.symptom !== 'timeout')) return quiet
  const name = objectText(route.object)
  return fired(
    hitOf({
      subject: name,
      title: `${name} gives ${destinationName(situation)} ${limit} ms, which may be too short`,
      statement: `The route of this call allows ${limit} ms. No line of the call could be read to see whether that is what ends it.`,
      certainty: 'possible',
      supporting: route.quotes(`the route's timeout is ${limit} ms`, { timeout: limit, retries: route.retries }),
      fix: editFix(
        route.object,
        `Raise ${fieldOf(route.object)} of ${name} above what a good answer needs, once a line shows that it is the limit; keep its matches and destinations.`,
        `requests that take this route of ${name}`,
        'callers wait longer when the destination hangs',
      ),
      verify: tryAgain(situation, 'no 504'),
      wouldDecide: {
        command: `kubectl logs ${situation.client.pod?.name ?? 'POD'} -n ${situation.client.pod?.namespace ?? 'NAMESPACE'} -c istio-proxy`,
        why: `a line with UT after about ${limit} ms proves it`,
      },
    }),
  )
}
