import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { tlsServers } from '../lib/gateway-credentials.ts'
import { hostOfCall, isBound, nameOfStored, virtualServicesFor } from '../lib/gateways.ts'
import { quoted, tryThroughGateway } from '../lib/words.ts'

/** The gateway passes TLS through unread, and the VirtualService has only routes for HTTP. */
export default defineRule({
  code: 'passthrough-with-http-routes',
  layer: 'gateway-tls',
  severity: 'error',
  explains: ['tls', 'reset', '404'],
  title: 'HTTP routes on a gateway that passes TLS through',
  why: 'With mode PASSTHROUGH the gateway never sees the request, only the name in the handshake, and routes by `tls` routes with sniHosts. Routes under `http` are ignored there, so the name leads nowhere.',
  needs: [['server.config', 'gateway.published']],
  yieldsTo: ['proxy-nack-error'],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/network-issues/'],
  applies: ({ gateway, symptom, hints }) => gateway !== null && (symptom === 'tls' || hints.port === 443),
  check(situation) {
    const host = hostOfCall(situation, null)
    if (host === null) return quiet
    const servers = tlsServers(situation)
    const passing = servers.filter(({ tlsMode }) => tlsMode === 'PASSTHROUGH')
    const [ending] = servers.filter(({ tlsMode }) => tlsMode !== 'PASSTHROUGH')
    const [server] = passing
    if (!server)
      return ending
        ? ruledOut(
            `the gateway ends TLS for ${host}`,
            quoteObject(ending.gateway, 'its TLS mode', ending.written?.tls ?? null),
          )
        : quiet
    const bound = virtualServicesFor(situation, host).filter(({ object }) => isBound(object, server.gateway))
    const routed = bound.find(({ object }) =>
      [object.spec?.tls, object.spec?.tcp].some((part) => Array.isArray(part) && part.length > 0),
    )
    if (routed)
      return ruledOut(
        `VirtualService ${nameOfStored(routed)} has tls routes`,
        quoteObject(routed, 'its tls routes', routed.object.spec?.tls ?? routed.object.spec?.tcp),
      )
    const service = bound.find(({ object }) => Array.isArray(object.spec?.http) && object.spec.http.length > 0)
    if (!service) return quiet
    const { namespace = 'default', name } = service.object.metadata
    const gateway = nameOfStored(server.gateway)
    return fired({
      subject: `VirtualService ${namespace}/${name}`,
      title: `VirtualService ${namespace}/${name} has only http routes, but Gateway ${gateway} passes TLS through for ${host}`,
      statement: `Server ${server.index} of Gateway ${gateway} has mode PASSTHROUGH, so the gateway routes by the name in the handshake alone. VirtualService ${namespace}/${name} has http routes and no tls routes, so nothing takes ${host} there.`,
      certainty: 'proven',
      supporting: [
        quoteObject(server.gateway, `server ${server.index} passes TLS through`, server.written),
        quoteObject(service, 'it has http routes and no tls routes', {
          hosts: service.object.spec?.hosts,
          http: service.object.spec?.http,
        }),
      ],
      contradicting: [],
      fix: {
        statement: `If the application ends TLS itself, write the routes of VirtualService ${namespace}/${name} under spec.tls with sniHosts ${host}; if the gateway is to read HTTP, set mode SIMPLE with a credentialName on this server of Gateway ${gateway}. Change only one of the two.`,
        commands: [`kubectl -n ${namespace} edit virtualservices.networking.istio.io ${quoted(name)}`],
        scope: `TLS connections to ${host}`,
        risk: 'with SIMPLE the gateway shows its own certificate and the application gets plain HTTP',
        undo: 'put the http routes or the mode back',
      },
      verify: tryThroughGateway(situation, host, 'a status instead of a failed handshake'),
      wouldDecide: null,
      about: 'call',
    })
  },
})
