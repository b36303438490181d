import { fired } from '../../model/finding.ts'
import { quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { providersOf, quoteCustom } from '../lib/custom-policies.ts'
import { failingLines, firstFailing } from '../lib/deciding-line.ts'
import { notSeen } from '../lib/not-seen.ts'
import { callerName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The authorizer was asked and said no. Status and body are its own. */
export default defineRule({
  code: 'ext-authz-denied',
  layer: 'ext-authz',
  severity: 'error',
  explains: ['403', '400', '404', '429', '503', 'unknown'],
  title: 'The external authorizer refused this request',
  why: 'A CUSTOM policy sends the request to an authorization service before any other policy; that service decides, and chooses the status.',
  needs: [['server.accessLog', 'waypoint.accessLog', 'gateway.accessLog']],
  seeAlso: ['https://istio.io/latest/docs/tasks/security/authorization/authz-custom/'],
  check(situation) {
    // A 401 of an authorizer is a login that is missing: that one has a rule of its own.
    const [line] = failingLines(
      situation,
      ({ record }) => record.details === 'ext_authz_denied' && record.code !== 401,
    ).slice(-1)
    if (!line) return notSeen(situation, firstFailing(situation), 'no failing line says ext_authz_denied')
    const custom = providersOf(situation, line)
    const who = custom.map(({ provider }) => `"${provider}"`).join(' or ') || 'an external authorizer'
    return fired({
      subject: destinationName(situation),
      title: `the external authorizer ${who} refused ${callerName(situation)} this request to ${destinationName(situation)}`,
      statement: `The proxy asked ${who} and got a no: ${line.record.code} ${line.record.flags.join(',')} ext_authz_denied.${line.record.requestId ? ` Request id ${line.record.requestId}.` : ''}`,
      certainty: 'proven',
      supporting: [quoteLine(line, 'the authorizer was asked and said no'), ...quoteCustom(custom)],
      contradicting: [],
      fix: handOver(
        `Look the request id up in the log of ${who} and change its rule there. If it answers an allowed request with another 2xx than 200 (oauth2-proxy says 202), let it answer 200: others count as a refusal.`,
        'what the authorizer decides about',
      ),
      verify: tryAgain(situation, 'no UAEX in the new line'),
      wouldDecide: null,
      about: 'call',
    })
  },
})
