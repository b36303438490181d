import { completeVirtualService } from '../mesh/delegates.ts'
import { parseServiceHost, resolveHost } from '../mesh/hosts.ts'
import { objectsIn, textsIn } from '../mesh/loose-lists.ts'
import { parseClusterName } from '../mesh/names.ts'
import { matchRoute } from '../mesh/route-match.ts'
import { virtualServiceRoutes } from '../mesh/virtual-service-routes.ts'
import type { Given } from '../model/call.ts'
import type { KubeObject } from '../model/kube.ts'
import { bareHost } from './exchanges.ts'
import { hostMatches } from './gateway-hosts.ts'
import type { Hints } from './hints.ts'
import type { ObjectStore, Stored } from './objects.ts'

/** A service that a host is published for. */
export interface Backend {
  readonly name: string
  readonly namespace: string
  readonly port: number | null
}

interface Request {
  readonly host: string
  readonly method: string
  /** Null: nobody said which path, so only a host with one service behind it tells. */
  readonly path: string | null
  readonly port: number
}

/**
 * The name from outside that a caller used, when nobody named an end: then only the routes at gateways tell where it leads.
 * A pasted line carries addresses, and those tell more.
 */
export function outsideName(given: Given, hints: Hints): string | null {
  if (given.from !== null || given.to !== null) return null
  if (hints.host !== null || hints.clientIp !== null || hints.serviceIp !== null || hints.serverIp !== null) return null
  const name = given.host ?? hints.authority
  const bare = name === null ? '' : bareHost(name).toLowerCase()
  if (!bare.includes('.') || /\.svc(\.|$)/.test(bare) || /^[\d.]+$/.test(bare)) return null
  return bare
}

/** The one service that gateways publish under the name the caller used; null where it is none, or several. */
export function publishedBackend(given: Given, hints: Hints, store: ObjectStore): Backend | null {
  const found = publishedBackends(given, hints, store)
  const [first] = found
  const isOne = found.every(({ name, namespace }) => name === first?.name && namespace === first.namespace)
  return first && isOne ? first : null
}

/** The namespace of all services that the name may lead to, where they share one. */
export function publishedNamespace(given: Given, hints: Hints, store: ObjectStore): string | null {
  const [only, ...others] = publishedNamespaces(given, hints, store)
  return others.length === 0 ? (only ?? null) : null
}

/** The namespaces of all services that the name may lead to. */
export function publishedNamespaces(given: Given, hints: Hints, store: ObjectStore): readonly string[] {
  return [...new Set(publishedBackends(given, hints, store).map(({ namespace }) => namespace))].sort()
}

/** Whether the routes lead to several services, so that only the gateway's log tells which one was meant. */
export function isOpenAtGateway(given: Given, hints: Hints, store: ObjectStore): boolean {
  return publishedBackends(given, hints, store).length > 0 && publishedBackend(given, hints, store) === null
}

function publishedBackends(given: Given, hints: Hints, store: ObjectStore): readonly Backend[] {
  const host = outsideName(given, hints)
  if (host === null) return []
  const request: Request = {
    host,
    method: given.method ?? hints.method ?? 'GET',
    path: given.path ?? hints.path,
    port: hints.port ?? (given.symptom === 'tls' ? 443 : 80),
  }
  return [...byVirtualServices(request, store), ...byApiRoutes(request, store)]
}

/** Hosts under which gateways publish a service, by the routes that lead to it. Wildcards are left out. */
export function hostsPublishing(store: ObjectStore, { object }: Stored): readonly string[] {
  const { name, namespace = 'default' } = object.metadata
  const leadsHere = (backends: readonly Backend[]) =>
    backends.some((backend) => backend.name === name && backend.namespace === namespace)
  const hosts = [
    ...atGateways(store).flatMap((service) =>
      leadsHere(backendsOfService(service, store, null)) ? textsIn(service.spec?.hosts) : [],
    ),
    ...apiRoutesAtGateways(store).flatMap((route) =>
      leadsHere(objectsIn(route.spec?.rules).flatMap((rule) => backendsOfRule(route, rule))) ? hostnamesOf(route) : [],
    ),
  ]
  return [...new Set(hosts)].filter((host) => !host.startsWith('*'))
}

/** Whether any route is for this host, at whichever gateway. */
export function isRouted(store: ObjectStore, host: string): boolean {
  return ['VirtualService', 'HTTPRoute', 'GRPCRoute'].some((kind) =>
    store
      .objects(kind)
      .some(({ spec }) => textsIn(spec?.hosts ?? spec?.hostnames).some((one) => hostMatches(one, host))),
  )
}

/** Objects that name the host most exactly: `shop.example.com` before `*.example.com` before `*`. */
export function mostExact<T>(objects: readonly T[], hostsOf: (object: T) => readonly string[], host: string): T[] {
  const ranked = objects.flatMap((object) => {
    const fitting = hostsOf(object).filter((pattern) => hostMatches(pattern, host))
    return fitting.length === 0 ? [] : [{ object, length: Math.max(...fitting.map((pattern) => exactness(pattern))) }]
  })
  const best = Math.max(0, ...ranked.map(({ length }) => length))
  return ranked.filter(({ length }) => length === best).map(({ object }) => object)
}

function exactness(pattern: string): number {
  const bare = pattern.slice(pattern.indexOf('/') + 1)
  return bare.startsWith('*') ? bare.length : 1000
}

function atGateways(store: ObjectStore): readonly KubeObject[] {
  return store
    .objects('VirtualService')
    .filter(({ spec }) => textsIn(spec?.gateways).some((gateway) => gateway !== 'mesh'))
}

function byVirtualServices(request: Request, store: ObjectStore): Backend[] {
  const services = mostExact(atGateways(store), ({ spec }) => textsIn(spec?.hosts), request.host)
  return services.flatMap((service) => backendsOfService(service, store, request))
}

/** Where a VirtualService sends a request, or any request at all. */
function backendsOfService(object: KubeObject, store: ObjectStore, request: Request | null): Backend[] {
  const complete = completeVirtualService(object, store.objects('VirtualService'), {})
  if (!complete) return []
  const routes = virtualServiceRoutes(complete, {
    gateways: textsIn(object.spec?.gateways).map((name) =>
      name.includes('/') ? name : `${object.metadata.namespace}/${name}`,
    ),
    namespace: object.metadata.namespace ?? '',
    labels: {},
    port: request?.port ?? 80,
    services: new Map(),
  })
  const found = clustersOf(routes, request).flatMap(backendOfCluster)
  return found.length > 0 || routes.length > 0 ? found : backendsOfTls(object)
}

/** Routes by the name in the handshake, for a service that ends TLS itself. */
function backendsOfTls({ spec, metadata }: KubeObject): Backend[] {
  return objectsIn(spec?.tls)
    .flatMap(({ route }) => objectsIn(route))
    .flatMap(({ destination }) => {
      const service = parseServiceHost(resolveHost(String(destination?.host ?? ''), metadata.namespace ?? ''))
      return service ? [{ ...service, port: Number(destination?.port?.number) || null }] : []
    })
}

function clustersOf(routes: ReturnType<typeof virtualServiceRoutes>, request: Request | null): string[] {
  if (request === null || request.path === null)
    return routes.flatMap(({ route }) => [
      ...(typeof route?.cluster === 'string' ? [route.cluster] : []),
      ...objectsIn(route?.weightedClusters?.clusters).map(({ name }) => String(name)),
    ])
  const { host, method, path } = request
  const decision = matchRoute(
    { virtualHosts: [{ name: host, domains: ['*'], routes }] },
    { method, path, authority: host, headers: [] },
  )
  return (decision.action?.clusters ?? []).map(({ name }) => name)
}

/** The service behind a cluster's name. */
export function backendOfCluster(name: string): Backend[] {
  const cluster = parseClusterName(name)
  if (cluster.role !== 'outbound') return []
  const service = parseServiceHost(cluster.host)
  return service ? [{ ...service, port: cluster.port }] : []
}

function apiRoutesAtGateways(store: ObjectStore): readonly KubeObject[] {
  return [...store.objects('HTTPRoute'), ...store.objects('GRPCRoute')].filter(({ spec }) =>
    objectsIn(spec?.parentRefs).some((parent) => (parent?.kind ?? 'Gateway') === 'Gateway'),
  )
}

function byApiRoutes(request: Request, store: ObjectStore): Backend[] {
  return mostExact(apiRoutesAtGateways(store), hostnamesOf, request.host).flatMap((object) =>
    objectsIn(object.spec?.rules)
      .filter((rule) => takesPath(rule, request.path))
      .flatMap((rule) => backendsOfRule(object, rule)),
  )
}

/** A route without hostnames takes those of its listeners. */
function hostnamesOf({ spec }: KubeObject): readonly string[] {
  const names = textsIn(spec?.hostnames)
  return names.length > 0 ? names : ['*']
}

// biome-ignore lint/suspicious/noExplicitAny: a rule of a route as written
function takesPath(rule: any, path: string | null): boolean {
  const matches = objectsIn(rule?.matches)
  if (path === null || matches.length === 0) return true
  return matches.some((match) => {
    const value = String(match?.path?.value ?? '/').replace(/(?<=.)\/$/, '')
    const bare = path.split('?', 1)[0] ?? path
    if (match?.path?.type === 'Exact') return bare === value
    if (match?.path?.type === 'RegularExpression') return true
    return value === '/' || bare === value || bare.startsWith(`${value}/`)
  })
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function backendsOfRule(route: KubeObject, rule: any): Backend[] {
  return objectsIn(rule?.backendRefs).flatMap((ref) => {
    if ((ref?.kind ?? 'Service') !== 'Service' || Number(ref?.weight ?? 1) === 0) return []
    const host = resolveHost(String(ref?.name ?? ''), String(ref?.namespace ?? route.metadata.namespace ?? 'default'))
    const service = parseServiceHost(host)
    return service ? [{ ...service, port: Number(ref?.port) || null }] : []
  })
}
