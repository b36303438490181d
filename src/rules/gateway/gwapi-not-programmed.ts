import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { failed, gatewayConditions, quoteAnalyzed, quotePlaced } from '../lib/gateway-api.ts'
import { apiGateways, hostOfCall, nameOfStored } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

/** The Gateway has no address, or no controller has taken it. */
export default defineRule({
  code: 'gwapi-not-programmed',
  layer: 'gateway-api',
  severity: 'error',
  explains: ['timeout', 'reset', 'tls', '404', 'unknown'],
  title: 'The Gateway is not programmed',
  why: 'A Gateway is reachable once its Service has an address. A pending load balancer, or a class that no controller serves, leaves it without one.',
  needs: [['server.config', 'gateway.published']],
  seeAlso: ['https://gateway-api.sigs.k8s.io/concepts/conformance/'],
  applies: ({ gateway }) => gateway !== null,
  check(situation) {
    const gateways = apiGateways(situation)
    const conditions = gateways.flatMap(gatewayConditions)
    const condition = failed(conditions, 'Programmed', /./)
    if (!condition) {
      const [programmed] = conditions.filter(({ type, status }) => type === 'Programmed' && status === 'True')
      return programmed ? ruledOut('the Gateway is programmed', quotePlaced(programmed)) : quiet
    }
    // The call may go through another gateway that is well.
    const only = gateways.length === 1 && situation.gateway?.objects.length === 1
    const seen = situation.linesAt('gateway').length > 0
    if (seen) return quiet
    const name = nameOfStored(condition.stored)
    const { namespace = 'default', name: bare } = condition.stored.object.metadata
    return fired({
      subject: `Gateway ${name}`,
      title: `Gateway ${name} is not programmed: ${condition.message || condition.reason}`,
      statement: `Gateway ${name} reports Programmed=False, ${condition.reason}: ${condition.message}. Until then nothing outside reaches it.`,
      certainty: only ? 'proven' : 'likely',
      supporting: [quotePlaced(condition), ...quoteAnalyzed(situation, condition)],
      contradicting: [],
      fix: {
        statement: `Give the Service of Gateway ${name} an address: read the events of the load balancer, or set the Service type with the annotation networking.istio.io/service-type where the cluster has no balancer.`,
        commands: [
          `kubectl -n ${namespace} get services,events`,
          `kubectl -n ${namespace} get gateways.gateway.networking.k8s.io ${bare} -o yaml`,
        ],
        scope: `Gateway ${name}`,
        risk: 'another Service type changes the address that callers use',
        undo: 'take the annotation off again',
      },
      verify: tryThroughGateway(situation, hostOfCall(situation, null) ?? 'HOST', 'an answer, and Programmed=True'),
      wouldDecide: only
        ? null
        : {
            command: `kubectl -n ${namespace} get gateways.gateway.networking.k8s.io ${bare} -o yaml`,
            why: 'callers who use one of the addresses in its status meet this Gateway; those of another address do not',
          },
      about: 'call',
    })
  },
})
