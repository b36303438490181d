import { defineRule } from '../define-rule.ts'
import { anyLog, decidedByLine } from '../lib/decided-by-line.ts'
import { filtersFor } from '../lib/extensions.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** A rate limit service decides, or cannot be reached. */
export default defineRule({
  code: 'global-ratelimit-misfire',
  layer: 'rate-limit',
  severity: 'error',
  explains: ['429', '500'],
  title: 'The rate limit service refuses, or does not answer',
  why: 'With a global rate limit the proxy asks a service about every request. Its answer is 429; when the service cannot be reached and the filter fails closed, callers get 500.',
  needs: [anyLog],
  check: (situation) =>
    decidedByLine(
      situation,
      ({ record }) =>
        record.details === 'request_rate_limited' ||
        record.details === 'rate_limiter_error' ||
        record.flags.includes('RLSE'),
      'no line speaks of a rate limit service',
      ({ who, where, often, line }) => {
        const isDown = line.record.details === 'rate_limiter_error' || line.record.flags.includes('RLSE')
        const [filter] = filtersFor(situation, where, /rate_?limit_?service|filters\.http\.ratelimit/i)
        return {
          subject: filter?.name ?? 'the rate limit service',
          title: isDown
            ? `${who} cannot reach its rate limit service`
            : `The rate limit service refuses requests to ${destinationName(situation)}`,
          statement: `${who} ended ${often} with ${line.record.details ?? line.record.flags.join(',')}: ${
            isDown
              ? 'the rate limit service gave no answer, and the filter does not let requests pass without one'
              : 'the rate limit service said no'
          }.`,
          sign: isDown ? 'the rate limit service did not answer' : 'the rate limit service refused it',
          more: filter?.quotes ?? [],
          fix: handOver(
            isDown
              ? 'Bring the rate limit service back: its pods, its port, and whether its own proxy accepts the call (mutual TLS).'
              : 'Look at the descriptors and limits of the rate limit service for this request; raise the one that is hit, if the caller is meant to pass.',
            'every request that the filter asks about',
          ),
          verify: tryAgain(situation, isDown ? 'no 500, and no RLSE in the new line' : 'no 429 at the usual rate'),
        }
      },
    ),
})
