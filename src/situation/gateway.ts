import type { Given } from '../model/call.ts'
import type { Ends } from './ends.ts'
import { bareHost } from './exchanges.ts'
import type { Hints } from './hints.ts'
import type { ObjectStore, Stored } from './objects.ts'
import { matchesLabels, type PodView } from './pods.ts'

/** The gateway a call from outside passes. */
export interface GatewayView {
  /** Istio Gateways and Gateway API Gateways that concern this call. */
  readonly objects: readonly Stored[]
  /** Labels by which the pods of an Istio Gateway are found. */
  readonly selectors: readonly Readonly<Record<string, string>>[]
  /** Gateways that routes name and that were not read yet: `ns/name`. */
  readonly named: readonly { readonly namespace: string; readonly name: string }[]
  readonly pods: readonly PodView[]
  readonly host: string | null
}

interface Server {
  readonly hosts?: readonly string[]
  readonly port?: { readonly number?: number; readonly protocol?: string }
}

/** Null when the caller is a pod of the mesh: then no ingress gateway has a say. */
export function gatewayOf({
  given,
  hints,
  store,
  pods,
  ends,
}: {
  given: Given
  hints: Hints
  store: ObjectStore
  pods: readonly PodView[]
  ends: Ends
}): GatewayView | null {
  if (given.from !== null || ends.client.pods.length > 0) return null
  const host = given.host ?? hints.authority
  // A line without a cluster names only the address that took the request: a gateway's own, where a gateway wrote it.
  const writer = pods.find(
    ({ ip, proxy }) => ip !== null && ip === hints.serviceIp && (proxy === 'gateway' || proxy === 'gateway-api'),
  )
  const fromOutside =
    ends.client.external || given.symptom === 'tls' || isOutsideName(host, ends) || writer !== undefined
  if (!fromOutside) return null
  const bare = host === null ? null : bareHost(host)
  const istio = store.list('Gateway')
  const fitting = istio.filter(({ object }) =>
    serversOf(object.spec?.servers).some(
      ({ hosts }) => bare === null || hosts?.some((pattern) => hostMatches(pattern, bare)),
    ),
  )
  // A host no Gateway serves is a finding of its own; the Gateways that are there must still be asked.
  const chosen = fitting.length > 0 ? fitting : istio
  const gatewayApi = store.list('K8sGateway').filter(({ object }) => object.spec?.gatewayClassName !== 'istio-waypoint')
  const selectors = unique(
    chosen.flatMap(({ object }) =>
      object.spec?.selector ? [object.spec.selector as Readonly<Record<string, string>>] : [],
    ),
  ) // checked by the API server
  const own = pods.filter(
    (pod) =>
      pod === writer ||
      selectors.some((selector) => matchesLabels(selector, pod.labels)) ||
      gatewayApi.some(
        ({ object }) =>
          pod.namespace === object.metadata.namespace &&
          pod.labels['gateway.networking.k8s.io/gateway-name'] === object.metadata.name,
      ),
  )
  return { objects: [...chosen, ...gatewayApi], selectors, named: namedGateways(store), pods: own, host: bare }
}

function isOutsideName(host: string | null, ends: Ends): boolean {
  if (host === null) return false
  const bare = bareHost(host)
  if (/^\d+\.\d+\.\d+\.\d+$/.test(bare)) return true
  const { host: full } = ends.server
  if (full !== null && (full === bare || full.startsWith(`${bare}.`))) return false
  return bare.includes('.') && !/\.svc(\.|$)/.test(bare)
}

function serversOf(servers: unknown): readonly Server[] {
  return Array.isArray(servers) ? (servers as Server[]) : [] // an Istio Gateway; fields are optional above
}

/** `*`, `*.example.com`, `ns/host`, against one name. */
export function hostMatches(pattern: string, host: string): boolean {
  const bare = (pattern.includes('/') ? pattern.slice(pattern.indexOf('/') + 1) : pattern).toLowerCase()
  const name = host.toLowerCase()
  if (bare === '*' || bare === name) return true
  return bare.startsWith('*.') && name.endsWith(bare.slice(1))
}

/** Gateways named by VirtualServices and routes of the namespaces that were read. */
function namedGateways(store: ObjectStore): { namespace: string; name: string }[] {
  const found: { namespace: string; name: string }[] = []
  for (const { object } of store.list('VirtualService')) {
    const own = object.metadata.namespace ?? 'default'
    const names: readonly string[] = object.spec?.gateways ?? []
    for (const name of names) {
      if (name === 'mesh') continue
      const slash = name.indexOf('/')
      const reference =
        slash < 0 ? { namespace: own, name } : { namespace: name.slice(0, slash), name: name.slice(slash + 1) }
      if (!store.get('Gateway', reference.namespace, reference.name)) found.push(reference)
    }
  }
  return unique(found)
}

function unique<T>(items: readonly T[]): T[] {
  const seen = new Set<string>()
  return items.filter((item) => {
    const key = JSON.stringify(item)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
