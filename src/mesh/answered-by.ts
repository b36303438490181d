import type { AccessLogRecord, ZtunnelRecord } from '../model/access-log.ts'
import type { AnsweredByHop, Certainty } from '../model/answered-by.ts'
import { hopByResponse, hopByTransportError } from './answered-by-response.ts'
import { lineVerdict } from './line-writer.ts'
import { parseClusterName } from './names.ts'
import { lastedAnHour } from './tcp-idle.ts'

/** What the caller got, as far as it is known. Header names in lower case. */
export interface SeenResponse {
  readonly status: number | null
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/** Everything that may tell who answered one call. All of it must be about the same request or connection. */
export interface AnsweredByInput {
  readonly clientLine?: AccessLogRecord | undefined
  readonly gatewayLine?: AccessLogRecord | undefined
  readonly egressGatewayLine?: AccessLogRecord | undefined
  readonly waypointLine?: AccessLogRecord | undefined
  readonly serverLine?: AccessLogRecord | undefined
  readonly ztunnelLines?: readonly ZtunnelRecord[] | undefined
  readonly response?: SeenResponse | undefined
  /** curl's exit code, or its message. */
  readonly curlError?: number | string | undefined
  readonly clientHasProxy?: boolean | undefined
  readonly serverHasProxy?: boolean | undefined
  /** The call enters the mesh through a gateway. */
  readonly throughGateway?: boolean | undefined
  /** The destination is outside the mesh. */
  readonly serverIsExternal?: boolean | undefined
  /** The server's proxy log could be read and access logging is on for it: then a missing line means something. */
  readonly serverLogReadable?: boolean | undefined
  /** The HTTP status that the caller says it got, where nothing of the answer itself is known. */
  readonly callerGot?: number | null | undefined
}

export interface AnsweredBy {
  readonly hop: AnsweredByHop
  readonly certainty: Certainty
  readonly because: string
  /** Which of the inputs say so. */
  readonly supports: readonly (keyof AnsweredByInput)[]
}

type LineInput = 'clientLine' | 'gatewayLine' | 'egressGatewayLine' | 'waypointLine' | 'serverLine'

/** The order in which a request passes the proxies. */
const way: readonly { readonly input: LineInput; readonly hop: AnsweredByHop; readonly name: string }[] = [
  { input: 'clientLine', hop: 'client-proxy', name: 'the caller’s proxy' },
  { input: 'gatewayLine', hop: 'gateway', name: 'the gateway' },
  { input: 'egressGatewayLine', hop: 'egress-gateway', name: 'the egress gateway' },
  { input: 'waypointLine', hop: 'waypoint', name: 'the waypoint' },
  { input: 'serverLine', hop: 'server-proxy', name: 'the server’s proxy' },
]

/** Who produced the response or the reset: walks along the call and stops at the first proxy that did not just pass it on. */
export function answeredBy(input: AnsweredByInput): AnsweredBy {
  const passed: LineInput[] = []
  let cut = false
  for (const { input: key, hop, name } of way) {
    const line = input[key]
    if (!line) continue
    const verdict = lineVerdict(line)
    // A connection that ended here without an answer is not the answer that the caller got: somebody in front made that.
    const answer = input.response?.status ?? input.callerGot ?? null
    if (verdict !== 'passed-on' && key === 'serverLine' && passed.length === 0 && answer !== null && isUnanswered(line))
      return withoutLines(input)
    if (verdict === 'own') {
      return {
        hop,
        certainty: line.details !== null || line.termination !== null || line.kind === 'tcp' ? 'proven' : 'likely',
        because: `${name} ${ownReason(line)}`,
        supports: [...passed, key],
      }
    }
    if (verdict === 'caller-left') {
      return {
        hop: 'nobody',
        certainty: 'likely',
        because: `${name} logged that the one who called it left before there was an answer (${line.details ?? line.flags.join(',')})`,
        supports: [...passed, key],
      }
    }
    cut = verdict === 'cut-by-next'
    passed.push(key)
  }
  const ztunnel = byZtunnel(input)
  if (passed.length > 0) return behindTheLastLine(input, passed, cut, ztunnel)
  return ztunnel ?? withoutLines(input)
}

function isUnanswered({ code }: AccessLogRecord): boolean {
  return code === null || code === 0
}

/** All lines there are say that the answer came from further on. */
function behindTheLastLine(
  input: AnsweredByInput,
  passed: readonly LineInput[],
  cut: boolean,
  ztunnel: AnsweredBy | null,
): AnsweredBy {
  const last = passed[passed.length - 1]!
  const line = input[last]!
  const did = cut ? 'cut the connection' : 'answered'
  if (!cut && lastedAnHour(line))
    return {
      hop: way.find(({ input: key }) => key === passed[0])?.hop ?? 'unknown',
      certainty: 'possible',
      because:
        'the connection lasted an hour and ended without a flag, as a proxy ends one that is idle; which proxy was first stands nowhere',
      supports: passed,
    }
  if (last === 'serverLine')
    return {
      hop: 'app',
      // A connection that ended without a flag: bytes were carried, and who closed it stands nowhere.
      certainty: line.kind === 'tcp' && !cut ? 'likely' : 'proven',
      because: cut
        ? 'the server’s proxy had passed the request to the application, and the application’s side ended the connection'
        : `the server’s proxy passed on what the application answered (${said(line)})`,
      supports: passed,
    }
  if (ztunnel) return { ...ztunnel, supports: [...passed, ...ztunnel.supports] }
  const cluster = line.upstreamCluster === null ? null : parseClusterName(line.upstreamCluster)
  if (input.serverIsExternal)
    return {
      hop: 'external',
      certainty: 'proven',
      because: `the last proxy on the way passed the call out of the mesh, and what is there ${did}`,
      supports: [...passed, 'serverIsExternal'],
    }
  if (input.serverHasProxy === false)
    return {
      hop: 'app',
      certainty: 'proven',
      because: `no proxy stands behind the one that wrote "${said(line)}", so the application itself ${did}`,
      supports: [...passed, 'serverHasProxy'],
    }
  if (cluster?.role === 'passthrough' || cluster?.role === 'dynamic-dns')
    return {
      hop: 'external',
      certainty: 'possible',
      because: `${cluster.raw} takes calls to destinations that the mesh does not know; whoever is at ${line.upstreamHost ?? 'the address'} ${did}`,
      supports: passed,
    }
  const byResponse = input.response ? hopByResponse(input.response, { ...input, upstreamAnswered: true }) : null
  if (byResponse && byResponse.hop !== 'unknown') return { ...byResponse, supports: [...passed, 'response'] }
  const status = line.code ?? 0
  // A success needs no proxy to explain it; an error may be anybody's behind this line.
  if (!cut && line.kind === 'http' && status > 0 && status < 400)
    return {
      hop: 'app',
      certainty: 'likely',
      because: `the call succeeded (${said(line)}), which a proxy behind this one would not do by itself`,
      supports: passed,
    }
  if (input.serverLogReadable && input.serverHasProxy)
    return {
      hop: 'unknown',
      certainty: 'possible',
      because: `${said(line)} proves only that the next hop ${did}, and the server’s proxy has no line for this call although its log was read: refused TLS handshakes, excluded ports and a silenced log leave none`,
      supports: [...passed, 'serverLogReadable'],
    }
  return {
    hop: 'unknown',
    certainty: 'possible',
    because: `${said(line)} proves only that the next hop ${did}; the server’s proxy log, which would tell its proxy from the application, was not read`,
    supports: passed,
  }
}

function byZtunnel(input: AnsweredByInput): AnsweredBy | null {
  const failed = (input.ztunnelLines ?? []).filter((line) => line.error !== null)
  // An HTTP answer was carried through the tunnel: the tunnel did not refuse it.
  if (failed.length === 0 || input.response?.status) return null
  const destination = failed.find((line) => line.direction === 'inbound') ?? failed[0]!
  const where = destination.direction === 'inbound' ? 'the destination’s ztunnel' : 'the caller’s ztunnel'
  return {
    hop: 'ztunnel',
    certainty: 'proven',
    because: `${where} ended the connection: ${destination.error}`,
    supports: ['ztunnelLines'],
  }
}

/** ztunnel reads no HTTP: bytes both ways over a connection that ended well came from the application itself. */
function throughZtunnel(input: AnsweredByInput): AnsweredBy | null {
  if (input.curlError !== undefined) return null
  const lines = input.ztunnelLines ?? []
  const answered = lines.filter(
    ({ error, direction, bytesSent, bytesReceived }) =>
      error === null && ((direction === 'inbound' ? bytesSent : bytesReceived) ?? 0) > 0,
  )
  if (answered.length === 0 || answered.length < lines.length) return null
  return {
    hop: 'app',
    certainty: 'proven',
    because:
      'ztunnel carried the connection to its end without an error, and nothing between it and the application reads HTTP',
    supports: ['ztunnelLines'],
  }
}

function withoutLines(input: AnsweredByInput): AnsweredBy {
  if (input.response) {
    const byResponse = hopByResponse(input.response, input)
    if (byResponse && byResponse.hop !== 'unknown') return { ...byResponse, supports: ['response'] }
  }
  const carried = throughZtunnel(input)
  if (carried) return carried
  if (input.response) {
    const byResponse = hopByResponse(input.response, input)
    if (byResponse) return { ...byResponse, supports: ['response'] }
  }
  if (input.curlError !== undefined) {
    const byError = hopByTransportError(input.curlError, input)
    if (byError) return { ...byError, supports: ['curlError'] }
  }
  return {
    hop: 'unknown',
    certainty: 'possible',
    because: 'no log line, response or error of this call is known',
    supports: [],
  }
}

function ownReason(line: AccessLogRecord): string {
  if (line.details === 'filter_chain_not_found')
    return 'closed the connection before any HTTP: none of its filter chains accepts it (NR filter_chain_not_found)'
  if (line.termination !== null) return `closed the connection (${line.termination})`
  if (line.kind === 'tcp') return `closed the connection itself (${line.flags.join(',')})`
  return `answered ${line.code === null || line.code === 0 ? 'itself' : `${line.code} itself`} (${said(line)})`
}

/** Code, flags and details as they stand in the line. */
function said(line: AccessLogRecord): string {
  const flags = line.flags.length > 0 ? line.flags.join(',') : '-'
  return [line.code ?? 0, flags, line.details ?? '-'].join(' ')
}
