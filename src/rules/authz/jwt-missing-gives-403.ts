import { type Decider, fired } from '../../model/finding.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { requestAuthAt } from '../lib/jwt-refusal.ts'
import { looseFix, policyName } from '../lib/policy-fix.ts'
import { fieldsOf, fieldsText, type RuleField } from '../lib/rule-fields.ts'
import { denyBecause, missBecause, otherRefusal, refusalNeeds, specificHit } from '../lib/specific-miss.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

/** A request without a token passes the JWT filter. The policy that asks for a token's identity refuses it, and that is a 403. */
export default defineRule({
  code: 'jwt-missing-gives-403',
  layer: 'authz',
  severity: 'error',
  explains: ['403', 'unknown'],
  title: 'The policy asks for a token, and none was accepted',
  why: 'RequestAuthentication checks tokens that are there and demands none. An AuthorizationPolicy demands it, and says 403, not 401.',
  needs: refusalNeeds,
  yieldsTo: ['authz-blocks-probes-and-scrapers', 'cors-preflight-rejected'],
  seeAlso: ['https://istio.io/latest/docs/tasks/security/authentication/authn-policy/'],
  check(situation) {
    const miss = missBecause(situation, 'token')
    const deny = miss ? null : denyBecause(situation, 'token')
    const found = miss ?? deny
    if (!found) return otherRefusal(situation, 'no rule hangs on the identity in a token')
    const near = miss?.detail.nearest[0]
    const policy = near?.policy ?? deny?.detail.policy ?? null
    const fields = fieldsOf(near?.rule ?? deny?.detail.rule).filter(({ kind }) => kind === 'token')
    const name = policy ? policyName(policy) : 'the policy'
    const { policies, complete } = found.refusal.pod
      ? requestAuthAt(situation, found.refusal.pod)
      : { policies: [], complete: false }
    const unchecked = complete && policies.length === 0
    const told = situation.given.headers.length > 0 || situation.given.jwtClaims !== null
    const sure = unchecked || told || fields.every(isAboutWhose)
    return fired(
      specificHit(situation, sure ? found : { ...found, certainty: 'likely', wouldDecide: withToken(situation) }, {
        title: `${name} asks for a token, and the request of ${callerName(situation)} had none that counts`,
        statement: `${name} ${deny ? 'denies every request that is not of' : 'allows only'} ${fieldsText(deny ? fields.map((field) => ({ ...field, negated: false })) : fields)}; apart from that the rule ${deny ? 'would spare' : 'fits'} this request to ${destinationName(situation)}. So it carried no token, none where it is looked for, or one ${fields.every(isAboutWhose) ? 'of somebody else' : 'that says something else'}; a token that is wrong in itself would have been a 401.${unchecked ? ' No RequestAuthentication reaches this workload, so no token can count at all.' : ''}`,
        fix: unchecked
          ? looseFix(
              `Add the RequestAuthentication that validates these tokens at ${destinationName(situation)}; leave ${name} as it is.`,
              destinationName(situation),
              'requests with a bad token become 401',
            )
          : looseFix(
              `Let the caller send a valid token in the Authorization header; if this path is meant to be public, leave it out of ${name} by a rule for this path only.`,
              'this caller',
              'a path left out of the policy is open to everybody',
            ),
        more: tokenWords(situation),
      }),
    )
  },
})

/** What a token of another kind than the usual one lacks is a claim; whose it is, every token says. */
function isAboutWhose({ name, values }: RuleField): boolean {
  return /principal/i.test(name) || values.includes('*')
}

/** A rule that wants a claim refuses a token without it just as it refuses none. */
function withToken(situation: Situation): Decider {
  const { command } = tryAgain(situation, '')
  return {
    command: `${command} -H 'Authorization: Bearer TOKEN'`,
    why: 'it sends the request with a token for sure: if it passes, the token was missing; if it is 403 again, the token lacks what the rule wants',
  }
}

function tokenWords({ given }: Situation) {
  if (given.headers.length === 0 || given.headers.some(([name]) => /^authorization$/i.test(name))) return []
  return [
    quote('given', 'the headers that were told hold no Authorization', given.headers.map(([name]) => name).join(', ')),
  ]
}
