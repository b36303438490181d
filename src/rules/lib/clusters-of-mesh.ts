import type { ClusterEndpoints } from '../../../parsers/proxy-config-endpoint.ts'
import type { Quote } from '../../model/evidence.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { proxyContainer } from './container-times.ts'

/** Between clusters of different networks, mTLS traffic enters at this port of a gateway. */
export const eastWestPort = 15443

const networkLabel = 'topology.istio.io/network'

/** A setting that the injector wrote into the proxy's environment: `ISTIO_META_CLUSTER_ID`. */
function environmentOf(pod: PodView, name: string): string | null {
  const entries: readonly { name?: string; value?: string }[] = proxyContainer(pod)?.spec?.env ?? []
  return entries.find((one) => one.name === name)?.value || null
}

export function clusterIdOf(pod: PodView): string | null {
  return environmentOf(pod, 'ISTIO_META_CLUSTER_ID')
}

/** The network that a proxy believes it is in. `unknown` where the namespace that would say so was not read. */
export function networkOf(
  situation: Situation,
  pod: PodView,
): { readonly network: string | null; readonly known: boolean } {
  const namespace = situation.store.get('Namespace', null, situation.given.istioNamespace)?.object ?? null
  const network =
    pod.labels[networkLabel] ?? environmentOf(pod, 'ISTIO_META_NETWORK') ?? namespace?.metadata.labels?.[networkLabel]
  return { network: network || null, known: Boolean(network) || namespace !== null }
}

/** Services that let other clusters in: they offer the port for it. */
export function eastWestGateways({ store }: Situation): readonly Stored[] {
  return store.list('Service').filter(({ object }) => {
    const ports: unknown = object.spec?.ports
    return Array.isArray(ports) && ports.some((one) => Number(one?.port) === eastWestPort)
  })
}

/** Signs that there is a second cluster at all. A lone cluster is called Kubernetes, and has no gateway for others. */
export function hasOtherClusters(situation: Situation, here: string | null): boolean {
  return (here !== null && here !== 'Kubernetes') || eastWestGateways(situation).length > 0
}

/** Where other clusters would reach it; empty while the load balancer is pending. */
export function externalAddresses({ object }: Stored): readonly string[] {
  const ingress: readonly { ip?: string; hostname?: string }[] = object.status?.loadBalancer?.ingress ?? []
  return [
    ...ingress.flatMap(({ ip, hostname }) => ip ?? hostname ?? []),
    ...((object.spec?.externalIPs ?? []) as readonly string[]),
  ]
}

/** Whose an address is, as istiod told the proxy: the fifth part of `workload;namespace;service;version;cluster`. */
export function ownerOf(
  situation: Situation,
  pod: PodView,
  address: string,
): { readonly cluster: string; readonly quote: Quote } | null {
  const eds = situation.of<readonly ClusterEndpoints[]>('eds', pod)
  const endpoint = eds?.data
    .flatMap(({ endpoints }) => endpoints)
    .find((one) => one.address === address && clusterIn(one.workload) !== null)
  const cluster = clusterIn(endpoint?.workload ?? null)
  if (!eds || !endpoint || cluster === null) return null
  return {
    cluster,
    quote: quote(
      eds.entry,
      `istiod told ${pod.name} that ${address} is a pod of cluster ${cluster}`,
      `${endpoint.address}:${endpoint.port ?? ''} ${endpoint.workload}`,
    ),
  }
}

function clusterIn(workload: string | null): string | null {
  return workload?.split(';')[4] || null
}
