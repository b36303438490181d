import { fired, ruledOut } from '../../model/finding.ts'
import { quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { failingLines, firstFailing } from '../lib/deciding-line.ts'
import { notSeen } from '../lib/not-seen.ts'
import { answeredByApp } from '../lib/passed-on.ts'
import { callName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** Istio's own 401 always says jwt_authn_access_denied. Any other comes from the application or from an authorizer. */
export default defineRule({
  code: 'auth-401-from-app-or-idp',
  layer: 'app',
  severity: 'error',
  explains: ['401', 'unknown'],
  title: 'The application or an authorizer answered 401',
  why: 'The mesh only passes such an answer on: no RequestAuthentication refused the token.',
  needs: [['server.accessLog', 'waypoint.accessLog', 'gateway.accessLog', 'client.accessLog']],
  check(situation) {
    const [asked] = failingLines(
      situation,
      ({ record }) => record.code === 401 && record.details === 'ext_authz_denied',
    ).slice(-1)
    const app = asked ? null : answeredByApp(situation, 401)
    if (!asked && !app) {
      const line = firstFailing(situation)
      return line?.record.details?.startsWith('jwt_authn')
        ? ruledOut(
            'the JWT filter of a proxy refused it',
            quoteLine(line, 'jwt_authn_access_denied is the mesh’s own 401'),
          )
        : notSeen(situation, line, 'no failing line shows a 401 that the application gave')
    }
    const who = asked ? 'the external authorizer that a CUSTOM policy asks' : (app?.who ?? '')
    return fired({
      subject: destinationName(situation),
      title: `${who} answered 401, not the mesh`,
      statement: `${callName(situation)}: ${asked ? 'the proxy asked an external authorizer, which refused with 401 (ext_authz_denied)' : app?.because}. No RequestAuthentication refused a token here.`,
      certainty: asked ? 'proven' : (app?.certainty ?? 'likely'),
      supporting: asked ? [quoteLine(asked, 'the external authorizer said no')] : (app?.quotes ?? []),
      contradicting: [],
      fix: handOver(
        `Give the owner of ${asked ? 'the authorizer' : destinationName(situation)} this line: its request id finds the decision in their log.`,
        'nothing in the mesh',
      ),
      verify: tryAgain(situation, 'no 401 once the owner has changed it'),
      wouldDecide: asked || app?.certainty === 'proven' ? null : (app?.wouldDecide ?? null),
      about: 'call',
      layer: asked ? 'ext-authz' : 'app',
    })
  },
})
