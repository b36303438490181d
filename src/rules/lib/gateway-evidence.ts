import type { Quote } from '../../model/evidence.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import {
  hostsOf,
  isBound,
  knownDomains,
  nameOfStored,
  type RouteSearch,
  selectsOurPods,
  serversFor,
  terminates,
  virtualServicesFor,
} from './gateways.ts'

/** The names a proxy's route configuration answers to. */
export function quoteRoutes(search: RouteSearch, statement: string): Quote {
  const { traced, configuration } = search
  const domains = knownDomains(search)
  const shown = domains.length > 12 ? [...domains.slice(0, 12), `… ${domains.length - 12} more`] : domains
  return quote(
    traced.entries.routes ?? traced.entries.listeners ?? '',
    `${statement}: route ${configuration} of ${traced.pod.name}`,
    domains.length === 0 ? 'no virtual host with a domain of its own' : shown.join(', '),
  )
}

/**
 * Objects that should have given the gateway a route for this host. The proxy then holds something else than the objects say,
 * which is another fault than a missing host.
 */
export function staleInstead(situation: Situation, host: string): { words: string; quote: Quote } | null {
  for (const { gateway, hosts, tlsMode, ...rest } of serversFor(situation, host)) {
    const server = { gateway, hosts, tlsMode, ...rest }
    if (!selectsOurPods(situation, gateway) || (tlsMode !== null && !terminates(server))) continue
    const service = virtualServicesFor(situation, host).find(
      ({ object }) => isBound(object, gateway) && Array.isArray(object.spec?.http) && mayBind(hosts, object),
    )
    if (service)
      return {
        words: `VirtualService ${nameOfStored(service)} and Gateway ${nameOfStored(gateway)} both name ${host}, so the proxy may hold older routes than the objects say.`,
        quote: quoteObject(service, `hosts and gateways of VirtualService ${nameOfStored(service)}`, {
          hosts: hostsOf(service.object),
          gateways: service.object.spec?.gateways,
        }),
      }
  }
  return null
}

/** `ns/host` in a server's hosts lets in VirtualServices of that namespace only. */
export function mayBind(
  hosts: readonly string[],
  service: { readonly metadata: { readonly namespace?: string } },
): boolean {
  return hosts.some((pattern) => {
    const slash = pattern.indexOf('/')
    const namespace = slash < 0 ? '*' : pattern.slice(0, slash)
    return namespace === '*' || namespace === '.' || namespace === service.metadata.namespace
  })
}
