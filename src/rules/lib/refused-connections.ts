import type { AccessLogRecord } from '../../model/access-log.ts'
import type { Quote } from '../../model/evidence.ts'
import type { Line } from '../../situation/exchanges.ts'
import { ipOf, portOf } from '../../situation/hints.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { relayedLines, tunnelPort, ztunnelOfCall } from '../../situation/ztunnel-lines.ts'
import { hiddenResets, isInbound } from './app-answers.ts'
import { hasArrived, stopsBeforeApplication } from './behind-failure.ts'
import { frontLines, serverLines, share } from './front.ts'

const refusal = /[Cc]onnection[ _]refused|delayed_connect_error:_111|os error 111/
const ownPorts = new Set([15001, 15006, 15008, 15021, 15090])

/** What the containers declare, the proxy's own ports left out. */
export function applicationPorts(pod: PodView | null): readonly number[] {
  return (pod?.ports ?? []).filter(({ container }) => container !== 'istio-proxy').map(({ port }) => port)
}

/** Nobody listens at the address that the last proxy before the application dialled. */
export interface Refused {
  /** `inbound`: the destination's own proxy or ztunnel was refused, so the pod is there and the port is closed. */
  /** `body`: by the length of the answer. `ports`: nothing but the objects could be read. */
  readonly seenBy: 'inbound' | 'caller' | 'body' | 'ports'
  readonly pod: PodView | null
  readonly port: number | null
  readonly quotes: readonly Quote[]
  readonly often: string
  /** The lines that say so; none where they could not be read. */
  readonly lines: readonly Line[]
}

export function refusedConnection(situation: Situation): Refused | null {
  return (
    fromServer(situation) ??
    fromZtunnel(situation) ??
    fromCaller(situation) ??
    fromBody(situation) ??
    fromPorts(situation)
  )
}

export function isRefused({ details, transportFailure }: AccessLogRecord): boolean {
  return refusal.test(`${details ?? ''} ${transportFailure ?? ''}`)
}

/** A tunnel of the mesh: what it leads to is somebody else's to refuse. */
export function isTunnel({ upstreamHost }: AccessLogRecord): boolean {
  return /^envoy:\/\//.test(upstreamHost ?? '') || portOf(upstreamHost) === tunnelPort
}

function fromServer(situation: Situation): Refused | null {
  const lines = serverLines(situation, ({ record }) => isInbound(record.upstreamCluster) && isRefused(record))
  const last = lines.at(-1)
  if (!last) return null
  const { record, pod } = last
  return {
    seenBy: 'inbound',
    pod: pod ?? situation.server.pod,
    port: portOf(record.upstreamHost) ?? portOf(record.downstreamLocal),
    often: share(situation, lines),
    lines,
    quotes: [
      quoteLine(last, `the destination's proxy was refused by its own application (${share(situation, lines)})`),
    ],
  }
}

function fromZtunnel(situation: Situation): Refused | null {
  // With a waypoint in between it is the waypoint's connection that the pod refuses.
  const line = [...relayedLines(situation), ...ztunnelOfCall(situation)].findLast(
    ({ record }) => record.direction === 'inbound' && refusal.test(record.error ?? ''),
  )
  if (!line) return null
  const { record, entry } = line
  const address = record.dstHboneAddress ?? record.dstAddress
  const port = portOf(address)
  // Refused at 15008 is a missing ztunnel, not a closed application.
  if (port === null || ownPorts.has(port)) return null
  return {
    seenBy: 'inbound',
    pod: situation.podByIp(ipOf(address)) ?? situation.server.pod,
    port,
    often: 'the logged connections',
    lines: [],
    quotes: [quote(entry, "the destination's ztunnel was refused by the pod", record.raw, record.line)],
  }
}

function fromCaller(situation: Situation): Refused | null {
  const lines = frontLines(
    situation,
    ({ record }) => !isInbound(record.upstreamCluster) && !isTunnel(record) && isRefused(record),
  )
  const last = lines.at(-1)
  if (!last) return null
  const { upstreamHost } = last.line.record
  return {
    seenBy: 'caller',
    pod: situation.podByIp(ipOf(upstreamHost)),
    port: portOf(upstreamHost),
    often: share(situation, lines),
    lines: lines.map(({ line }) => line),
    quotes: [
      quoteLine(
        last.line,
        `the connection to ${upstreamHost ?? 'the destination'} was refused (${share(situation, lines)})`,
      ),
    ],
  }
}

/** The log of the destination's proxy is out of reach; the length of the body that it wrote is not. */
function fromBody(situation: Situation): Refused | null {
  const lines = hiddenResets(situation, 'remote connection failure')
  const last = lines.at(-1)
  if (!last) return null
  const { upstreamHost, bytesSent } = last.record
  return {
    seenBy: 'body',
    pod: situation.podByIp(ipOf(upstreamHost)),
    port: portOf(upstreamHost),
    often: share(situation, lines),
    lines,
    quotes: [
      quoteLine(
        last,
        `${bytesSent} bytes of answer: the text of a proxy that could not connect (${share(situation, lines)})`,
      ),
    ],
  }
}

/** No line of any kind: a Service that leads to a port which the containers do not declare may lead nowhere. */
function fromPorts(situation: Situation): Refused | null {
  const isUnseen = situation.exchanges.length === 0 && situation.ztunnelLines.length === 0
  const fits = situation.symptom === '503' || situation.symptom === 'reset'
  return isUnseen && fits ? undeclaredTarget(situation) : null
}

/** What stops the call now stands before the application, and the Service leads to a port that nobody declares. */
export function refusedLater(situation: Situation): Refused | null {
  if (!stopsBeforeApplication(situation) || situation.exchanges.some(hasArrived)) return null
  return dialsElsewhere(situation) ? null : undeclaredTarget(situation)
}

/** What failed was sent to somebody who is none of the pods that were read: a gateway of another cluster, say. */
function dialsElsewhere({ failing, server }: Situation): boolean {
  const dialled = failing.flatMap(({ client, gateway }) => ipOf((client ?? gateway)?.record.upstreamHost ?? null) ?? [])
  return dialled.length > 0 && !dialled.some((address) => server.pods.some(({ ip }) => ip === address))
}

function undeclaredTarget({ server }: Situation): Refused | null {
  const { port, service } = server
  const pod = server.pod ?? server.meant
  const target = port?.containerPort ?? null
  if (!service || !pod || target === null) return null
  const declared = applicationPorts(pod)
  return declared.length === 0 || declared.includes(target)
    ? null
    : { seenBy: 'ports', pod, port: target, often: 'this call', lines: [], quotes: [] }
}
