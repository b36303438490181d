import type { ServerEnd } from './ends.ts'
import type { ObjectStore, Stored } from './objects.ts'
import { type PodView, viewPod } from './pods.ts'

/** The waypoint a destination names. It may name one that does not exist: that is a finding, not an absence of a name. */
export interface WaypointView {
  readonly name: string
  readonly namespace: string
  /** The object whose label names it. */
  readonly namedBy: Stored
  readonly gateway: Stored | null
  readonly pods: readonly PodView[]
}

const useWaypoint = 'istio.io/use-waypoint'
const useWaypointNamespace = 'istio.io/use-waypoint-namespace'

export function waypointOf({
  store,
  pods,
  server,
}: {
  store: ObjectStore
  pods: readonly PodView[]
  server: ServerEnd
}): WaypointView | null {
  const namespace = server.namespace
  if (namespace === null) return null
  const own = [server.service, store.get('Namespace', null, namespace)]
  for (const stored of own) {
    const labels = stored?.object.metadata.labels
    const name = labels?.[useWaypoint]
    if (!stored || name === undefined) continue
    // The nearest label wins, also when it opts out.
    if (name === 'none' || name === '') return null
    const where = labels?.[useWaypointNamespace] ?? namespace
    return {
      name,
      namespace: where,
      namedBy: stored,
      gateway: store.get('K8sGateway', where, name),
      pods: pods.filter(
        (pod) => pod.namespace === where && pod.labels['gateway.networking.k8s.io/gateway-name'] === name,
      ),
    }
  }
  return null
}

/** Gateways pass a waypoint by unless the Service, or else its namespace, asks them in. */
export function gatewaysUseWaypoint(store: ObjectStore, server: ServerEnd): boolean {
  const of = (stored: Stored | null) => stored?.object.metadata.labels?.['istio.io/ingress-use-waypoint']
  return (of(server.service) ?? of(store.get('Namespace', null, server.namespace ?? ''))) === 'true'
}

/** istiod's own word that the Service did not get the waypoint that it names: calls then go straight. */
export function isUnbound(service: Stored | null): boolean {
  const conditions: unknown = service?.object.status?.conditions
  return (
    Array.isArray(conditions) &&
    conditions.some((one) => one?.type === 'istio.io/WaypointBound' && one?.status === 'False')
  )
}

/** Its pods; where it has none, the one that its Gateway stands for: policies attach to it and its account calls, once it is there. */
export function podsOrMeant({ pods, gateway, namespace, name }: WaypointView): readonly PodView[] {
  if (pods.length > 0 || gateway === null) return pods
  const account = gateway.object.metadata.annotations?.['gateway.istio.io/service-account'] ?? name
  const labels = {
    'gateway.networking.k8s.io/gateway-name': name,
    'gateway.istio.io/managed': 'istio.io-mesh-controller',
  }
  const metadata = { name: `${name}-assumed`, namespace, labels }
  const object = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { serviceAccountName: account } }
  return [viewPod({ object, entry: gateway.entry })]
}
