import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { firstFailing } from '../lib/deciding-line.ts'
import { type DenyMatch, denyMatchOf } from '../lib/deny-match.ts'
import { notSeen } from '../lib/not-seen.ts'
import { looseFix, policyFix, policyName, serverLogDecides } from '../lib/policy-fix.ts'
import { placeName, type Refusal, refusalOf } from '../lib/refusal.ts'
import { laterRefusal, refusalWithout, type Unlogged, unloggedRefusal } from '../lib/unlogged-refusal.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

const risk = 'a rule made too narrow lets through what it was written to stop; an ALLOW policy cannot lift a DENY'

/** A DENY that matches is final: no ALLOW can lift it. The proxy names the policy and the rule in its log line. */
export default defineRule({
  code: 'authz-deny-rule-matched',
  layer: 'authz',
  severity: 'error',
  explains: ['403', 'reset', '401', '404', '500', '502', '503', '504', 'timeout', 'tls', 'unknown'],
  title: 'A DENY policy matches this request',
  why: 'DENY policies are evaluated before ALLOW policies, and one match refuses the request, whatever else allows it.',
  needs: [
    [
      'server.accessLog',
      'waypoint.accessLog',
      'gateway.accessLog',
      'ztunnel.ztunnelLog',
      'client.accessLog',
      'server.config',
    ],
  ],
  yieldsTo: ['authz-blocks-probes-and-scrapers', 'cors-preflight-rejected'],
  seeAlso: ['https://istio.io/latest/docs/concepts/security/#authorization'],
  check(situation) {
    const refusal = refusalOf(situation)
    const match = refusal ? denyMatchOf(situation, refusal) : null
    if (refusal && match) {
      const after = refusalWithout(situation, refusal)
      const next = after?.decision.by?.action === 'DENY' ? [evaluated(situation, after, 'next')] : []
      if (match.kind === 'plain' || match.address?.doubt) return fired(denied(situation, refusal, match), ...next)
      return ruledOut('the rule matches for a more specific reason, which is proven', refusal.quote)
    }
    if (refusal) return ruledOut('the line says "none": no DENY rule matched', refusal.quote)
    const later = laterRefusal(situation)
    if (later?.decision.by?.action === 'DENY') return fired(evaluated(situation, later, 'next'))
    const guess = unloggedRefusal(situation)
    if (guess?.decision.by?.action === 'DENY') return fired(evaluated(situation, guess, 'call'))
    if (guess) return quiet
    return notSeen(situation, firstFailing(situation), 'the failing lines name no DENY policy')
  },
})

function denied(situation: Situation, { by, at, quote }: Refusal, match: DenyMatch): Hit {
  const { policy, rule, why, alsoMatches, isOtherRequest } = match
  const { namespace, name, index } = by === 'none' ? { namespace: '', name: '', index: null } : by
  const object = `AuthorizationPolicy ${namespace}/${name}`
  const which = index === null ? 'one of its rules' : `its rule ${index}`
  const more =
    alsoMatches.length > 0 ? ` These match as well, and only one is ever logged: ${alsoMatches.join(', ')}.` : ''
  const isGone = !policy && situation.store.readable('AuthorizationPolicy', namespace) === 'yes'
  const gone = isGone ? ' It is not there any more: what it refused then may pass now.' : ''
  const path = situation.given.path ?? ''
  const other = isOtherRequest ? ` That line is of another path: as the policies are now, ${path} would pass.` : ''
  const narrow = `If the caller is meant to pass, narrow ${index === null ? 'the matching rule' : `rule ${index}`} of ${object} so that it no longer matches this request; keep its other rules.`
  const statement = isGone
    ? `Nothing to change in the mesh: ${object} is gone. Send the request again; if it is still refused, the proxy that refused it has old configuration.`
    : narrow
  return {
    subject: object,
    title: `${object} denies ${callerName(situation)} this request to ${destinationName(situation)}`,
    statement: `${object} has action DENY and ${which} matches at ${placeName(at)}.${why ? ` ${why}.` : ''}${more}${gone}${other}`,
    certainty: isOtherRequest ? 'possible' : match.address?.doubt ? 'likely' : 'proven',
    supporting: [quote, ...(policy ? [quoteObject(policy, `what ${object} says`, rule ?? policy.object.spec)] : [])],
    contradicting: [],
    fix: policy
      ? policyFix(policy, statement, risk)
      : looseFix(statement, `every workload that ${object} selects`, risk),
    verify: tryAgain(situation, 'no refusal, and no matched_policy in the new log line'),
    wouldDecide: isOtherRequest ? serverLogDecides(situation, at) : (match.address?.doubt ?? null),
    about: 'call',
  }
}

/** From the policies alone: no line says it. */
function evaluated(
  situation: Situation,
  { refusal, decision, supporting, contradicting }: Unlogged,
  about: 'call' | 'next',
): Hit {
  const [namespace = '', name = ''] = (decision.by?.policy ?? '').split('/')
  const policy = situation.store.get('AuthorizationPolicy', namespace, name)
  const object = policy ? policyName(policy) : 'a DENY policy'
  const rule = decision.by?.ruleIndex ?? null
  const fix = `If the caller is meant to pass, narrow ${rule === null ? 'the matching rule' : `rule ${rule}`} of ${object}; keep its other rules.`
  return {
    subject: object,
    title: `${object} denies ${callerName(situation)} this request to ${destinationName(situation)}`,
    statement: `${about === 'next' ? 'Once what fails now is out of the way, ' : 'Evaluated for this request, '}${object} refuses it at ${placeName(refusal.at)}: ${decision.by?.why ?? 'a rule matches'}.`,
    certainty: 'likely',
    supporting,
    contradicting,
    fix: policy ? policyFix(policy, fix, risk) : looseFix(fix, destinationName(situation), risk),
    verify: tryAgain(situation, 'no refusal by policy'),
    wouldDecide: serverLogDecides(situation, refusal.at),
    about,
  }
}
