import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { backendGapLines, worthOfGap } from '../lib/backend-gap.ts'
import { quoteSign } from '../lib/front.ts'
import {
  apiRoutes,
  failed,
  quoteAnalyzed,
  quotePlaced,
  routeConditions,
  seeGatewayLog,
  serviceRoutes,
} from '../lib/gateway-api.ts'
import { nameOfStored } from '../lib/gateways.ts'
import { quoted, tryAgain } from '../lib/words.ts'

/** A route names a backend that is not there, or that is of a kind nobody serves. */
export default defineRule({
  code: 'gwapi-backend-invalid-500',
  layer: 'gateway-api',
  severity: 'error',
  explains: ['500'],
  title: 'A route of the Gateway API leads to a backend that cannot be resolved',
  why: 'Where no backend of a rule can be resolved, a proxy has nobody to send the request to and answers 500 by itself, with an empty body. The route stays accepted; only its condition ResolvedRefs says so.',
  needs: [
    ['server.config', 'gateway.published'],
    ['gateway.accessLog', 'client.accessLog', 'waypoint.accessLog'],
  ],
  seeAlso: ['https://gateway-api.sigs.k8s.io/reference/spec/#httpbackendref'],
  check(situation) {
    const routes = situation.gateway ? apiRoutes(situation) : serviceRoutes(situation)
    const conditions = routes.flatMap((route) => routeConditions(situation, route))
    const condition = failed(conditions, 'ResolvedRefs', /^(?!RefNotPermitted$)/)
    if (!condition) {
      const [resolved] = conditions.filter(({ type, status }) => type === 'ResolvedRefs' && status === 'True')
      return resolved ? ruledOut('all backends of the route are resolved', quotePlaced(resolved)) : quiet
    }
    const { stored } = condition
    const name = `${stored.object.kind} ${nameOfStored(stored)}`
    const { certainty, about } = worthOfGap(situation)
    const resource = stored.object.kind === 'GRPCRoute' ? 'grpcroutes' : 'httproutes'
    return fired({
      subject: name,
      title: `${name} leads to a backend that cannot be resolved (${condition.reason})`,
      statement: `${name} reports ResolvedRefs=False, ${condition.reason}: ${condition.message}. A request that no other backend of its rule takes is answered 500 by the proxy itself.`,
      certainty,
      supporting: [
        ...quoteSign(situation, backendGapLines(situation), 'the proxy had nobody to send it to'),
        quotePlaced(condition),
        quoteObject(stored, `rules of ${name}`, stored.object.spec?.rules),
        ...quoteAnalyzed(situation, condition),
      ],
      contradicting: [],
      fix: {
        statement: `Write the name, port and kind of a backend that exists into this rule of ${name}, or create the Service it names; leave its other rules as they are.`,
        commands: [
          `kubectl -n ${stored.object.metadata.namespace} edit ${resource}.gateway.networking.k8s.io ${quoted(stored.object.metadata.name)}`,
        ],
        scope: `requests that this rule of ${name} takes`,
        risk: 'requests reach a backend that got none so far',
        undo: 'write the old backend again',
      },
      verify: tryAgain(situation, 'the status of the application, and ResolvedRefs=True at the route'),
      wouldDecide: certainty === 'proven' ? null : seeGatewayLog(situation),
      about,
    })
  },
})
