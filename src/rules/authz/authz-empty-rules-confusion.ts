import { attachment } from '../../mesh/policy-attachment.ts'
import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import { workloadOf } from '../../situation/security.ts'
import { quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { looseFix, policyFix, policyName } from '../lib/policy-fix.ts'
import { enforcerAt } from '../lib/refusal.ts'
import { rulesOf } from '../lib/rule-fields.ts'
import { missBecause, otherRefusal, refusalNeeds, specificHit } from '../lib/specific-miss.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

/** No rules match nothing; one empty rule matches everything. ALLOW without rules denies all, DENY without rules does nothing. */
export default defineRule({
  code: 'authz-empty-rules-confusion',
  layer: 'authz',
  severity: 'error',
  explains: ['403', 'reset', 'not-applied', 'unknown'],
  title: 'A policy without rules, or with an empty one',
  why: 'A policy without rules matches nothing: as ALLOW it denies everything it covers, as DENY it denies nothing. One empty rule ({}) matches everything.',
  needs: refusalNeeds,
  yieldsTo: ['authz-blocks-probes-and-scrapers', 'cors-preflight-rejected'],
  seeAlso: ['https://istio.io/latest/docs/reference/config/security/authorization-policy/'],
  check(situation) {
    if (situation.symptom === 'not-applied') return fired(...toothless(situation))
    const miss = missBecause(situation, 'no-rules')
    if (!miss) return otherRefusal(situation, 'the policies that refused it have rules')
    const [policy] = miss.detail.policies
    if (!policy) return quiet
    const names = miss.detail.policies.map(policyName).join(' and ')
    return fired(
      specificHit(situation, miss, {
        title: `${names} has no rules, so it allows nothing and denies ${callerName(situation)} everything at ${destinationName(situation)}`,
        statement: `${names} reaches ${destinationName(situation)} with action ALLOW and without rules. That is a deny-all, and no other ALLOW policy reaches this workload.`,
        fix: looseFix(
          `Keep ${names} as the baseline and add an ALLOW policy for ${destinationName(situation)} with the principals, methods and paths that are meant to pass.`,
          destinationName(situation),
          'the added policy lets in whatever its rules fit: name principals and paths',
        ),
      }),
    )
  },
})

/** Policies that reach this workload and cannot do what their action says. */
function toothless(situation: Situation): Hit[] {
  const pod = enforcerAt(situation, 'server')
  if (!pod || pod.proxy === 'none') return []
  return situation.store
    .list('AuthorizationPolicy')
    .filter(({ object }) => attachment(object, workloadOf(pod), situation.mesh).attaches === true)
    .flatMap((policy) => {
      const rules = rulesOf(policy.object)
      const { action = 'ALLOW' } = policy.object.spec ?? {}
      if (action === 'DENY' && rules.length === 0) return [hit(situation, policy, 'has no rules, so it denies nothing')]
      const open = rules.findIndex(
        (rule) => rule !== null && typeof rule === 'object' && Object.keys(rule).length === 0,
      )
      if (action === 'ALLOW' && open >= 0)
        return [hit(situation, policy, `has an empty rule (rule ${open}), which allows everything`)]
      return []
    })
}

function hit(situation: Situation, policy: Stored, what: string): Hit {
  const name = policyName(policy)
  const line = situation.passing.at(-1)?.server ?? null
  return {
    subject: name,
    title: `${name} ${what}`,
    statement: `${name} reaches ${destinationName(situation)} and ${what}. ${line ? 'The request passed.' : ''}`.trim(),
    certainty: line ? 'proven' : 'likely',
    supporting: [
      quoteObject(policy, `${name} ${what}`, policy.object.spec),
      ...(line ? [quoteLine(line, 'the request reached the application')] : []),
    ],
    contradicting: [],
    fix: policyFix(
      policy,
      `Write the rules that ${name} is meant to have; leave its selector.`,
      'a DENY rule without fields ({}) denies everything: name paths, methods or sources',
    ),
    verify: tryAgain(situation, 'the answer that the policy is meant to give'),
    wouldDecide: line
      ? null
      : {
          command: `istioctl x authz check ${situation.server.pod?.name ?? 'POD'}.${situation.server.namespace ?? 'NAMESPACE'}`,
          why: 'it shows which policies the proxy really has, and how many rules',
        },
    about: 'call',
  }
}
