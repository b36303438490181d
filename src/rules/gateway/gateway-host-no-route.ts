import { type Fix, fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import type { Stored } from '../../situation/objects.ts'
import { podLabel } from '../../situation/pods.ts'
import { quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { mayBind, quoteRoutes, staleInstead } from '../lib/gateway-evidence.ts'
import {
  type GatewayServer,
  gatewayReferences,
  hostOfCall,
  hostsOf,
  isBound,
  istioGateways,
  nameOfStored,
  noRouteLine,
  type RouteSearch,
  routeSearch,
  serversFor,
  terminates,
  virtualServicesFor,
} from '../lib/gateways.ts'
import { quoted, tryThroughGateway } from '../lib/words.ts'

/** The gateway took the request and has no virtual host for its Host header. */
export default defineRule({
  code: 'gateway-host-no-route',
  layer: 'gateway-routing',
  severity: 'error',
  // Of a failing handshake it is what comes next.
  explains: ['404', 'tls', 'not-applied'],
  title: 'No virtual host at the gateway for this host',
  why: 'A gateway answers 404 by itself when no VirtualService or route is bound to it for the Host header of the request: the hosts of the Gateway and of the VirtualService have to overlap, and the VirtualService has to name the Gateway.',
  needs: [['gateway.accessLog', 'gateway.routes']],
  yieldsTo: [
    'vs-gateway-ref-wrong',
    'tls-routes-on-terminating-gateway',
    'http2-coalescing-404',
    'host-header-with-port',
    'gwapi-route-not-allowed',
    'gwapi-hostname-mismatch',
    'gwapi-crd-missing-or-old',
    'ingress-gateway-conflict',
    'kube-ingress-or-class-mismatch',
    'stale-rds-404',
    'proxy-nack-error',
    'proxy-stale-or-disconnected',
  ],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/network-issues/'],
  applies: ({ gateway }) => gateway !== null,
  check(situation) {
    const line = noRouteLine(situation, 'gateway')
    const search = routeSearch(situation, 'gateway')
    const passed = situation.sample?.gateway ?? null
    if (!line && passed)
      return ruledOut('the gateway had a route and passed the request on', quoteLine(passed, 'it went to an upstream'))
    if (search?.virtualHost)
      return ruledOut(
        `the gateway has a virtual host for ${hostOfCall(situation, line) ?? 'this host'}`,
        quoteRoutes(search, `virtual host ${search.virtualHost} of ${search.configuration}`),
      )
    const host = hostOfCall(situation, line)
    if (host === null || (!line && !search)) return quiet
    if (situation.symptom === 'tls' && !serversFor(situation, host).some(terminates)) return quiet
    if (search) return fired(unknownHost(situation, host, line, search))
    const services = virtualServicesFor(situation, host).filter(({ object }) =>
      istioGateways(situation).some((gateway) => isBound(object, gateway)),
    )
    return services.length > 0 ? quiet : fired(unknownHost(situation, host, line, null))
  },
})

function unknownHost(situation: Situation, host: string, line: Line | null, search: RouteSearch | null): Hit {
  const pod = line?.pod ?? search?.traced.pod ?? situation.gateway?.pods[0] ?? null
  const at = pod ? `gateway ${podLabel(pod)}` : 'the gateway'
  const services = virtualServicesFor(situation, host)
  const stale = staleInstead(situation, host)
  const proven = line !== null && search !== null && stale === null
  const nearby = [...services, ...istioGateways(situation)].slice(0, 3)
  return {
    subject: host,
    title: `${at} has no route for host ${host} and answers 404 itself`,
    statement: `${line ? `${at} logged 404 route_not_found for ${host}` : `${at} would answer 404 to ${host}`}${
      search ? `, and its route configuration ${search.configuration} has no virtual host for that name` : ''
    }. ${gap(situation, host)}${stale ? ` ${stale.words}` : ''}`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      ...(line ? [quoteLine(line, 'the gateway found no route')] : []),
      ...(search ? [quoteRoutes(search, 'names that these routes know')] : []),
      ...nearby.map((stored) =>
        quoteObject(stored, `hosts of ${stored.object.kind} ${nameOfStored(stored)}`, {
          hosts:
            stored.object.kind === 'Gateway' ? hostsOfServers(stored.object.spec?.servers) : hostsOf(stored.object),
        }),
      ),
    ],
    contradicting: stale ? [stale.quote] : [],
    fix: fixFor(situation, host),
    verify: tryThroughGateway(situation, host, 'the status of the application instead of 404'),
    wouldDecide: proven
      ? null
      : stale
        ? {
            command: 'istioctl proxy-status',
            why: 'SYNCED means that the gateway holds the current routes; STALE, or no row, that it does not',
          }
        : line
          ? {
              command: `istioctl proxy-config routes ${pod ? `${pod.name}.${pod.namespace}` : 'GATEWAY-POD'} -o json`,
              why: 'a virtual host for this name means that it has a route; none proves that it has not',
            }
          : {
              command: `kubectl logs ${pod ? `-n ${pod.namespace} ${pod.name}` : 'GATEWAY-POD'} -c istio-proxy --tail=200`,
              why: 'a line 404 NR route_not_found for this host proves it',
            },
    about: situation.symptom === 'tls' ? 'next' : 'call',
  }
}

function hostsOfServers(servers: unknown): readonly unknown[] {
  return Array.isArray(servers) ? servers.flatMap((server) => server?.hosts ?? []) : []
}

/** What between host, Gateway and VirtualService is missing. */
function gap(situation: Situation, host: string): string {
  const [server] = serversFor(situation, host)
  const services = virtualServicesFor(situation, host)
  const [service] = services
  if (!server && !service) return `Neither a Gateway nor a VirtualService that was read names ${host}.`
  if (!server) return `A VirtualService names ${host}, but no server of the Gateway does.`
  if (!service) return `The Gateway takes ${host}, but no VirtualService that is bound to it does.`
  const bound = services.find(({ object }) => isBound(object, server.gateway))
  if (!bound)
    return `VirtualService ${nameOfStored(service)} names ${host}, and is bound to ${
      gatewayReferences(service.object)
        .map(({ text }) => text)
        .join(', ') || 'no gateway'
    }; the Gateway here that takes this host is ${nameOfStored(server.gateway)}.`
  return mayBind(server.hosts, bound.object)
    ? ''
    : `VirtualService ${nameOfStored(bound)} is bound to Gateway ${nameOfStored(server.gateway)}, whose server takes routes for its hosts from other namespaces only (${server.hosts.join(', ')}).`
}

function fixFor(situation: Situation, host: string): Fix {
  const [server] = serversFor(situation, host)
  const [gateway] = istioGateways(situation)
  const [named] = virtualServicesFor(situation, host)
  if (server && named) return bindFix(situation, host, server, named)
  const bound = situation.store
    .list('VirtualService')
    .find(({ object }) => gatewayReferences(object).length > 0 && reachesServer(situation, object))
  const service = named ?? bound
  const steps = [
    ...(server || !gateway ? [] : [`add ${host} to the hosts of a server of Gateway ${nameOfStored(gateway)}`]),
    ...(named || !service ? [] : [`add ${host} to the hosts of VirtualService ${nameOfStored(service)}`]),
  ]
  const edits = [
    ...(server || !gateway ? [] : [['gateways.networking.istio.io', gateway] as const]),
    ...(named || !service ? [] : [['virtualservices.networking.istio.io', service] as const]),
  ]
  return {
    statement: `If ${host} is meant to be served here, ${steps.join(' and ') || `add a server and a route for ${host}`}; change nothing else. If not, the caller uses the wrong name.`,
    commands: edits.map(
      ([resource, stored]) =>
        `kubectl -n ${stored.object.metadata.namespace ?? 'default'} edit ${resource} ${quoted(stored.object.metadata.name)}`,
    ),
    scope: `requests for ${host}; other hosts keep their routes`,
    risk: `${host} becomes reachable from outside with all paths that the VirtualService routes`,
    undo: 'take the host out again',
  }
}

/** Both are there and do not meet. */
function bindFix(situation: Situation, host: string, { gateway, hosts }: GatewayServer, service: Stored): Fix {
  const bound = virtualServicesFor(situation, host).find(({ object }) => isBound(object, gateway))
  const [changed, resource, how] = !bound
    ? [
        service,
        'virtualservices',
        `add ${nameOfStored(gateway)} to spec.gateways of VirtualService ${nameOfStored(service)}`,
      ]
    : mayBind(hosts, bound.object)
      ? [bound, 'virtualservices', `find out why the gateway lacks the routes of VirtualService ${nameOfStored(bound)}`]
      : [
          gateway,
          'gateways',
          `write ${bound.object.metadata.namespace}/${host} into the hosts of this server of Gateway ${nameOfStored(gateway)}`,
        ]
  return {
    statement: `If ${host} is meant to be served here, ${how}; change nothing else. If not, callers use the address of another gateway.`,
    commands: [
      `kubectl -n ${changed.object.metadata.namespace ?? 'default'} edit ${resource}.networking.istio.io ${quoted(changed.object.metadata.name)}`,
    ],
    scope: `requests for ${host}`,
    risk: 'all paths that this VirtualService routes become reachable through this gateway',
    undo: 'take it out again',
  }
}

function reachesServer(situation: Situation, service: Parameters<typeof gatewayReferences>[0]): boolean {
  return istioGateways(situation).some((gateway) => isBound(service, gateway))
}
