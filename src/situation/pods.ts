import { classifyPod, hasEnvoy, type ProxyKind } from '../mesh/workload.ts'
import type { KubeObject } from '../model/kube.ts'
import type { Stored } from './objects.ts'

/** A pod with what the walk asks about pods again and again. */
export interface PodView {
  readonly object: KubeObject
  readonly entry: string
  readonly name: string
  readonly namespace: string
  readonly ip: string | null
  readonly node: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly serviceAccount: string
  readonly proxy: ProxyKind
  /** True when an Envoy of Istio runs in the pod: there is something to ask with `proxy-config`. */
  readonly hasEnvoy: boolean
  readonly ready: boolean
  readonly phase: string
  readonly restarts: number
  readonly terminating: boolean
  /** `deployment/web`, as far as owner references tell. */
  readonly workload: { readonly kind: string; readonly name: string } | null
  /** Container ports the pod declares. */
  readonly ports: readonly { readonly name: string | null; readonly port: number; readonly container: string }[]
  readonly revision: string | null
}

interface ContainerStatus {
  readonly name: string
  readonly restartCount?: number
}

export function viewPod({ object, entry }: Stored): PodView {
  const { metadata, spec, status } = object
  const annotations = metadata.annotations ?? {}
  const labels = metadata.labels ?? {}
  const proxy = classifyPod(object).workload.proxy
  const conditions: readonly { type: string; status: string }[] = status?.conditions ?? []
  const statuses: readonly ContainerStatus[] = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
  ]
  const containers: readonly { name: string; ports?: readonly { name?: string; containerPort: number }[] }[] =
    spec?.containers ?? []
  return {
    object,
    entry,
    name: metadata.name,
    namespace: metadata.namespace ?? 'default',
    ip: status?.podIP ?? null,
    node: spec?.nodeName ?? null,
    labels,
    annotations,
    serviceAccount: spec?.serviceAccountName ?? spec?.serviceAccount ?? 'default',
    proxy,
    hasEnvoy: hasEnvoy(proxy),
    ready: conditions.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
    phase: status?.phase ?? 'Unknown',
    restarts: statuses.reduce((sum, container) => sum + (container.restartCount ?? 0), 0),
    terminating: metadata.deletionTimestamp !== undefined,
    workload: workloadOf(object),
    ports: containers.flatMap((container) =>
      (container.ports ?? []).map(({ name, containerPort }) => ({
        name: name ?? null,
        port: containerPort,
        container: container.name,
      })),
    ),
    revision: annotations['istio.io/rev'] ?? labels['istio.io/rev'] ?? null,
  }
}

function workloadOf(pod: KubeObject): PodView['workload'] {
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller !== false)
  if (!owner) return null
  if (owner.kind === 'ReplicaSet') {
    // A Deployment names its ReplicaSets NAME-HASH, and the hash is a label of the pod.
    const hash = pod.metadata.labels?.['pod-template-hash']
    if (hash && owner.name.endsWith(`-${hash}`))
      return { kind: 'deployment', name: owner.name.slice(0, -hash.length - 1) }
  }
  if (owner.kind === 'Job') {
    // A CronJob names its Jobs NAME-MINUTES.
    const scheduled = /^(.+)-\d{8,}$/.exec(owner.name)
    if (scheduled?.[1]) return { kind: 'cronjob', name: scheduled[1] }
  }
  return { kind: owner.kind.toLowerCase(), name: owner.name }
}

/**
 * Whose address this is. Pods that have ended keep addresses that others have by now, and pods in the host's network share
 * the node's: of several such nobody can tell which one it was.
 */
export function podWithIp(pods: readonly PodView[], ip: string | null): PodView | null {
  if (ip === null) return null
  const alive = pods.filter((pod) => pod.ip === ip && pod.phase !== 'Succeeded' && pod.phase !== 'Failed')
  const own = alive.filter(({ object }) => object.spec?.hostNetwork !== true)
  const [first, ...more] = own.length > 0 ? own : alive
  return first && more.length === 0 ? first : null
}

/** How people and notes name it: the workload where there is one, else the pod. */
export function podLabel(pod: PodView): string {
  return `${pod.workload?.name ?? pod.name}.${pod.namespace}`
}

export function matchesLabels(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  if (!selector) return false
  const wanted = Object.entries(selector)
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value)
}
