import { objectsIn, textsIn } from '../mesh/loose-lists.ts'
import type { ServerEnd } from './ends.ts'
import { hostMatches } from './gateway-hosts.ts'
import type { ObjectStore, Stored } from './objects.ts'

/** Gateways that may take a host, Istio's and those of the Gateway API. */
export interface GatewayCandidates {
  /** The first choice: whoever names the host, else whoever takes any host, else those of the destination, else all. */
  readonly chosen: readonly Stored[]
  /** Every Istio Gateway with a server for this host, however it names it: another one may shadow the first choice. */
  readonly fitting: readonly Stored[]
  /** Whether any of them is chosen because it names the host. */
  readonly namesHost: boolean
}

export function gatewayCandidates(store: ObjectStore, host: string | null, server: ServerEnd): GatewayCandidates {
  const istio = store.list('Gateway')
  const api = store.list('K8sGateway').filter(({ object }) => object.spec?.gatewayClassName !== 'istio-waypoint')
  if (host === null) return { chosen: [...istio, ...api], fitting: istio, namesHost: false }
  const routed = referencesFor(store, (hosts) => namesHost(hosts, host))
  const fitting = istio.filter((gateway) => hostsOfServers(gateway).some((pattern) => hostMatches(pattern, host)))
  const open = api.filter((gateway) =>
    hostnamesOfListeners(gateway).some((name) => name === null || hostMatches(name, host)),
  )
  const byName = [
    ...fitting.filter((gateway) => namesHost(hostsOfServers(gateway), host) || routed.has(idOf(gateway))),
    ...api.filter(
      (gateway) =>
        routed.has(idOf(gateway)) ||
        namesHost(
          hostnamesOfListeners(gateway).flatMap((name) => name ?? []),
          host,
        ),
    ),
  ]
  if (byName.length > 0) return { chosen: byName, fitting, namesHost: true }
  if (fitting.length + open.length > 0) return { chosen: [...fitting, ...open], fitting, namesHost: false }
  // A host that no Gateway serves is a finding of its own; the Gateways that are there must still be asked.
  const all = [...istio, ...api]
  const leading = server.service ? referencesFor(store, (_, text) => leadsTo(text, server)) : new Set<string>()
  const near = all.filter((gateway) => leading.has(idOf(gateway)))
  return { chosen: near.length > 0 ? near : all, fitting, namesHost: false }
}

function leadsTo(routes: string, { service }: ServerEnd): boolean {
  return service !== null && routes.includes(`"${service.object.metadata.name}`)
}

/** Gateways that routes name, of those routes that a test takes: by their hosts, or by what is written in them. */
function referencesFor(store: ObjectStore, takes: (hosts: readonly string[], text: string) => boolean): Set<string> {
  const ids = new Set<string>()
  for (const { object } of store.list('VirtualService')) {
    if (!takes(textsIn(object.spec?.hosts), JSON.stringify(object.spec ?? {}))) continue
    for (const name of textsIn(object.spec?.gateways))
      if (name !== 'mesh') ids.add(`Istio ${name.includes('/') ? name : `${object.metadata.namespace}/${name}`}`)
  }
  for (const kind of ['HTTPRoute', 'GRPCRoute'])
    for (const { object } of store.list(kind)) {
      if (!takes(textsIn(object.spec?.hostnames), JSON.stringify(object.spec ?? {}))) continue
      for (const parent of objectsIn(object.spec?.parentRefs))
        if ((parent.kind ?? 'Gateway') === 'Gateway')
          ids.add(`API ${parent.namespace ?? object.metadata.namespace}/${parent.name}`)
    }
  return ids
}

function idOf({ object }: Stored): string {
  const api = object.apiVersion.startsWith('gateway.networking.k8s.io/') ? 'API' : 'Istio'
  return `${api} ${object.metadata.namespace ?? 'default'}/${object.metadata.name}`
}

/** A pattern that takes every host names none. */
function namesHost(patterns: readonly string[], host: string): boolean {
  return patterns.some((pattern) => pattern.slice(pattern.indexOf('/') + 1) !== '*' && hostMatches(pattern, host))
}

function hostsOfServers({ object }: Stored): readonly string[] {
  return objectsIn(object.spec?.servers).flatMap(({ hosts }) => textsIn(hosts))
}

/** Null for a listener without a hostname: it takes every host. */
function hostnamesOfListeners({ object }: Stored): readonly (string | null)[] {
  return objectsIn(object.spec?.listeners).map(({ hostname }) => (typeof hostname === 'string' ? hostname : null))
}
