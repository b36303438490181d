import { fired } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { looseFix, policyFix, policyName } from '../lib/policy-fix.ts'
import { fieldsOf, fieldsText } from '../lib/rule-fields.ts'
import { missBecause, otherRefusal, refusalNeeds, specificHit } from '../lib/specific-miss.ts'
import { destinationName, plural } from '../lib/words.ts'

/** ipBlocks is the direct peer, which behind a load balancer is the balancer or a node. */
export default defineRule({
  code: 'authz-ip-source-wrong',
  layer: 'gateway-edge',
  severity: 'error',
  explains: ['403', 'unknown'],
  title: 'The address that the policy sees is not the client’s',
  why: 'ipBlocks is compared with the direct peer, remoteIpBlocks with what the gateway takes for the client: X-Forwarded-For, cut by the number of trusted proxies.',
  needs: refusalNeeds,
  seeAlso: ['https://istio.io/latest/docs/tasks/security/authorization/authz-ingress/'],
  check(situation) {
    const miss = missBecause(situation, 'address')
    if (!miss) return otherRefusal(situation, 'no rule would fit for an address in X-Forwarded-For')
    const [near] = miss.detail.nearest
    const fields = near ? fieldsOf(near.rule).filter(({ kind }) => kind === 'address') : []
    const direct = fields.some(({ name }) => name === 'ipBlocks' || name === 'source.ip')
    const trusted = situation.mesh.numTrustedProxies
    const statement = direct
      ? `Write the addresses of rule ${near?.index ?? 0} of ${near ? policyName(near.policy) : 'the policy'} as remoteIpBlocks, and tell the gateway how many proxies stand before it (gatewayTopology.numTrustedProxies, now ${trusted}); keep its other fields.`
      : `Set gatewayTopology.numTrustedProxies (now ${trusted}) to the number of proxies that really stand before this gateway.`
    const risk = 'a number too high lets clients forge their address in X-Forwarded-For'
    return fired(
      specificHit(situation, miss, {
        title: `${near ? policyName(near.policy) : 'the policy'} compares its addresses with somebody between the client and ${destinationName(situation)}`,
        statement: `Rule ${near?.index ?? 0} fits but for ${fieldsText(fields)}: ${miss.detail.remark}. ${plural(trusted, 'proxy', 'proxies')} before the gateway ${trusted === 1 ? 'is' : 'are'} trusted.`,
        fix:
          near && direct
            ? policyFix(near.policy, statement, risk)
            : looseFix(statement, 'every client of this gateway', risk),
      }),
    )
  },
})
