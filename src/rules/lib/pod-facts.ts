import { classifyPod } from '../../mesh/workload.ts'
import type { Quote } from '../../model/evidence.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote } from '../../situation/situation.ts'

export interface ContainerView {
  readonly name: string
  readonly init: boolean
  /** An init container that keeps running: what a native sidecar is. */
  readonly native: boolean
  // biome-ignore lint/suspicious/noExplicitAny: the container as written
  readonly spec: any
  // biome-ignore lint/suspicious/noExplicitAny: its status as printed; null where the kubelet has said nothing yet
  readonly status: any
}

/** Containers of a pod with their status, init containers first. */
export function containersOf({ object }: PodView): readonly ContainerView[] {
  const statuses = [...(object.status?.initContainerStatuses ?? []), ...(object.status?.containerStatuses ?? [])]
  const view = (init: boolean) => (spec: { name: string; restartPolicy?: string }) => ({
    name: spec.name,
    init,
    native: init && spec.restartPolicy === 'Always',
    spec,
    status: statuses.find((status: { name: string }) => status.name === spec.name) ?? null,
  })
  return [...(object.spec?.initContainers ?? []).map(view(true)), ...(object.spec?.containers ?? []).map(view(false))]
}

/** `containers app; initContainers none`: what was looked at to say that there is no proxy. */
export function withoutProxy(pod: PodView): string {
  return `${pod.name}.${pod.namespace} has no istio-proxy, neither in containers nor in initContainers`
}

export function quotePod(pod: PodView, statement: string): Quote {
  const names = (containers: readonly { name: string }[] | undefined) =>
    (containers ?? []).map(({ name }) => name).join(', ') || 'none'
  const { spec } = pod.object
  return quote(
    pod.entry,
    statement,
    `containers: ${names(spec?.containers)}; initContainers: ${names(spec?.initContainers)}; ${classifyPod(pod.object).evidence}`,
  )
}

/** The workload to restart or edit, as kubectl names it. */
export function workloadCommand(pod: PodView, verb: string): readonly string[] {
  const { workload, namespace } = pod
  return workload ? [`kubectl -n ${namespace} ${verb} ${workload.kind} ${workload.name}`] : []
}
