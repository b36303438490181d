import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { policiesReadable } from '../../situation/security.ts'
import { quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import {
  atZtunnel,
  carried,
  conditionsOf,
  isAmbientCall,
  quoteCondition,
  quoteZtunnel,
  readWithHttp,
} from '../lib/ambient.ts'
import { waypointFix } from '../lib/waypoint-fix.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

/** A DENY rule of HTTP fields only: ztunnel cuts them out, and what is left fits nothing. */
export default defineRule({
  code: 'ambient-l7-deny-noop',
  layer: 'ambient-ztunnel',
  severity: 'error',
  explains: ['not-applied'],
  title: 'A DENY rule with HTTP fields does nothing at ztunnel',
  why: 'ztunnel works on connections. A DENY rule that asks for a method, path, host or header loses those fields there, and a clause of which nothing is left never fits: the policy lets everything pass, whatever its condition says about being more restrictive.',
  needs: ['server.config'],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/l7-features/'],
  applies: (situation) => isAmbientCall(situation) && situation.server.pod?.proxy === 'ambient',
  check(situation) {
    const pod = situation.server.pod
    if (!pod || !policiesReadable(situation, 'AuthorizationPolicy', pod.namespace)) return quiet
    const denies = atZtunnel(situation, pod).filter(({ considered }) => considered.action === 'DENY')
    const hollow = denies.filter(
      ({ considered }) =>
        considered.rules.some(({ ignoredFields }) => ignoredFields.length > 0) &&
        !considered.rules.some(({ result }) => result === 'match'),
    )
    const [policy] = hollow.filter(({ stored }) => readWithHttp(situation, pod, stored).decision !== 'allowed')
    if (!policy) {
      const [kept] = denies
      return kept && hollow.length === 0
        ? ruledOut(
            `DENY policy ${kept.considered.policy} has no HTTP fields`,
            quoteObject(kept.stored, 'ztunnel can test its rules', kept.stored.object.spec?.rules),
          )
        : quiet
    }
    const fields = [...new Set(policy.considered.rules.flatMap(({ ignoredFields }) => ignoredFields))]
    const passes = carried(situation).at(-1)
    const condition = conditionsOf(policy.stored).find(({ reason }) => reason === 'UnsupportedValue')
    const certain = readWithHttp(situation, pod, policy.stored).decision === 'denied'
    const name = policy.considered.policy
    return fired({
      subject: `AuthorizationPolicy ${name}`,
      title: `AuthorizationPolicy ${name} denies by HTTP fields, which ztunnel cannot read, so it stops nothing`,
      statement: `${name} attaches to ${pod.name} at ztunnel, which cannot test ${fields.join(', ')}. Nothing of the rule is left that fits, so ${callerName(situation)} still reaches ${destinationName(situation)}.${
        condition ? ' Its condition says that it is enforced more strictly; for a DENY rule that is not so.' : ''
      }`,
      certainty: certain && (passes || condition) ? 'proven' : 'likely',
      supporting: [
        quoteObject(policy.stored, 'rules with HTTP fields, attached without targetRefs', policy.stored.object.spec),
        ...(condition ? [quoteCondition(policy.stored, condition)] : []),
        ...(passes ? [quoteZtunnel(passes, 'ztunnel carried the call to its end')] : []),
      ],
      contradicting: [],
      fix: waypointFix(situation, policy.stored),
      verify: tryAgain(situation, '403 for what the policy is meant to stop'),
      wouldDecide:
        certain && (passes || condition)
          ? null
          : {
              command: `istioctl ztunnel-config policy --policy-namespace ${policy.stored.object.metadata.namespace ?? ''} -o json`,
              why: 'it shows the rules that ztunnel really has of it',
            },
      about: 'call',
    })
  },
})
