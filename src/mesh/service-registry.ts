import type { KubeObject } from '../model/kube.ts'
import { byAge } from './destination-rule.ts'
import { hostsMatch, isExportedTo, isWildcard, serviceHost } from './hosts.ts'
import { objectsIn, textsIn } from './loose-lists.ts'

export interface RegistryPort {
  readonly port: number
  readonly targetPort: number | string
  readonly name: string
  readonly kind: 'http' | 'tcp' | 'auto' | 'tls' | 'udp'
}

/** A service as istiod knows it, from a Service or a ServiceEntry. */
export interface RegistryService {
  readonly host: string
  readonly namespace: string
  readonly addresses: readonly string[]
  readonly headless: boolean
  readonly external: boolean
  readonly ports: readonly RegistryPort[]
  readonly selector: Readonly<Record<string, string>> | null
  readonly exportTo: readonly string[] | null
  readonly object: KubeObject
}

/** Everything that Services and ServiceEntries of the list declare. */
export function registryServices(objects: readonly KubeObject[], domain = 'cluster.local'): readonly RegistryService[] {
  return objects.flatMap((object) => {
    if (object.kind === 'Service') return [fromService(object, domain)]
    if (object.kind === 'ServiceEntry') return fromServiceEntry(object)
    return []
  })
}

function fromService(service: KubeObject, domain: string): RegistryService {
  const namespace = service.metadata.namespace ?? 'default'
  const spec = service.spec ?? {}
  const exportTo = service.metadata.annotations?.['networking.istio.io/exportTo']
  return {
    host: serviceHost(service.metadata.name, namespace, domain),
    namespace,
    addresses: [...new Set([spec.clusterIP, ...textsIn(spec.clusterIPs)])].filter(
      (address): address is string => typeof address === 'string' && address !== '' && address !== 'None',
    ),
    headless: spec.clusterIP === 'None',
    external: false,
    ports: objectsIn(spec.ports).map((port) => ({
      port: Number(port.port),
      targetPort: port.targetPort ?? Number(port.port),
      name: String(port.name ?? ''),
      kind: portKind(String(port.name ?? ''), port.appProtocol, Number(port.port), String(port.protocol ?? 'TCP')),
    })),
    selector: spec.selector ?? null,
    exportTo: exportTo === undefined ? null : exportTo.split(',').map((entry) => entry.trim()),
    object: service,
  }
}

function fromServiceEntry(entry: KubeObject): RegistryService[] {
  const spec = entry.spec ?? {}
  return textsIn(spec.hosts).map((host) => ({
    host: String(host),
    namespace: entry.metadata.namespace ?? 'default',
    // A range is no address of a virtual host.
    addresses: textsIn(spec.addresses),
    headless: spec.resolution === undefined || spec.resolution === 'NONE',
    external: spec.location !== 'MESH_INTERNAL',
    ports: objectsIn(spec.ports).map((port) => ({
      port: Number(port.number),
      targetPort: Number(port.targetPort ?? port.number),
      name: String(port.name ?? ''),
      kind: kindOfProtocol(String(port.protocol ?? '')) ?? 'auto',
    })),
    selector: spec.workloadSelector?.labels ?? null,
    exportTo: Array.isArray(spec.exportTo) ? spec.exportTo : null,
    object: entry,
  }))
}

/** Server-first protocols that istiod never tries to sniff. */
const wellKnownTcp = [25, 53, 3306, 27017]

/** appProtocol beats the name, the name counts up to its first dash, anything unknown is found out from the traffic. */
export function portKind(name: string, appProtocol: unknown, port: number, transport: string): RegistryPort['kind'] {
  if (transport === 'UDP') return 'udp'
  if (typeof appProtocol === 'string' && appProtocol !== '') {
    const known = appProtocols[appProtocol.toLowerCase()] ?? kindOfProtocol(appProtocol)
    if (known) return known
  }
  const lower = name.toLowerCase()
  const byName = lower.startsWith('grpc-web') ? 'http' : kindOfProtocol(lower.split('-', 1)[0] ?? '')
  return byName ?? (wellKnownTcp.includes(port) ? 'tcp' : 'auto')
}

const appProtocols: Readonly<Record<string, RegistryPort['kind']>> = {
  'kubernetes.io/h2c': 'http',
  'kubernetes.io/ws': 'http',
  'kubernetes.io/wss': 'tls',
}

function kindOfProtocol(protocol: string): RegistryPort['kind'] | null {
  switch (protocol.toLowerCase()) {
    case 'http':
    case 'http2':
    case 'grpc':
    case 'grpc-web':
    case 'http_proxy':
      return 'http'
    case 'https':
    case 'tls':
      return 'tls'
    case 'tcp':
    case 'mongo':
    case 'mysql':
    case 'redis':
      return 'tcp'
    case 'udp':
      return 'udp'
  }
  return null
}

export interface Viewer {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** Sidecar resources are not for gateways and waypoints. */
  readonly gateway?: boolean
}

/** What a Sidecar resource lets a proxy see; `object` is null when none applies. */
export interface SidecarScope {
  readonly object: KubeObject | null
  readonly sees: (namespace: string, host: string) => boolean
  readonly outboundTrafficPolicy: string | null
}

/** One Sidecar per proxy: with a matching selector, else the namespace's, else the root namespace's. */
export function sidecarScope(objects: readonly KubeObject[], viewer: Viewer, rootNamespace: string): SidecarScope {
  const everything = { object: null, sees: () => true, outboundTrafficPolicy: null }
  if (viewer.gateway) return everything
  const sidecars = objects.filter(({ kind }) => kind === 'Sidecar').sort(byAge)
  const own = sidecars.filter(({ metadata }) => metadata.namespace === viewer.namespace)
  const selecting = own.find((sidecar) => {
    const labels: unknown = sidecar.spec?.workloadSelector?.labels
    return (
      labels !== null &&
      typeof labels === 'object' &&
      Object.entries(labels).every(([key, value]) => viewer.labels[key] === value)
    )
  })
  const forAll = (sidecar: KubeObject) => !sidecar.spec?.workloadSelector
  const sidecar =
    selecting ?? own.find(forAll) ?? sidecars.find((one) => one.metadata.namespace === rootNamespace && forAll(one))
  if (!sidecar) return everything
  const policy: unknown = sidecar.spec?.outboundTrafficPolicy?.mode
  const egress = objectsIn(sidecar.spec?.egress)
  const hosts = egress.flatMap((listener) => textsIn(listener?.hosts)).map(String)
  return {
    object: sidecar,
    sees: egress.length === 0 ? () => true : (namespace, host) => seesHost(hosts, viewer.namespace, namespace, host),
    outboundTrafficPolicy: typeof policy === 'string' ? policy : null,
  }
}

function seesHost(patterns: readonly string[], own: string, namespace: string, host: string): boolean {
  const covers = (pattern: string) => {
    const slash = pattern.indexOf('/')
    const where = pattern.slice(0, slash)
    if (where !== '*' && where !== namespace && !(where === '.' && namespace === own)) return false
    const wanted = pattern.slice(slash + 1)
    return (
      wanted === '*' || (isWildcard(wanted) ? hostsMatch(wanted, host) : wanted.toLowerCase() === host.toLowerCase())
    )
  }
  if (patterns.some((pattern) => pattern.startsWith('~') && !pattern.startsWith('~/') && covers(pattern.slice(1))))
    return false
  return patterns.some(covers)
}

/** The services that a proxy knows. Of one host in several namespaces the proxy's own wins, then Kubernetes over ServiceEntry. */
export function visibleServices(
  services: readonly RegistryService[],
  viewer: Viewer,
  scope: SidecarScope,
  defaultExportTo?: readonly string[],
): readonly RegistryService[] {
  const byHost = new Map<string, RegistryService>()
  for (const service of services) {
    if (!isExportedTo(service.exportTo, service.namespace, viewer.namespace, defaultExportTo)) continue
    if (!scope.sees(service.namespace, service.host)) continue
    const other = byHost.get(service.host.toLowerCase())
    if (!other || precedes(service, other, viewer)) byHost.set(service.host.toLowerCase(), service)
  }
  return [...byHost.values()]
}

function precedes(service: RegistryService, other: RegistryService, viewer: Viewer): boolean {
  if (service.namespace === viewer.namespace) return other.namespace !== viewer.namespace
  return (
    other.namespace !== viewer.namespace && service.object.kind === 'Service' && other.object.kind === 'ServiceEntry'
  )
}
