import type { KubeObject } from '../model/kube.ts'
import type { Labels } from './workload.ts'

/** A pod as NetworkPolicies see it. */
export interface NetworkPeer {
  readonly namespace: string
  readonly labels: Labels
  /** Undefined: not read. */
  readonly namespaceLabels: Labels | undefined
}

/** Who lets a connection pass, or keeps it out, by NetworkPolicies of one direction. */
export interface NetworkVerdict {
  /** `open`: no policy covers the pod. `unknown`: a rule names addresses or labels that cannot be compared. */
  readonly result: 'open' | 'allowed' | 'blocked' | 'unknown'
  /** Policies that cover the pod: together they let in what any one of them lets in. */
  readonly covering: readonly KubeObject[]
}

interface Selector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: string[] }[]
}
interface PortRule {
  readonly port?: number | string
  readonly endPort?: number
  readonly protocol?: string
}
interface PeerRule {
  readonly podSelector?: Selector
  readonly namespaceSelector?: Selector
  readonly ipBlock?: unknown
}

/** Whether policies let `other` connect to `pod` (Ingress), or `pod` to `other` (Egress), on a TCP port. A missing peer is unknown. */
export function networkVerdict(
  policies: readonly KubeObject[],
  direction: 'Ingress' | 'Egress',
  pod: NetworkPeer,
  other: NetworkPeer | null,
  port: number,
): NetworkVerdict {
  const covering = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.namespace &&
      isOfDirection(spec, direction) &&
      selects(spec?.podSelector ?? {}, pod.labels),
  )
  if (covering.length === 0) return { result: 'open', covering }
  const answers = covering.flatMap(({ metadata, spec }) => {
    const rules: readonly { ports?: PortRule[]; from?: PeerRule[]; to?: PeerRule[] }[] =
      (direction === 'Ingress' ? spec?.ingress : spec?.egress) ?? []
    return rules
      .filter(({ ports }) => hasPort(ports, port))
      .map((rule) => fitsPeers(direction === 'Ingress' ? rule.from : rule.to, metadata.namespace ?? '', other))
  })
  if (answers.includes(true)) return { result: 'allowed', covering }
  return { result: answers.includes(undefined) ? 'unknown' : 'blocked', covering }
}

function isOfDirection(spec: KubeObject['spec'], direction: string): boolean {
  const types: readonly string[] = spec?.policyTypes ?? ['Ingress', ...(spec?.egress ? ['Egress'] : [])]
  return types.includes(direction)
}

function hasPort(ports: readonly PortRule[] | undefined, wanted: number): boolean {
  if (!ports || ports.length === 0) return true
  return ports.some(({ port, endPort, protocol }) => {
    if (protocol !== undefined && protocol !== 'TCP') return false
    if (port === undefined || port === wanted) return true
    return typeof port === 'number' && endPort !== undefined && port <= wanted && endPort >= wanted
  })
}

function fitsPeers(
  peers: readonly PeerRule[] | undefined,
  own: string,
  other: NetworkPeer | null,
): boolean | undefined {
  if (!peers || peers.length === 0) return true
  const answers = peers.map((peer) => {
    if (peer.ipBlock !== undefined || other === null) return undefined
    const inNamespace = peer.namespaceSelector
      ? other.namespaceLabels && selects(peer.namespaceSelector, other.namespaceLabels)
      : other.namespace === own
    if (inNamespace !== true) return inNamespace
    return peer.podSelector ? selects(peer.podSelector, other.labels) : true
  })
  if (answers.includes(true)) return true
  return answers.includes(undefined) ? undefined : false
}

function selects({ matchLabels, matchExpressions }: Selector, labels: Labels): boolean {
  const byLabels = Object.entries(matchLabels ?? {}).every(([key, value]) => labels[key] === value)
  return (
    byLabels &&
    (matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key]
      if (operator === 'Exists') return value !== undefined
      if (operator === 'DoesNotExist') return value === undefined
      if (operator === 'In') return value !== undefined && values.includes(value)
      return operator === 'NotIn' && (value === undefined || !values.includes(value))
    })
  )
}
