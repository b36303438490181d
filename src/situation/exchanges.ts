import { answeredStatus } from '../mesh/answered-status.ts'
import { lineWriter } from '../mesh/line-writer.ts'
import { parseClusterName } from '../mesh/names.ts'
import type { AccessLogRecord, ZtunnelRecord } from '../model/access-log.ts'
import type { Given, SymptomId } from '../model/call.ts'
import type { EvidenceEntry } from '../model/evidence.ts'
import type { End, ServerEnd } from './ends.ts'
import { type Hints, ipOf, portOf } from './hints.ts'
import type { PodView } from './pods.ts'

export type LogRole = 'client' | 'server' | 'gateway' | 'waypoint' | 'given'

/** What a proxy's container printed. */
export interface LogData {
  readonly records: readonly AccessLogRecord[]
  /** Lines of the agent and of Envoy itself, in between. */
  readonly others: readonly { readonly what: string; readonly text: string; readonly line: number }[]
  readonly unparsed: readonly { readonly text: string; readonly line: number; readonly why: string }[]
}

export interface ZtunnelLogData {
  readonly records: readonly ZtunnelRecord[]
  readonly others: readonly unknown[]
}

/** One access-log line with where it stands. */
export interface Line {
  readonly role: LogRole
  readonly record: AccessLogRecord
  /** The pod whose proxy wrote it, when it was read from one. */
  readonly pod: PodView | null
  readonly entry: string
  /** The person handed this very line in: it is the call that is meant. */
  readonly isMeant?: true
}

/** One request or connection as both sides wrote it down. */
export interface Exchange {
  readonly client: Line | null
  readonly gateway: Line | null
  readonly waypoint: Line | null
  readonly server: Line | null
  readonly time: string | null
  /** What the caller got, as far as the lines tell. */
  readonly code: number | null
  readonly showsSymptom: boolean
}

export interface ZtunnelLine {
  readonly record: ZtunnelRecord
  readonly pod: PodView | null
  readonly entry: string
}

export interface LinesInput {
  readonly given: Given
  readonly hints: Hints
  readonly client: End
  readonly server: ServerEnd
  /** Services and pods by address, to know whose addresses stand in a line. */
  readonly serverAddresses: ReadonlySet<string>
  /** Addresses of services and pods of the mesh, as far as they were read: whoever dials one of them does not call outside. */
  readonly meshAddresses: ReadonlySet<string>
  /** The waypoint's pods: what they send on is somebody's call, not theirs. */
  readonly relayAddresses: ReadonlySet<string>
  readonly gatewayAddresses: ReadonlySet<string>
  readonly hasGateway: boolean
  readonly hasWaypoint: boolean
  readonly logs: readonly { role: LogRole; pod: PodView | null; entry: EvidenceEntry; data: LogData }[]
  readonly pasted: readonly AccessLogRecord[]
}

/** Lines of this call only: same destination, same caller, and same method and path where those are known. */
export function linesOfCall(input: LinesInput): readonly Line[] {
  const lines: Line[] = []
  const readAgain = new Set<AccessLogRecord>()
  for (const { role, pod, entry, data } of input.logs) {
    for (const record of data.records) {
      const copy = input.pasted.find((pasted) => sameLine(pasted, record))
      if (copy) {
        readAgain.add(copy)
        lines.push({ role, record, pod, entry: entry.id, isMeant: true })
      } else if (isOfCall(role, record, input)) lines.push({ role, record, pod, entry: entry.id })
    }
  }
  // What was read from the proxy that wrote it says whose it is; the paste of it says no more.
  for (const record of input.pasted)
    if (!readAgain.has(record))
      lines.push({ role: roleOfPasted(record, input), record, pod: null, entry: 'given', isMeant: true })
  const wanted = lines.filter(({ record }) => sameRequest(record, input))
  // The person's path may be an example; when no line has it, lines of the same call are better than none.
  const exact = wanted.some(({ record }) => record.method !== null) ? wanted : []
  const blindOnes = wanted.filter(({ record }) => record.method === null)
  return exact.length > 0
    ? wanted
    : blindOnes.length > 0 && lines.every(({ record }) => record.method === null)
      ? wanted
      : lines
}

/** The same line twice: pasted, and in the log it was copied from. Both sides of a call never share both addresses. */
function sameLine(a: AccessLogRecord, b: AccessLogRecord): boolean {
  return (
    (a.time !== null || a.requestId !== null) &&
    a.time === b.time &&
    a.requestId === b.requestId &&
    a.code === b.code &&
    a.downstreamRemote === b.downstreamRemote &&
    a.downstreamLocal === b.downstreamLocal &&
    a.upstreamCluster === b.upstreamCluster
  )
}

/** `given` stands for the caller's own proxy, or one of which nothing is known. */
function roleOfPasted(record: AccessLogRecord, input: LinesInput): LogRole {
  const { gatewayAddresses, hasGateway, hasWaypoint, client } = input
  const own = [ipOf(record.downstreamLocal), ipOf(record.upstreamLocal)]
  if (own.some((address) => address !== null && gatewayAddresses.has(address))) return 'gateway'
  const writer = lineWriter(record).role
  if (writer === 'server-proxy') return 'server'
  if (writer === 'waypoint') return 'waypoint'
  if (hasGateway) return 'gateway'
  // A caller without a proxy of its own writes no line: what names no other side comes from the waypoint in between.
  const callerWrites = client.pods.length === 0 || client.pods.some(({ hasEnvoy }) => hasEnvoy)
  return hasWaypoint && !callerWrites ? 'waypoint' : 'given'
}

function sameRequest(record: AccessLogRecord, { given, hints }: LinesInput): boolean {
  const method = given.method ?? hints.method
  const path = given.path ?? hints.path
  // Connections and broken requests carry neither; addresses and time join them.
  if (record.method === null) return true
  if (method && record.method !== method) return false
  if (path && record.path !== null && pathOnly(record.path) !== pathOnly(path)) return false
  if (
    given.host &&
    record.authority &&
    bareHost(record.authority) !== bareHost(given.host) &&
    !sameService(given.host, record.authority)
  )
    return false
  return true
}

function sameService(a: string, b: string): boolean {
  return bareHost(a).split('.')[0] === bareHost(b).split('.')[0]
}

function isOfCall(role: LogRole, record: AccessLogRecord, input: LinesInput): boolean {
  const { server } = input
  const cluster = record.upstreamCluster === null ? null : parseClusterName(record.upstreamCluster)
  const inbound =
    cluster?.role === 'inbound' ||
    cluster?.role === 'inbound-passthrough' ||
    (cluster?.role === 'inbound-vip' && role === 'server')
  switch (role) {
    case 'client': {
      if (inbound) return false
      return toServer(record, cluster, input) || toOutside(record, server, input.meshAddresses)
    }
    case 'gateway':
      // What a gateway could not route has no cluster; the host and the port tell whether it is this call.
      return cluster?.role === 'outbound' && cluster.host !== '' && server.service !== null
        ? cluster.host === server.host || hostFits(record, input)
        : hostFits(record, input)
    case 'waypoint':
      return (
        isFromClient(record, input) &&
        (toServer(record, cluster, input) || (cluster?.role === 'inbound-vip' && cluster.host === server.host))
      )
    case 'server': {
      if (cluster?.role === 'outbound') return false
      const port = server.port?.containerPort ?? server.portNumber
      const localPort = portOf(record.downstreamLocal)
      if (port !== null && cluster?.role === 'inbound' && cluster.port !== port && localPort !== port) return false
      if (cluster === null && port !== null && localPort !== null && localPort !== port) return false
      return isFromClient(record, input)
    }
    case 'given':
      return true
  }
}

/** The original caller is in the line unless a relay stands in between. */
function isFromClient({ downstreamRemote }: AccessLogRecord, input: LinesInput): boolean {
  const { client, relayAddresses, gatewayAddresses } = input
  const remote = ipOf(downstreamRemote)
  // What comes through a gateway comes from it: other pods of the mesh make calls of their own.
  if (client.pods.length === 0 && gatewayAddresses.size > 0 && remote !== null) return relayAddresses.has(remote)
  if (client.pods.length === 0 || remote === null || relayAddresses.has(remote)) return true
  return client.pods.some(({ ip }) => ip === remote)
}

function toServer(
  record: AccessLogRecord,
  cluster: ReturnType<typeof parseClusterName> | null,
  input: LinesInput,
): boolean {
  const { server, serverAddresses: addresses } = input
  if (cluster?.host && server.host) {
    if (cluster.host !== server.host && !fitsShort(cluster.host, server.host)) {
      // The route may send this host's traffic to another service: the authority still names what was called.
      return namesServer(record, input)
    }
    return server.portNumber === null || cluster.port === null || cluster.port === server.portNumber
  }
  const local = ipOf(record.downstreamLocal)
  const localPort = portOf(record.downstreamLocal)
  if (
    local !== null &&
    addresses.has(local) &&
    (server.portNumber === null || localPort === server.portNumber || localPort === server.port?.containerPort)
  )
    return true
  return namesServer(record, input)
}

/** A bare name is looked up in the caller's own namespace: another namespace may have a service of the same name. */
function namesServer({ authority }: AccessLogRecord, { server, client, given }: LinesInput): boolean {
  if (authority === null || server.host === null) return false
  const name = bareHost(authority)
  if (!fitsShort(name, server.host)) return false
  if (name.includes('.') || (given.host !== null && bareHost(given.host) === name)) return true
  const namespaces = new Set(client.pods.map(({ namespace }) => namespace))
  return namespaces.size === 0 || server.namespace === null || namespaces.has(server.namespace)
}

/**
 * A connection to a host outside carries no name, and the cluster may be that of whoever took the port: what can be compared
 * is the port, the SNI where there is one, and that the address is nobody's in the mesh.
 */
function toOutside(record: AccessLogRecord, server: ServerEnd, meshAddresses: ReadonlySet<string>): boolean {
  if (!server.external || record.kind !== 'tcp' || server.portNumber === null) return false
  const local = ipOf(record.downstreamLocal)
  if (local === null || meshAddresses.has(local) || portOf(record.downstreamLocal) !== server.portNumber) return false
  return record.sni === null || server.host === null || bareHost(record.sni) === server.host
}

/** `ledger`, `ledger.pay`, `ledger.pay.svc` against the full name. */
function fitsShort(name: string, full: string): boolean {
  return name === full || full.startsWith(`${name}.`)
}

function hostFits(record: AccessLogRecord, { given, hints, server }: LinesInput): boolean {
  const host = given.host ?? hints.authority
  if (host === null)
    return (
      record.authority === null ||
      server.host === null ||
      fitsShort(bareHost(record.authority), server.host) ||
      record.code !== null
    )
  if (record.authority !== null) return bareHost(record.authority).toLowerCase() === bareHost(host).toLowerCase()
  // A line without authority is a broken handshake or request: the SNI names it, or nothing does.
  return record.sni === null || bareHost(record.sni).toLowerCase() === bareHost(host).toLowerCase()
}

export function bareHost(authority: string): string {
  return authority.replace(/:\d+$/, '').replace(/\.$/, '')
}

export function pathOnly(path: string): string {
  return path.split(/[?#]/, 1)[0] ?? path
}

/** Joins lines of both sides: by request id, else by the client proxy's own address and port, else by time. */
export function joinLines(lines: readonly Line[], symptom: SymptomId): Exchange[] {
  const of = (role: LogRole) => lines.filter((line) => line.role === role)
  const servers = poolOf(of('server'))
  const waypoints = poolOf(of('waypoint'))
  const exchanges: Exchange[] = []
  for (const front of [...of('client'), ...of('gateway'), ...of('given')]) {
    const waypoint = take(waypoints, front)
    const server = take(servers, waypoint ?? front) ?? (waypoint ? take(servers, front) : null)
    exchanges.push(exchange({ front, waypoint, server }, symptom))
  }
  for (const waypoint of waypoints.left)
    exchanges.push(exchange({ front: null, waypoint, server: take(servers, waypoint) }, symptom))
  for (const server of servers.left) exchanges.push(exchange({ front: null, waypoint: null, server }, symptom))
  return exchanges.sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? -1 : (a.time ?? '') > (b.time ?? '') ? 1 : 0))
}

/** Lines that no line of the hop before has taken yet. */
interface Pool {
  readonly left: Set<Line>
  readonly byId: ReadonlyMap<string | null, readonly Line[]>
}

function poolOf(lines: readonly Line[]): Pool {
  const byId = new Map<string | null, Line[]>()
  for (const line of lines) {
    const known = byId.get(line.record.requestId)
    if (known) known.push(line)
    else byId.set(line.record.requestId, [line])
  }
  return { left: new Set(lines), byId }
}

function take({ left, byId }: Pool, { record }: Line): Line | null {
  const alike = record.requestId === null ? [] : (byId.get(record.requestId) ?? []).filter((line) => left.has(line))
  // A retried request stands several times in the next log: the last try is the one whose answer came back.
  const tries = alike.filter((line) => isTryOf(record, line.record)).sort(byTime)
  for (const line of tries) left.delete(line)
  const found =
    tries.at(-1) ?? alike[0] ?? nearest(record.requestId === null ? left : (byId.get(null) ?? []), left, record)
  if (found) left.delete(found)
  return found
}

function nearest(candidates: Iterable<Line>, left: ReadonlySet<Line>, record: AccessLogRecord): Line | null {
  for (const candidate of candidates) if (left.has(candidate) && joined(record, candidate.record)) return candidate
  return null
}

function byTime(a: Line, b: Line): number {
  return Date.parse(a.record.time ?? '') - Date.parse(b.record.time ?? '')
}

/** The same request, begun while the proxy before was still at work on it. An id alone may be handed on from call to call. */
function isTryOf(near: AccessLogRecord, candidate: AccessLogRecord): boolean {
  if (near.requestId === null || near.requestId !== candidate.requestId) return false
  if (near.time === null || candidate.time === null || near.durationMs === null) return false
  const apart = Date.parse(candidate.time) - Date.parse(near.time)
  return apart >= -5 && apart <= near.durationMs + 50
}

function exchange(
  { front, waypoint, server }: { front: Line | null; waypoint: Line | null; server: Line | null },
  symptom: SymptomId,
): Exchange {
  const seen = front ?? waypoint ?? server
  // A refusal of gRPC looks like a success at every proxy but the one that made it.
  const refused = [waypoint, server].find((line) => line && answeredStatus(line.record) !== line.record.code)
  const telling = seen?.record.code === 200 && refused ? refused : seen
  const code = telling ? answeredStatus(telling.record) : null
  return {
    client: front?.role === 'client' || (front?.role === 'given' && isClientSide(front.record)) ? front : null,
    gateway: front?.role === 'gateway' ? front : null,
    waypoint,
    server: server ?? (front?.role === 'given' && !isClientSide(front.record) ? front : null),
    time: seen?.record.time ?? null,
    code,
    showsSymptom: telling !== null && showsSymptom(telling.record, symptom),
  }
}

/** Which side a pasted line comes from: its cluster says, and a connection without any cluster is the server's. */
export function isClientSide(record: AccessLogRecord): boolean {
  const cluster = record.upstreamCluster === null ? null : parseClusterName(record.upstreamCluster)
  if (cluster)
    return cluster.role !== 'inbound' && cluster.role !== 'inbound-passthrough' && cluster.role !== 'inbound-vip'
  return record.details !== 'filter_chain_not_found'
}

function joined(a: AccessLogRecord, b: AccessLogRecord): boolean {
  if (a.requestId !== null && b.requestId !== null) return a.requestId === b.requestId
  // The port the client's proxy used is the port the server's proxy saw.
  if (a.upstreamLocal !== null && a.upstreamLocal === b.downstreamRemote) return true
  if (a.upstreamLocal !== null && b.downstreamRemote !== null && b.requestId !== null) return false
  return a.requestId === null &&
    b.requestId === null &&
    a.downstreamRemote !== null &&
    a.downstreamRemote === b.downstreamRemote
    ? true
    : retriedNear(a, b)
}

/** A retried connect leaves several server lines for one request; the client's line names only the last one. */
function retriedNear(a: AccessLogRecord, b: AccessLogRecord): boolean {
  if (b.requestId !== null || a.time === null || b.time === null) return false
  const apart = Date.parse(b.time) - Date.parse(a.time)
  return (
    apart >= -5 &&
    apart <= (a.durationMs ?? 0) + 50 &&
    ipOf(a.upstreamHost) !== null &&
    ipOf(a.upstreamHost) === ipOf(b.downstreamLocal)
  )
}

/** Whether a line is what the person complains about. */
export function showsSymptom(record: AccessLogRecord, symptom: SymptomId): boolean {
  const { flags } = record
  const code = answeredStatus(record)
  switch (symptom) {
    case 'reset':
      return (
        code === 0 ||
        flags.some((flag) => ['UC', 'UR', 'LR', 'UPE', 'NR', 'UF'].includes(flag)) ||
        (record.termination !== null && record.kind === 'tcp')
      )
    case 'timeout':
      // Whoever waits for a connection that nobody answers sees a timeout, whatever status ends it.
      if (record.details?.includes('connection_timeout')) return true
      return showsSymptom(record, '504')
    case '504':
      return code === 504 || code === 408 || flags.some((flag) => ['UT', 'DT', 'SI', 'DC', 'UMSDR'].includes(flag))
    case 'tls':
      // TLS that arrives at a plain port is answered in plain HTTP, which the caller takes for a broken handshake.
      return (
        code === 0 ||
        flags.includes('NR') ||
        record.transportFailure !== null ||
        (record.method === null && record.details === 'http1.codec_error')
      )
    case 'slow':
      return (record.durationMs ?? 0) > 1000
    case '500':
      return code === 500 || code === 501
    case 'not-applied':
    case 'not-injected':
      return false
    case 'unknown':
      return code === 0 || (code ?? 0) >= 400 || flags.length > 0
    default:
      return (
        String(code) === symptom || (code !== record.code && unavailable.has(symptom) && unavailable.has(`${code}`))
      )
  }
}

/** What gRPC callers see as UNAVAILABLE, whichever of them it was. */
const unavailable: ReadonlySet<string> = new Set(['502', '503', '504'])
