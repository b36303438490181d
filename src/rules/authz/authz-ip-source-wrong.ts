import { type Fix, fired } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { looseFix, policyFix, policyName } from '../lib/policy-fix.ts'
import { fieldsOf, fieldsText, type RuleField } from '../lib/rule-fields.ts'
import { denyBecause, missBecause, otherRefusal, refusalNeeds, specificHit } from '../lib/specific-miss.ts'
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
    const deny = miss ? null : denyBecause(situation, 'address')
    const found = miss ?? deny
    if (!found) return otherRefusal(situation, 'no rule would fit for the address of another on the way')
    const near = miss?.detail.nearest[0]
    const policy = near?.policy ?? deny?.detail.policy ?? null
    const fields = fieldsOf(near?.rule ?? deny?.detail.rule).filter(({ kind }) => kind === 'address')
    const name = policy ? policyName(policy) : 'the policy'
    const { address } = found.detail
    const trusted = situation.mesh.numTrustedProxies
    const words = address?.service
      ? ''
      : ` ${plural(trusted, 'proxy', 'proxies')} before the gateway ${trusted === 1 ? 'is' : 'are'} trusted.`
    return fired(
      specificHit(situation, found, {
        title: `${name} compares its addresses with somebody between the client and ${destinationName(situation)}`,
        statement: `${deny ? `The rule of ${name} would spare it` : `Rule ${near?.index ?? 0} fits`} but for ${fieldsText(fields)}: ${address?.remark}.${words}`,
        fix: address?.service ? serviceFix(address.service) : addressFix(situation, policy, fields),
        more: address?.service
          ? [
              quoteObject(address.service, 'how the Service takes connections from outside', {
                type: address.service.object.spec?.type,
                externalTrafficPolicy: address.service.object.spec?.externalTrafficPolicy ?? 'Cluster',
              }),
            ]
          : [],
      }),
    )
  },
})

function addressFix({ mesh }: Situation, policy: Stored | null, fields: readonly RuleField[]): Fix {
  const trusted = mesh.numTrustedProxies
  const risk = 'a number too high lets clients forge their address in X-Forwarded-For'
  const isDirect = fields.some(({ name }) => name === 'ipBlocks' || name === 'source.ip')
  if (policy && isDirect)
    return policyFix(
      policy,
      `Write the addresses of ${policyName(policy)} as remoteIpBlocks, and tell the gateway how many proxies stand before it (gatewayTopology.numTrustedProxies, now ${trusted}); keep its other fields.`,
      risk,
    )
  return looseFix(
    `Set gatewayTopology.numTrustedProxies (now ${trusted}) to the number of proxies that really stand before this gateway.`,
    'every client of this gateway',
    risk,
  )
}

function serviceFix({ object }: Stored): Fix {
  const { name, namespace } = object.metadata
  const patch = (value: string) =>
    `kubectl -n ${namespace} patch service ${name} --type=merge -p '{"spec":{"externalTrafficPolicy":"${value}"}}'`
  return {
    statement: `Let the gateway see its clients: externalTrafficPolicy Local on Service ${namespace}/${name}, or PROXY protocol at the load balancer and in gatewayTopology. Leave the policy as it is.`,
    commands: [patch('Local')],
    scope: `every client of Service ${namespace}/${name}`,
    risk: 'with Local only nodes that run a gateway pod take connections, and the load balancer has to know which',
    undo: patch('Cluster'),
  }
}
