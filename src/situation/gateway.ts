import type { Given } from '../model/call.ts'
import type { EvidenceEntry } from '../model/evidence.ts'
import type { Ends } from './ends.ts'
import { bareHost, type LogData, pathOnly } from './exchanges.ts'
import { gatewayCandidates } from './gateway-candidates.ts'
import type { Hints } from './hints.ts'
import type { ObjectStore, Stored } from './objects.ts'
import { matchesLabels, type PodView } from './pods.ts'
import { isRouted, outsideName } from './published.ts'

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
  /** A Gateway or a route at one has this host in its list; a catch-all names nobody. */
  readonly namesHost: boolean
}

interface GatewayLog {
  readonly pod: PodView | null
  readonly entry: EvidenceEntry
  readonly data: LogData
}

/** Null when the caller is a pod of the mesh: then no ingress gateway has a say. */
export function gatewayOf({
  given,
  hints,
  store,
  pods,
  ends,
  logs,
}: {
  given: Given
  hints: Hints
  store: ObjectStore
  pods: readonly PodView[]
  ends: Ends
  logs: readonly GatewayLog[]
}): GatewayView | null {
  if (given.from !== null || ends.client.pods.length > 0) return null
  const host = given.host ?? hints.authority
  // A line without a cluster names only the address that took the request: a gateway's own, where a gateway wrote it.
  const writer = pods.find(
    ({ ip, proxy }) => ip !== null && ip === hints.serviceIp && (proxy === 'gateway' || proxy === 'gateway-api'),
  )
  const fromOutside =
    ends.client.external ||
    given.symptom === 'tls' ||
    isOutsideName(host, ends) ||
    isPublishedName(given, hints, ends, store) ||
    writer !== undefined
  if (!fromOutside) return null
  const bare = host === null ? null : bareHost(host)
  const { chosen, fitting, namesHost } = gatewayCandidates(store, bare, ends.server)
  const selectors = unique(chosen.flatMap(selectorOf))
  const own = pods.filter((pod) => pod === writer || chosen.some((gateway) => runsOn(gateway, pod)))
  const answering = narrowed(own, logs, bare)
  const objects = unique([...chosen, ...fitting.filter((gateway) => own.some((pod) => runsOn(gateway, pod)))])
  const there = answering === own ? objects : objects.filter((object) => answering.some((pod) => runsOn(object, pod)))
  return {
    objects: there.length > 0 ? there : objects,
    selectors,
    named: namedGateways(store),
    pods: answering,
    host: bare,
    namesHost,
  }
}

function selectorOf({ object }: Stored): readonly Readonly<Record<string, string>>[] {
  return object.spec?.selector ? [object.spec.selector as Readonly<Record<string, string>>] : [] // checked by the API server
}

/** Whether a Gateway, of either kind, configures this pod. */
function runsOn(gateway: Stored, pod: PodView): boolean {
  const { spec, metadata, apiVersion } = gateway.object
  if (!apiVersion.startsWith('gateway.networking.k8s.io/')) return matchesLabels(spec?.selector, pod.labels)
  return pod.namespace === metadata.namespace && pod.labels['gateway.networking.k8s.io/gateway-name'] === metadata.name
}

/** Where several gateways could take the host, the deployments that logged it are the ones that did. */
function narrowed(pods: readonly PodView[], logs: readonly GatewayLog[], host: string | null): readonly PodView[] {
  if (host === null) return pods
  const wanted = host.toLowerCase()
  const isHost = (name: string | null) => name !== null && bareHost(name).toLowerCase() === wanted
  const writers = logs.filter(({ data }) => data.records.some(({ authority, sni }) => isHost(authority) || isHost(sni)))
  const deployments = new Set(writers.flatMap(({ pod }) => (pod ? [deploymentOf(pod)] : [])))
  const answering = pods.filter((pod) => deployments.has(deploymentOf(pod)))
  return answering.length > 0 && answering.length < pods.length ? answering : pods
}

/** The one cluster that lines of this host, and of the path where it is known, name. */
export function clusterInLogs(logs: readonly GatewayLog[], host: string | null, path: string | null): string | null {
  if (host === null) return null
  const records = logs.flatMap(({ data }) =>
    data.records.filter(
      ({ authority, upstreamCluster }) =>
        upstreamCluster !== null && authority !== null && bareHost(authority).toLowerCase() === host.toLowerCase(),
    ),
  )
  const meant = records.filter((record) => path === null || pathOnly(record.path ?? '') === path)
  const clusters = new Set(meant.map(({ upstreamCluster }) => upstreamCluster))
  const [only] = clusters
  return clusters.size === 1 ? (only ?? null) : null
}

export function deploymentOf({ namespace, name, workload }: PodView): string {
  return `${namespace}/${workload?.name ?? name}`
}

function isOutsideName(host: string | null, ends: Ends): boolean {
  if (host === null) return false
  const bare = bareHost(host)
  if (/^\d+\.\d+\.\d+\.\d+$/.test(bare)) return true
  const { host: full } = ends.server
  if (full !== null && (full === bare || full.startsWith(`${bare}.`))) return false
  return bare.includes('.') && !/\.svc(\.|$)/.test(bare)
}

/** Only a name was given, and it is no service of the mesh. */
function isPublishedName(given: Given, hints: Hints, { server }: Ends, store: ObjectStore): boolean {
  const name = outsideName(given, hints)
  return name !== null && server.service === null && (server.external || isRouted(store, name))
}

/** Gateways named by VirtualServices, in namespaces whose Gateways were not read. */
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
      if (store.readable('Gateway', reference.namespace) !== 'yes') found.push(reference)
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
