import { fired, quiet, ruledOut } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hostsOf, nameOfStored, noRouteLine, routeSearch } from '../lib/gateways.ts'
import { nearMiss, routesInWords } from '../lib/route-words.ts'
import { isServiceHost } from '../lib/service-hosts.ts'
import { destinationName, quoted, tryAgain } from '../lib/words.ts'

/** A route is bound to the Service at its waypoint, and this request fits none of its matches. */
export default defineRule({
  code: 'waypoint-route-no-match',
  layer: 'ambient-waypoint',
  severity: 'error',
  explains: ['404'],
  title: 'No route of the waypoint takes this request',
  why: 'As soon as an HTTPRoute or VirtualService is bound to a Service, the waypoint routes by it alone: a request that none of its rules takes gets 404, although the Service would have answered.',
  needs: ['waypoint.accessLog'],
  yieldsTo: ['proxy-nack-error', 'proxy-stale-or-disconnected'],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/l7-features/'],
  applies: ({ waypoint }) => waypoint !== null,
  check(situation) {
    const line = noRouteLine(situation, 'waypoint')
    if (!line) {
      const passed = situation.sample?.waypoint
      return passed
        ? ruledOut('the waypoint had a route and passed the request on', quoteLine(passed, 'it went to an upstream'))
        : quiet
    }
    const search = routeSearch(situation, 'waypoint')
    if (search?.found) return quiet
    const routes = routesOfService(situation)
    const [route] = routes
    const path = line.record.path ?? situation.given.path ?? '/'
    const method = line.record.method ?? 'GET'
    const owner = route ? `${route.object.kind} ${nameOfStored(route)}` : 'the routes of the waypoint'
    const miss = nearMiss(path, search?.passedOver ?? [])
    return fired({
      subject: owner,
      title: `${owner} has no match for ${method} ${path}, so the waypoint answers 404 itself`,
      statement: `The waypoint logged 404 route_not_found for ${method} ${path}.${
        search && search.passedOver.length > 0
          ? ` Its routes for ${destinationName(situation)} want ${routesInWords(search.passedOver)}.`
          : ''
      } With a route bound to it, the Service is reached through these rules only.${miss ? ` ${miss}` : ''}`,
      certainty: 'proven',
      supporting: [
        quoteLine(line, 'the waypoint found no route'),
        ...(search
          ? [
              quote(
                search.traced.entries.routes ?? search.traced.entries.listeners ?? '',
                `routes that ${search.traced.pod.name} passed over`,
                search.passedOver.map(({ route: name, failed }) => `${name ?? 'route'}: ${failed}`).join('; ') ||
                  'none',
              ),
            ]
          : []),
        ...routes
          .slice(0, 2)
          .map((stored) =>
            quoteObject(
              stored,
              `rules of ${stored.object.kind} ${nameOfStored(stored)}`,
              stored.object.spec?.rules ?? stored.object.spec?.http,
            ),
          ),
      ],
      contradicting: [],
      fix: {
        statement: `Add a match for ${path} to ${owner}, or a last rule without match that sends the rest to the Service; leave its other rules as they are.`,
        commands: route
          ? [
              `kubectl -n ${route.object.metadata.namespace ?? ''} edit ${
                route.object.kind === 'HTTPRoute'
                  ? 'httproutes.gateway.networking.k8s.io'
                  : 'virtualservices.networking.istio.io'
              } ${quoted(route.object.metadata.name)}`,
            ]
          : [],
        scope: `requests to ${destinationName(situation)} that no rule takes today`,
        risk: 'a rule without match lets every path through to the Service',
        undo: 'take the added rule out again',
      },
      verify: tryAgain(situation, 'the status of the application instead of 404'),
      wouldDecide: null,
      about: 'call',
    })
  },
})

function routesOfService({ store, server }: Situation): readonly Stored[] {
  const service = server.service?.object.metadata
  if (!service) return []
  const bound = [...store.list('HTTPRoute'), ...store.list('GRPCRoute')].filter(({ object }) => {
    const parents: unknown = object.spec?.parentRefs
    return (
      Array.isArray(parents) &&
      parents.some(
        (parent) =>
          parent?.kind === 'Service' &&
          parent?.name === service.name &&
          (parent?.namespace ?? object.metadata.namespace) === service.namespace,
      )
    )
  })
  const services = store
    .list('VirtualService')
    .filter(
      ({ object }) =>
        server.host !== null &&
        hostsOf(object).some((host) => isServiceHost(host, object.metadata.namespace, server.host ?? '')),
    )
  return [...bound, ...services]
}
