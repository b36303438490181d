import { fired, ruledOut } from '../../model/finding.ts'
import { quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { firstFailing } from '../lib/deciding-line.ts'
import { notSeen } from '../lib/not-seen.ts'
import { answeredByApp } from '../lib/passed-on.ts'
import { callName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** A refusal that the mesh only passes on: policies let the request through, and the application said no. */
export default defineRule({
  code: 'app-own-403',
  layer: 'app',
  severity: 'error',
  explains: ['403', 'unknown'],
  title: 'The application itself answered 403',
  why: 'Applications have permissions, CSRF checks and firewalls of their own. Their 403 looks like a policy’s until the destination’s log is read.',
  needs: [['server.accessLog', 'client.accessLog', 'gateway.accessLog']],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/network-issues/'],
  check(situation) {
    const app = answeredByApp(situation, 403)
    if (!app) {
      const line = firstFailing(situation)
      return line && line.role !== 'client' && line.record.details !== 'via_upstream'
        ? ruledOut(
            'a proxy refused it before the application was asked',
            quoteLine(line, `the line says ${line.record.details ?? line.record.termination ?? '-'}`),
          )
        : notSeen(situation, null, 'no failing line shows a 403 that the application gave')
    }
    return fired({
      subject: destinationName(situation),
      title: `${app.who} answered 403, not the mesh`,
      statement: `${callName(situation)}: ${app.because}. No policy of the mesh refused it.`,
      certainty: app.certainty,
      supporting: app.quotes,
      contradicting: [],
      fix: handOver(
        `Give the owner of ${destinationName(situation)} this line: its request id finds the decision in the application's log. Change no policy.`,
        'nothing in the mesh',
      ),
      verify: tryAgain(situation, 'no 403 once the application lets this request pass'),
      wouldDecide: app.wouldDecide,
      about: 'call',
    })
  },
})
