import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { backendGapLines, worthOfGap } from '../lib/backend-gap.ts'
import { quoteSign } from '../lib/front.ts'
import {
  apiRoutes,
  backendsOf,
  failed,
  listenerConditions,
  quoteAnalyzed,
  quotePlaced,
  routeConditions,
  seeGatewayLog,
} from '../lib/gateway-api.ts'
import { apiGateways, hostOfCall, nameOfStored } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

/** A route or listener points into another namespace that has not granted it. */
export default defineRule({
  code: 'gwapi-ref-not-permitted',
  layer: 'gateway-api',
  severity: 'error',
  explains: ['500', '503', '404', 'tls'],
  title: 'A reference into another namespace is not granted',
  why: 'A backend or a certificate in another namespace needs a ReferenceGrant in that namespace. Without it the gateway answers 500 for the route, or has no certificate for the listener.',
  needs: [['server.config', 'gateway.published']],
  seeAlso: ['https://gateway-api.sigs.k8s.io/api-types/referencegrant/'],
  check(situation) {
    const host = hostOfCall(situation, null)
    const routes = apiRoutes(situation)
    const conditions = [
      ...routes.flatMap((route) => routeConditions(situation, route)),
      ...(situation.symptom === 'tls'
        ? apiGateways(situation).flatMap((gateway) => listenerConditions(gateway, host))
        : []),
    ]
    const condition = failed(conditions, 'ResolvedRefs', /^RefNotPermitted$/)
    if (!condition) {
      const [resolved] = conditions.filter(({ type, status }) => type === 'ResolvedRefs' && status === 'True')
      return resolved ? ruledOut('all references of the route are resolved', quotePlaced(resolved)) : quiet
    }
    const { stored } = condition
    const { kind, metadata } = stored.object
    const name = `${kind} ${nameOfStored(stored)}`
    const foreign = backendsOf(stored.object.spec?.rules).find(
      ({ namespace }) => namespace !== null && namespace !== metadata.namespace,
    )
    const where =
      foreign?.namespace ?? /(?:secret|service)s? "?([\w-]+)\//i.exec(condition.message)?.[1] ?? 'TARGET-NAMESPACE'
    const lines = backendGapLines(situation)
    const worth = kind === 'Gateway' ? ({ certainty: 'proven', about: 'call' } as const) : worthOfGap(situation)
    return fired({
      subject: name,
      title: `${name} refers into namespace ${where}, which has not granted it`,
      statement: `${condition.message}. The reference is left out, so ${kind === 'Gateway' ? 'the listener has no certificate' : 'the gateway answers 500 for what the route would send there'}.`,
      certainty: worth.certainty,
      supporting: [
        ...quoteSign(situation, lines, 'the route has nobody to send it to'),
        quotePlaced(condition),
        ...quoteAnalyzed(situation, condition),
      ],
      contradicting: [],
      fix: {
        statement: `Create one ReferenceGrant in ${where} that allows ${kind} of namespace ${metadata.namespace} to refer to this one object; leave ${name} as it is.`,
        commands: [`kubectl -n ${where} get referencegrants.gateway.networking.k8s.io -o yaml`],
        scope: `references from ${metadata.namespace} into ${where}`,
        risk: 'a grant without a name allows every object of that kind',
        undo: 'delete the ReferenceGrant',
      },
      verify: tryThroughGateway(situation, host ?? 'HOST', 'the status of the application, and ResolvedRefs=True'),
      wouldDecide: worth.certainty === 'proven' ? null : seeGatewayLog(situation),
      about: worth.about,
    })
  },
})
