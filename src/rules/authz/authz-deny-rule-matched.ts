import { fired, type Hit, ruledOut } from '../../model/finding.ts'
import { ztunnelOfCall } from '../../situation/reading.ts'
import { decisionAt } from '../../situation/security.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { failingLines, firstFailing } from '../lib/deciding-line.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

const policyId = /ns\[([^\]]+)\]-policy\[([^\]]+)\]-rule\[(\d+)\]/
const ztunnelDenial = /explicitly denied by: ([^/\s"]+)\/([^\s"]+)/

/** A DENY that matches is final: no ALLOW can lift it. The proxy names the policy and the rule in its log line. */
export default defineRule({
  code: 'authz-deny-rule-matched',
  layer: 'authz',
  severity: 'error',
  explains: ['403', 'reset', '503', 'unknown'],
  title: 'A DENY policy matches this request',
  why: 'DENY policies are evaluated before ALLOW policies, and one match refuses the request, whatever else allows it.',
  needs: [['server.accessLog', 'waypoint.accessLog', 'gateway.accessLog', 'ztunnel.ztunnelLog']],
  seeAlso: ['https://istio.io/latest/docs/concepts/security/#authorization'],
  check(situation) {
    const lines = failingLines(
      situation,
      ({ record }) =>
        policyId.test(`${record.details ?? ''}${record.termination ?? ''}`) &&
        !/istio-ext-authz-/.test(record.details ?? ''),
    )
    const [line] = lines.slice(-1)
    if (line) {
      const [, namespace = '', name = '', index = '0'] =
        policyId.exec(`${line.record.details ?? ''}${line.record.termination ?? ''}`) ?? []
      const where =
        line.role === 'waypoint' ? 'the waypoint' : line.role === 'gateway' ? 'the gateway' : "the destination's proxy"
      const quotes = [
        quoteLine(line, `${where} refused it and named rule ${index} of AuthorizationPolicy ${namespace}/${name}`),
      ]
      return fired(denied(situation, { namespace, name, index: Number(index) }, quotes))
    }
    const refusal = ztunnelOfCall(situation).find(({ record }) => ztunnelDenial.test(record.error ?? ''))
    if (refusal) {
      const [, namespace = '', name = ''] = ztunnelDenial.exec(refusal.record.error ?? '') ?? []
      // STRICT is a DENY policy too, at ztunnel: that one is about plaintext, and another rule's business.
      if (!name.startsWith('istio_converted_') && !name.startsWith('converted_peer_authentication_')) {
        return fired(
          denied(situation, { namespace, name, index: null }, [
            quote(
              refusal.entry,
              `the destination's ztunnel refused it because of ${namespace}/${name}`,
              refusal.record.raw,
              refusal.record.line,
            ),
          ]),
        )
      }
    }
    const other = firstFailing(situation)
    return other
      ? ruledOut('the failing lines name no DENY policy', quoteLine(other, 'no policy is named here'))
      : { status: 'quiet' }
  },
})

function denied(
  situation: Situation,
  policy: { namespace: string; name: string; index: number | null },
  quotes: Hit['supporting'],
): Hit {
  const stored = situation.store.get('AuthorizationPolicy', policy.namespace, policy.name)
  const rules: readonly unknown[] = stored?.object.spec?.rules ?? []
  const rule = policy.index === null ? undefined : rules[policy.index]
  const decision = situation.server.pod ? decisionAt(situation, situation.server.pod, situation.sample) : null
  const why =
    decision?.decision === 'denied' && decision.by?.policy === `${policy.namespace}/${policy.name}`
      ? ` ${decision.by.why}.`
      : ''
  const object = `AuthorizationPolicy ${policy.namespace}/${policy.name}`
  return {
    subject: object,
    title: `${object} denies ${callerName(situation)} this request to ${destinationName(situation)}`,
    statement: `${object} has action DENY and ${policy.index === null ? 'one of its rules' : `its rule ${policy.index}`} matches.${why}`,
    certainty: 'proven',
    supporting: [
      ...quotes,
      ...(stored ? [quoteObject(stored, `what ${object} says`, rule ?? stored.object.spec)] : []),
    ],
    contradicting: [],
    fix: {
      statement: `If the caller is meant to pass, narrow ${policy.index === null ? 'the matching rule' : `rule ${policy.index}`} of ${object} so that it no longer matches this request; keep its other rules.`,
      commands: [`kubectl -n ${policy.namespace} edit authorizationpolicies.security.istio.io ${policy.name}`],
      scope: `every workload that ${object} selects`,
      risk: 'a rule made too narrow lets through what it was written to stop; an ALLOW policy cannot lift a DENY',
      undo: `put the rule back as it was: kubectl -n ${policy.namespace} get authorizationpolicies.security.istio.io ${policy.name} -o yaml before the change`,
    },
    verify: tryAgain(situation, 'no 403, and no matched_policy in the new log line'),
    wouldDecide: null,
    about: 'call',
  }
}
