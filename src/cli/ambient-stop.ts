import type { ChainHop } from '../report/trace-chain.ts'
import { type PodView, podLabel } from '../situation/pods.ts'
import type { Situation } from '../situation/situation.ts'

/** Where an ambient call ends because nobody is there to take it on. */
export interface AmbientStop {
  readonly role: ChainHop['role']
  readonly name: string
  readonly proxy: string
  readonly where: string
  readonly why: string
}

/** The first place on the way where a ztunnel, the waypoint or every pod of the destination is missing. Null where all are there. */
export function ambientStop(situation: Situation, viaWaypoint: boolean): AmbientStop | null {
  const { client, server, waypoint } = situation
  const caller = client.pod?.proxy === 'ambient' ? client.pod : null
  if (caller && lacksZtunnel(situation, caller))
    return {
      role: 'client',
      name: `${caller.name}.${caller.namespace}`,
      proxy: 'ambient',
      where: `at ${podLabel(caller)}`,
      why: `no ztunnel is ready on ${caller.node}, so nothing takes its connections`,
    }
  if (waypoint && viaWaypoint && !waypoint.pods.some((pod) => pod.ready))
    return {
      role: 'waypoint',
      name: `${waypoint.name}.${waypoint.namespace}`,
      proxy: 'waypoint',
      where: 'at the waypoint',
      why: `waypoint ${waypoint.namespace}/${waypoint.name} has no ready pod, and ztunnel does not send past it`,
    }
  // A caller with an Envoy has endpoints of its own to read.
  if (!caller) return null
  const target = server.pod
  const base = { role: 'server' as const, name: server.label ?? 'the destination', proxy: target?.proxy ?? '' }
  if (server.service && target && !server.pods.some((pod) => pod.ready))
    return {
      ...base,
      where: viaWaypoint ? 'at the waypoint' : "at the caller's ztunnel",
      why: `no pod of ${server.label} is ready: no healthy upstream`,
    }
  if (target?.proxy === 'ambient' && server.pods.every((pod) => lacksZtunnel(situation, pod)))
    return {
      ...base,
      where: `at ${podLabel(target)}`,
      why: `no ztunnel is ready on ${target.node}, so nothing accepts its tunnel`,
    }
  return null
}

/** Only where ztunnel pods were read at all can one be missing. */
function lacksZtunnel({ pods }: Situation, { node }: PodView): boolean {
  const every = pods.filter(({ proxy }) => proxy === 'ztunnel')
  return every.length > 0 && node !== null && !every.some((pod) => pod.node === node && pod.ready)
}
