import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { apiRoutes, gatewayConditions, lacksRoute, quotePlaced, routeConditions } from '../lib/gateway-api.ts'
import { apiGateways, hostOfCall, nameOfStored } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

const analyzerCodes: ReadonlySet<string> = new Set(['IST0156', 'IST0172', 'IST0176'])

/** Gateway API objects that no controller has ever looked at. */
export default defineRule({
  code: 'gwapi-crd-missing-or-old',
  layer: 'gateway-api',
  severity: 'error',
  explains: ['404', 'not-applied', 'tls', 'timeout', 'unknown'],
  title: 'Gateway API objects that nobody serves',
  why: 'istiod ignores the Gateway API when its definitions are missing or older than it needs. Objects are stored all the same, and carry no status at all.',
  needs: [['server.config', 'gateway.published']],
  seeAlso: ['https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/'],
  check(situation) {
    // What routes this call is served, whatever else lies about.
    if (lacksRoute(situation) === 'no') return quiet
    const routes = apiRoutes(situation)
    const gateways = apiGateways(situation)
    const findings = situation.analyze.filter(({ code }) => analyzerCodes.has(code))
    const objects = [...gateways, ...routes]
    const conditions = [
      ...gateways.flatMap(gatewayConditions),
      ...routes.flatMap((route) => routeConditions(situation, route)),
    ]
    const [written] = conditions.filter(
      ({ status, message }) => status !== 'Unknown' && message !== 'Waiting for controller',
    )
    if (written && findings.length === 0)
      return ruledOut('a controller writes the status of these objects', quotePlaced(written))
    const [object] = objects
    if (!object || (findings.length === 0 && written)) return quiet
    const [finding] = findings
    const host = hostOfCall(situation, null) ?? 'HOST'
    const name = `${object.object.kind} ${nameOfStored(object)}`
    return fired({
      subject: name,
      title: finding
        ? `The Gateway API definitions of this cluster do not serve Istio: ${finding.message}`
        : `No controller has taken ${name}: it has no status`,
      statement: `${name} is for this call${written ? '' : ' and has no condition of any controller'}.${finding ? ` istioctl analyze: ${finding.code} ${finding.message}` : ''} Nothing of it reaches the gateway.`,
      certainty: finding && !written ? 'proven' : 'likely',
      supporting: [
        ...(finding ? [quote(finding.entry, 'istioctl analyze says so', `${finding.code} ${finding.message}`)] : []),
        quoteObject(object, `status of ${name}`, object.object.status ?? null),
      ],
      contradicting: [],
      fix: {
        statement:
          'Install the Gateway API definitions in the version that this Istio release documents; existing objects stay as they are.',
        commands: [
          'kubectl get customresourcedefinitions.apiextensions.k8s.io gateways.gateway.networking.k8s.io -o yaml',
        ],
        scope: 'all Gateway API objects of the cluster',
        risk: 'other controllers of the Gateway API may want other versions',
        undo: 'apply the older definitions again',
      },
      verify: tryThroughGateway(situation, host, 'an answer, and conditions in the status'),
      wouldDecide:
        finding && !written
          ? null
          : {
              command: 'kubectl get gatewayclasses.gateway.networking.k8s.io',
              why: 'class istio with ACCEPTED True means that istiod serves it; without it nobody does',
            },
      about: 'call',
    })
  },
})
