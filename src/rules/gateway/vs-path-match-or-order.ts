import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import {
  hostOfCall,
  isBound,
  istioGateways,
  nameOfStored,
  noRouteLine,
  type RouteSearch,
  routeSearch,
  virtualServicesFor,
} from '../lib/gateways.ts'
import { nearMiss, routesInWords } from '../lib/route-words.ts'
import { shadowedRoutes } from '../lib/shadowed-route.ts'
import { quoted, tryAgain, tryThroughGateway } from '../lib/words.ts'

/** The proxy knows the host, and none of its routes takes this method, path and these headers. */
export default defineRule({
  code: 'vs-path-match-or-order',
  layer: 'gateway-routing',
  severity: 'error',
  explains: ['404', 'not-applied'],
  title: 'The host is known, but no route takes this request',
  why: 'Routes of a virtual host are tried in order, and a request that none of them takes gets 404 from the proxy itself. `exact` and `prefix` are case-sensitive, a prefix is compared as text, and without a last route that takes everything the rest is lost.',
  needs: [['gateway.routes', 'client.routes', 'gateway.accessLog', 'client.accessLog']],
  yieldsTo: ['stale-rds-404', 'proxy-nack-error', 'proxy-stale-or-disconnected'],
  seeAlso: ['https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest'],
  applies: ({ symptom, gateway, client }) =>
    symptom !== 'not-applied' || gateway !== null || client.pods.some(({ hasEnvoy }) => hasEnvoy),
  check(situation) {
    const role = situation.gateway ? 'gateway' : 'client'
    const line = noRouteLine(situation, role)
    if (situation.symptom === 'not-applied' && !line) {
      const lost = shadowedRoutes(situation, role)
      return lost.length > 0 ? fired(...lost) : quiet
    }
    const search = routeSearch(situation, role)
    const passed = situation.sample?.[role] ?? null
    if (!line && passed)
      return ruledOut('the gateway found a route for this request', quoteLine(passed, 'it went to an upstream'))
    if (search?.found) return quiet
    const host = hostOfCall(situation, line)
    if (search) return search.virtualHost === null ? quiet : fired(noMatch(situation, role, host, line, search))
    if (!line || host === null) return quiet
    // Without the routes the objects tell whether the host is known at all.
    const known = virtualServicesFor(situation, host).some(
      ({ object }) => role === 'gateway' && istioGateways(situation).some((gateway) => isBound(object, gateway)),
    )
    return known ? fired(noMatch(situation, role, host, line, null)) : quiet
  },
})

function noMatch(
  situation: Situation,
  role: 'gateway' | 'client',
  host: string | null,
  line: Line | null,
  search: RouteSearch | null,
): Hit {
  const pod = line?.pod ?? search?.traced.pod ?? null
  const path = line?.record.path ?? situation.given.path ?? situation.hints.path ?? '/'
  const method = line?.record.method ?? situation.given.method ?? situation.hints.method ?? 'GET'
  const proven = line !== null && search !== null
  const services = servicesFor(situation, role, host)
  const [service] = services
  const owner = service ? `VirtualService ${nameOfStored(service)}` : 'the routes for this host'
  const passedOver = search?.passedOver ?? []
  const miss = nearMiss(path, passedOver)
  const at = pod ? podLabel(pod) : role === 'gateway' ? 'the gateway' : "the caller's proxy"
  return {
    subject: service ? owner : (host ?? at),
    title: `${owner} has no route for ${method} ${path}, so ${at} answers 404 itself`,
    statement: `${at} knows ${host ?? 'the host'}${search?.virtualHost ? ` (virtual host ${search.virtualHost})` : ''}, but ${
      passedOver.length > 0
        ? `none of its ${passedOver.length === 1 ? 'routes takes it: the only one wants' : `${passedOver.length} routes takes it; they want`} ${routesInWords(passedOver)}`
        : 'none of its routes takes this request'
    }.${miss ? ` ${miss}` : ''}`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      ...(line ? [quoteLine(line, 'no route was found for a host that is known')] : []),
      ...(search
        ? [
            quote(
              search.traced.entries.routes ?? search.traced.entries.listeners ?? '',
              `routes of virtual host ${search.virtualHost} that ${search.traced.pod.name} passed over`,
              passedOver.map(({ route, failed }) => `${route ?? 'route'}: ${failed}`).join('; ') || 'it has no routes',
            ),
          ]
        : []),
      ...services
        .slice(0, 2)
        .map((stored) =>
          quoteObject(stored, `matches of VirtualService ${nameOfStored(stored)}`, matchesOf(stored.object.spec?.http)),
        ),
    ],
    contradicting: [],
    fix: {
      statement: `Add one match for ${path} to ${owner}, before a route that would take it otherwise, or a last route without match as the default; leave the other routes as they are. If the caller has the wrong path, correct the caller.`,
      commands: service
        ? [
            `kubectl -n ${service.object.metadata.namespace ?? 'default'} edit virtualservices.networking.istio.io ${quoted(service.object.metadata.name)}`,
          ]
        : [],
      scope: `requests for ${host ?? 'this host'} that no route takes today`,
      risk: 'a default route lets through every path, also those that nobody meant to publish; one added match lets through that one',
      undo: 'take the added match out again',
    },
    verify:
      role === 'gateway' && host
        ? tryThroughGateway(situation, host, 'the status of the application instead of 404')
        : tryAgain(situation, 'the status of the application instead of 404'),
    wouldDecide: proven
      ? null
      : search
        ? {
            command: `kubectl logs -n ${search.traced.pod.namespace} ${search.traced.pod.name} -c istio-proxy --tail=200`,
            why: 'a line 404 NR route_not_found for this path proves it',
          }
        : {
            command: `istioctl proxy-config routes ${pod ? `${pod.name}.${pod.namespace}` : 'GATEWAY-POD'} -o json`,
            why: 'it shows the virtual host for this name and the paths that it takes, in their order',
          },
    about: 'call',
    ...(role === 'client' ? { layer: 'client-sidecar-routing' as const } : {}),
  }
}

function servicesFor(situation: Situation, role: 'gateway' | 'client', host: string | null) {
  const full = role === 'client' ? (situation.server.host ?? host) : host
  const named = full === null ? [] : virtualServicesFor(situation, full)
  if (role === 'client') return named.filter(({ object }) => Array.isArray(object.spec?.http))
  return named.filter(({ object }) => istioGateways(situation).some((gateway) => isBound(object, gateway)))
}

function matchesOf(http: unknown): unknown {
  return Array.isArray(http) ? http.map((route) => route?.match ?? 'everything') : http
}
