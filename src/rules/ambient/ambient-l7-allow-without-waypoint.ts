import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { policiesReadable } from '../../situation/security.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { podOfLine, relayedLines } from '../../situation/ztunnel-lines.ts'
import { defineRule } from '../define-rule.ts'
import {
  atZtunnel,
  conditionsOf,
  isAmbientCall,
  quoteCondition,
  quoteZtunnel,
  readWithHttp,
  ztunnelErrors,
} from '../lib/ambient.ts'
import { waypointFix } from '../lib/waypoint-fix.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

const noneAllowed = /allow policies exist, but none allowed/

/** An ALLOW rule with HTTP fields reaches ztunnel, which leaves the whole rule out: nothing is allowed any more. */
export default defineRule({
  code: 'ambient-l7-allow-without-waypoint',
  layer: 'ambient-ztunnel',
  severity: 'error',
  explains: ['reset', '403', '503', 'timeout', 'unknown'],
  title: 'An ALLOW rule with HTTP fields is enforced by ztunnel, which cannot read them',
  why: 'ztunnel works on connections. An ALLOW rule that asks for a method, path, host or header is left out there as a whole, and the policy then allows nobody. Only a waypoint, reached by targetRefs, reads HTTP.',
  needs: ['server.config', ['ztunnel.ztunnelLog', 'server.config']],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/l7-features/'],
  applies: (situation) => isAmbientCall(situation) && situation.server.pod?.proxy === 'ambient',
  check(situation) {
    // A policy attached by selector stays at ztunnel, also where a waypoint stands before the pod.
    const refusals = [
      ...relayedLines(situation).filter(({ record }) => noneAllowed.test(record.error ?? '')),
      ...ztunnelErrors(situation, noneAllowed),
    ]
    const refused = refusals.at(-1)
    const pod = (refused ? podOfLine(situation, refused.record) : null) ?? situation.server.pod
    if (!pod || !policiesReadable(situation, 'AuthorizationPolicy', pod.namespace)) return quiet
    const policies = atZtunnel(situation, pod).filter(({ considered }) => considered.action === 'ALLOW')
    const dropped = policies.filter(({ considered }) => considered.rules.some((rule) => rule.dropped))
    const [meant] = dropped.filter(({ stored }) => readWithHttp(situation, pod, stored).decision !== 'denied')
    const allowed = policies.some(({ considered }) => considered.rules.some(({ result }) => result === 'match'))
    if (meant && !allowed && refusals.length > 0) return fired(leftOut(situation, pod, meant.stored, refusals))
    const otherErrors = ztunnelErrors(situation, /./)
    if (meant && !allowed && otherErrors.length === 0 && situation.ztunnelLines.length === 0)
      return fired(leftOut(situation, pod, meant.stored, []))
    const [refusal] = refusals
    if (refusal && dropped.length === 0)
      return ruledOut(
        'no ALLOW policy at ztunnel has HTTP fields',
        quoteZtunnel(refusal, 'the refusal names no policy'),
      )
    return quiet
  },
})

function leftOut(situation: Situation, pod: PodView, policy: Stored, refusals: ReturnType<typeof ztunnelErrors>): Hit {
  const { namespace = '', name } = policy.object.metadata
  const refusal = refusals.at(-1)
  const condition = conditionsOf(policy).find(({ reason }) => reason === 'UnsupportedValue')
  return {
    subject: `AuthorizationPolicy ${namespace}/${name}`,
    title: `AuthorizationPolicy ${namespace}/${name} allows by HTTP fields, which ztunnel cannot read, so ${callerName(situation)} is refused`,
    statement: `${namespace}/${name} attaches to ${pod.name} at ztunnel. Its rules ask for HTTP fields, so ztunnel leaves them out, and an ALLOW policy without rules allows nobody: ${
      refusal
        ? 'the connection is closed before a request is read'
        : `calls to ${destinationName(situation)} would be closed`
    }. Something that reads HTTP would have let this call pass.`,
    certainty: refusal ? 'proven' : 'likely',
    supporting: [
      ...(refusal ? [quoteZtunnel(refusal, 'the destination’s ztunnel found no rule that allows the call')] : []),
      quoteObject(policy, 'rules with HTTP fields, attached without targetRefs', policy.object.spec),
      ...(condition ? [quoteCondition(policy, condition)] : []),
    ],
    contradicting: [],
    fix: waypointFix(situation, policy),
    verify: tryAgain(situation, 'a status from the application, and no policy rejection in the log of ztunnel'),
    wouldDecide: refusal
      ? null
      : {
          command: `kubectl logs -n ${situation.given.istioNamespace} -l app=ztunnel --tail=200`,
          why: 'a line "allow policies exist, but none allowed" for this call proves it',
        },
    about: 'call',
  }
}
