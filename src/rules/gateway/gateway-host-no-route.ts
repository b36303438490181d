import { type Fix, fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { podLabel } from '../../situation/pods.ts'
import { quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { quoteRoutes, staleInstead } from '../lib/gateway-evidence.ts'
import { tryThroughGateway } from '../lib/gateway-words.ts'
import {
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
  virtualServicesFor,
} from '../lib/gateways.ts'
import { quoted } from '../lib/words.ts'

/** The gateway took the request and has no virtual host for its Host header. */
export default defineRule({
  code: 'gateway-host-no-route',
  layer: 'gateway-routing',
  severity: 'error',
  explains: ['404', 'not-applied'],
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
  const servers = serversFor(situation, host)
  const services = virtualServicesFor(situation, host)
  const stale = staleInstead(situation, host)
  const proven = line !== null && search !== null && stale === null
  const nearby = [...services, ...istioGateways(situation)].slice(0, 3)
  return {
    subject: host,
    title: `${at} has no route for host ${host} and answers 404 itself`,
    statement: `${line ? `${at} logged 404 route_not_found for ${host}` : `${at} would answer 404 to ${host}`}${
      search ? `, and its route configuration ${search.configuration} has no virtual host for that name` : ''
    }. ${gap(host, servers.length > 0, services.length > 0)}${stale ? ` ${stale.words}` : ''}`,
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
        ? { command: 'istioctl proxy-status', why: 'whether the gateway holds the current routes' }
        : line
          ? {
              command: `istioctl proxy-config routes ${pod ? `${pod.name}.${pod.namespace}` : 'GATEWAY-POD'} -o json`,
              why: 'whether its routes have a virtual host for this name',
            }
          : {
              command: `kubectl logs ${pod ? `-n ${pod.namespace} ${pod.name}` : 'GATEWAY-POD'} -c istio-proxy --tail=200`,
              why: 'a line 404 NR route_not_found for this host would prove it',
            },
    about: 'call',
  }
}

function hostsOfServers(servers: unknown): readonly unknown[] {
  return Array.isArray(servers) ? servers.flatMap((server) => server?.hosts ?? []) : []
}

function gap(host: string, isServed: boolean, isRouted: boolean): string {
  if (!isServed && !isRouted) return `Neither a Gateway nor a VirtualService that was read names ${host}.`
  if (!isServed) return `A VirtualService names ${host}, but no server of the Gateway does.`
  return isRouted
    ? `A VirtualService names ${host}, but it is not bound to this gateway.`
    : `The Gateway takes ${host}, but no VirtualService that is bound to it does.`
}

function fixFor(situation: Situation, host: string): Fix {
  const [server] = serversFor(situation, host)
  const [gateway] = istioGateways(situation)
  const [named] = virtualServicesFor(situation, host)
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
    statement:
      steps.length > 0
        ? `If ${host} is meant to be served here, ${steps.join(' and ')}; change nothing else. If not, the caller uses the wrong name.`
        : `Bind the VirtualService for ${host} to the Gateway that takes this host; change nothing else.`,
    commands: edits.map(
      ([resource, stored]) =>
        `kubectl -n ${stored.object.metadata.namespace ?? 'default'} edit ${resource} ${quoted(stored.object.metadata.name)}`,
    ),
    scope: `requests for ${host}; other hosts keep their routes`,
    risk: `${host} becomes reachable from outside with all paths that the VirtualService routes`,
    undo: 'take the host out again',
  }
}

function reachesServer(situation: Situation, service: Parameters<typeof gatewayReferences>[0]): boolean {
  return istioGateways(situation).some((gateway) => isBound(service, gateway))
}
