import { fired } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { quotePod } from '../lib/pod-facts.ts'
import { looseFix, policyFix, policyName } from '../lib/policy-fix.ts'
import { peerOf } from '../lib/refusal.ts'
import { missBecause, otherRefusal, refusalNeeds, specificHit } from '../lib/specific-miss.ts'
import { callerName, destinationName } from '../lib/words.ts'

/** The rule means this caller and spells it wrong: a renamed account, another trust domain, the identity of the last hop. */
export default defineRule({
  code: 'authz-principal-wrong-identity',
  layer: 'authz',
  severity: 'error',
  explains: ['403', 'reset', 'unknown'],
  title: 'The policy names an identity that nobody has any more',
  why: 'A principal is compared as text with what stands in the client certificate: trust domain, namespace and service account of whoever opened the connection.',
  needs: refusalNeeds,
  yieldsTo: ['authz-blocks-probes-and-scrapers', 'cors-preflight-rejected'],
  check(situation) {
    const miss = missBecause(situation, 'identity')
    if (!miss) return otherRefusal(situation, 'no rule fits but for a principal that is spelled as nobody is called')
    const [near] = miss.detail.nearest
    const peer = peerOf(situation, miss.refusal.at, miss.refusal.exchange)
    const statement = `If the rule means this caller, correct the identity in rule ${near?.index ?? 0} of ${near ? policyName(near.policy) : 'the policy'} to ${(miss.refusal.principal ?? 'the caller’s identity').replace('spiffe://', '')}; where a whole trust domain moved, add the former one to trustDomainAliases instead. Leave the other rules and values.`
    const risk = 'the corrected value lets in every pod of that service account'
    return fired(
      specificHit(situation, miss, {
        title: `${near ? policyName(near.policy) : 'the policy'} names another identity than ${callerName(situation)} has`,
        statement: `Rule ${near?.index ?? 0} fits this request to ${destinationName(situation)} in everything but the identity it names: ${miss.detail.remark}.`,
        fix: near ? policyFix(near.policy, statement, risk) : looseFix(statement, destinationName(situation), risk),
        more: peer ? [quotePod(peer, `it runs as service account ${peer.namespace}/${peer.serviceAccount}`)] : [],
      }),
    )
  },
})
