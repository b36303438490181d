import type { AccessLogRecord } from '../model/access-log.ts'
import { parseClusterName, parseSni } from './names.ts'

export type ProxyRole = 'client-proxy' | 'server-proxy' | 'gateway' | 'egress-gateway' | 'waypoint'

export interface LineWriter {
  readonly role: ProxyRole | 'unknown'
  readonly because: string
}

/** Which proxy wrote an access-log line, as far as the line itself tells. */
export function lineWriter(record: AccessLogRecord): LineWriter {
  const cluster = record.upstreamCluster === null ? null : parseClusterName(record.upstreamCluster)
  const meshSni = record.sni !== null && parseSni(record.sni) !== null
  switch (cluster?.role) {
    case 'inbound':
      return { role: 'server-proxy', because: `its upstream is the local application (${cluster.raw})` }
    case 'inbound-passthrough':
      return { role: 'server-proxy', because: 'its upstream is a local port that no Service declares' }
    case 'inbound-vip':
      return { role: 'waypoint', because: `its upstream is a service as waypoints see it (${cluster.raw})` }
    case 'hbone':
      return { role: 'waypoint', because: `${cluster.raw} is the tunnelling part of a proxy` }
    case 'outbound':
    case 'sni-dnat':
    case 'passthrough':
    case 'black-hole':
    case 'dynamic-dns':
    case 'invalid-backend':
      return outboundWriter(record, meshSni, cluster.raw)
    case 'bootstrap':
    case 'other':
    case undefined:
      break
  }
  if (isIp(record.upstreamLocal, '127.0.0.6'))
    return { role: 'server-proxy', because: 'it calls the application from 127.0.0.6' }
  if (record.method === 'CONNECT' && /:15008$/.test(record.downstreamLocal ?? ''))
    return { role: 'waypoint', because: 'it took an HBONE CONNECT on port 15008' }
  if (meshSni) return { role: 'server-proxy', because: 'the caller’s proxy sent it a mesh SNI' }
  if (record.routeName === 'block_all' || record.routeName === 'allow_any')
    return { role: 'client-proxy', because: `route ${record.routeName} exists in outbound configuration only` }
  if (record.sni !== null) return { role: 'gateway', because: `the SNI ${record.sni} is an outside name` }
  if (record.details === 'filter_chain_not_found')
    return { role: 'server-proxy', because: 'a connection without SNI fitted no inbound filter chain' }
  if (record.forwardedFor !== null)
    return { role: 'gateway', because: 'it records the outside address of the caller (x-forwarded-for)' }
  return {
    role: 'unknown',
    because:
      record.kind === 'http' && record.authority !== null
        ? 'it names no cluster and no outside address: a caller’s own proxy or a waypoint'
        : 'it names neither a cluster nor an SNI',
  }
}

function outboundWriter(record: AccessLogRecord, meshSni: boolean, cluster: string): LineWriter {
  // Sidecars in front of their own pod see no TLS and no mesh SNI; a gateway in the middle (egress, east-west) sees the latter.
  if (meshSni)
    return { role: 'egress-gateway', because: `mesh traffic came in (SNI ${record.sni}) and goes on to ${cluster}` }
  if (record.sni !== null)
    return { role: 'gateway', because: `TLS for ${record.sni} came in and goes on to ${cluster}` }
  if (record.forwardedFor !== null)
    return { role: 'gateway', because: `it records the outside address of the caller and goes on to ${cluster}` }
  return { role: 'client-proxy', because: `its upstream is ${cluster}` }
}

function isIp(address: string | null, ip: string): boolean {
  return address !== null && (address === ip || address.startsWith(`${ip}:`))
}

export type LineVerdict =
  /** The next hop produced the answer; this proxy passed it on. */
  | 'passed-on'
  /** This proxy produced the answer, or closed the connection, itself. */
  | 'own'
  /** A connection that the next hop ended. */
  | 'cut-by-next'
  /** The caller left before there was an answer. */
  | 'caller-left'

const ownTcpFlags = new Set(['UF', 'UH', 'UO', 'NC', 'NR', 'DT', 'OM', 'DF', 'DO', 'UDO', 'SI', 'RL', 'UAEX', 'DPE'])

/** Whether the proxy that wrote the line decided. Details come before flags: a flag such as URX also stands beside via_upstream. */
export function lineVerdict(record: AccessLogRecord): LineVerdict {
  const { details, flags } = record
  if (details?.startsWith('downstream_remote_disconnect') || details?.startsWith('http2.remote_re'))
    return 'caller-left'
  if (details === 'via_upstream' || details === 'websocket_handshake_unsuccessful') return 'passed-on'
  if (details?.startsWith('upstream_reset_after_response_started')) return 'cut-by-next'
  if (details !== null) return 'own'
  if (record.termination !== null) return 'own'
  if (record.kind === 'tcp') {
    if (flags.some((flag) => ownTcpFlags.has(flag))) return 'own'
    if (flags.some((flag) => flag === 'UC' || flag === 'UR')) return 'cut-by-next'
    if (flags.some((flag) => flag === 'DC' || flag === 'DR')) return 'caller-left'
    return 'passed-on'
  }
  // Formats without details: the upstream's time is there exactly when the upstream answered.
  if (record.upstreamTimeMs !== null) return 'passed-on'
  if (flags.some((flag) => flag === 'DC' || flag === 'DR')) return 'caller-left'
  if (flags.length > 0) return 'own'
  return record.upstreamHost === null && (record.code ?? 0) >= 400 ? 'own' : 'passed-on'
}
