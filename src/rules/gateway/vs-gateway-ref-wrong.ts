import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { seeGatewayLog } from '../lib/gateway-api.ts'
import { quoteRoutes } from '../lib/gateway-evidence.ts'
import {
  type GatewayReference,
  gatewayReferences,
  hostOfCall,
  isBound,
  istioGateways,
  nameOfStored,
  noRouteLine,
  routeSearch,
  serversFor,
  virtualServicesFor,
} from '../lib/gateways.ts'
import { quoted, tryThroughGateway } from '../lib/words.ts'

/** A VirtualService for this host names a Gateway that does not exist, so nothing binds it. */
export default defineRule({
  code: 'vs-gateway-ref-wrong',
  layer: 'gateway-routing',
  severity: 'error',
  explains: ['404', 'not-applied'],
  title: 'A VirtualService names a Gateway that does not exist',
  why: 'A bare name in `gateways` means a Gateway in the VirtualService’s own namespace. When there is none, the routes are bound to nothing, and the gateway answers 404.',
  needs: [['server.config', 'gateway.published']],
  seeAlso: ['https://istio.io/latest/docs/reference/config/networking/virtual-service/'],
  applies: ({ gateway }) => gateway !== null,
  check(situation) {
    const line = noRouteLine(situation, 'gateway')
    const host = hostOfCall(situation, line)
    if (host === null) return quiet
    const services = virtualServicesFor(situation, host)
    const bound = services.find(({ object }) => istioGateways(situation).some((gateway) => isBound(object, gateway)))
    if (bound)
      return ruledOut(
        `VirtualService ${nameOfStored(bound)} names a Gateway that exists`,
        quoteObject(bound, 'its gateways', bound.object.spec?.gateways),
      )
    const found = services.flatMap((service) => {
      const missing = gatewayReferences(service.object).find((reference) => isMissing(situation, service, reference))
      return missing ? [{ service, missing }] : []
    })
    return fired(...found.slice(0, 1).map(({ service, missing }) => unbound(situation, host, service, missing)))
  },
})

function analyzed(situation: Situation, service: Stored) {
  return situation.analyze.find(
    ({ code, args, origin }) =>
      code === 'IST0101' &&
      args.reftype === 'gateway' &&
      origin?.name === service.object.metadata.name &&
      (origin.namespace === null || origin.namespace === service.object.metadata.namespace),
  )
}

function isMissing(situation: Situation, service: Stored, { namespace, name }: GatewayReference): boolean {
  if (situation.store.get('Gateway', namespace, name)) return false
  return situation.store.readable('Gateway', namespace) === 'yes' || analyzed(situation, service) !== undefined
}

function unbound(situation: Situation, host: string, service: Stored, missing: GatewayReference): Hit {
  const line = noRouteLine(situation, 'gateway')
  const search = routeSearch(situation, 'gateway')
  const lacking = search !== null && search.virtualHost === null
  const proven = line !== null || lacking
  const finding = analyzed(situation, service)
  const meant =
    serversFor(situation, host).map(({ gateway }) => nameOfStored(gateway))[0] ??
    istioGateways(situation).map(nameOfStored)[0] ??
    null
  const { namespace = 'default', name } = service.object.metadata
  const gatewayEntry = situation.store.entryFor('Gateway', missing.namespace)
  return {
    subject: `VirtualService ${namespace}/${name}`,
    title: `VirtualService ${namespace}/${name} names Gateway ${missing.text}, which does not exist, so ${host} has no route`,
    statement: `VirtualService ${namespace}/${name} is for ${host} and names ${missing.text}, which means Gateway ${missing.namespace}/${missing.name}. There is no such Gateway${
      meant ? `; the one that is there is ${meant}` : ''
    }. The gateway has no virtual host for ${host} and answers 404.`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      quoteObject(service, `gateways of VirtualService ${namespace}/${name}`, service.object.spec?.gateways),
      ...(finding ? [quote(finding.entry, 'istioctl analyze says so', `${finding.code} ${finding.message}`)] : []),
      ...(gatewayEntry && !finding
        ? [
            quote(
              gatewayEntry,
              `Gateways of namespace ${missing.namespace} were read, and ${missing.name} is none of them`,
            ),
          ]
        : []),
      ...(line ? [quoteLine(line, 'the gateway found no route')] : []),
      ...(lacking && search ? [quoteRoutes(search, 'names that the gateway knows')] : []),
    ],
    contradicting: [],
    fix: {
      statement: `In VirtualService ${namespace}/${name}, write ${meant ?? 'NAMESPACE/GATEWAY'} instead of ${missing.text} under spec.gateways; leave hosts and routes as they are.`,
      commands: [`kubectl -n ${namespace} edit virtualservices.networking.istio.io ${quoted(name)}`],
      scope: `requests that this VirtualService routes: ${host}`,
      risk: 'its routes become reachable through that Gateway',
      undo: `write ${missing.text} again`,
    },
    verify: tryThroughGateway(situation, host, 'the status of the application instead of 404'),
    wouldDecide: proven
      ? null
      : {
          ...seeGatewayLog(situation),
          why: 'a line 404 NR route_not_found for this host proves it',
        },
    about: 'call',
  }
}
