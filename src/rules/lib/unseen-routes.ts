import { hostsMatch, isExportedTo, parseServiceHost, resolveHost } from '../../mesh/hosts.ts'
import { textsIn } from '../../mesh/loose-lists.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Stored } from '../../situation/objects.ts'
import type { Situation } from '../../situation/situation.ts'
import { objectName } from './cluster.ts'
import { scopeOf } from './missing-cluster.ts'

export type Obstacle = 'gateways' | 'export' | 'sidecar' | 'short-name' | 'other-host'

/** A VirtualService about this destination that the caller's proxy does not take, and everything that keeps it away. */
export interface UnseenRoute {
  readonly stored: Stored
  readonly obstacles: readonly { readonly kind: Obstacle; readonly why: string; readonly change: string }[]
  /** The Sidecar that has to change, where one keeps it away. */
  readonly sidecar: KubeObject | null
  /** It names the destination, so it is meant for calls to it. */
  readonly isMeant: boolean
}

/** VirtualServices that name the destination, or route to it, and do not apply to calls from pods of the caller's namespace. */
export function unseenRoutes(situation: Situation): readonly UnseenRoute[] {
  const all = situation.store.list('VirtualService').flatMap((stored) => unseen(situation, stored) ?? [])
  const meant = all.filter(({ isMeant }) => isMeant)
  return meant.length > 0 ? meant : all
}

function unseen(situation: Situation, stored: Stored): UnseenRoute | null {
  const host = situation.server.host ?? ''
  const { object } = stored
  const hosts = textsIn(object.spec?.hosts)
  const namespace = object.metadata.namespace ?? ''
  if (hosts.length === 0) return null
  if (namesHost(hosts, namespace, host)) {
    const { obstacles, sidecar } = keptAway(situation, object, hosts)
    return obstacles.length > 0 ? { stored, obstacles, sidecar, isMeant: true } : null
  }
  const wrong = shortNameElsewhere(situation, hosts, namespace, host)
  if (wrong) return { stored, obstacles: [wrong], sidecar: null, isMeant: true }
  if (!routesTo(object, host)) return null
  const bound = boundTo(object)
  return {
    stored,
    obstacles: [
      {
        kind: 'other-host',
        why: `its hosts are ${hosts.join(', ')}${bound === null ? '' : ` at ${bound}`}, and callers in the mesh say ${host}`,
        change: `name ${host} in its hosts${bound === null ? '' : ' and add mesh to its gateways'}`,
      },
    ],
    sidecar: null,
    isMeant: false,
  }
}

/** `*` belongs to gateways: in the mesh it is refused. `ledger.pay` has a dot and stays as it is; callers do use that name. */
function namesHost(hosts: readonly string[], namespace: string, host: string): boolean {
  return hosts.some(
    (name) =>
      name !== '*' &&
      (hostsMatch(resolveHost(name, namespace), host) || (host.startsWith(`${name}.`) && name.includes('.'))),
  )
}

/** Whether a VirtualService has to do with a host: by its own hosts or by where it routes to. */
export function concernsHost(object: KubeObject, host: string): boolean {
  return namesHost(textsIn(object.spec?.hosts), object.metadata.namespace ?? '', host) || routesTo(object, host)
}

function boundTo({ spec }: KubeObject): string | null {
  const gateways = textsIn(spec?.gateways)
  return gateways.length === 0 || gateways.includes('mesh') ? null : gateways.join(', ')
}

function keptAway(situation: Situation, object: KubeObject, hosts: readonly string[]) {
  const { client, mesh } = situation
  const namespace = object.metadata.namespace ?? ''
  const own = client.namespace
  const obstacles: UnseenRoute['obstacles'][number][] = []
  const bound = boundTo(object)
  if (bound !== null)
    obstacles.push({
      kind: 'gateways',
      why: `it lists gateways ${bound} without mesh`,
      change: `add mesh to its gateways and keep ${bound}`,
    })
  if (own !== null && !isExportedTo(object.spec?.exportTo, namespace, own, mesh.defaultVirtualServiceExportTo))
    obstacles.push({
      kind: 'export',
      why: `its exportTo (${textsIn(object.spec?.exportTo ?? mesh.defaultVirtualServiceExportTo).join(', ')}) leaves out namespace ${own}`,
      change: `let its exportTo name ${own}; keep the namespaces that are listed`,
    })
  const scope = scopeOf(situation)
  const hidden = scope?.object && !hosts.some((name) => scope.sees(namespace, resolveHost(name, namespace)))
  if (scope?.object && hidden)
    obstacles.push({
      kind: 'sidecar',
      why: `${objectName(scope.object)} shows its proxies nothing of it from namespace ${namespace}`,
      change: `add ${namespace}/${resolveHost(hosts[0] ?? '*', namespace)} to egress.hosts of ${objectName(scope.object)}; keep the hosts that are listed`,
    })
  return { obstacles, sidecar: hidden ? (scope?.object ?? null) : null }
}

/** `hosts: [ledger]` in another namespace than the Service's means another Service, which does not exist. */
function shortNameElsewhere(situation: Situation, hosts: readonly string[], namespace: string, host: string) {
  const service = parseServiceHost(host)
  if (!service || service.namespace === namespace || !hosts.includes(service.name)) return null
  const { store } = situation
  if (store.readable('Service', namespace) === 'yes' && store.get('Service', namespace, service.name)) return null
  return {
    kind: 'short-name' as const,
    why: `its host ${service.name} means ${resolveHost(service.name, namespace)}, because short names belong to the namespace of the object`,
    change: `write ${host} instead of ${service.name} in its hosts and destinations`,
  }
}

function routesTo({ spec, metadata }: KubeObject, host: string): boolean {
  const blocks = [spec?.http, spec?.tls, spec?.tcp].flatMap((block) => (Array.isArray(block) ? block : []))
  return blocks
    .flatMap((block) => (Array.isArray(block?.route) ? block.route : []))
    .some((route) => {
      const name: unknown = route?.destination?.host
      return typeof name === 'string' && resolveHost(name, metadata.namespace ?? '') === host
    })
}
