import { defineRule } from '../define-rule.ts'
import { anyLog, decidedByLine } from '../lib/decided-by-line.ts'
import { filtersFor } from '../lib/extensions.ts'
import { quotePassing } from '../lib/front.ts'
import { editFix } from '../lib/make-hit.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** A bucket in the proxy itself is empty. */
export default defineRule({
  code: 'local-ratelimit-429',
  layer: 'rate-limit',
  severity: 'error',
  explains: ['429', '503'],
  title: 'The local rate limit of a proxy refuses requests',
  why: 'An EnvoyFilter can give each proxy a bucket of tokens. Requests beyond it get 429 from that proxy, whatever the application could take; every replica counts for itself.',
  needs: [anyLog],
  check: (situation) =>
    decidedByLine(
      situation,
      ({ record }) => record.details === 'local_rate_limited',
      'no line speaks of a local rate limit',
      ({ who, where, often }) => {
        const [filter] = filtersFor(situation, where, /local_?rate_?limit/i)
        return {
          subject: filter?.name ?? destinationName(situation),
          title: `${filter?.name ?? `A local rate limit at ${who}`} turns away requests to ${destinationName(situation)}`,
          statement: `${who} refused ${often} because its own bucket was empty.${filter ? ` ${filter.name} configures it.` : ' Which EnvoyFilter configures it could not be read.'}`,
          sign: 'the bucket of this proxy was empty',
          more: [...(filter?.quotes ?? []), ...quotePassing(situation, where === 'server' ? 'server' : where)],
          fix: filter
            ? editFix(
                filter.object,
                `Raise the token bucket in ${filter.name} to what callers need, or let them send less; keep its other patches.`,
                `workloads that ${filter.name} selects`,
                'the application gets more requests at once than the limit meant to allow',
              )
            : handOver(
                'Raise the bucket of the local rate limit, or let callers send less.',
                destinationName(situation),
              ),
          verify: tryAgain(situation, 'no 429 at the usual rate'),
        }
      },
    ),
})
