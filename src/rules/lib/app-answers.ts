import { parseClusterName } from '../../mesh/names.ts'
import type { Exchange, Line } from '../../situation/exchanges.ts'
import type { Situation } from '../../situation/situation.ts'
import { type ResetReason, resetReasonOf } from './proxy-body.ts'

/** The destination's proxy had a connection to the application, and it ended before the response. */
export function isCutInbound({ record }: Line): boolean {
  return (
    isInbound(record.upstreamCluster) &&
    (record.flags.includes('UC') || /\{connection_termination/.test(record.details ?? ''))
  )
}

/** `inbound|8080||`: what stands behind is the application itself. */
export function isInbound(cluster: string | null): boolean {
  const role = cluster === null ? null : parseClusterName(cluster).role
  return role === 'inbound' || role === 'inbound-passthrough'
}

/** The line at which the application's own answer passed the last proxy. Null when a proxy made the answer, or nobody saw it. */
export function appAnswer(situation: Situation, exchange: Exchange): Line | null {
  const { server, waypoint, gateway, client } = exchange
  if (server) return passed(server) && isInbound(server.record.upstreamCluster) ? server : null
  const last = waypoint ?? gateway ?? client
  if (!last || !passed(last) || isInbound(last.record.upstreamCluster)) return null
  if (situation.server.external) return last
  const pod = situation.podByIp(last.record.upstreamHost?.replace(/:\d+$/, '') ?? null) ?? situation.server.pod
  // Between this proxy and the application stands no other one that speaks HTTP.
  return pod && !pod.hasEnvoy && (pod.proxy !== 'ambient' || waypoint !== null || situation.waypoint === null)
    ? last
    : null
}

function passed({ record }: Line): boolean {
  return record.details === 'via_upstream' && record.flags.every((flag) => flag === 'URX')
}

/** Failing requests whose reset body only the destination's proxy can have written, while its own log is out of reach. */
export function hiddenResets(situation: Situation, reason: ResetReason): readonly Line[] {
  return situation.failing.flatMap((exchange) => {
    const line = hiddenAnswer(situation, exchange)
    return line && resetReasonOf(line.record.bytesSent) === reason ? [line] : []
  })
}

/** A line says that the next hop answered, and the next hop has a proxy whose log could not be read. */
export function hiddenAnswer(situation: Situation, exchange: Exchange): Line | null {
  const front = exchange.client ?? exchange.gateway
  if (exchange.server || exchange.waypoint || !front || !passed(front)) return null
  return situation.logState('server') !== 'lines' && appAnswer(situation, exchange) === null ? front : null
}
