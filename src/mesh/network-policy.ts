import type { KubeObject } from '../model/kube.ts'
import { isInBlock, parseIp, parseIpBlock } from './authorize/ip-blocks.ts'
import { type LabelSelector, selects } from './label-selector.ts'
import type { Labels } from './workload.ts'

/** A pod as NetworkPolicies see it. */
export interface NetworkPeer {
  readonly namespace: string
  readonly labels: Labels
  /** Undefined: not read. */
  readonly namespaceLabels: Labels | undefined
  readonly ip?: string | null
  /** Container ports, which rules may name. */
  readonly ports?: readonly { readonly name: string | null; readonly port: number }[]
}

/** Who lets a connection pass, or keeps it out, by NetworkPolicies of one direction. */
export interface NetworkVerdict {
  /** `open`: no policy covers the pod. `unknown`: a rule names addresses or labels that cannot be compared. */
  readonly result: 'open' | 'allowed' | 'blocked' | 'unknown'
  /** Policies that cover the pod: together they let in what any one of them lets in. */
  readonly covering: readonly KubeObject[]
}

interface PortRule {
  readonly port?: number | string
  readonly endPort?: number
  readonly protocol?: string
}
interface PeerRule {
  readonly podSelector?: LabelSelector
  readonly namespaceSelector?: LabelSelector
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
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
      metadata.namespace === pod.namespace && isOfDirection(spec, direction) && selects(spec?.podSelector, pod.labels),
  )
  if (covering.length === 0) return { result: 'open', covering }
  const dialled = direction === 'Ingress' ? pod : other
  const answers = covering.flatMap(({ metadata, spec }) => {
    const rules: readonly { ports?: PortRule[]; from?: PeerRule[]; to?: PeerRule[] }[] =
      (direction === 'Ingress' ? spec?.ingress : spec?.egress) ?? []
    return rules
      .filter(({ ports }) => hasPort(ports, port, dialled))
      .map((rule) => fitsPeers(direction === 'Ingress' ? rule.from : rule.to, metadata.namespace ?? '', other))
  })
  if (answers.includes(true)) return { result: 'allowed', covering }
  return { result: answers.includes(undefined) ? 'unknown' : 'blocked', covering }
}

function isOfDirection(spec: KubeObject['spec'], direction: string): boolean {
  const types: readonly string[] = spec?.policyTypes ?? ['Ingress', ...(spec?.egress ? ['Egress'] : [])]
  return types.includes(direction)
}

/** A port's name is looked up at the pod that is dialled. */
function hasPort(ports: readonly PortRule[] | undefined, wanted: number, dialled: NetworkPeer | null): boolean {
  if (!ports || ports.length === 0) return true
  return ports.some(({ port, endPort, protocol }) => {
    if (protocol !== undefined && protocol !== 'TCP') return false
    if (port === undefined || port === wanted) return true
    if (typeof port === 'string')
      return dialled?.ports?.some((one) => one.name === port && one.port === wanted) ?? false
    return endPort !== undefined && port <= wanted && endPort >= wanted
  })
}

function fitsPeers(
  peers: readonly PeerRule[] | undefined,
  own: string,
  other: NetworkPeer | null,
): boolean | undefined {
  if (!peers || peers.length === 0) return true
  const answers = peers.map((peer) => {
    if (other === null) return undefined
    if (peer.ipBlock !== undefined) return other.ip ? isInRange(other.ip, peer.ipBlock) : undefined
    const inNamespace = peer.namespaceSelector
      ? other.namespaceLabels && selects(peer.namespaceSelector, other.namespaceLabels)
      : other.namespace === own
    if (inNamespace !== true) return inNamespace
    return peer.podSelector ? selects(peer.podSelector, other.labels) : true
  })
  if (answers.includes(true)) return true
  return answers.includes(undefined) ? undefined : false
}

function isInRange(ip: string, { cidr, except = [] }: NonNullable<PeerRule['ipBlock']>): boolean {
  const address = parseIp(ip)
  const holds = (text: string) => {
    const block = parseIpBlock(text)
    return address !== null && block !== null && isInBlock(address, block)
  }
  return holds(cidr) && !except.some(holds)
}
