import type { KubeObject } from '../../model/kube.ts'
import type { Line } from '../../situation/exchanges.ts'
import { bareHost } from '../../situation/exchanges.ts'
import { hostMatches } from '../../situation/gateway-hosts.ts'
import type { Stored } from '../../situation/objects.ts'
import { matchesLabels } from '../../situation/pods.ts'
import { isRouted } from '../../situation/published.ts'
import type { Situation } from '../../situation/situation.ts'
import { type TracedCall, traceCall } from '../../situation/tracing.ts'
import { failingLines } from './deciding-line.ts'

/** One `servers` entry of an Istio Gateway. */
export interface GatewayServer {
  readonly gateway: Stored
  readonly index: number
  readonly hosts: readonly string[]
  readonly port: number | null
  readonly protocol: string
  /** SIMPLE, MUTUAL, PASSTHROUGH, …; null for a server without TLS. */
  readonly tlsMode: string | null
  readonly credential: string | null
  readonly httpsRedirect: boolean
  // biome-ignore lint/suspicious/noExplicitAny: the entry as written
  readonly written: any
}

export function serversOf(gateway: Stored): readonly GatewayServer[] {
  const servers: unknown = gateway.object.spec?.servers
  if (!Array.isArray(servers)) return []
  return servers.map((written, index) => ({
    gateway,
    index,
    hosts: Array.isArray(written?.hosts) ? written.hosts.map(String) : [],
    port: typeof written?.port?.number === 'number' ? written.port.number : null,
    protocol: String(written?.port?.protocol ?? '').toUpperCase(),
    tlsMode: tlsModeOf(written),
    credential: typeof written?.tls?.credentialName === 'string' ? written.tls.credentialName : null,
    httpsRedirect: written?.tls?.httpsRedirect === true,
    written,
  }))
}

// biome-ignore lint/suspicious/noExplicitAny: a server entry as written
function tlsModeOf(written: any): string | null {
  const protocol = String(written?.port?.protocol ?? '').toUpperCase()
  const mode = written?.tls?.mode
  if (typeof mode === 'string') return mode
  // A plain HTTP server may carry a tls block for httpsRedirect alone.
  return protocol === 'HTTPS' || protocol === 'TLS' ? (written?.tls ? 'SIMPLE' : 'PASSTHROUGH') : null
}

/** True where the gateway itself ends TLS and reads HTTP. */
export function terminates({ tlsMode }: GatewayServer): boolean {
  return tlsMode !== null && tlsMode !== 'PASSTHROUGH' && tlsMode !== 'AUTO_PASSTHROUGH'
}

/** Servers of the Istio Gateways on this call's way that take a host; without a host, all of them. */
export function serversFor(situation: Situation, host: string | null): readonly GatewayServer[] {
  return istioGateways(situation)
    .flatMap(serversOf)
    .filter(({ hosts }) => host === null || hosts.some((pattern) => hostMatches(pattern, host)))
}

export function istioGateways({ gateway }: Situation): readonly Stored[] {
  return (gateway?.objects ?? []).filter(({ object }) => object.apiVersion.startsWith('networking.istio.io/'))
}

/** Gateway API gateways, waypoints left out. */
export function apiGateways({ gateway }: Situation): readonly Stored[] {
  return (gateway?.objects ?? []).filter(({ object }) => object.apiVersion.startsWith('gateway.networking.k8s.io/'))
}

/** Whether a Gateway's selector fits a pod of the gateway that the call went through; true where no pod was read. */
export function selectsOurPods({ gateway }: Situation, { object }: Stored): boolean {
  const pods = gateway?.pods ?? []
  return pods.length === 0 || pods.some((pod) => matchesLabels(object.spec?.selector, pod.labels))
}

export interface GatewayReference {
  readonly namespace: string
  readonly name: string
  /** As it stands in the VirtualService. */
  readonly text: string
}

/** What `gateways` of a VirtualService names, `mesh` left out. A bare name means its own namespace. */
export function gatewayReferences(service: KubeObject): readonly GatewayReference[] {
  const own = service.metadata.namespace ?? 'default'
  const names: readonly unknown[] = Array.isArray(service.spec?.gateways) ? service.spec.gateways : []
  return names.flatMap((name) => {
    if (typeof name !== 'string' || name === 'mesh') return []
    const slash = name.indexOf('/')
    return slash < 0
      ? { namespace: own, name, text: name }
      : { namespace: name.slice(0, slash), name: name.slice(slash + 1), text: name }
  })
}

export function isBound(service: KubeObject, gateway: Stored): boolean {
  const { namespace = 'default', name } = gateway.object.metadata
  return gatewayReferences(service).some((one) => one.namespace === namespace && one.name === name)
}

/** VirtualServices whose hosts take this host, bound anywhere or nowhere. */
export function virtualServicesFor({ store }: Situation, host: string): readonly Stored[] {
  return store
    .list('VirtualService')
    .filter(({ object }) => hostsOf(object).some((pattern) => hostMatches(pattern, host)))
}

/** Whether a route of any kind is for this host: it is meant to come through a gateway. */
export function publishes({ store }: Situation, host: string): boolean {
  return isRouted(store, host)
}

export function hostsOf(object: KubeObject): readonly string[] {
  const hosts: unknown = object.spec?.hosts
  return Array.isArray(hosts) ? hosts.map(String) : []
}

/** The name the caller used, without a port. */
export function hostOfCall({ given, hints }: Situation, line: Line | null): string | null {
  const name = line?.record.authority ?? line?.record.sni ?? given.host ?? hints.authority
  return name ? bareHost(name) : null
}

/** The latest failing line that says: no route. Releases before details were logged have the flag alone. */
export function noRouteLine(situation: Situation, role: 'client' | 'gateway' | 'waypoint'): Line | null {
  const lines = failingLines(
    situation,
    ({ role: at, record }) =>
      at === role &&
      record.flags.includes('NR') &&
      record.method !== null &&
      (record.details === null || record.details === 'route_not_found'),
  )
  return lines.at(-1) ?? null
}

export interface RouteSearch {
  readonly traced: TracedCall
  readonly configuration: string
  /** Null when no virtual host has a domain for the host: an empty one that swallows everything does not count. */
  readonly virtualHost: string | null
  readonly passedOver: readonly { readonly route: string | null; readonly failed: string }[]
  readonly found: boolean
}

/** How far the request gets in the routes of a role's proxy. Null when they were not read or do not decide. */
export function routeSearch(situation: Situation, role: 'client' | 'gateway' | 'waypoint'): RouteSearch | null {
  const traced = traceCall(situation, role)
  const step = traced?.trace.steps.find(({ kind }) => kind === 'route')
  if (!traced || !step) return null
  const { facts } = step
  const name = typeof facts.virtualHost === 'string' ? facts.virtualHost : null
  const swallows = name?.startsWith('blackhole:') === true
  const isUndecided = step.broken === undefined && facts.action === undefined
  if (isUndecided) return null
  return {
    traced,
    configuration: String(facts.configuration ?? ''),
    virtualHost: swallows ? null : name,
    passedOver: Array.isArray(facts.passedOver) ? facts.passedOver : [],
    found: step.broken === undefined,
  }
}

/** Names that a route configuration answers to, ports left out. */
export function knownDomains({ traced, configuration }: RouteSearch): readonly string[] {
  const table = traced.config.routes?.find(({ name }) => name === configuration)
  const domains = (table?.virtualHosts ?? []).flatMap(({ name, domains: own }) =>
    name?.startsWith('blackhole:') ? [] : (own ?? []),
  )
  return [...new Set(domains.map(bareHost))]
}

export function nameOfStored({ object }: Stored): string {
  return `${object.metadata.namespace ?? 'default'}/${object.metadata.name}`
}
