import type { KubeObject } from '../model/kube.ts'

/** What stands between the network and the application of a pod. `none`: nothing of the mesh. */
export type ProxyKind =
  | 'sidecar'
  | 'native-sidecar'
  | 'gateway'
  | 'gateway-api'
  | 'waypoint'
  | 'ztunnel'
  | 'ambient'
  | 'none'

export type Labels = Readonly<Record<string, string>>

export interface Workload {
  /** Of the pod. */
  readonly name: string
  readonly namespace: string
  readonly labels: Labels
  readonly serviceAccount: string
  readonly ip: string | null
  readonly proxy: ProxyKind
  /** The Gateway object that a Gateway API gateway or a waypoint was made for. */
  readonly gatewayName: string | null
}

export interface PodClass {
  readonly workload: Workload
  /** What in the pod says so. */
  readonly evidence: string
  readonly remarks: readonly string[]
}

interface Container {
  readonly name?: string
  readonly args?: readonly string[]
  readonly restartPolicy?: string
}

/** First match wins: Helm gateways carry the sidecar's status annotation, and native sidecars are init containers. */
export function classifyPod(pod: KubeObject): PodClass {
  const labels = pod.metadata.labels ?? {}
  const annotations = pod.metadata.annotations ?? {}
  const managed = labels['gateway.istio.io/managed'] ?? ''
  const containers: readonly Container[] = pod.spec?.containers ?? []
  const initContainers: readonly Container[] = pod.spec?.initContainers ?? []
  const regular = containers.find(({ name }) => name === 'istio-proxy')
  const native = initContainers.find(({ name, restartPolicy }) => name === 'istio-proxy' && restartPolicy === 'Always')
  const role = proxyRole(regular ?? native)
  const gatewayName = labels['gateway.networking.k8s.io/gateway-name'] ?? labels['istio.io/gateway-name'] ?? null

  const [proxy, evidence] = ((): readonly [ProxyKind, string] => {
    if (labels.app === 'ztunnel' && (role === 'ztunnel' || role === null)) return ['ztunnel', 'label app=ztunnel']
    if (managed === 'istio.io-mesh-controller' || role === 'waypoint')
      return [
        'waypoint',
        managed ? `label gateway.istio.io/managed=${managed}` : 'container istio-proxy runs "proxy waypoint"',
      ]
    if (managed === 'istio.io-eastwest-controller') return ['gateway-api', `label gateway.istio.io/managed=${managed}`]
    if (gatewayName !== null && (managed !== '' || role === 'router'))
      return ['gateway-api', 'label gateway.networking.k8s.io/gateway-name']
    if (role === 'router') return ['gateway', 'container istio-proxy runs "proxy router"']
    if (annotations['inject.istio.io/templates'] === 'gateway')
      return ['gateway', 'annotation inject.istio.io/templates=gateway']
    if (native) return ['native-sidecar', 'init container istio-proxy with restartPolicy Always']
    if (regular) return ['sidecar', 'container istio-proxy']
    if (annotations['ambient.istio.io/redirection'] === 'enabled')
      return ['ambient', 'annotation ambient.istio.io/redirection=enabled']
    return ['none', 'no container istio-proxy and no annotation ambient.istio.io/redirection=enabled']
  })()

  return {
    workload: {
      name: pod.metadata.name,
      namespace: pod.metadata.namespace ?? 'default',
      labels,
      serviceAccount: pod.spec?.serviceAccountName ?? pod.spec?.serviceAccount ?? 'default',
      ip: pod.status?.podIP ?? null,
      proxy,
      gatewayName,
    },
    evidence,
    remarks: remarks(pod, proxy, annotations),
  }
}

function proxyRole(container: Container | undefined): string | null {
  const args = container?.args ?? []
  return args[0] === 'proxy' && args[1] !== undefined ? args[1] : null
}

function remarks(pod: KubeObject, proxy: ProxyKind, annotations: Labels): string[] {
  const found: string[] = []
  if (pod.spec?.hostNetwork === true)
    found.push('hostNetwork: such pods are never injected and never captured by ambient')
  if (proxy === 'none' && annotations['ambient.istio.io/redirection'] === 'pending')
    found.push('ambient redirection is pending: the node’s rules are set, ztunnel does not know the pod yet')
  if (proxy === 'none' && annotations['sidecar.istio.io/status'] !== undefined)
    found.push('annotation sidecar.istio.io/status without a container istio-proxy')
  return found
}

export function hasEnvoy(proxy: ProxyKind): boolean {
  return proxy !== 'none' && proxy !== 'ambient' && proxy !== 'ztunnel'
}

/** `spiffe://td/ns/x/sa/y`, what the pod's proxy shows others. */
export function identityOf(workload: Pick<Workload, 'namespace' | 'serviceAccount'>, trustDomain: string): string {
  return `spiffe://${trustDomain}/ns/${workload.namespace}/sa/${workload.serviceAccount}`
}
