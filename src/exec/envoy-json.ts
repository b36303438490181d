import type { Json, JsonObject } from '../model/config-dump.ts'

const healthFlags: Readonly<
  Record<
    string,
    {
      readonly edsHealthStatus?: string
      readonly failedOutlierCheck?: boolean
      readonly failedActiveHealthCheck?: boolean
    }
  >
> = {
  '/failed_active_hc': { failedActiveHealthCheck: true },
  '/failed_outlier_check': { failedOutlierCheck: true },
  '/failed_eds_health': { edsHealthStatus: 'UNHEALTHY' },
  '/degraded_eds_health': { edsHealthStatus: 'DEGRADED' },
  '/eds_status_draining': { edsHealthStatus: 'DRAINING' },
}

/**
 * `proxy-config endpoint -o json` from Envoy's text form of `clusters`, which is what a bug report holds: a line for each
 * fact about a cluster or one of its hosts.
 */
export function endpointsFromText(text: string): Json {
  interface Host {
    readonly address: string
    health: string
    weight: number
    readonly locality: Record<string, string>
  }
  const clusters = new Map<string, { hosts: Map<string, Host>; isAddedByApi: boolean }>()
  for (const line of text.split('\n')) {
    const [name, second, third, ...rest] = line.split('::')
    if (!name || second === undefined || third === undefined) continue
    const cluster = clusters.get(name) ?? { hosts: new Map<string, Host>(), isAddedByApi: false }
    clusters.set(name, cluster)
    if (second === 'added_via_api') cluster.isAddedByApi = third === 'true'
    // An IPv6 address holds `::` itself; a host's lines end in `…::FACT::VALUE`.
    const fact = [third, ...rest].at(-2)
    const address = [second, third, ...rest].slice(0, -2).join('::')
    if (!isHost(address)) continue
    const host = cluster.hosts.get(address) ?? { address, health: 'healthy', weight: 1, locality: {} }
    cluster.hosts.set(address, host)
    if (fact === 'health_flags') host.health = rest.at(-1) ?? third
    if (fact === 'weight') host.weight = Number(rest.at(-1))
    const part = { region: 'region', zone: 'zone', sub_zone: 'subZone' }[fact ?? '']
    if (part && rest.at(-1)) host.locality[part] = rest.at(-1) ?? ''
  }
  // A cluster without hosts is not shown: that looks like one that is not there, here as in istioctl.
  return [...clusters]
    .filter(([, { hosts }]) => hosts.size > 0)
    .map(([name, { hosts, isAddedByApi }]) => ({
      name,
      ...(isAddedByApi && { addedViaApi: true }),
      hostStatuses: [...hosts.values()].map(({ address, health, weight, locality }) => ({
        address: addressOf(address),
        healthStatus: healthOf(health),
        weight,
        locality,
      })),
    }))
}

const isHost = (text: string) =>
  /^(?:[\d.]+|\[[\da-f:.]+\]):\d+$/i.test(text) || /^(?:envoy|unix):\/\//.test(text) || /^(?:\.?\/)[\w./-]+$/.test(text)

function addressOf(text: string): Json {
  const socket = /^\[?([\da-f:.]+?)\]?:(\d+)$/i.exec(text)
  if (socket) return { socketAddress: { address: socket[1] ?? '', portValue: Number(socket[2]) } }
  const internal = /^envoy:\/\/([^/]*)\/(.*)$/.exec(text)
  if (internal)
    return {
      envoyInternalAddress: { serverListenerName: internal[1] ?? '', ...(internal[2] && { endpointId: internal[2] }) },
    }
  return { pipe: { path: text.replace(/^unix:\/\//, '') } }
}

function healthOf(flags: string): Json {
  if (flags === 'healthy') return { edsHealthStatus: 'HEALTHY' }
  const found = flags.split(/(?=\/)/).map((flag) => healthFlags[flag] ?? {})
  const merged = Object.assign({}, ...found) as JsonObject
  return { ...(merged.edsHealthStatus === undefined && { edsHealthStatus: 'HEALTHY' }), ...merged }
}
