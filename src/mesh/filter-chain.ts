import type { EnvoyListener, FilterChain, FilterChainMatch } from '../../parsers/proxy-config-listener.ts'
import { objectsIn, textsIn } from './loose-lists.ts'
import { inRange } from './traffic-capture.ts'

/** A connection as a listener sees it, before any filter. */
export interface Connection {
  /** As dialled: a service's address at the client, the pod's at the server. */
  readonly address: string
  readonly port: number
  readonly tls: boolean
  /** Server name of the TLS handshake. */
  readonly sni?: string
  /** What TLS offers, or for plaintext what the inspector found: `http/1.1`, `h2c`, nothing. */
  readonly alpn: readonly string[]
}

/** The ALPN that a client's proxy offers in mesh mTLS. */
export const meshAlpn = {
  http: ['istio-http/1.1', 'istio', 'http/1.1'],
  tcp: ['istio-peer-exchange', 'istio'],
} as const

export interface ListenerAddress {
  readonly address: string
  readonly port: number | null
}

export function listenerAddresses(listener: EnvoyListener): readonly ListenerAddress[] {
  // biome-ignore lint/suspicious/noExplicitAny: addresses of several kinds
  const entries: any[] = [listener.address, ...(listener.additionalAddresses ?? []).map((entry) => entry?.address)]
  return entries
    .filter((entry) => entry?.socketAddress)
    .map(({ socketAddress }) => ({
      address: String(socketAddress.address ?? ''),
      port: typeof socketAddress.portValue === 'number' ? socketAddress.portValue : null,
    }))
}

const anyAddress = ['0.0.0.0', '::']

/** The listener for a connection that iptables hands to the proxy: address and port, any address and port, the catch-all. */
export function findListener(
  listeners: readonly EnvoyListener[],
  direction: 'outbound' | 'inbound' | 'gateway',
  connection: Connection,
): EnvoyListener | null {
  if (direction === 'inbound') {
    const inbound = listeners.find(({ name }) => name === 'virtualInbound')
    // Waypoints unpack HBONE first and look at the service's address after that.
    return inbound ?? listeners.find(({ name }) => name === 'main_internal') ?? null
  }
  const onPort = listeners.filter((listener) =>
    listenerAddresses(listener).some(({ port }) => port === connection.port),
  )
  if (direction === 'gateway') {
    const own = (listener: EnvoyListener) =>
      listenerAddresses(listener).some(({ address }) => address === connection.address)
    return onPort.find(own) ?? onPort.find(isWild) ?? null
  }
  const outbound = onPort.filter(({ trafficDirection }) => trafficDirection !== 'INBOUND')
  const exact = outbound.find((listener) =>
    listenerAddresses(listener).some(({ address, port }) => address === connection.address && port === connection.port),
  )
  if (exact) return exact
  // Static listeners (health, metrics) carry no direction and bind a port that nobody dials from inside.
  const shared = outbound.find((listener) => listener.trafficDirection === 'OUTBOUND' && isWild(listener))
  if (shared && shared.name !== 'virtualOutbound') return shared
  return listeners.find(({ name, useOriginalDst }) => name === 'virtualOutbound' || useOriginalDst === true) ?? null
}

function isWild(listener: EnvoyListener): boolean {
  return listenerAddresses(listener).some(({ address }) => anyAddress.includes(address))
}

export type ChainChoice =
  | { readonly chain: FilterChain; readonly isDefault: boolean }
  | { readonly chain: null; readonly why: string; readonly undecided?: true }

/**
 * Envoy's choice: one criterion after the other, always the most specific value that fits, without going back. A connection that no
 * chain takes goes to the default chain, or is closed with NR filter_chain_not_found.
 */
export function chooseFilterChain(listener: EnvoyListener, connection: Connection): ChainChoice {
  const chains: FilterChain[] = objectsIn(listener.filterChains)
  if (listener.filterChainMatcher) return chooseByTree(listener, chains, connection)
  let left: readonly FilterChain[] = chains
  const steps: { name: string; rank: (match: FilterChainMatch) => number }[] = [
    { name: 'destination port', rank: (match) => rankPort(match, connection.port) },
    { name: 'destination address', rank: (match) => rankRange(match.prefixRanges, connection.address) },
    { name: 'server name', rank: (match) => rankServerName(match.serverNames, connection) },
    { name: connection.tls ? 'TLS' : 'plaintext', rank: (match) => rankTransport(match, connection.tls) },
    { name: `ALPN ${connection.alpn.join(',') || '(none)'}`, rank: (match) => rankAlpn(match, connection.alpn) },
  ]
  for (const { name, rank } of steps) {
    const ranked = left.map((chain) => ({ chain, rank: rank(chain.filterChainMatch ?? {}) }))
    const best = Math.max(-1, ...ranked.map((entry) => entry.rank))
    left = ranked.filter((entry) => entry.rank === best && entry.rank >= 0).map((entry) => entry.chain)
    if (left.length === 0) return withoutChain(listener, `no filter chain for ${name}`)
  }
  const [first] = left
  if (!first) return withoutChain(listener, 'the listener has no filter chain')
  const bySource = left.find(({ filterChainMatch }) => filterChainMatch?.sourcePrefixRanges?.length)
  if (bySource) return { chain: null, why: 'filter chains differ by the source address', undecided: true }
  return { chain: first, isDefault: false }
}

function withoutChain(listener: EnvoyListener, why: string): ChainChoice {
  return listener.defaultFilterChain ? { chain: listener.defaultFilterChain, isDefault: true } : { chain: null, why }
}

function rankPort(match: FilterChainMatch, port: number): number {
  if (match.destinationPort === undefined) return 0
  return match.destinationPort === port ? 1 : -1
}

function rankRange(ranges: FilterChainMatch['prefixRanges'], address: string): number {
  if (!ranges || ranges.length === 0) return 0
  const fitting = ranges
    .filter(({ addressPrefix, prefixLen }) => inRange(address, `${addressPrefix ?? ''}/${prefixLen ?? 0}`))
    .map(({ prefixLen }) => 1 + (prefixLen ?? 0))
  return Math.max(-1, ...fitting)
}

function rankServerName(names: readonly string[] | undefined, connection: Connection): number {
  if (!names || names.length === 0) return 0
  const sni = connection.sni?.toLowerCase()
  if (sni === undefined || !connection.tls) return -1
  if (names.some((name) => name.toLowerCase() === sni)) return 1e6
  const wild = names.filter((name) => name.startsWith('*') && sni.endsWith(name.slice(1).toLowerCase()))
  return Math.max(-1, ...wild.map((name) => name.length))
}

function rankTransport(match: FilterChainMatch, tls: boolean): number {
  if (!match.transportProtocol) return 0
  return match.transportProtocol === (tls ? 'tls' : 'raw_buffer') ? 1 : -1
}

function rankAlpn(match: FilterChainMatch, alpn: readonly string[]): number {
  const wanted = textsIn(match.applicationProtocols)
  if (wanted.length === 0) return 0
  const position = alpn.findIndex((protocol) => wanted.includes(protocol))
  return position < 0 ? -1 : 1000 - position
}

// biome-ignore lint/suspicious/noExplicitAny: the matcher tree of waypoints, read field by field
type Config = any

/** Waypoints: a tree of address, then port, then perhaps protocol, that ends in the name of a chain. */
function chooseByTree(listener: EnvoyListener, chains: readonly FilterChain[], connection: Connection): ChainChoice {
  const name = walk(listener.filterChainMatcher, connection)
  if (name === null) return withoutChain(listener, `no filter chain for ${connection.address}:${connection.port}`)
  const chain = chains.find((candidate) => candidate.name === name)
  return chain
    ? { chain, isDefault: false }
    : { chain: null, why: `the matcher names filter chain ${name}, which is not there` }
}

function walk(node: Config, connection: Connection): string | null {
  const tree = node?.matcherTree
  const input = String(tree?.input?.typedConfig?.['@type'] ?? '')
  const hit = tree?.customMatch
    ? rangeHit(tree.customMatch.typedConfig?.rangeMatchers, connection.address)
    : tree?.exactMatchMap?.map?.[inputValue(input, connection)]
  return follow(hit ?? node?.onNoMatch, connection)
}

function follow(onMatch: Config, connection: Connection): string | null {
  if (!onMatch) return null
  if (onMatch.matcher) return walk(onMatch.matcher, connection)
  const action = onMatch.action
  return String(action?.typedConfig?.value ?? action?.name ?? '') || null
}

function rangeHit(matchers: Config, address: string): Config {
  let best: Config = null
  let length = -1
  for (const matcher of Array.isArray(matchers) ? matchers : [])
    for (const range of matcher.ranges ?? [])
      if (Number(range.prefixLen ?? 0) > length && inRange(address, `${range.addressPrefix}/${range.prefixLen ?? 0}`)) {
        best = matcher.onMatch
        length = Number(range.prefixLen ?? 0)
      }
  return best
}

function inputValue(input: string, connection: Connection): string {
  if (input.endsWith('DestinationPortInput')) return String(connection.port)
  if (input.endsWith('DestinationIPInput')) return connection.address
  if (input.endsWith('ApplicationProtocolInput')) return `'${connection.alpn[0] ?? ''}'`
  if (input.endsWith('TransportProtocolInput')) return connection.tls ? 'tls' : 'raw_buffer'
  return ''
}
