import { objectText } from '../../mesh/config-object.ts'
import { fired } from '../../model/finding.ts'
import { quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { routeOfCall } from '../lib/call-route.ts'
import { frontLines, frontName, quoteSign, share } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { destinationName, handOver, plural, tryAgain } from '../lib/words.ts'

const perTry = new Set(['upstream_per_try_timeout', 'upstream_per_try_idle_timeout'])

/** Every try times out, and the tries add up: the caller waits for all of them, and the destination works on each. */
export default defineRule({
  code: 'retry-multiplied-timeout',
  layer: 'client-sidecar-routing',
  severity: 'error',
  explains: ['504', 'timeout', 'slow'],
  title: 'Retries multiply a timeout per try',
  why: 'With a timeout per try, a slow destination is asked again and again. The caller waits for attempts times that timeout, and a request that changes something may happen several times.',
  needs: [['client.accessLog', 'gateway.accessLog', 'waypoint.accessLog']],
  check(situation) {
    const signs = frontLines(situation, ({ record }) => perTry.has(record.details ?? ''))
    const last = signs.at(-1)
    if (!last) return signMissing(situation, 'no line ends in a timeout per try')
    const route = routeOfCall(situation, last.role)
    const retries = route?.retries ?? null
    const object = route?.object ?? null
    const name = object ? objectText(object) : 'the route'
    const requestId = last.line.record.requestId
    const tries = situation
      .linesAt('server')
      .filter(({ record }) => requestId !== null && record.requestId === requestId)
    const attempts = retries ? retries.attempts + 1 : null
    const perTryMs = retries?.perTryMs ?? null
    return fired(
      hitOf({
        subject: name,
        title: `Each try of ${destinationName(situation)} times out${perTryMs === null ? '' : ` after ${perTryMs} ms`}${attempts === null ? '' : `, up to ${plural(attempts, 'time')}`}`,
        statement: `${frontName(situation, last.role)} ended ${share(situation, signs)} by the timeout per try, after ${last.line.record.durationMs ?? '?'} ms in all.${
          retries
            ? ` ${name} retries ${plural(retries.attempts, 'time')}${perTryMs === null ? '' : ` with ${perTryMs} ms each`}.`
            : ''
        }${tries.length > 1 ? ` The destination saw the same request ${plural(tries.length, 'time')}.` : ''}`,
        certainty: 'proven',
        supporting: [
          ...quoteSign(
            situation,
            signs.map(({ line }) => line),
            'the timeout per try ended it',
          ),
          ...tries.slice(0, 2).map((line) => quoteLine(line, 'one try as the destination saw it')),
          ...(route?.quotes('tries and their timeout in the route', { retries }) ?? []),
        ],
        fix: object
          ? editFix(
              object,
              `Raise retries.perTryTimeout of ${name} above what a good answer takes, or lower attempts; do not retry requests that change something. Keep its matches and destinations.`,
              `requests that take this route of ${name}`,
              'a longer timeout per try makes callers wait longer for a destination that hangs',
            )
          : handOver(
              'Raise the timeout per try above what a good answer takes, or retry less.',
              'requests on this route',
            ),
        verify: tryAgain(situation, 'one line per request at the destination, and no upstream_per_try_timeout'),
      }),
    )
  },
})
