import type { AccessLogView } from '../../parsers/access-log/view.ts'
import { type AnsweredByInput, answeredBy } from '../mesh/answered-by.ts'
import { type LineVerdict, lineVerdict, lineWriter, type ProxyRole } from '../mesh/line-writer.ts'
import type { AccessLogRecord } from '../model/access-log.ts'
import type { AnsweredByHop } from '../model/answered-by.ts'

/** Who answered, as far as one line alone tells. `next-hop`: its proxy or what is behind it; `this-proxy`: whoever wrote the line. */
export type WhoAnswered = Exclude<AnsweredByHop, 'unknown'> | 'next-hop' | 'this-proxy'

export interface LineOutcome {
  readonly who: WhoAnswered
  readonly writer: ProxyRole | 'unknown'
  readonly verdict: LineVerdict
  readonly failed: boolean
}

const inputOfRole = {
  'client-proxy': 'clientLine',
  gateway: 'gatewayLine',
  'egress-gateway': 'egressGatewayLine',
  waypoint: 'waypointLine',
  'server-proxy': 'serverLine',
} as const satisfies Record<ProxyRole, keyof AnsweredByInput>

/** `podRole` is what is known of the pod that the log is of; it decides where the line does not. */
export function lineOutcome(record: AccessLogRecord, podRole: ProxyRole | null = null): LineOutcome {
  const writer = writerOf(lineWriter(record).role, podRole)
  const verdict = lineVerdict(record)
  return { who: whoOf(record, writer, verdict), writer, verdict, failed: isFailure(record, verdict) }
}

function writerOf(role: ProxyRole | 'unknown', podRole: ProxyRole | null): ProxyRole | 'unknown' {
  if (podRole === null || role === 'egress-gateway') return role
  // A gateway's and a waypoint's pod write nothing else; a sidecar writes both sides, so there the line decides.
  return role === 'unknown' || podRole === 'gateway' || podRole === 'waypoint' ? podRole : role
}

function whoOf(record: AccessLogRecord, writer: ProxyRole | 'unknown', verdict: LineVerdict): WhoAnswered {
  if (writer === 'unknown') return verdict === 'own' ? 'this-proxy' : verdict === 'caller-left' ? 'nobody' : 'next-hop'
  const { hop } = answeredBy({ [inputOfRole[writer]]: record })
  return hop === 'unknown' ? 'next-hop' : hop
}

function isFailure({ code, flags }: AccessLogRecord, verdict: LineVerdict): boolean {
  if ((code ?? 0) >= 400) return true
  switch (verdict) {
    case 'passed-on':
      return false
    case 'own':
      // Redirects and answers made by a route are the proxy's own, and no failures; a failed gRPC call is 200 with a flag.
      return (code ?? 0) === 0 || flags.length > 0
    case 'cut-by-next':
    case 'caller-left':
      return true
  }
}

export interface OutcomeKey {
  cluster: string | null
  details: string | null
  flags: string | null
  termination: string | null
  /** Code, kind of SNI, and what else of the line matters, as one number. */
  traits: number
}

// One object for all lines: it is read before the next line comes.
const key: OutcomeKey = { cluster: null, details: null, flags: null, termination: null, traits: 0 }

/**
 * What of a line decides its outcome. Lines that agree in all of these have the same one, so it is worked out once for
 * each combination instead of once for each line.
 */
export function outcomeKey(view: AccessLogView): Readonly<OutcomeKey> {
  const cluster = view.text('upstreamCluster')
  const clusterTells = cluster !== null && (cluster.startsWith('outbound|') || cluster.startsWith('inbound|'))
  key.cluster = cluster
  key.details = view.text('details')
  key.flags = view.text('flags')
  key.termination = view.text('termination')
  // A code that is not printed is told from a printed 0.
  key.traits =
    ((view.number('code') ?? -1) + 1) * 2048 + sniClass(view.text('sni')) * 512 + traitsOf(view, clusterTells)
  return key
}

/** Mesh SNIs name the destination, as the cluster does; of an outside name only matters that there is one. */
function sniClass(sni: string | null): 0 | 1 | 2 {
  return sni === null ? 0 : sni.startsWith('outbound_') ? 1 : 2
}

/** Addresses differ from line to line, so they are looked at only where the cluster does not tell who wrote the line. */
function traitsOf(view: AccessLogView, clusterTells: boolean): number {
  const always =
    (view.isTcp() ? 1 : 0) |
    (view.has('forwardedFor') ? 2 : 0) |
    (view.number('upstreamTimeMs') === null ? 0 : 4) |
    (view.has('upstreamHost') ? 8 : 0)
  if (clusterTells) return always
  const route = view.text('routeName')
  const isConnect = view.text('method') === 'CONNECT' && view.text('downstreamLocal')?.endsWith(':15008') === true
  return (
    always |
    16 |
    (view.text('upstreamLocal')?.startsWith('127.0.0.6') ? 32 : 0) |
    (route === 'block_all' || route === 'allow_any' ? 64 : 0) |
    (isConnect ? 128 : 0) |
    (view.has('authority') ? 256 : 0)
  )
}
