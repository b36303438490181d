import { servedByIstio } from '../../mesh/ingress-class.ts'
import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { ingressesFor } from '../../situation/ingresses.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { lacksRoute } from '../lib/gateway-api.ts'
import { quoteRoutes } from '../lib/gateway-evidence.ts'
import { hostOfCall, nameOfStored, noRouteLine, publishes, routeSearch } from '../lib/gateways.ts'
import { quoted, tryThroughGateway } from '../lib/words.ts'

/** The host stands in a Kubernetes Ingress only, and istiod does not serve that one. */
export default defineRule({
  code: 'kube-ingress-or-class-mismatch',
  layer: 'gateway-routing',
  severity: 'error',
  explains: ['404'],
  title: 'The Ingress for this host belongs to another controller',
  why: 'istiod makes routes of an Ingress only where its class is Istio’s. Any other Ingress is valid, is somebody else’s, and gives an Istio gateway no route: it answers 404.',
  needs: ['gateway.published', ['gateway.accessLog', 'gateway.routes']],
  seeAlso: ['https://istio.io/latest/docs/tasks/traffic-management/ingress/kubernetes-ingress/'],
  applies: ({ gateway }) => gateway !== null,
  check(situation) {
    const line = noRouteLine(situation, 'gateway')
    const host = hostOfCall(situation, line)
    const lacks = lacksRoute(situation)
    const [ingress] = ingressesFor(situation.store, host)
    if (host === null || !ingress || lacks === 'no' || publishes(situation, host)) return quiet
    const classes = situation.has('gateway.ingressClasses') ? situation.store.objects('IngressClass') : null
    const { served, why } = servedByIstio(ingress.object, classes, situation.mesh.ingress)
    const name = `Ingress ${nameOfStored(ingress)}`
    const about = {
      annotations: ingress.object.metadata.annotations?.['kubernetes.io/ingress.class'],
      ingressClassName: ingress.object.spec?.ingressClassName,
    }
    if (served === true)
      return ruledOut(`${name} is served by istiod: ${why}`, quoteObject(ingress, 'its class', about))
    const search = routeSearch(situation, 'gateway')
    const proven = served === false && line !== null && search?.virtualHost === null && situation.meshEntry !== null
    return fired({
      subject: name,
      title: `${name} for ${host} is not served by istiod, so the gateway has no route`,
      statement: `Only ${name} names ${host}, and istiod makes no route of it: ${why}. The gateway ${line ? 'answered' : 'would answer'} 404 itself.`,
      certainty: proven ? 'proven' : 'likely',
      supporting: [
        ...(line ? [quoteLine(line, 'the gateway found no route')] : []),
        quoteObject(ingress, `class of ${name}`, about),
        ...classQuotes(situation, about.ingressClassName),
        ...(search?.virtualHost === null ? [quoteRoutes(search, 'names that the gateway knows')] : []),
      ],
      contradicting: [],
      fix: {
        statement: `If Istio is to serve ${host}, give ${name} the class ${situation.mesh.ingress.className}, or write a Gateway and a VirtualService for it. If another controller serves it, send callers to the address of that one.`,
        commands: [
          `kubectl -n ${ingress.object.metadata.namespace ?? 'default'} edit ingresses.networking.k8s.io ${quoted(ingress.object.metadata.name)}`,
        ],
        scope: `requests for ${host}`,
        risk: 'the controller that serves this Ingress today lets go of it',
        undo: 'write the old class again',
      },
      verify: tryThroughGateway(situation, host, 'the status of the application instead of 404'),
      wouldDecide: proven
        ? null
        : {
            command: 'kubectl get ingressclasses.networking.k8s.io -o yaml',
            why: 'istio.io/ingress-controller as its controller means that istiod serves this Ingress; another one, that it does not',
          },
      about: 'call',
    })
  },
})

function classQuotes(situation: Situation, named: unknown) {
  const found = typeof named === 'string' ? situation.store.get('IngressClass', null, named) : null
  if (found) return [quoteObject(found, `controller of class ${named}`, found.object.spec)]
  return situation.meshEntry
    ? [quote(situation.meshEntry, 'which Ingress objects istiod serves', JSON.stringify(situation.mesh.ingress))]
    : []
}
