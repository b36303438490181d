import type { Given, Target } from '../model/call.ts'
import type { KubeObject } from '../model/kube.ts'
import { type Hints, isBareName } from './hints.ts'
import { meantPod } from './meant-pods.ts'
import type { ObjectStore, Stored } from './objects.ts'
import { matchesLabels, type PodView, podLabel, podWithIp, viewPod } from './pods.ts'
import { backendOfCluster, isRouted, outsideName, publishedBackend, publishedNamespace } from './published.ts'

export type PortProtocol = 'http' | 'tcp' | 'tls' | 'auto' | 'udp'

export interface ServicePort {
  readonly port: number
  readonly name: string | null
  readonly appProtocol: string | null
  readonly targetPort: number | string
  /** The container port, once a pod tells what a named target port means. */
  readonly containerPort: number | null
  readonly protocol: PortProtocol
}

/** One end of the call. */
export interface End {
  /** `web.shop`; null when nobody knows. */
  readonly label: string | null
  readonly namespace: string | null
  readonly pods: readonly PodView[]
  /** The pod whose proxy is asked first, and why it and not another. */
  readonly pod: PodView | null
  readonly why: string | null
  /** Outside the cluster, through a gateway; or a host outside the mesh. */
  readonly external: boolean
}

export interface ServerEnd extends End {
  /** The name the caller used or that its cluster carries: `ledger.pay.svc.cluster.local`, `ext.test`. */
  readonly host: string | null
  readonly service: Stored | null
  /** All ports of the service, and the one the call uses. */
  readonly ports: readonly ServicePort[]
  readonly port: ServicePort | null
  readonly portNumber: number | null
  /** Behind a Service that selects no pod: one that it was meant for. */
  readonly meant: PodView | null
}

export interface Ends {
  readonly client: End
  readonly server: ServerEnd
  readonly assumptions: readonly string[]
}

/** Which namespace each end is in, before any pod is known. */
export function namespaceOfClient(given: Given, hints: Hints, store: ObjectStore): string | null {
  if (given.from?.namespace) return given.from.namespace
  if (hints.clientNamespace) return hints.clientNamespace
  const byIp = podByIp(store, hints.clientIp)
  if (byIp) return byIp.namespace
  if (given.from) return given.namespace ?? 'default'
  return null
}

export function namespaceOfServer(given: Given, hints: Hints, store: ObjectStore): string | null {
  if (given.to?.namespace) return given.to.namespace
  const published = publishedNamespace(given, hints, store)
  if (published) return published
  for (const name of [hints.host, given.host, hints.authority]) {
    const parsed = serviceNameOf(name, null)
    if (parsed?.namespace) return parsed.namespace
  }
  if (hints.serverNamespace) return hints.serverNamespace
  const byIp = podByIp(store, hints.serverIp)
  if (byIp) return byIp.namespace
  const dialled = given.to ? null : serviceByIp(store, hints.serviceIp)
  if (dialled) return dialled.object.metadata.namespace ?? 'default'
  if (given.to) return given.namespace ?? namespaceOfClient(given, hints, store) ?? 'default'
  const name = given.host ?? hints.authority
  return namespaceInHost(name, store) ?? (isBareName(name) ? namespaceOfClient(given, hints, store) : null)
}

/** `ledger.pay` is how callers in other namespaces write it; `ext.test` looks the same until namespaces were asked for. */
function namespaceInHost(host: string | null, store: ObjectStore): string | null {
  const parts = host?.replace(/:\d+$/, '').split('.') ?? []
  const candidate = parts.length === 2 && !/^\d+$/.test(parts[1] ?? '') ? (parts[1] ?? null) : null
  if (candidate === null) return null
  return store.wasAskedFor('Namespace') && store.get('Namespace', null, candidate) === null ? null : candidate
}

/** `ledger`, `ledger.pay`, `ledger.pay.svc`, `ledger.pay.svc.cluster.local` → service and namespace; null for outside names. */
export function serviceNameOf(
  host: string | null,
  ownNamespace: string | null,
): { name: string; namespace: string | null } | null {
  if (!host) return null
  const bare = host.replace(/:\d+$/, '').replace(/\.$/, '')
  const parts = bare.split('.')
  if (parts.length === 1) return { name: bare, namespace: ownNamespace }
  const [name = '', namespace = '', svc] = parts
  if (svc === 'svc') return { name, namespace }
  return null
}

/** `seen`: the cluster that a gateway's log names for the host of this call, where its routes leave several open. */
export function resolveEnds(given: Given, hints: Hints, store: ObjectStore, seen: string | null = null): Ends {
  const assumptions: string[] = []
  const pods = store.list('Pod').map(viewPod)
  const server = resolveServer(given, hints, store, pods, assumptions, seen)
  const client = resolveClient(given, hints, store, pods, assumptions)
  return { client, server, assumptions }
}

function resolveClient(
  given: Given,
  hints: Hints,
  store: ObjectStore,
  pods: readonly PodView[],
  assumptions: string[],
): End {
  const namespace = namespaceOfClient(given, hints, store)
  const byIp = podWithIp(pods, hints.clientIp)
  if (given.from) {
    const own = podsOfTarget(given.from, namespace, store, pods)
    const named = own.find((pod) => pod.name === given.from?.name)
    const chosen = named ?? (byIp && own.includes(byIp) ? byIp : null)
    return {
      label: own[0] ? podLabel(own[0]) : given.from.text,
      namespace,
      pods: own,
      ...choose(own, chosen, named ? 'it was named' : 'its address is in the log line', assumptions, 'caller'),
      external: false,
    }
  }
  if (byIp) {
    if (byIp.proxy === 'gateway' || byIp.proxy === 'gateway-api') return { ...nobody, external: true, label: null }
    // A waypoint calls for somebody else.
    if (byIp.proxy === 'waypoint') return nobody
    return {
      label: podLabel(byIp),
      namespace: byIp.namespace,
      pods: [byIp],
      pod: byIp,
      why: 'its address is in the log line',
      external: false,
    }
  }
  return { ...nobody, external: hints.byGateway }
}

const nobody: End = { label: null, namespace: null, pods: [], pod: null, why: null, external: false }

function resolveServer(
  given: Given,
  hints: Hints,
  store: ObjectStore,
  pods: readonly PodView[],
  assumptions: string[],
  seen: string | null,
): ServerEnd {
  const namespace = namespaceOfServer(given, hints, store)
  const published = publishedBackend(given, hints, store) ?? backendOfCluster(seen ?? '')[0] ?? null
  // Behind a gateway the port that was dialled is the gateway's.
  const portNumber = published ? published.port : (given.to?.port ?? hints.port ?? null)
  const byIp = podWithIp(pods, hints.serverIp)
  const service = published
    ? store.get('Service', published.namespace, published.name)
    : findService(given, hints, namespace, store, byIp, portNumber, assumptions)
  if (service) {
    const own = pods.filter(
      (pod) =>
        pod.namespace === service.object.metadata.namespace && matchesLabels(service.object.spec?.selector, pod.labels),
    )
    const targeted = given.to && given.to.kind !== 'svc' ? podsOfTarget(given.to, namespace, store, pods) : []
    const candidates = targeted.length > 0 ? targeted : own
    const ports = servicePorts(service.object, candidates)
    const port =
      ports.find((candidate) => candidate.port === portNumber) ??
      byContainerPort(ports, portNumber, hints) ??
      (ports.length === 1 && portNumber === null ? ports[0] : undefined) ??
      null
    const { name } = service.object.metadata
    const ns = service.object.metadata.namespace ?? 'default'
    return {
      label: `${name}.${ns}`,
      namespace: ns,
      pods: candidates,
      ...choose(
        candidates,
        byIp && candidates.includes(byIp) ? byIp : null,
        'its address is in the log line',
        assumptions,
        'destination',
      ),
      external: false,
      host: `${name}.${ns}.svc.cluster.local`,
      service,
      ports,
      port,
      portNumber: port?.port ?? portNumber,
      meant: own.length === 0 ? meantPod(service, store, pods) : null,
    }
  }
  const targeted = given.to ? podsOfTarget(given.to, namespace, store, pods) : byIp ? [byIp] : []
  if (targeted.length > 0) {
    const [first] = targeted
    return {
      label: first ? podLabel(first) : null,
      namespace: first?.namespace ?? namespace,
      pods: targeted,
      ...choose(targeted, byIp, 'its address is in the log line', assumptions, 'destination'),
      external: false,
      host: given.host ?? hints.authority,
      service: null,
      ports: [],
      port: null,
      portNumber,
      meant: null,
    }
  }
  const host = published ? `${published.name}.${published.namespace}.svc.cluster.local` : hostOfTarget(given, hints)
  return {
    ...nobody,
    label: published ? `${published.name}.${published.namespace}` : (host ?? given.to?.text ?? null),
    namespace,
    host,
    service: null,
    ports: [],
    port: null,
    portNumber,
    meant: null,
    external: !published && !isPublished(given, hints, store) && isOutside(host, given.to, store),
  }
}

/** The host a target names when it is no object of the cluster: `ext.test`, `api.example.com`. */
function hostOfTarget(given: Given, hints: Hints): string | null {
  if (hints.host) return hints.host
  if (given.to && given.to.kind === null) return given.to.text.replace(/:\d+$/, '')
  return (given.host ?? hints.authority)?.replace(/:\d+$/, '') ?? null
}

/** A name that gateways publish leads into the mesh, also where it is not known to which service. */
function isPublished(given: Given, hints: Hints, store: ObjectStore): boolean {
  const name = outsideName(given, hints)
  return name !== null && isRouted(store, name)
}

function isOutside(host: string | null, to: Target | null, store: ObjectStore): boolean {
  if (host === null || !host.includes('.')) return false
  if (/\.svc(\.|$)/.test(host)) return false
  // Somebody who says svc/ or deploy/ means an object of the cluster, whether or not it could be read.
  if (to?.kind) return false
  // `ext.test` reads like NAME.NAMESPACE: it is a host only where namespaces were asked for and there is no such one.
  const parts = host.replace(/:\d+$/, '').split('.')
  if (parts.length > 2) return true
  return store.wasAskedFor('Namespace') && store.get('Namespace', null, parts[1] ?? '') === null
}

function findService(
  given: Given,
  hints: Hints,
  namespace: string | null,
  store: ObjectStore,
  byIp: PodView | null,
  port: number | null,
  assumptions: string[],
): Stored | null {
  const { to } = given
  if (to && (to.kind === 'svc' || to.kind === null) && namespace) {
    const named = store.get('Service', namespace, to.name)
    if (named) return named
  }
  for (const name of [hints.host, to?.kind === null ? to.text : null, given.host, hints.authority]) {
    const parsed = serviceNameOf(name, namespace)
    const found = parsed?.namespace ? store.get('Service', parsed.namespace, parsed.name) : null
    if (found) return found
    // `ledger.pay` as callers in other namespaces write it.
    const two = name?.replace(/:\d+$/, '').split('.')
    if (two?.length === 2) {
      const short = store.get('Service', two[1] ?? null, two[0] ?? '')
      if (short) return short
    }
  }
  const byAddress = to ? null : serviceByIp(store, hints.serviceIp)
  if (byAddress) return byAddress
  // A workload was named: the services that select its pods.
  const pods = store.list('Pod').map(viewPod)
  const own = to ? podsOfTarget(to, namespace, store, pods) : byIp ? [byIp] : []
  const [pod] = own
  if (!pod) return null
  const selecting = store
    .list('Service', pod.namespace)
    .filter(({ object }) => matchesLabels(object.spec?.selector, pod.labels) && object.spec?.clusterIP !== undefined)
  const fitting = selecting.filter(
    ({ object }) =>
      port === null ||
      servicePorts(object, [pod]).some((candidate) => candidate.port === port || candidate.containerPort === port),
  )
  const chosen = fitting[0] ?? null
  if (chosen && fitting.length > 1)
    assumptions.push(`${fitting.length} services select ${podLabel(pod)}; ${chosen.object.metadata.name} was taken`)
  return chosen
}

function podsOfTarget(
  target: Target,
  namespace: string | null,
  store: ObjectStore,
  pods: readonly PodView[],
): PodView[] {
  const here = pods.filter((pod) => namespace === null || pod.namespace === namespace)
  const byName = here.filter((pod) => pod.name === target.name)
  const byWorkload = (kind: string | null) =>
    here.filter((pod) => pod.workload?.name === target.name && (kind === null || pod.workload.kind === kind))
  switch (target.kind) {
    case 'pod':
      return byName
    case 'svc': {
      const service = namespace ? store.get('Service', namespace, target.name) : null
      return service ? here.filter((pod) => matchesLabels(service.object.spec?.selector, pod.labels)) : []
    }
    case 'sa':
      return here.filter((pod) => pod.serviceAccount === target.name)
    case 'deploy':
      return byWorkload('deployment')
    case 'sts':
      return byWorkload('statefulset')
    case 'ds':
      return byWorkload('daemonset')
    case 'job':
      return [...byWorkload('job'), ...byWorkload('cronjob')]
    case 'cronjob':
      return byWorkload('cronjob')
    case 'rs':
      return here.filter((pod) => pod.object.metadata.ownerReferences?.some((owner) => owner.name === target.name))
    default: {
      if (byName.length > 0) return byName
      const own = byWorkload(null)
      if (own.length > 0) return own
      return here.filter(
        (pod) => pod.labels.app === target.name || pod.labels['app.kubernetes.io/name'] === target.name,
      )
    }
  }
}

/** Several pods behind a workload: the one the evidence names, else one that looks different, else the first ready one. */
function choose(
  pods: readonly PodView[],
  named: PodView | null,
  whyNamed: string,
  assumptions: string[],
  end: string,
): { pod: PodView | null; why: string | null } {
  if (named) return { pod: named, why: whyNamed }
  if (pods.length === 0) return { pod: null, why: null }
  const alive = pods.filter((pod) => pod.phase !== 'Succeeded')
  const pool = alive.length > 0 ? alive : pods
  if (pool.length === 1) return { pod: pool[0] ?? null, why: 'it is the only one' }
  const withEnvoy = pool.filter(({ hasEnvoy }) => hasEnvoy)
  const without = pool.filter(({ hasEnvoy }) => !hasEnvoy)
  const odd = withEnvoy.length > 0 && without.length > 0 && without.length < withEnvoy.length ? without[0] : undefined
  const readyOnes = pool.filter(({ ready }) => ready)
  const ready = readyOnes[0] ?? pool[0] ?? null
  const chosen = odd ?? ready
  const why = odd
    ? 'it alone has no proxy'
    : readyOnes.length > 0
      ? 'the first that is ready'
      : 'none is ready; the first was taken'
  assumptions.push(`${end}: ${pool.length} pods, ${chosen?.name} is asked first (${why})`)
  return { pod: chosen, why }
}

function podByIp(store: ObjectStore, ip: string | null): PodView | null {
  return podWithIp(
    store
      .list('Pod')
      .filter(({ object }) => object.status?.podIP === ip)
      .map(viewPod),
    ip,
  )
}

function serviceByIp(store: ObjectStore, ip: string | null): Stored | null {
  if (ip === null) return null
  return (
    store
      .list('Service')
      .find(({ object }) => object.spec?.clusterIP === ip || object.spec?.clusterIPs?.includes(ip)) ?? null
  )
}

interface RawPort {
  readonly name?: string
  readonly port: number
  readonly targetPort?: number | string
  readonly protocol?: string
  readonly appProtocol?: string
}

export function servicePorts(service: KubeObject, pods: readonly PodView[]): ServicePort[] {
  const raw: readonly RawPort[] = service.spec?.ports ?? []
  return raw.map((port) => {
    const targetPort = port.targetPort ?? port.port
    const containerPort =
      typeof targetPort === 'number'
        ? targetPort
        : (pods.flatMap((pod) => pod.ports).find(({ name }) => name === targetPort)?.port ?? null)
    return {
      port: port.port,
      name: port.name ?? null,
      appProtocol: port.appProtocol ?? null,
      targetPort,
      containerPort,
      protocol: protocolOf(port),
    }
  })
}

/** appProtocol beats the name's prefix; a few port numbers are TCP unless said otherwise (istio pkg/config/kube/conversion.go). */
function protocolOf(port: RawPort): PortProtocol {
  if (port.protocol === 'UDP') return 'udp'
  const app = port.appProtocol?.toLowerCase()
  const known =
    app === undefined
      ? undefined
      : ({ 'kubernetes.io/h2c': 'http', 'kubernetes.io/ws': 'http', 'kubernetes.io/wss': 'tls' } as const)[app]
  if (known) return known
  const word = app ?? port.name?.split('-')[0]?.toLowerCase() ?? ''
  if (['http', 'http2', 'grpc'].includes(word)) return 'http'
  // `grpc-web` is one word to Istio although it has a dash.
  if (['tcp', 'mongo', 'mysql', 'redis'].includes(word)) return 'tcp'
  if (['https', 'tls'].includes(word)) return 'tls'
  if (word === 'udp') return 'udp'
  return [25, 53, 3306, 27017].includes(port.port) ? 'tcp' : 'auto'
}

/** A line of the server's side carries the container port, not the service port. */
function byContainerPort(ports: readonly ServicePort[], port: number | null, hints: Hints): ServicePort | undefined {
  if (port === null || hints.host !== null) return undefined
  return ports.find((candidate) => candidate.containerPort === port)
}
