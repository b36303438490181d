import { objectsIn } from '../../mesh/loose-lists.ts'
import type { Stored } from '../../situation/objects.ts'
import { matchesLabels, type PodView } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'
import { podsAt } from './extensions.ts'

/** What became of one patch of an EnvoyFilter at one proxy whose listeners were read. */
export interface PatchFate {
  /** The filter that the patch puts in. */
  readonly filter: string
  readonly pod: PodView
  readonly isThere: boolean
  readonly entry: string
  readonly proxyVersion: string | null
}

const filterKinds = ['HTTP_FILTER', 'NETWORK_FILTER', 'LISTENER_FILTER']
const placing = ['INSERT_FIRST', 'INSERT_BEFORE', 'INSERT_AFTER', 'ADD', 'REPLACE']

/** Looks up, in the listeners that were read, the filters that an EnvoyFilter inserts. Other patches leave no name to look for. */
export function patchFates(situation: Situation, { object }: Stored): readonly PatchFate[] {
  return objectsIn(object.spec?.configPatches).flatMap((patch) => {
    const filter: unknown = patch.patch?.value?.name
    const isFilter = filterKinds.includes(String(patch.applyTo)) && placing.includes(String(patch.patch?.operation))
    if (!isFilter || typeof filter !== 'string') return []
    const version: unknown = patch.match?.proxy?.proxyVersion
    const proxyVersion = typeof version === 'string' ? version : null
    return patchedPods(situation, object, String(patch.match?.context ?? 'ANY')).flatMap((pod) => {
      const listeners = situation.of<unknown>('listeners', pod)
      if (!listeners) return []
      return { filter, pod, isThere: holdsName(listeners.data, filter), entry: listeners.entry, proxyVersion }
    })
  })
}

/** Pods of this call that a patch is for: its context decides which side of a proxy it changes, and only that side has a say here. */
function patchedPods(situation: Situation, object: Stored['object'], context: string): readonly PodView[] {
  const labels = object.spec?.workloadSelector?.labels
  const pods = [
    ...(context === 'SIDECAR_INBOUND' || context === 'ANY' ? podsAt(situation, 'server') : []),
    ...(context === 'SIDECAR_OUTBOUND' || context === 'ANY' ? podsAt(situation, 'client') : []),
    ...(context === 'GATEWAY' || context === 'ANY' ? podsAt(situation, 'gateway') : []),
  ]
  return pods.filter(
    (pod) =>
      (pod.namespace === object.metadata.namespace || object.metadata.namespace === situation.rootNamespace) &&
      (!labels || matchesLabels(labels, pod.labels)),
  )
}

function holdsName(data: unknown, name: string): boolean {
  if (typeof data !== 'object' || data === null) return false
  if ('name' in data && data.name === name) return true
  return Object.values(data).some((inner) => holdsName(inner, name))
}
