import { isGrpcRequest } from '../mesh/answered-status.ts'
import type { NotChecked } from '../model/diagnosis.ts'
import type { Exchange } from './exchanges.ts'
import { curlShowsSymptom, isSeenFromFront, ztunnelShowsSymptom } from './reading.ts'
import type { Situation } from './situation.ts'
import { carriedTunnels, earlierTunnels, isToWaypoint, ztunnelOfCall } from './ztunnel-lines.ts'

/** Symptoms that no line shows by itself: a call without them may look like any other. */
const unseen: ReadonlySet<string> = new Set(['not-applied', 'not-injected', 'slow', 'unknown'])

/** Where the logs and the complaint do not fit together: the call fails in another way, or does not fail any more. */
export function symptomGaps(situation: Situation): NotChecked[] {
  if (unseen.has(situation.symptom)) return []
  const [unseenInAmbient] = neverSeen(situation)
  return [
    ...failsOtherwise(situation),
    ...worksAgain(situation),
    ...endedTunnels(situation),
    ...(unseenInAmbient ? [unseenInAmbient] : neverLogged(situation)),
    ...grpcOutcome(situation),
  ]
}

/** Logs that hold nothing of the call say neither that it fails nor that it works. */
function neverLogged(situation: Situation): NotChecked[] {
  const { exchanges, pasted, symptom } = situation
  // A handshake that fails leaves no line; who called is a gap of its own.
  if (symptom === 'tls' || pasted.curl !== null || ztunnelOfCall(situation).length > 0) return []
  const isFrontSilent =
    situation.failing.length === 0 && situation.client.pods.length > 0 && !isSeenFromFront(situation)
  if (exchanges.length > 0 && !isFrontSilent) return []
  return [
    {
      what: `a request that shows ${symptom}`,
      layer: 'client',
      reason:
        exchanges.length > 0
          ? "the log of the caller's proxy holds no line of this call, and what that proxy answers itself goes no further"
          : 'no line of this call stands in any log that was read',
      unlock: 'send the request again and run this again, or give what the caller got with --curl',
    },
  ]
}

/** "Nothing wrong" would be true of the symptom that was named, and not of the call. */
function failsOtherwise(situation: Situation): NotChecked[] {
  const { failing, exchanges, passing, symptom } = situation
  if (failing.length > 0 || curlShowsSymptom(situation) || ztunnelShowsSymptom(situation)) return []
  const others = exchanges.filter(({ code }) => code === 0 || (code !== null && code >= 400))
  const last = others.at(-1)
  if (!last || others.length <= passing.length) return []
  return [
    {
      what: `a request that shows ${symptom}`,
      layer: 'client',
      reason: `none is logged; ${others.length} of ${exchanges.length} logged requests of this call fail otherwise, the last with ${wordsOf(last)}`,
      unlock: `run again with ${suggestion(last)} for what the logs show, or send the request that shows ${symptom} and run again`,
    },
  ]
}

function wordsOf({ client, gateway, waypoint, server, code }: Exchange): string {
  const line = client ?? gateway ?? waypoint ?? server
  return [code ?? 0, line?.record.flags.join(','), line?.record.details].filter((word) => word || word === 0).join(' ')
}

const named = new Set([401, 403, 404, 500, 502, 503, 504])

function suggestion({ code }: Exchange): string {
  return code !== null && named.has(code) ? `symptom ${code}` : 'another symptom'
}

/** What was proven of old lines may be over: all that failed did so before all that passed. */
function worksAgain(situation: Situation): NotChecked[] {
  const { failing } = situation
  const tunnels = failing.length > 0 ? [] : ztunnelOfCall(situation).map(({ record }) => record)
  const broken = failing.length > 0 ? failing : tunnels.filter(({ error }) => error !== null)
  const passing =
    failing.length > 0
      ? situation.passing
      : broken.length > 0
        ? carriedTunnels(situation).map(({ record }) => record)
        : []
  const lastFailure = broken.at(-1)?.time ?? null
  const [first] = passing
  if (lastFailure === null || !first || first.time === null || passing.length < 2 || first.time <= lastFailure)
    return []
  return [
    {
      what: 'whether it still fails',
      layer: 'client',
      reason: `the last failing request of this call is of ${lastFailure}; the ${passing.length} logged since ${first.time} pass`,
      unlock: 'send the request again and look at the new lines: what was wrong may be over',
    },
  ]
}

/** Nothing of it is wrong now, and whoever complains has to know that it was. */
function endedTunnels(situation: Situation): NotChecked[] {
  const earlier = earlierTunnels(situation).map(({ record }) => record)
  // The destination's ztunnel says why; the caller's says only that it was refused.
  const last = earlier.findLast(({ direction }) => direction === 'inbound') ?? earlier.at(-1)
  if (!last || situation.failing.length > 0 || ztunnelOfCall(situation).some(({ record }) => record.error !== null))
    return []
  const since = carriedTunnels(situation).filter(({ record }) => (record.time ?? '') > (last.time ?? ''))
  return [
    {
      what: 'whether it still fails',
      layer: 'client',
      reason: `the last connection of this call that failed is of ${last.time} (${last.error}); the ${since.length} logged since ${since[0]?.record.time} got through`,
      unlock: 'send the request again and look at the new lines: what was wrong is over unless they fail too',
    },
  ]
}

/** In the ambient mesh every connection leaves a line where it ended: without one, nobody saw the call that is complained about. */
function neverSeen(situation: Situation): NotChecked[] {
  const { exchanges, mode, client, server, pasted, ztunnels } = situation
  if (server.service === null && server.pods.length === 0) return []
  const lines = ztunnelOfCall(situation)
  if (
    mode !== 'ambient' ||
    client.pods.length === 0 ||
    exchanges.length > 0 ||
    pasted.curl ||
    pasted.records.length > 0
  )
    return []
  if (ztunnels.length > 0 && !situation.has('ztunnel.ztunnelLog')) return []
  if (lines.some(({ record }) => record.error !== null || !isToWaypoint(situation, record))) return []
  return [
    {
      what: 'a connection of this call',
      layer: 'observability',
      reason:
        'no ztunnel on its way logged one: it was not tried in the time that the logs cover, it is still open, or it never reached the mesh',
      unlock: 'send the request once more and run again; with --since the logs reach back further',
    },
  ]
}

/** An application's gRPC failure is a 200 in every default log format. */
function grpcOutcome({ failing, passing }: Situation): NotChecked[] {
  const last = passing.at(-1)
  const line = last?.server ?? last?.client ?? last?.gateway
  if (failing.length > 0 || !line || !isGrpcRequest(line.record)) return []
  if ([...grpcStatusKeys].some((key) => line.record.extra[key] !== undefined)) return []
  return [
    {
      what: 'how the gRPC calls ended',
      layer: 'app',
      reason: `all ${passing.length} logged requests are gRPC and say 200; the status that the application gave stands in grpc-status, which this log does not print`,
      unlock: "ask the caller for the gRPC status and its message, or print %GRPC_STATUS% in the access log's format",
    },
  ]
}

const grpcStatusKeys = new Set(['grpc_status', 'grpc_status_number', 'GRPC_STATUS', 'GRPC_STATUS_NUMBER'])
