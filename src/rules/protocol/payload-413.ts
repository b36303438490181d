import { defineRule } from '../define-rule.ts'
import { anyLog, decidedByLine } from '../lib/decided-by-line.ts'
import { filtersFor } from '../lib/extensions.ts'
import { editFix } from '../lib/make-hit.ts'
import { callerName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** A filter that has to hold the whole body refuses one that is larger than its buffer. */
export default defineRule({
  code: 'payload-413',
  layer: 'proxy-limit',
  severity: 'error',
  explains: ['413', '500'],
  title: 'The body is larger than a filter may buffer',
  why: 'Proxies stream bodies and have no limit by themselves. A filter that needs the whole body (an EnvoyFilter with a buffer, external authorization with the body) sets one.',
  needs: [anyLog],
  check: (situation) =>
    decidedByLine(
      situation,
      ({ record }) => /^(?:request|response)_payload_(?:too_large|exceeded)/.test(record.details ?? ''),
      'no line speaks of a body that is too large',
      ({ who, often, line, where }) => {
        const [filter] = filtersFor(situation, where, /buffer|ext_authz|max_request_bytes|maxRequestBytes/)
        return {
          subject: filter?.name ?? destinationName(situation),
          title: `${who} buffers bodies, and this one is too large`,
          statement: `${who} refused ${often} (${line.record.details}).${filter ? ` ${filter.name} makes it buffer.` : ' Which filter makes it buffer could not be read: an EnvoyFilter, or external authorization that gets the body.'}`,
          sign: 'the body passed the limit of a buffer',
          more: filter?.quotes ?? [],
          fix: filter
            ? editFix(
                filter.object,
                `Raise the buffer's limit in ${filter.name}, or leave large uploads out of it; keep its other patches.`,
                `workloads that ${filter.name} selects`,
                'every buffered body takes memory of the proxy',
              )
            : handOver(
                'Raise the limit of the filter that buffers the body, or leave this path out of it.',
                `requests of ${callerName(situation)}`,
              ),
          verify: tryAgain(situation, 'no 413 with a body of the real size'),
        }
      },
    ),
})
