import { type NetworkPeer, networkVerdict } from '../../mesh/network-policy.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'

/** The policies that select one end and of which none lets this connection pass. */
export interface Blocking {
  readonly direction: 'Ingress' | 'Egress'
  readonly pod: PodView
  readonly policies: readonly Stored[]
  /** A rule may let it pass: it names addresses, or labels that were not read. */
  readonly open: boolean
}

/** Who keeps a connection out, and who may: at either end, those that surely do first. Nobody as far as policies were not read. */
export function blockingPolicies(
  situation: Situation,
  from: PodView | null,
  to: PodView | null,
  port: number,
): readonly Blocking[] {
  const stored = situation.store.list('NetworkPolicy')
  const blockedAt = (direction: Blocking['direction'], own: PodView | null, other: PodView | null): Blocking[] => {
    if (!own) return []
    const policies = stored.map(({ object }) => object)
    const peer = other && peerOf(situation, other)
    const { result, covering } = networkVerdict(policies, direction, peerOf(situation, own), peer, port)
    if (result !== 'blocked' && result !== 'unknown') return []
    const of = stored.filter(({ object }) => covering.includes(object))
    return [{ direction, pod: own, policies: longestFirst(of, direction), open: result === 'unknown' }]
  }
  const found = [...blockedAt('Egress', from, to), ...blockedAt('Ingress', to, from)]
  return found.sort((a, b) => Number(a.open) - Number(b.open))
}

/** Who lists something is nearer to the mistake than who denies all. */
function longestFirst(policies: readonly Stored[], direction: Blocking['direction']): readonly Stored[] {
  return policies.toSorted((a, b) => rulesOf(b, direction).length - rulesOf(a, direction).length)
}

export function rulesOf({ object }: Stored, direction: Blocking['direction']): readonly unknown[] {
  return (direction === 'Egress' ? object.spec?.egress : object.spec?.ingress) ?? []
}

function peerOf({ store }: Situation, { namespace, labels, ip, ports }: PodView): NetworkPeer {
  const read = store.get('Namespace', null, namespace)?.object.metadata.labels
  const namespaceLabels = read && { 'kubernetes.io/metadata.name': namespace, ...read }
  return { namespace, labels, ip, ports, namespaceLabels }
}
