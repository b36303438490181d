import { fired } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { looseFix, policyFix, policyName } from '../lib/policy-fix.ts'
import { fieldsOf, fieldsText } from '../lib/rule-fields.ts'
import { missBecause, otherRefusal, refusalNeeds, specificHit } from '../lib/specific-miss.ts'
import { callerName, destinationName } from '../lib/words.ts'

/** The same resource in another spelling: a slash, an escape, a port, a rewrite on the way. */
export default defineRule({
  code: 'authz-path-or-host-mismatch',
  layer: 'authz',
  severity: 'error',
  explains: ['403', 'unknown'],
  title: 'The policy spells the path or host differently from what its proxy sees',
  why: 'Paths and hosts are compared as text, after the mesh’s path normalization and after rewrites of routes, with the port where the caller wrote one.',
  needs: refusalNeeds,
  yieldsTo: ['authz-blocks-probes-and-scrapers', 'cors-preflight-rejected'],
  seeAlso: ['https://istio.io/latest/docs/reference/config/security/normalization/'],
  check(situation) {
    const miss = missBecause(situation, 'place')
    if (!miss) return otherRefusal(situation, 'no rule would take another spelling of this path or host')
    const [near] = miss.detail.nearest
    const fields = near ? fieldsOf(near.rule).filter(({ kind }) => kind === 'path' || kind === 'host') : []
    const statement = `Add the spelling that arrives to the values of rule ${near?.index ?? 0} of ${near ? policyName(near.policy) : 'the policy'} (or let the caller use the one that is there); keep the values it has.`
    const risk = 'a prefix (/x*) also takes /xyz: add the exact spelling'
    return fired(
      specificHit(situation, miss, {
        title: `${near ? policyName(near.policy) : 'the policy'} means this request of ${callerName(situation)} and spells it differently`,
        statement: `Rule ${near?.index ?? 0} fits this request to ${destinationName(situation)} but for ${fieldsText(fields)}: ${miss.detail.remark}.`,
        fix: near ? policyFix(near.policy, statement, risk) : looseFix(statement, destinationName(situation), risk),
      }),
    )
  },
})
