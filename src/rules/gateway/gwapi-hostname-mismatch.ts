import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quoteLine, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import {
  apiRoutesNearby,
  failed,
  lacksRoute,
  quoteAnalyzed,
  quotePlaced,
  routeConditions,
  seeGatewayLog,
} from '../lib/gateway-api.ts'
import { hostOfCall, nameOfStored, noRouteLine } from '../lib/gateways.ts'
import { quoted, tryThroughGateway } from '../lib/words.ts'

/** Hostnames of the route and of the listener have nothing in common. */
export default defineRule({
  code: 'gwapi-hostname-mismatch',
  layer: 'gateway-api',
  severity: 'error',
  explains: ['404', 'not-applied'],
  title: 'Hostnames of route and listener do not meet',
  why: 'A route counts at a listener only for hostnames that both have. Where there is none in common the route is not attached, and the gateway answers 404.',
  needs: [['server.config', 'gateway.published']],
  seeAlso: ['https://gateway-api.sigs.k8s.io/concepts/api-overview/'],
  check(situation) {
    const routes = apiRoutesNearby(situation)
    const lacks = lacksRoute(situation)
    // A route of somebody else may be left out while this call has one of its own.
    if (lacks === 'no') return quiet
    for (const route of routes) {
      const condition = failed(routeConditions(situation, route), 'Accepted', /^NoMatchingListenerHostname$/)
      if (!condition) continue
      const name = `${route.object.kind} ${nameOfStored(route)}`
      const host = hostOfCall(situation, null) ?? 'HOST'
      const line = noRouteLine(situation, 'gateway')
      const proven = line !== null || situation.symptom === 'not-applied'
      return fired({
        subject: name,
        title: `${name} has no hostname that ${condition.at} takes, so nothing routes ${host}`,
        statement: `${name} is for ${(route.object.spec?.hostnames ?? ['every host']).join(', ')}; ${condition.message}`,
        certainty: proven ? 'proven' : 'likely',
        supporting: [
          ...(line ? [quoteLine(line, 'the gateway found no route')] : []),
          quotePlaced(condition),
          quoteObject(route, `hostnames of ${name}`, route.object.spec?.hostnames ?? []),
          ...quoteAnalyzed(situation, condition),
        ],
        contradicting: [],
        fix: {
          statement: `Write a hostname into ${name} that a listener of ${condition.at} takes, or widen that listener; change only one of the two.`,
          commands: [
            `kubectl -n ${route.object.metadata.namespace} edit ${route.object.kind === 'GRPCRoute' ? 'grpcroutes' : 'httproutes'}.gateway.networking.k8s.io ${quoted(route.object.metadata.name)}`,
          ],
          scope: `requests that ${name} routes`,
          risk: 'a wider listener lets other routes in as well',
          undo: 'write the old hostname again',
        },
        verify: tryThroughGateway(situation, host, 'the status of the application, and Accepted=True at the route'),
        wouldDecide: proven ? null : seeGatewayLog(situation),
        about: 'call',
      })
    }
    const [accepted] = routes
      .flatMap((route) => routeConditions(situation, route))
      .filter(({ type, status }) => type === 'Accepted' && status === 'True')
    return accepted ? ruledOut('a listener takes the hostnames of the route', quotePlaced(accepted)) : quiet
  },
})
