import type { ZtunnelRecord } from '../model/access-log.ts'
import { isAllOver, type Moment, split } from './earlier-failures.ts'
import type { ZtunnelLine } from './exchanges.ts'
import { ipOf, portOf } from './hints.ts'
import type { PodView } from './pods.ts'
import type { Situation } from './situation.ts'

/** The tunnel's own port: a line that names it says nothing of the port that was meant. */
export const tunnelPort = 15008

/**
 * Lines of ztunnels about this call: both ends by workload or address, and the port where the line tells it. Only failing
 * ones where there are any: those that a later one outlived are still what the person saw, unless they have been over for long.
 */
export function ztunnelOfCall(situation: Situation): readonly ZtunnelLine[] {
  const lines = linesOfCall(situation)
  const over = new Set(earlierOf(situation, lines))
  const failing = lines.filter((line) => line.record.error !== null && !over.has(line))
  return failing.length > 0 ? failing : lines.filter(({ record }) => record.error === null)
}

/** Failures that were over before what is logged now: others fail since, or none does. Oldest first. */
export function earlierTunnels(situation: Situation): readonly ZtunnelLine[] {
  return earlierOf(situation, linesOfCall(situation))
}

function earlierOf({ client }: Situation, lines: readonly ZtunnelLine[]): readonly ZtunnelLine[] {
  // What one caller got through says nothing of another's failures, and a line that was handed in is the one that is meant.
  if (client.pods.length === 0 || lines.some(({ entry }) => entry === 'given')) return []
  const moments = lines.map(momentOf).sort((a, b) => a.time - b.time)
  const anywhere = moments.some(({ fails, pod }) => fails && pod === null)
  const alike = anywhere ? moments.map((one) => ({ ...one, pod: null })) : moments
  return isAllOver(alike) ? alike.filter(({ fails }) => fails).map(({ of }) => of) : split(alike).earlier
}

function momentOf(line: ZtunnelLine): Moment<ZtunnelLine> {
  const { time, error, direction, dstWorkload } = line.record
  return {
    of: line,
    time: time === null ? Number.NaN : Date.parse(time),
    // Addresses and ports differ from line to line.
    kind: `${direction} ${error?.replace(/[\d.:]*\d[\d.:]*/g, '#')}`,
    fails: error !== null,
    passes: error === null,
    pod: dstWorkload,
  }
}

/** Those that were carried to their end, also where others fail. */
export function carriedTunnels(situation: Situation): readonly ZtunnelLine[] {
  return linesOfCall(situation).filter(({ record }) => record.error === null)
}

function linesOfCall(situation: Situation): readonly ZtunnelLine[] {
  const { client } = situation
  return situation.ztunnelLines.filter(
    ({ record, entry }) =>
      entry === 'given' ||
      ((client.pods.length === 0 ? !isRelay(situation, record) : isFrom(client.pods, record)) &&
        isToDestination(situation, record)),
  )
}

/** What the waypoint sent on to the destination's pods, for whichever caller: its own connections, under its own identity. */
export function relayedLines(situation: Situation): readonly ZtunnelLine[] {
  return situation.ztunnelLines.filter(
    ({ record }) => isRelay(situation, record) && isToPods(situation, record) && fitsPort(situation, record),
  )
}

/** The destination's pod that a line is about. */
export function podOfLine({ server }: Situation, { dstWorkload, dstAddress }: ZtunnelRecord): PodView | null {
  const address = ipOf(dstAddress)
  return (
    server.pods.find(({ name, ip }) => (dstWorkload === null ? ip !== null && ip === address : name === dstWorkload)) ??
    null
  )
}

/** A connection that went to the waypoint, whatever lies behind it. */
export function isToWaypoint({ waypoint }: Situation, { dstWorkload, dstAddress }: ZtunnelRecord): boolean {
  const address = ipOf(dstAddress)
  return (waypoint?.pods ?? []).some(({ name, ip }) => name === dstWorkload || (ip !== null && ip === address))
}

/** The caller's ztunnel refused at once: the line holds addresses and nothing else. */
export function isRefusedEarly({ srcWorkload, dstWorkload, dstService, error }: ZtunnelRecord): boolean {
  return error !== null && srcWorkload === null && dstWorkload === null && dstService === null
}

/** By its pods, or by their account: a waypoint's pods are replaced and their lines stay. */
function isRelay({ waypoint }: Situation, record: ZtunnelRecord): boolean {
  const pods = waypoint?.pods ?? []
  const accounts = pods.map(({ namespace, serviceAccount }) => `/ns/${namespace}/sa/${serviceAccount}`)
  return isFrom(pods, record) || accounts.some((account) => record.srcIdentity?.endsWith(account))
}

function isFrom(pods: readonly PodView[], { srcWorkload, srcNamespace, srcAddress }: ZtunnelRecord): boolean {
  const address = ipOf(srcAddress)
  return pods.some(
    ({ name, namespace, ip }) =>
      (srcWorkload === name && (srcNamespace === null || srcNamespace === namespace)) ||
      // Addresses are used again: a name that is there counts for more.
      (srcWorkload === null && ip !== null && ip === address),
  )
}

function isToDestination(situation: Situation, record: ZtunnelRecord): boolean {
  const { server } = situation
  // Where nobody knows what is called, no line is of this call.
  if (server.pods.length === 0 && server.host === null && server.service === null) return false
  if (isToPods(situation, record)) return fitsPort(situation, record)
  const address = ipOf(record.dstHboneAddress) ?? ipOf(record.dstAddress)
  if (address !== null && serviceAddresses(situation).has(address)) return fitsServicePort(situation, record)
  // A waypoint serves many: without the Service's name or address nobody knows whose call it was.
  if (isToWaypoint(situation, record) && record.dstService === null && record.dstHboneAddress === null) return true
  return server.host !== null && record.dstService === server.host && fitsPort(situation, record)
}

function isToPods({ server }: Situation, { dstWorkload, dstNamespace, dstAddress }: ZtunnelRecord): boolean {
  const address = ipOf(dstAddress)
  return server.pods.some(
    ({ name, namespace, ip }) =>
      (dstWorkload === name && (dstNamespace === null || dstNamespace === namespace)) ||
      (dstWorkload === null && ip !== null && ip === address),
  )
}

function serviceAddresses({ server }: Situation): ReadonlySet<string> {
  const { clusterIP, clusterIPs } = server.service?.object.spec ?? {}
  const addresses: readonly unknown[] = [clusterIP, ...(Array.isArray(clusterIPs) ? clusterIPs : [])]
  return new Set(addresses.filter((one): one is string => typeof one === 'string' && one !== 'None'))
}

/** Another port of the same pod is another call. */
function fitsPort({ server, given }: Situation, { dstAddress, dstHboneAddress }: ZtunnelRecord): boolean {
  const wanted = [server.portNumber, server.port?.port, server.port?.containerPort, given.to?.port]
  const known = wanted.filter((port): port is number => typeof port === 'number')
  const port = portOf(dstHboneAddress ?? dstAddress)
  if (port === null || port === tunnelPort || known.length === 0) return true
  // A port named in the Service stands for a number that only the pod knows.
  return known.includes(port) || typeof server.port?.targetPort === 'string'
}

function fitsServicePort({ server, given }: Situation, record: ZtunnelRecord): boolean {
  const port = portOf(record.dstHboneAddress ?? record.dstAddress)
  const asked = given.to?.port ?? server.portNumber
  return port === null || asked === null || port === asked || port === server.portNumber
}
