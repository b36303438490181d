import type { KubeObject } from '../model/kube.ts'
import { type RuleClient, type SelectedRule, selectDestinationRule } from './destination-rule.ts'
import type { PathNormalization } from './mesh-config.ts'
import { parseClusterName } from './names.ts'
import { type HttpRequest, matchRoute, type RouteDecision } from './route-match.ts'
import { type RegistryService, registryServices, sidecarScope, visibleServices } from './service-registry.ts'
import { meshVirtualServices, type OutboundRoutes, outboundRoutes, type RoutingMesh } from './virtual-service.ts'

export interface RouteQuestion {
  /** Services, ServiceEntries, VirtualServices, DestinationRules, Sidecars. */
  readonly objects: readonly KubeObject[]
  readonly mesh: RoutingMesh & {
    readonly pathNormalization?: PathNormalization
    readonly defaultServiceExportTo?: readonly string[]
  }
  readonly client: RuleClient
  /** As the application dials it. */
  readonly destination: { readonly address: string | null; readonly port: number }
  readonly request: HttpRequest
  /** Ready pods, to tell an empty subset. Without them nothing is said about endpoints. */
  readonly pods?: readonly { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }[]
}

export interface PredictedRoute {
  /** What the client's proxy does: forwards, answers itself, or cannot. */
  readonly outcome: 'forwarded' | 'answered' | 'failed' | 'cannot-decide'
  /** Status that the client's proxy gives by itself; `null` when it comes from further on. */
  readonly status: number | null
  readonly flags: readonly string[]
  readonly details: string | null
  /** Possible clusters with their share; empty when nothing is forwarded. */
  readonly clusters: readonly { readonly name: string; readonly percent: number }[]
  readonly route: string | null
  readonly location: string | null
  readonly decision: RouteDecision | null
  readonly rule: SelectedRule | null
  readonly routes: OutboundRoutes | null
  readonly why: string
}

/** What a sidecar does with an outbound HTTP request, told from the objects alone. */
export function predictRoute(question: RouteQuestion): PredictedRoute {
  const { client, mesh, destination, request } = question
  const scope = sidecarScope(question.objects, client, mesh.rootNamespace)
  const services = visibleServices(
    registryServices(question.objects, mesh.domain),
    client,
    scope,
    mesh.defaultServiceExportTo,
  )
  const policy = scope.outboundTrafficPolicy ?? mesh.outboundTrafficPolicy
  const routingMesh = { ...mesh, ...(policy === null || policy === undefined ? {} : { outboundTrafficPolicy: policy }) }
  const dialled = services.find(
    (service) =>
      destination.address !== null &&
      service.addresses.includes(destination.address) &&
      service.ports.some(({ port }) => port === destination.port),
  )
  const kind = dialled?.ports.find(({ port }) => port === destination.port)?.kind
  if (kind === 'tcp' || kind === 'tls')
    return { ...blank, why: `port ${destination.port} of ${dialled?.host} is ${kind}: no HTTP route takes part` }
  const hasHttp = services.some((service) =>
    service.ports.some((port) => port.port === destination.port && port.kind === 'http'),
  )
  if (kind !== 'auto' && !hasHttp) return unknownPort(routingMesh)

  const virtualServices = meshVirtualServices(question.objects, client, mesh, scope)
  const sniffed = kind === 'auto' && dialled ? { sniffed: dialled.host } : {}
  const routes = outboundRoutes(virtualServices, services, client, destination.port, { ...routingMesh, ...sniffed })
  const normalization = mesh.pathNormalization
  const decision = matchRoute(routes.config, request, normalization ? { normalization } : {})
  return { ...judge(question, decision, services), decision, routes }
}

const blank: PredictedRoute = {
  outcome: 'cannot-decide',
  status: null,
  flags: [],
  details: null,
  clusters: [],
  route: null,
  location: null,
  decision: null,
  rule: null,
  routes: null,
  why: '',
}

/** No HTTP listener for the port: the catch-all handles it as TCP. */
function unknownPort(mesh: RoutingMesh): PredictedRoute {
  if (mesh.outboundTrafficPolicy === 'REGISTRY_ONLY')
    return {
      ...blank,
      outcome: 'failed',
      flags: ['UH'],
      clusters: [{ name: 'BlackHoleCluster', percent: 100 }],
      why: 'no service has this port, and the mesh allows known services only',
    }
  return {
    ...blank,
    outcome: 'forwarded',
    clusters: [{ name: 'PassthroughCluster', percent: 100 }],
    why: 'no service has this port: the connection is passed through',
  }
}

function judge(question: RouteQuestion, decision: RouteDecision, services: readonly RegistryService[]): PredictedRoute {
  const { action } = decision
  const found = { ...blank, route: decision.route }
  if (decision.outcome === 'cannot-decide') return { ...found, why: decision.why }
  if (decision.outcome === 'rejected')
    return { ...found, outcome: 'answered', status: 400, details: 'path_normalization_failed', why: decision.why }
  if (!action)
    return { ...found, outcome: 'failed', status: 404, flags: ['NR'], details: 'route_not_found', why: decision.why }
  const delayed = action.fault?.delay?.percent === 100 ? ['DI'] : []
  const clusters = action.clusters.map((cluster) => ({ ...cluster, ...clusterState(question, cluster.name, services) }))
  const rule = clusters.find((cluster) => cluster.rule)?.rule ?? null
  if (action.fault?.abort?.percent === 100)
    return {
      ...found,
      outcome: 'answered',
      status: action.fault.abort.status,
      flags: [...delayed, 'FI'],
      details: 'fault_filter_abort',
      clusters: action.clusters,
      rule,
      why: 'the route injects an abort into every request',
    }
  if (action.kind !== 'cluster')
    return {
      ...found,
      outcome: 'answered',
      status: action.status,
      flags: delayed,
      details: 'direct_response',
      location: action.location,
      why: `the route answers with a ${action.kind === 'redirect' ? 'redirect' : 'direct response'}`,
    }
  const bad = clusters.find(({ state }) => state !== 'ok')
  const isAll = clusters.every(({ state }) => state === bad?.state)
  if (!bad)
    return {
      ...found,
      outcome: 'forwarded',
      flags: delayed,
      details: 'via_upstream',
      clusters: action.clusters,
      rule,
      why: '',
    }
  // A split over good and bad clusters fails for a part of the requests only.
  if (!isAll)
    return {
      ...found,
      outcome: 'cannot-decide',
      clusters: action.clusters,
      rule,
      why: `for ${bad.percent} % of the requests: ${bad.why}`,
    }
  const missing = bad.state === 'missing'
  return {
    ...found,
    outcome: 'failed',
    status: missing ? action.clusterNotFoundStatus : 503,
    flags: [...delayed, missing ? 'NC' : 'UH'],
    details: missing ? 'cluster_not_found' : 'no_healthy_upstream',
    clusters: action.clusters,
    rule,
    why: bad.why,
  }
}

interface ClusterState {
  readonly state: 'ok' | 'missing' | 'empty'
  readonly why: string
  readonly rule: SelectedRule | null
}

/** Whether the client's proxy has the cluster: the service and port must be known, the subset defined in the rule that counts here. */
function clusterState(question: RouteQuestion, name: string, services: readonly RegistryService[]): ClusterState {
  const cluster = parseClusterName(name)
  if (cluster.role !== 'outbound')
    return { state: cluster.role === 'invalid-backend' ? 'missing' : 'ok', why: '', rule: null }
  const missing = (why: string, rule: SelectedRule | null = null): ClusterState => ({ state: 'missing', why, rule })
  const service = services.find(({ host }) => host.toLowerCase() === cluster.host.toLowerCase())
  if (!service) return missing(`${cluster.host} is no service that this proxy knows`)
  if (!service.ports.some(({ port, kind }) => port === cluster.port && kind !== 'udp'))
    return missing(`${cluster.host} has no port ${cluster.port}`)
  const rule = selectDestinationRule(question.objects, question.client, service, question.mesh)
  const subset = rule?.subsets.find((one) => one.name === cluster.subset)
  if (cluster.subset !== '' && !subset)
    return missing(`no DestinationRule that counts here defines subset ${cluster.subset}`, rule)
  if (question.pods && service.selector && Object.keys(service.selector).length > 0) {
    const wanted = { ...service.selector, ...subset?.labels }
    const any = question.pods.some(
      (pod) =>
        pod.namespace === service.namespace &&
        Object.entries(wanted).every(([key, value]) => pod.labels[key] === value),
    )
    if (!any) return { state: 'empty', why: `no ready pod has ${labelText(wanted)}`, rule }
  }
  return { state: 'ok', why: '', rule }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}
