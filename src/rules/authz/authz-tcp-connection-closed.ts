import { fired } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { misfitText } from '../lib/allow-miss.ts'
import { looseFix, policyFix, policyName, requestText } from '../lib/policy-fix.ts'
import { missBecause, otherRefusal, refusalNeeds, specificHit } from '../lib/specific-miss.ts'
import { callerName, destinationName } from '../lib/words.ts'

/** A refusal on TCP has no status: the connection is closed, and only the server's line says why. */
export default defineRule({
  code: 'authz-tcp-connection-closed',
  layer: 'authz',
  severity: 'error',
  explains: ['reset', '503', '403', 'unknown'],
  title: 'ALLOW policies refuse this TCP connection',
  why: 'On TCP a policy cannot answer, it can only close. Callers see a reset or an end of file, as from a crashed application.',
  needs: refusalNeeds,
  check(situation) {
    const miss = missBecause(situation, 'tcp')
    if (!miss) return otherRefusal(situation, 'the refusal is not an ALLOW list that a TCP connection missed')
    const { detail } = miss
    const rule = detail.nearest[0] ?? detail.rules[0]
    const statement = `If the caller is meant to connect, add its principal, with this port, to ${rule ? policyName(rule.policy) : 'the ALLOW policy'} as a rule of its own; leave its other rules as they are.`
    const risk = 'a rule made too wide lets in more than this caller'
    return fired(
      specificHit(situation, miss, {
        title: `no ALLOW policy lets ${callerName(situation)} connect to ${destinationName(situation)}`,
        statement: `The destination's proxy closed the connection: it was ${requestText(detail)}; ${detail.rules.slice(0, 3).map(misfitText).join('; ')}.`,
        fix: rule ? policyFix(rule.policy, statement, risk) : looseFix(statement, destinationName(situation), risk),
      }),
    )
  },
})
