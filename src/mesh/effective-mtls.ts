import type { KubeObject } from '../model/kube.ts'
import { type ClientTls, clientTls, type TlsQuestion } from './client-tls.ts'
import { type Handshake, handshake, type PortKind } from './handshake.ts'
import type { MeshConfig } from './mesh-config.ts'
import { type PeerAuth, peerAuth } from './peer-auth.ts'
import { inboundCapture, outboundCapture } from './traffic-capture.ts'
import { classifyPod, type ProxyKind, type Workload } from './workload.ts'

/** Pods of one workload that are alike: the same labels that policies select by, and the same proxy. */
export interface WorkloadPods {
  /** `ledger-v1.pay`. */
  readonly label: string
  readonly namespace: string
  readonly proxy: ProxyKind
  readonly pods: readonly KubeObject[]
}

/** What callers send to one port, grouped by what and why. */
export interface SentGroup {
  readonly callers: readonly string[]
  readonly sends: ClientTls['sends']
  readonly why: string
  readonly decidedBy: KubeObject | null
  readonly outcome: Handshake['outcome']
  readonly outcomeWhy: string
}

export interface PortMtls {
  /** The container port; `null`: ports that nobody names. */
  readonly port: number | null
  /** `ledger.pay:8080`, the Services through which it is called. */
  readonly services: readonly string[]
  readonly accepts: PeerAuth
  /** False where policies that might decide otherwise could not be read. */
  readonly known: boolean
  /** An annotation that takes the port out of the proxy's way. */
  readonly bypassedBy: string | null
  readonly sent: readonly SentGroup[]
}

export interface WorkloadMtls {
  readonly workload: WorkloadPods
  readonly ports: readonly PortMtls[]
}

export interface MtlsWorld {
  readonly pods: readonly KubeObject[]
  readonly services: readonly KubeObject[]
  readonly policies: readonly KubeObject[]
  readonly rules: readonly KubeObject[]
  readonly mesh: MeshConfig
  /** Whether all PeerAuthentications of a namespace were read. */
  readonly policiesRead: (namespace: string) => boolean
}

/** What each port of the chosen workloads accepts, and what each possible caller would send there. */
export function effectiveMtls(
  world: MtlsWorld,
  labelOf: (pod: KubeObject) => string,
  isChosen: (pod: KubeObject) => boolean,
): readonly WorkloadMtls[] {
  const workloads = workloadsOf(world.pods, labelOf)
  const callers = callerClasses(workloads, world.rules)
  return workloads
    .filter(({ pods, proxy }) => pods.some(isChosen) && !isGatewayLike(proxy) && proxy !== 'ztunnel')
    .filter(({ namespace, proxy }) => proxy !== 'none' || !isSystem(namespace))
    .map((workload) => ({ workload, ports: portsOf(workload, world, callers) }))
}

export function workloadsOf(
  pods: readonly KubeObject[],
  labelOf: (pod: KubeObject) => string,
): readonly WorkloadPods[] {
  const groups = new Map<string, { label: string; namespace: string; proxy: ProxyKind; pods: KubeObject[] }>()
  for (const pod of pods) {
    // Pods that have ended call nobody and are called by nobody.
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue
    const { workload } = classifyPod(pod)
    const label = labelOf(pod)
    const key = `${label} ${workload.proxy} ${pod.spec?.hostNetwork === true}`
    const known = groups.get(key)
    if (known) known.pods.push(pod)
    else groups.set(key, { label, namespace: workload.namespace, proxy: workload.proxy, pods: [pod] })
  }
  return [...groups.values()].sort((a, b) => (a.label < b.label ? -1 : 1))
}

function portsOf(workload: WorkloadPods, world: MtlsWorld, callers: readonly CallerClass[]): PortMtls[] {
  const [pod] = workload.pods
  if (!pod) return []
  const target = classifyPod(pod).workload
  const reached = servedPorts(pod, world.services)
  const declared = declaredPorts(pod).filter((port) => !reached.some((one) => one.containerPort === port))
  const numbers = [...new Set([...reached.map(({ containerPort }) => containerPort), ...declared])].sort(
    (a, b) => a - b,
  )
  const named: readonly (number | null)[] = numbers.length > 0 ? numbers : [null]
  return named.map((port) => {
    const accepts = peerAuth(target, port, world.policies, world.mesh)
    const own = reached.filter(({ containerPort }) => containerPort === port)
    const capture = port === null ? null : inboundCapture(pod.metadata.annotations ?? {}, port)
    return {
      port,
      services: own.map(
        ({ service, port: servicePort }) => `${service.metadata.name}.${service.metadata.namespace}:${servicePort}`,
      ),
      accepts,
      known: isKnown(accepts, target, world),
      bypassedBy: capture?.captured === false ? capture.annotation : null,
      sent: own[0]
        ? sentTo(own[0], { pod, target, accepts, captured: capture?.captured !== false }, world, callers)
        : [],
    }
  })
}

/** A policy of the namespace or the workload beats the mesh's, so the root namespace only matters without one. */
function isKnown({ level }: PeerAuth, { namespace }: Workload, { policiesRead, mesh }: MtlsWorld): boolean {
  if (!policiesRead(namespace)) return false
  return policiesRead(mesh.rootNamespace) || (level !== 'default' && level !== 'mesh')
}

interface ServedPort {
  readonly service: KubeObject
  readonly port: number
  readonly containerPort: number
  readonly kind: PortKind
}

function servedPorts(pod: KubeObject, services: readonly KubeObject[]): ServedPort[] {
  return services
    .filter((service) => selects(service, pod))
    .flatMap((service) =>
      listOf(service.spec?.ports).flatMap((port): ServedPort[] => {
        const wanted = port.targetPort ?? port.port
        const containerPort = typeof wanted === 'number' ? wanted : namedPort(pod, String(wanted))
        return containerPort === null || typeof port.port !== 'number'
          ? []
          : [{ service, port: port.port, containerPort, kind: portKind(port) }]
      }),
    )
}

function sentTo(
  served: ServedPort,
  server: {
    readonly pod: KubeObject
    readonly target: Workload
    readonly accepts: PeerAuth
    readonly captured: boolean
  },
  world: MtlsWorld,
  callers: readonly CallerClass[],
): SentGroup[] {
  const { service, port, kind } = served
  const { target, accepts } = server
  const namespace = service.metadata.namespace ?? 'default'
  const namespaceMode = peerAuth({ ...target, labels: {} }, null, world.policies, world.mesh).mode
  const endpoint = { labels: target.labels, effectiveMode: accepts.mode, hbone: target.proxy === 'ambient' }
  const groups = new Map<string, SentGroup>()
  for (const caller of callers) {
    const dialled =
      service.spec?.clusterIP && service.spec.clusterIP !== 'None' ? String(service.spec.clusterIP) : (target.ip ?? '')
    const captured = outboundCapture(caller.annotations, port, dialled)
    const proxy = captured.captured ? caller.proxy : 'none'
    const tls = clientTls({
      rules: world.rules,
      mesh: world.mesh,
      client: { namespace: caller.namespace, labels: caller.labels, gateway: caller.proxy === 'gateway', proxy },
      service: {
        host: `${service.metadata.name}.${namespace}.svc.cluster.local`,
        namespace,
        headless: service.spec?.clusterIP === 'None',
        namespaceMode,
      },
      port,
      endpoint,
    })
    const outcome = handshake(
      { tls, proxy: proxy !== 'none', portKind: kind, protocol: kind === 'tcp' ? 'tcp' : 'http' },
      {
        kind: target.proxy === 'ambient' ? 'ambient' : target.proxy === 'none' || !server.captured ? 'none' : 'sidecar',
        mode: accepts.mode,
        portKind: kind,
      },
    )
    const why = captured.captured ? tls.why : `annotation ${captured.annotation} keeps the call from the caller's proxy`
    const key = `${tls.sends} ${why} ${outcome.outcome} ${outcome.why}`
    const known = groups.get(key)
    const others = caller.members.filter((label) => label !== '')
    groups.set(key, {
      callers: [...(known?.callers ?? []), ...others],
      sends: tls.sends,
      why,
      decidedBy: tls.decidedBy?.object ?? null,
      outcome: outcome.outcome,
      outcomeWhy: outcome.why,
    })
  }
  return [...groups.values()].sort((a, b) => rank[a.outcome] - rank[b.outcome] || a.callers.length - b.callers.length)
}

const rank: Readonly<Record<Handshake['outcome'], number>> = { fails: 0, 'cannot-decide': 1, 'app-dependent': 2, ok: 3 }

/** Callers for which the same rules hold are worked out once, however many they are. */
interface CallerClass {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly proxy: TlsQuestion['client']['proxy']
  readonly members: readonly string[]
}

function callerClasses(workloads: readonly WorkloadPods[], rules: readonly KubeObject[]): readonly CallerClass[] {
  const selecting = new Set(
    rules.filter(({ spec }) => spec?.workloadSelector).map(({ metadata }) => metadata.namespace ?? 'default'),
  )
  const classes = new Map<string, { -readonly [K in keyof CallerClass]: CallerClass[K] }>()
  for (const { label, namespace, proxy, pods } of workloads) {
    const [pod] = pods
    const kind = callerKind(proxy)
    if (!pod || kind === null || isSystem(namespace)) continue
    const labels = pod.metadata.labels ?? {}
    const annotations = Object.fromEntries(
      Object.entries(pod.metadata.annotations ?? {}).filter(([key]) => key.startsWith('traffic.sidecar.istio.io/')),
    )
    const key = JSON.stringify([namespace, kind, annotations, selecting.has(namespace) ? labels : null])
    const known = classes.get(key)
    if (known) known.members = [...known.members, label]
    else classes.set(key, { namespace, labels, annotations, proxy: kind, members: [label] })
  }
  return [...classes.values()]
}

function callerKind(proxy: ProxyKind): CallerClass['proxy'] | null {
  switch (proxy) {
    case 'sidecar':
    case 'native-sidecar':
      return 'sidecar'
    case 'gateway':
    case 'gateway-api':
      return 'gateway'
    case 'ambient':
      return 'ztunnel'
    case 'none':
      return 'none'
    case 'waypoint':
    case 'ztunnel':
      return null
  }
}

// What belongs to the cluster itself seldom calls services of the mesh, and would fill every list.
function isSystem(namespace: string): boolean {
  return /^(kube-(system|public|node-lease)|istio-system|local-path-storage)$/.test(namespace)
}

function isGatewayLike(proxy: ProxyKind): boolean {
  return proxy === 'gateway' || proxy === 'gateway-api' || proxy === 'waypoint'
}

function selects(service: KubeObject, pod: KubeObject): boolean {
  const selector = Object.entries<string>(service.spec?.selector ?? {})
  if (selector.length === 0 || service.metadata.namespace !== pod.metadata.namespace) return false
  return selector.every(([key, value]) => pod.metadata.labels?.[key] === value)
}

function declaredPorts(pod: KubeObject): number[] {
  return containersOf(pod)
    .filter(({ name }) => name !== 'istio-proxy')
    .flatMap(({ ports }) =>
      listOf(ports).flatMap(({ containerPort, protocol }) =>
        typeof containerPort === 'number' && protocol !== 'UDP' ? [containerPort] : [],
      ),
    )
}

function namedPort(pod: KubeObject, name: string): number | null {
  const found = containersOf(pod)
    .flatMap(({ ports }) => listOf(ports))
    .find((port) => port.name === name)?.containerPort
  return typeof found === 'number' ? found : null
}

// biome-ignore lint/suspicious/noExplicitAny: objects of a cluster, read field by field
function containersOf(pod: KubeObject): readonly any[] {
  return listOf(pod.spec?.containers)
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function listOf(value: unknown): readonly any[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : []
}

function portKind({ name, appProtocol }: { readonly name?: string; readonly appProtocol?: string }): PortKind {
  const word = (appProtocol ?? name?.split('-')[0] ?? '').toLowerCase()
  if (['http', 'http2', 'grpc', 'kubernetes.io/h2c', 'kubernetes.io/ws'].includes(word)) return 'http'
  return ['tcp', 'tls', 'https', 'mongo', 'mysql', 'redis'].includes(word) ? 'tcp' : 'auto'
}
