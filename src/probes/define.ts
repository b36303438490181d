import type { Command, CommandResult } from '../model/command.ts'
import type { EvidenceKey, Role } from '../model/evidence.ts'
import type { Probe, ProbePlan, ProbeTarget } from '../model/probe.ts'
import { deploymentOf } from '../situation/gateway.ts'
import type { PodView } from '../situation/pods.ts'
import { isOpenAtGateway, outsideName, publishedNamespaces } from '../situation/published.ts'
import { rolesWithPods, type Situation } from '../situation/situation.ts'

export type MeshProbe<T> = Omit<Probe<Situation>, 'read' | 'learned'> & {
  readonly read: (result: CommandResult, target: ProbeTarget) => T
  readonly learned: (data: T, target: ProbeTarget) => string
}

/** Declares a probe: which command, of whom, and how its output is read. */
export function defineProbe<T>(probe: MeshProbe<T>): Probe<Situation> {
  return probe as unknown as Probe<Situation> // `learned` only ever gets what `read` of the same probe returned
}

export function kubectl(...args: readonly string[]): Command {
  return { file: 'kubectl', args, timeoutMs: 20_000 }
}

export function istioctl(...args: readonly string[]): Command {
  return { file: 'istioctl', args, timeoutMs: 30_000 }
}

export const ask = (...targets: readonly ProbeTarget[]): ProbePlan => ({ plan: 'ask', targets })
export const nothing: ProbePlan = { plan: 'ask', targets: [] }
/** `needs`: evidence that tells it, to be fetched if nobody has asked for it yet. */
export const waitFor = (what: string, ...needs: readonly EvidenceKey[]): ProbePlan => ({
  plan: 'wait',
  for: what,
  ...(needs.length > 0 && { needs }),
})

export function podTarget(pod: PodView, command: Command): ProbeTarget {
  return { subject: `pod ${pod.name}.${pod.namespace}`, namespace: pod.namespace, name: pod.name, command }
}

export function namespaceTarget(namespace: string, command: Command): ProbeTarget {
  return { subject: `namespace ${namespace}`, namespace, name: null, command }
}

export function meshTarget(command: Command): ProbeTarget {
  return { subject: 'mesh', namespace: null, name: null, command }
}

/** Addresses of a pasted line whose owners are to be looked up: nobody named the ends. */
export function addressesOfLine({ given, hints }: Situation): readonly string[] {
  const wanted = [...(given.from ? [] : [hints.clientIp]), ...(given.to ? [] : [hints.serverIp, hints.serviceIp])]
  return [...new Set(wanted.filter((ip): ip is string => ip !== null))]
}

/** While owners of addresses and names are looked up, an end that is not known may yet become known. */
export function addressesAreKnown(situation: Situation): boolean {
  const { given, hints, isSettled } = situation
  if (outsideName(given, hints) !== null && !isSettled('gateway.published')) return false
  return isSettled('mesh.podsByIp') || addressesOfLine(situation).length === 0
}

/** A caller that nobody named may stand in the destination's log. */
export function callerIsKnown({ given, client, clientNamespace, gateway, isSettled }: Situation): boolean {
  const isNamed = given.from !== null || clientNamespace !== null || client.external || gateway !== null
  return isNamed || isSettled('mesh.callers')
}

/** A destination that nobody named may stand in the caller's log. */
export function destinationIsKnown({ given, server, serverNamespace, gateway, isSettled }: Situation): boolean {
  const isNamed = given.to !== null || given.from === null || gateway !== null || server.host !== null
  return isNamed || serverNamespace !== null || server.pods.length > 0 || isSettled('client.accessLog')
}

/** Whether the objects of a role's namespaces have been read, or cannot be: only then an empty list of pods means none. */
export function endsAreKnown(situation: Situation, role: Role): boolean {
  const asked = situation.isSettled
  switch (role) {
    case 'client':
      // Where both ends live in one namespace it is read once, as the server's.
      if (situation.clientNamespace !== null)
        return asked(situation.clientNamespace === situation.serverNamespace ? 'server.config' : 'client.config')
      return addressesAreKnown(situation) && callerIsKnown(situation)
    case 'server':
      if (isOpen(situation)) return false
      if (situation.serverNamespace !== null) return asked('server.config')
      return addressesAreKnown(situation) && destinationIsKnown(situation)
    case 'gateway':
      return asked('server.config') && callerIsKnown(situation) && (situation.gateway === null || asked('gateway.pods'))
    case 'waypoint':
      return (
        asked('server.config') &&
        (situation.waypoint === null || asked('waypoint.pods') || situation.waypoint.pods.length > 0)
      )
    case 'ztunnel':
      return asked('mesh.config') && endsAreKnown(situation, 'server') && endsAreKnown(situation, 'client')
    case 'mesh':
      return true
  }
}

/** Waits for the pods of a role, and has read what may tell where nobody named them. */
export function waitForEnd(situation: Situation, role: Role): ProbePlan {
  const teller: readonly EvidenceKey[] = role === 'server' && isOpen(situation) ? ['gateway.accessLog'] : []
  return waitFor(`the ${role}'s pod`, ...endTellers(situation), ...teller)
}

const mostBackends = 4

/** Where the destination may be. Of several services behind a published name each may be the one: the gateway's log will tell. */
export function namespacesOfServer({ serverNamespace, given, hints, store }: Situation): readonly string[] {
  return serverNamespace === null ? publishedNamespaces(given, hints, store).slice(0, mostBackends) : [serverNamespace]
}

/** Routes of a published name lead to several services, and the gateway's log, which tells which one, was not read yet. */
function isOpen({ given, hints, store, server, isSettled }: Situation): boolean {
  return server.service === null && !isSettled('gateway.accessLog') && isOpenAtGateway(given, hints, store)
}

/** What tells an end that nobody named. */
export function endTellers(situation: Situation): readonly EvidenceKey[] {
  return [
    ...(callerIsKnown(situation) ? [] : (['mesh.callers'] as const)),
    ...(destinationIsKnown(situation) ? [] : (['client.accessLog'] as const)),
  ]
}

/** Pods of a role to ask, the chosen one first. */
export function podsToAsk(situation: Situation, role: Role, most: number): readonly PodView[] {
  const pods = rolesWithPods(situation, role)
  const chosen = role === 'client' ? situation.client.pod : role === 'server' ? situation.server.pod : null
  const running = pods.filter((pod) => pod.phase === 'Running' || pod === chosen)
  const sorted = [...running].sort(
    (a, b) =>
      Number(b === chosen) - Number(a === chosen) || Number(b.ready) - Number(a.ready) || (a.name < b.name ? -1 : 1),
  )
  return (role === 'gateway' ? gatewaysInOrder(situation, sorted) : sorted).slice(0, most)
}

/** The gateway's pods that logged the failure first, then one of each deployment, then the rest. */
function gatewaysInOrder({ failing }: Situation, pods: readonly PodView[]): readonly PodView[] {
  const failures = (pod: PodView) => failing.filter(({ gateway }) => gateway?.pod?.ip === pod.ip).length
  const seen = new Map<string, number>()
  const placed = pods.map((pod) => {
    const deployment = deploymentOf(pod)
    const turn = seen.get(deployment) ?? 0
    seen.set(deployment, turn + 1)
    return { pod, turn, failures: failures(pod) }
  })
  return placed
    .sort((a, b) => Number(b.failures > 0) - Number(a.failures > 0) || b.failures - a.failures || a.turn - b.turn)
    .map(({ pod }) => pod)
}

/** A probe that asks the Envoys of a role. Pods without one are not asked: there is nothing to answer. */
export function planForEnvoys(
  situation: Situation,
  role: Role,
  most: number,
  command: (pod: PodView) => Command,
): ProbePlan {
  if (!endsAreKnown(situation, role)) return waitForEnd(situation, role)
  const targets = podsToAsk(situation, role, most)
    .filter(({ hasEnvoy }) => hasEnvoy)
    .map((pod) => podTarget(pod, command(pod)))
  // Of many replicas, those that failed are worth asking: their logs tell.
  const many = role === 'gateway' && (situation.gateway?.pods.length ?? 0) > most
  if (many && !situation.isSettled('gateway.accessLog'))
    return { plan: 'wait', for: 'which of the gateway’s pods failed', otherwise: targets }
  return ask(...targets)
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
