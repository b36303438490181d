import { type ConfigObject, objectText } from '../../mesh/config-object.ts'
import type { Quote } from '../../model/evidence.ts'
import { matchesLabels, type PodView } from '../../situation/pods.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import type { Where } from './decided-by-line.ts'
import { refOf } from './front.ts'

export interface ExtensionObject {
  readonly name: string
  readonly object: ConfigObject
  readonly quotes: readonly Quote[]
}

export function podsAt(situation: Situation, where: Where): readonly PodView[] {
  switch (where) {
    case 'server':
      return situation.server.pods
    case 'gateway':
      return situation.gateway?.pods ?? []
    case 'waypoint':
      return situation.waypoint?.pods ?? []
    case 'client':
      return situation.client.pods
  }
}

/** EnvoyFilters and WasmPlugins that count for the proxies of a hop, and whose text names what is looked for. */
export function filtersFor(
  situation: Situation,
  where: Where,
  words: RegExp,
  kinds = ['EnvoyFilter', 'WasmPlugin'],
): readonly ExtensionObject[] {
  const pods = podsAt(situation, where)
  return kinds
    .flatMap((kind) => situation.store.list(kind))
    .filter(({ object }) => {
      const text = JSON.stringify(object.spec ?? {})
      const labels: Readonly<Record<string, string>> =
        object.spec?.workloadSelector?.labels ?? object.spec?.selector?.matchLabels ?? {}
      const inPlace = pods.some(
        (pod) =>
          (pod.namespace === object.metadata.namespace || object.metadata.namespace === situation.rootNamespace) &&
          (Object.keys(labels).length === 0 || matchesLabels(labels, pod.labels)),
      )
      return inPlace && words.test(text)
    })
    .map((stored) => ({
      name: objectText(refOf(stored)),
      object: refOf(stored),
      quotes: [quoteObject(stored, `what ${objectText(refOf(stored))} configures`, stored.object.spec)],
    }))
}
