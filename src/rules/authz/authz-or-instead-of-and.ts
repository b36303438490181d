import { authorize } from '../../mesh/authorize.ts'
import { attachment } from '../../mesh/policy-attachment.ts'
import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { requestOf, workloadOf } from '../../situation/security.ts'
import { quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { policyFix, policyName } from '../lib/policy-fix.ts'
import { enforcerAt } from '../lib/refusal.ts'
import { type RawRule, rulesOf } from '../lib/rule-fields.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

/** One dash too many: two rules, of which either is enough, where one was meant that asks for both. */
export default defineRule({
  code: 'authz-or-instead-of-and',
  layer: 'authz',
  severity: 'warning',
  explains: ['not-applied'],
  title: 'Two rules stand where one was meant, so either is enough',
  why: 'Every dash under rules begins a rule of its own, and one fitting rule is enough. from, to and when of one rule must all fit.',
  needs: ['server.config'],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/security-issues/'],
  check(situation) {
    const pod = enforcerAt(situation, 'server')
    if (!pod?.hasEnvoy) return quiet
    return fired(...situation.store.list('AuthorizationPolicy').flatMap((policy) => judge(situation, policy, pod)))
  },
})

function judge(situation: Situation, policy: Stored, pod: PodView): Hit[] {
  const { object } = policy
  const rules = rulesOf(object)
  const from = rules.findIndex((rule) => hasOnly(rule, 'from'))
  const to = rules.findIndex((rule) => hasOnly(rule, 'to'))
  const workload = workloadOf(pod)
  const isAllow = (object.spec?.action ?? 'ALLOW') === 'ALLOW'
  if (!isAllow || from < 0 || to < 0 || attachment(object, workload, situation.mesh).attaches !== true) return []
  const exchange = situation.passing.at(-1) ?? null
  const decide = (list: readonly RawRule[]) =>
    authorize(
      requestOf(situation, exchange),
      [{ ...object, spec: { ...object.spec, rules: list } }],
      workload,
      situation.mesh,
    ).decision
  const others = rules.filter((_, index) => index !== from && index !== to)
  const merged = { ...rules[from], ...rules[to] }
  if (decide(rules) !== 'allowed' || decide([...others, merged]) !== 'denied') return []
  const name = policyName(policy)
  const line = exchange?.server ?? null
  return [
    {
      subject: name,
      title: `${name} allows by either of two rules what probably needs both`,
      statement: `Rule ${from} of ${name} has only "from", rule ${to} only "to", and one of them alone lets this request of ${callerName(situation)} to ${destinationName(situation)} pass. Written as one rule they would refuse it.`,
      certainty: 'likely',
      supporting: [
        quoteObject(policy, `its rules ${from} and ${to}`, [rules[from], rules[to]]),
        ...(line ? [quoteLine(line, 'the request passed')] : []),
      ],
      contradicting: [],
      fix: policyFix(
        policy,
        `If both conditions are meant to hold together, write rules ${from} and ${to} of ${name} as one (take away the dash before the second); leave other rules.`,
        'callers that passed by one of the two rules are refused from then on',
      ),
      verify: tryAgain(situation, '403 for what fits only one of the two'),
      wouldDecide: {
        command: `kubectl -n ${object.metadata.namespace} get authorizationpolicies.security.istio.io ${object.metadata.name} -o yaml`,
        why: 'it shows the rule as it is written; only its author knows whether one rule or two were meant',
      },
      about: 'call',
    },
  ]
}

function hasOnly(rule: RawRule, part: 'from' | 'to'): boolean {
  const other = part === 'from' ? 'to' : 'from'
  return rule?.[part] !== undefined && rule?.[other] === undefined && rule?.when === undefined
}
