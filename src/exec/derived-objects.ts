import type { KubeObject } from '../model/kube.ts'

/** On every object that was not printed by Kubernetes but read from what proxies know of it. */
export const derivedMark = 'meshtriage.io/read-from'

interface Node {
  readonly id?: unknown
  readonly metadata?: unknown
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
const texts = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(record(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )

/** What all proxies' endpoint lists say of an address: true where istiod sends traffic to it. */
export interface KnownService {
  readonly name: string
  readonly namespace: string
  readonly host: string
  readonly ports: Map<number, Set<number>>
  readonly addresses: Map<string, boolean>
}

/** The pod a proxy runs in, as istio's injector told it: `node` of server_info and of the bootstrap. */
export function podOfNode(node: unknown, isHealthy: (address: string) => boolean | undefined): KubeObject | undefined {
  const { metadata: raw } = record(node) as Node
  const metadata = record(raw)
  const name = text(metadata.NAME)
  const namespace = text(metadata.NAMESPACE)
  if (!name || !namespace) return undefined
  const [ip] = (text(metadata.INSTANCE_IPS) ?? '').split(',')
  const owner = /^kubernetes:\/\/apis\/[^/]+(?:\/[^/]+)?\/namespaces\/[^/]+\/([a-z]+)s\/([^/]+)$/.exec(
    text(metadata.OWNER) ?? '',
  )
  const ready = ip ? isHealthy(ip) : undefined
  const serviceAccountName = text(metadata.SERVICE_ACCOUNT)
  const nodeName = text(metadata.NODE_NAME)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: texts(metadata.LABELS),
      annotations: { ...texts(metadata.ANNOTATIONS), [derivedMark]: 'its proxy' },
      ...(owner && { ownerReferences: [{ kind: kindOf(owner[1] ?? ''), name: owner[2] ?? '', controller: true }] }),
    },
    spec: {
      ...(serviceAccountName && { serviceAccountName }),
      ...(nodeName && { nodeName }),
      containers: containersOf(metadata),
    },
    status: {
      phase: 'Running',
      ...(ip && { podIP: ip, podIPs: [{ ip }] }),
      ...(ready !== undefined && { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] }),
    },
  }
}

const kinds: Readonly<Record<string, string>> = {
  deployment: 'Deployment',
  statefulset: 'StatefulSet',
  daemonset: 'DaemonSet',
  replicaset: 'ReplicaSet',
  job: 'Job',
  cronjob: 'CronJob',
}
const kindOf = (singular: string) => kinds[singular] ?? singular

function containersOf(metadata: Readonly<Record<string, unknown>>) {
  let ports: unknown
  try {
    ports = JSON.parse(text(metadata.POD_PORTS) ?? '[]')
  } catch {
    // A list of ports that cannot be read is none: readers take a port's number from the service then.
    ports = []
  }
  const names = (text(metadata.APP_CONTAINERS) ?? '').split(',').filter((name) => name !== '')
  return [
    ...names.map((name, index) => ({ name, ...(index === 0 && { ports: list(ports) }) })),
    { name: 'istio-proxy', image: `proxyv2:${text(metadata.ISTIO_VERSION) ?? 'unknown'}` },
  ]
}

/** Adds what one proxy's clusters and endpoints say of the services it may call. */
export function addServices(services: Map<string, KnownService>, configs: readonly unknown[]): void {
  for (const cluster of configs.flatMap((config) => [
    ...list(record(config).dynamic_active_clusters),
    ...list(record(config).static_clusters),
  ])) {
    const { name, metadata } = record(record(cluster).cluster)
    const port = outbound.exec(text(name) ?? '')?.[1]
    const istio = record(record(record(metadata).filter_metadata).istio)
    for (const one of port === undefined ? [] : list(istio.services)) {
      const service = record(one)
      const host = text(service.host)
      const [serviceName, namespace] = [text(service.name), text(service.namespace)]
      // A ServiceEntry's host has no Service behind it.
      if (!host || !serviceName || !namespace || !host.startsWith(`${serviceName}.${namespace}.svc`)) continue
      const known = services.get(host) ?? {
        name: serviceName,
        namespace,
        host,
        ports: new Map<number, Set<number>>(),
        addresses: new Map<string, boolean>(),
      }
      if (!known.ports.has(Number(port))) known.ports.set(Number(port), new Set())
      services.set(host, known)
    }
  }
  for (const entry of configs.flatMap((config) => [
    ...list(record(config).dynamic_endpoint_configs),
    ...list(record(config).static_endpoint_configs),
  ])) {
    const assignment = record(record(entry).endpoint_config)
    const [, port, host] = outbound.exec(text(assignment.cluster_name) ?? '') ?? []
    const known = services.get(host ?? '')
    if (!known) continue
    for (const endpoint of list(assignment.endpoints).flatMap((group) => list(record(group).lb_endpoints))) {
      const socket = record(record(record(record(endpoint).endpoint).address).socket_address)
      const address = text(socket.address)
      if (!address) continue
      const health = record(endpoint).health_status
      known.addresses.set(
        address,
        health === 'HEALTHY' || health === undefined || known.addresses.get(address) === true,
      )
      if (typeof socket.port_value === 'number') known.ports.get(Number(port))?.add(socket.port_value)
    }
  }
}

const outbound = /^outbound\|(\d+)\|[^|]*\|(.+)$/

/** A Service as its callers see it. Its selector is what the pods behind its addresses have in common. */
export function serviceObject(known: KnownService, pods: readonly KubeObject[]): KubeObject {
  const own = pods.filter(
    ({ metadata, status }) => metadata.namespace === known.namespace && known.addresses.has(String(status?.podIP)),
  )
  const [first] = own
  const common = Object.entries(first?.metadata.labels ?? {}).filter(
    ([key, value]) =>
      !/istio\.io\/|pod-template-hash|controller-revision-hash/.test(key) &&
      own.every(({ metadata }) => metadata.labels?.[key] === value),
  )
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: known.name,
      namespace: known.namespace,
      annotations: { [derivedMark]: "its callers' proxies" },
    },
    spec: {
      ...(common.length > 0 && { selector: Object.fromEntries(common) }),
      ports: [...known.ports].map(([port, targets]) => ({
        port,
        ...(targets.size === 1 && { targetPort: [...targets][0] }),
      })),
    },
  }
}
