import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quoteLine, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { quoteRoutes } from '../lib/gateway-evidence.ts'
import {
  hostOfCall,
  isBound,
  nameOfStored,
  noRouteLine,
  routeSearch,
  serversFor,
  terminates,
  virtualServicesFor,
} from '../lib/gateways.ts'
import { quoted, tryThroughGateway } from '../lib/words.ts'

/** The gateway ends TLS and reads HTTP, and the VirtualService has only routes for TLS that is passed through. */
export default defineRule({
  code: 'tls-routes-on-terminating-gateway',
  layer: 'gateway-routing',
  severity: 'error',
  explains: ['404'],
  title: 'TLS routes on a gateway that ends TLS',
  why: 'Routes under `tls` choose by the name in the handshake and need mode PASSTHROUGH. A server that ends TLS reads HTTP and needs routes under `http`; without them it has no virtual host.',
  needs: [
    ['server.config', 'gateway.published'],
    ['gateway.accessLog', 'gateway.routes'],
  ],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/network-issues/'],
  applies: ({ gateway }) => gateway !== null,
  check(situation) {
    const line = noRouteLine(situation, 'gateway')
    const search = routeSearch(situation, 'gateway')
    const host = hostOfCall(situation, line)
    if (host === null || (!line && search?.virtualHost !== null)) return quiet
    for (const server of serversFor(situation, host)) {
      if (!terminates(server)) continue
      const bound = virtualServicesFor(situation, host).filter(({ object }) => isBound(object, server.gateway))
      const withHttp = bound.find(({ object }) => Array.isArray(object.spec?.http) && object.spec.http.length > 0)
      if (withHttp)
        return ruledOut(
          `VirtualService ${nameOfStored(withHttp)} has routes for HTTP`,
          quoteObject(withHttp, 'it has http routes', { http: withHttp.object.spec?.http?.length }),
        )
      const service = bound.find(({ object }) => Array.isArray(object.spec?.tls) && object.spec.tls.length > 0)
      if (!service) continue
      const { namespace = 'default', name } = service.object.metadata
      return fired({
        subject: `VirtualService ${namespace}/${name}`,
        title: `VirtualService ${namespace}/${name} has only tls routes, but Gateway ${nameOfStored(server.gateway)} ends TLS for ${host}`,
        statement: `Server ${server.index} of Gateway ${nameOfStored(server.gateway)} has mode ${server.tlsMode}, so the gateway reads HTTP and looks for http routes. VirtualService ${namespace}/${name} has none, only tls routes, so ${host} has no virtual host.`,
        certainty: line || search?.virtualHost === null ? 'proven' : 'likely',
        supporting: [
          quoteObject(server.gateway, `server ${server.index} ends TLS`, server.written),
          quoteObject(service, 'it has tls routes and no http routes', { tls: service.object.spec?.tls }),
          ...(line ? [quoteLine(line, 'the gateway found no route')] : []),
          ...(search ? [quoteRoutes(search, 'names that the gateway knows')] : []),
        ],
        contradicting: [],
        fix: {
          statement: `Write the routes of VirtualService ${namespace}/${name} under spec.http instead of spec.tls; the Gateway stays as it is.`,
          commands: [`kubectl -n ${namespace} edit virtualservices.networking.istio.io ${quoted(name)}`],
          scope: `requests for ${host}`,
          risk: 'if the application itself ends TLS, the port it is reached on changes from TLS to plain HTTP: check the destination port',
          undo: 'put the tls routes back',
        },
        verify: tryThroughGateway(situation, host, 'the status of the application instead of 404'),
        wouldDecide: null,
        about: 'call',
      })
    }
    return quiet
  },
})
