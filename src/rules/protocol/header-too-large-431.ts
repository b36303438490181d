import { defineRule } from '../define-rule.ts'
import { anyLog, decidedByLine } from '../lib/decided-by-line.ts'
import { callerName, handOver, tryAgain } from '../lib/words.ts'

/** More header than a proxy reads, mostly cookies or a token that has grown. */
export default defineRule({
  code: 'header-too-large-431',
  layer: 'proxy-limit',
  severity: 'error',
  explains: ['431', '400'],
  title: 'The headers of the request are larger than proxies take',
  why: 'A proxy reads a limited amount of headers, 60 KiB and 100 of them unless configured. Cookies and tokens that grow pass that limit one day.',
  needs: [anyLog],
  check: (situation) =>
    decidedByLine(
      situation,
      ({ record }) => /(?:headers_too_large|too_many_headers)$/.test(record.details ?? ''),
      'no line speaks of too large headers',
      ({ who, often, line }) => ({
        subject: callerName(situation),
        title: `The request headers of ${callerName(situation)} are ${/too_many/.test(line.record.details ?? '') ? 'too many' : 'too large'} for ${who}`,
        statement: `${who} refused ${often} (${line.record.details}) before it looked at method, path or host.${line.role === 'gateway' ? ' Such a line names no host: one of another caller looks the same.' : ''}`,
        sign: 'the headers passed the limit',
        fix: handOver(
          'Shrink what the caller sends: cookies and tokens first. Raising the limit of the proxies needs an EnvoyFilter and more memory on every hop.',
          `requests of ${callerName(situation)}`,
        ),
        verify: tryAgain(situation, 'no 431 with the headers of the real caller'),
      }),
    ),
})
