import type { RouteConfiguration, VirtualHost } from '../../parsers/proxy-config-route.ts'
import type { KubeObject } from '../model/kube.ts'
import { type CompleteVirtualService, completeVirtualService } from './delegates.ts'
import { byAge, type RuleMesh } from './destination-rule.ts'
import { domainsOf, hostsMatch, isExportedTo, isWildcard, mostSpecific } from './hosts.ts'
import { textsIn } from './loose-lists.ts'
import { outboundClusterName } from './names.ts'
import type { RegistryService, SidecarScope } from './service-registry.ts'
import { type RouteContext, virtualServiceRoutes } from './virtual-service-routes.ts'

export interface RoutingMesh extends RuleMesh {
  readonly outboundTrafficPolicy?: string
  readonly defaultVirtualServiceExportTo?: readonly string[]
}

export interface RoutingClient {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
}

/** The VirtualServices that a sidecar gets, in the order in which they compete for a host: private, exported to it, public; old first. */
export function meshVirtualServices(
  objects: readonly KubeObject[],
  client: RoutingClient,
  mesh: RoutingMesh,
  scope?: SidecarScope,
): readonly CompleteVirtualService[] {
  const all = objects.filter(({ kind }) => kind === 'VirtualService').sort(byAge)
  const tiers: CompleteVirtualService[][] = [[], [], []]
  for (const object of all) {
    if (!isForGateways(object.spec?.gateways, ['mesh'])) continue
    const complete = completeVirtualService(object, all, mesh)
    if (!complete) continue
    const namespace = object.metadata.namespace ?? ''
    const exportTo = object.spec?.exportTo
    if (!isExportedTo(exportTo, namespace, client.namespace, mesh.defaultVirtualServiceExportTo)) continue
    if (scope?.object && !complete.hosts.some((host) => scope.sees(namespace, host))) continue
    tiers[tierOf(exportTo, namespace, client.namespace, mesh)]?.push(complete)
  }
  return tiers.flat()
}

function tierOf(exportTo: unknown, namespace: string, viewer: string, mesh: RoutingMesh): number {
  const own = textsIn(exportTo)
  const targets = own.length > 0 ? own : (mesh.defaultVirtualServiceExportTo ?? ['*'])
  if (targets.includes('*')) return 2
  return namespace === viewer && (targets.includes('.') || targets.includes(namespace)) ? 0 : 1
}

function isForGateways(gateways: unknown, wanted: readonly string[]): boolean {
  const listed = textsIn(gateways)
  return listed.length === 0 ? wanted.includes('mesh') : listed.some((gateway) => wanted.includes(gateway))
}

export interface OutboundRoutes {
  readonly config: RouteConfiguration
  /** Hosts that a VirtualService names and that an earlier one has taken; the later one does not count for them. */
  readonly shadowed: readonly { readonly host: string; readonly object: KubeObject; readonly by: KubeObject }[]
  readonly dropped: readonly { readonly object: KubeObject; readonly route: string; readonly why: string }[]
}

/**
 * The route configuration of one outbound HTTP port as istiod would write it for a sidecar. For a port whose protocol is found out
 * from the traffic, `sniffed` names the service: each such service has a configuration of its own.
 */
export function outboundRoutes(
  virtualServices: readonly CompleteVirtualService[],
  services: readonly RegistryService[],
  client: RoutingClient,
  port: number,
  mesh: RoutingMesh & { readonly sniffed?: string },
): OutboundRoutes {
  const onPort = services.filter((service) => service.ports.some((one) => one.port === port))
  const byHost = new Map(onPort.map((service) => [service.host.toLowerCase(), service]))
  const context: RouteContext = {
    gateways: ['mesh'],
    namespace: client.namespace,
    labels: client.labels,
    port,
    services: byHost,
    ...(mesh.domain === undefined ? {} : { domain: mesh.domain }),
  }
  const builder = new VirtualHosts(client.namespace, port, mesh.domain)
  const covered = new Set<string>()
  for (const virtualService of virtualServices) {
    // Hosts that are no services only work on port 80.
    if (port !== 80 && !virtualService.hosts.some((host) => onPort.some((service) => hostsMatch(host, service.host))))
      continue
    const routes = virtualServiceRoutes(virtualService, context)
    // Nothing in it is for this caller: the service keeps its plain route.
    if (routes.length === 0) continue
    const { known, unknown } = splitHosts(virtualService, virtualServices, byHost, onPort)
    const speaking = known.filter((service) => kindOn(service, port) === 'http' || kindOn(service, port) === 'auto')
    if (speaking.length === 0 && port !== 80) continue
    for (const host of unknown) builder.add(host, [host], routes, virtualService.object)
    for (const service of speaking) {
      covered.add(service.host.toLowerCase())
      builder.addService(service, routes, virtualService.object)
    }
  }
  for (const service of onPort) {
    const kind = kindOn(service, port)
    if (covered.has(service.host.toLowerCase()) || (kind !== 'http' && kind !== 'auto')) continue
    builder.addService(service, [defaultRoute(outboundClusterName(port, '', service.host))], null)
  }
  const { hosts, shadowed } = builder
  const virtualHosts = mesh.sniffed === undefined ? [...hosts, catchAll(mesh)] : onlySniffed(hosts, mesh.sniffed)
  return {
    config: {
      name: mesh.sniffed === undefined ? String(port) : `${mesh.sniffed}:${port}`,
      virtualHosts,
      ignorePortInHostMatching: true,
    },
    shadowed,
    dropped: virtualServices.flatMap(({ object, dropped }) => dropped.map((entry) => ({ object, ...entry }))),
  }
}

function kindOn(service: RegistryService, port: number): string | undefined {
  return service.ports.find((one) => one.port === port)?.kind
}

/** Which hosts of a VirtualService are services here. A wildcard covers the services for which no other host is more specific. */
function splitHosts(
  virtualService: CompleteVirtualService,
  all: readonly CompleteVirtualService[],
  byHost: ReadonlyMap<string, RegistryService>,
  services: readonly RegistryService[],
): { known: RegistryService[]; unknown: string[] } {
  const known: RegistryService[] = []
  const unknown: string[] = []
  const exact = virtualService.hosts.filter((host) => !isWildcard(host))
  for (const host of exact) {
    const service = byHost.get(host.toLowerCase())
    if (service) known.push(service)
    else unknown.push(host)
  }
  const hosts = all.flatMap((one) => one.hosts.map((host) => ({ host, one })))
  for (const host of virtualService.hosts.filter(isWildcard)) {
    const matching = services.filter((service) => hostsMatch(host, service.host))
    if (matching.length === 0) unknown.push(host)
    for (const service of matching) {
      const best = mostSpecific(
        service.host,
        hosts.map((entry) => entry.host),
      )
      // Of equal hosts the first VirtualService has it.
      const owner = hosts.find((entry) => entry.host.toLowerCase() === best?.toLowerCase())?.one
      if (owner === virtualService) known.push(service)
    }
  }
  return { known, unknown }
}

/** Collects virtual hosts; whoever comes first keeps a name or a domain. */
class VirtualHosts {
  readonly hosts: VirtualHost[] = []
  readonly shadowed: { host: string; object: KubeObject; by: KubeObject }[] = []
  private readonly taken = new Map<string, KubeObject | null>()
  private readonly names = new Map<string, KubeObject | null>()
  private readonly namespace: string
  private readonly port: number
  private readonly domain: string | undefined
  constructor(namespace: string, port: number, domain: string | undefined) {
    this.namespace = namespace
    this.port = port
    this.domain = domain
  }

  addService(service: RegistryService, routes: VirtualHost['routes'], object: KubeObject | null): void {
    const domains = domainsOf(service.host, this.namespace, service.addresses, {
      headless: service.headless && service.object.kind === 'Service',
      ...(this.domain === undefined ? {} : { domain: this.domain }),
    })
    this.add(service.host, domains, routes, object)
  }

  add(host: string, domains: readonly string[], routes: VirtualHost['routes'], object: KubeObject | null): void {
    const name = `${host.toLowerCase()}:${this.port}`
    const owner = this.names.get(name)
    if (owner !== undefined) {
      if (object && owner) this.shadowed.push({ host, object, by: owner })
      return
    }
    this.names.set(name, object)
    const free = domains.filter((domain) => !this.taken.has(domain.toLowerCase()))
    for (const domain of free) this.taken.set(domain.toLowerCase(), object)
    if (free.length > 0) this.hosts.push({ name, domains: free, routes })
  }
}

function onlySniffed(hosts: readonly VirtualHost[], service: string): VirtualHost[] {
  return hosts
    .filter((host) => host.domains?.some((domain) => domain.toLowerCase() === service.toLowerCase()))
    .map((host) => ({ ...host, domains: ['*'] }))
}

function defaultRoute(cluster: string): NonNullable<VirtualHost['routes']>[number] {
  return { name: 'default', match: { prefix: '/' }, route: { cluster, timeout: '0s' } }
}

function catchAll(mesh: RoutingMesh): VirtualHost {
  if (mesh.outboundTrafficPolicy === 'REGISTRY_ONLY')
    return {
      name: 'block_all',
      domains: ['*'],
      routes: [{ name: 'block_all', match: { prefix: '/' }, directResponse: { status: 502 } }],
    }
  const cluster =
    mesh.outboundTrafficPolicy === 'ALLOW_ANY_DYNAMIC_DNS' ? 'AllowAnyDynamicDNSCluster' : 'PassthroughCluster'
  return {
    name: 'allow_any',
    domains: ['*'],
    routes: [{ name: 'allow_any', match: { prefix: '/' }, route: { cluster, timeout: '0s' } }],
  }
}
