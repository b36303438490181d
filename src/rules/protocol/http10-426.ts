import { defineRule } from '../define-rule.ts'
import { anyLog, decidedByLine } from '../lib/decided-by-line.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

/** HTTP/1.0, which proxies refuse. Such lines carry neither method nor path: the request was never read. */
export default defineRule({
  code: 'http10-426',
  layer: 'protocol',
  severity: 'error',
  explains: ['426'],
  title: 'The caller speaks HTTP/1.0',
  why: 'Envoy takes HTTP/1.1 and newer. Old clients, some load balancer checks, and nginx with its default proxy_http_version speak HTTP/1.0 and get 426.',
  needs: [anyLog],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/network-issues/#envoy-wont-connect-to-my-http10-service'],
  check: (situation) =>
    decidedByLine(
      situation,
      ({ record }) => record.details === 'low_version' || (record.code === 426 && record.protocol === 'HTTP/1.0'),
      'no line speaks of a version of HTTP that is too low',
      ({ who, often, line }) => ({
        subject: callerName(situation),
        title: `${callerName(situation)} speaks HTTP/1.0, which ${who} refuses`,
        statement: `${who} answered ${often} with 426 before it read them: HTTP/1.0 is too low a version.${line.role === 'gateway' ? ' Such a line names no host: one of another caller looks the same.' : ''}`,
        sign: 'the version of HTTP was too low',
        fix: {
          statement:
            'Let the caller speak HTTP/1.1 (nginx: proxy_http_version 1.1). Where it cannot, PILOT_HTTP10 of istiod lets all proxies take HTTP/1.0.',
          commands: [],
          scope: `requests of ${callerName(situation)}`,
          risk: 'PILOT_HTTP10 counts for the whole mesh: change the caller first',
          undo: 'set the caller back as it was',
        },
        verify: tryAgain(situation, `an answer of ${destinationName(situation)} to the caller itself, not to curl`),
      }),
    ),
})
