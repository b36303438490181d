import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quoteLine, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import {
  apiRoutes,
  failed,
  lacksRoute,
  parentsOf,
  quoteAnalyzed,
  quotePlaced,
  routeConditions,
  seeGatewayLog,
} from '../lib/gateway-api.ts'
import { hostOfCall, nameOfStored, noRouteLine } from '../lib/gateways.ts'
import { quoted, tryThroughGateway } from '../lib/words.ts'

/** The Gateway does not let in routes from this namespace. */
export default defineRule({
  code: 'gwapi-route-not-allowed',
  layer: 'gateway-api',
  severity: 'error',
  explains: ['404', 'not-applied'],
  title: 'The Gateway does not allow the route',
  why: 'A listener takes routes of its own namespace only, unless its allowedRoutes say otherwise. A route from elsewhere is valid and unused, and the gateway answers 404.',
  needs: [['server.config', 'gateway.published']],
  seeAlso: ['https://gateway-api.sigs.k8s.io/guides/multiple-ns/'],
  check(situation) {
    const routes = apiRoutes(situation)
    const lacks = lacksRoute(situation)
    // A route of somebody else may be left out while this call has one of its own.
    if (lacks === 'no') return quiet
    for (const route of routes) {
      const condition = failed(routeConditions(situation, route), 'Accepted', /^NotAllowedByListeners$/)
      if (!condition) continue
      const name = `${route.object.kind} ${nameOfStored(route)}`
      const parent = parentsOf(route.object.spec?.parentRefs).find(({ kind }) => kind === 'Gateway')
      const where = parent?.namespace ?? route.object.metadata.namespace ?? ''
      const gateway = situation.store.get('K8sGateway', where, parent?.name ?? '')
      const host = hostOfCall(situation, null) ?? 'HOST'
      const line = noRouteLine(situation, 'gateway')
      const proven = line !== null || situation.symptom === 'not-applied'
      return fired({
        subject: name,
        title: `${condition.at} does not allow ${name}, so nothing routes ${host}`,
        statement: `${name} wants to attach to ${condition.at}, whose listeners do not take routes from namespace ${route.object.metadata.namespace}: ${condition.message}`,
        certainty: proven ? 'proven' : 'likely',
        supporting: [
          ...(line ? [quoteLine(line, 'the gateway found no route')] : []),
          quotePlaced(condition),
          ...(gateway ? [quoteObject(gateway, `listeners of ${condition.at}`, gateway.object.spec?.listeners)] : []),
          ...quoteAnalyzed(situation, condition),
        ],
        contradicting: [],
        fix: {
          statement: `Let the listener of ${condition.at} take routes from ${route.object.metadata.namespace} (allowedRoutes.namespaces with a selector for that namespace); leave the route as it is. A ReferenceGrant does not do this.`,
          commands: [`kubectl -n ${where} edit gateways.gateway.networking.k8s.io ${quoted(parent?.name ?? '')}`],
          scope: `routes of ${route.object.metadata.namespace} at this listener`,
          risk: 'whoever may write routes in that namespace can then publish under the hosts of the listener',
          undo: 'set allowedRoutes back',
        },
        verify: tryThroughGateway(situation, host, 'the status of the application, and Accepted=True at the route'),
        wouldDecide: proven ? null : seeGatewayLog(situation),
        about: 'call',
      })
    }
    const [accepted] = routes
      .flatMap((route) => routeConditions(situation, route))
      .filter(({ type, status }) => type === 'Accepted' && status === 'True')
    return accepted ? ruledOut('the Gateway accepted the route', quotePlaced(accepted)) : quiet
  },
})
