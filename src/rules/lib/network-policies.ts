import { isInBlock, parseIp, parseIpBlock } from '../../mesh/authorize/ip-blocks.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'
import { type Selector, selects } from './injection.ts'

interface Peer {
  readonly podSelector?: Selector
  readonly namespaceSelector?: Selector
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}

interface Port {
  readonly port?: number | string
  readonly endPort?: number
  readonly protocol?: string
}

interface Rule {
  readonly from?: readonly Peer[]
  readonly to?: readonly Peer[]
  readonly ports?: readonly Port[]
}

/** The policies that select one end and of which none lets this connection pass. */
export interface Blocking {
  readonly direction: 'Ingress' | 'Egress'
  readonly policies: readonly Stored[]
}

/**
 * NetworkPolicies only ever add up: a pod that some select takes what any of them allows, and nothing else. Null where the
 * connection is allowed as far as the policies of both namespaces tell.
 */
export function blockingPolicies(situation: Situation, from: PodView, to: PodView, port: number): Blocking | null {
  for (const direction of ['Egress', 'Ingress'] as const) {
    const [own, peer] = direction === 'Egress' ? [from, to] : [to, from]
    const policies = situation.store
      .list('NetworkPolicy', own.namespace)
      .filter(({ object }) => typesOf(object.spec).includes(direction) && selects(object.spec?.podSelector, own.labels))
    const isAllowed = policies.some((stored) => {
      return rulesOf(stored, direction).some(
        (rule) =>
          fitsPeer(situation, (direction === 'Egress' ? rule.to : rule.from) ?? [], own, peer) &&
          fitsPort(rule.ports ?? [], port, to),
      )
    })
    // Who lists something is nearer to the mistake than who denies all.
    const listed = policies.toSorted((a, b) => rulesOf(b, direction).length - rulesOf(a, direction).length)
    if (policies.length > 0 && !isAllowed) return { direction, policies: listed }
  }
  return null
}

export function rulesOf({ object }: Stored, direction: Blocking['direction']): readonly Rule[] {
  return (direction === 'Egress' ? object.spec?.egress : object.spec?.ingress) ?? []
}

/** Without policyTypes a policy is for what comes in, and for what goes out where it has egress rules. */
function typesOf(spec: { policyTypes?: readonly string[]; egress?: unknown } | undefined): readonly string[] {
  return spec?.policyTypes ?? ['Ingress', ...(spec?.egress === undefined ? [] : ['Egress'])]
}

function fitsPeer(situation: Situation, peers: readonly Peer[], own: PodView, peer: PodView): boolean {
  return peers.length === 0 || peers.some((one) => isPeer(situation, one, own, peer))
}

function isPeer({ store }: Situation, { podSelector, namespaceSelector, ipBlock }: Peer, own: PodView, peer: PodView) {
  if (ipBlock) return peer.ip !== null && inBlock(peer.ip, ipBlock)
  if (podSelector && !selects(podSelector, peer.labels)) return false
  if (!namespaceSelector) return peer.namespace === own.namespace
  const labels = store.get('Namespace', null, peer.namespace)?.object.metadata.labels
  // Labels that nobody read may fit.
  return (
    labels === undefined || selects(namespaceSelector, { 'kubernetes.io/metadata.name': peer.namespace, ...labels })
  )
}

function inBlock(ip: string, { cidr, except = [] }: NonNullable<Peer['ipBlock']>): boolean {
  const address = parseIp(ip)
  const holds = (text: string) => {
    const block = parseIpBlock(text)
    return address !== null && block !== null && isInBlock(address, block)
  }
  return holds(cidr) && !except.some(holds)
}

function fitsPort(ports: readonly Port[], wanted: number, to: PodView): boolean {
  if (ports.length === 0) return true
  return ports.some(({ port, endPort, protocol = 'TCP' }) => {
    if (protocol !== 'TCP') return false
    if (port === undefined) return true
    const number = typeof port === 'number' ? port : to.ports.find(({ name }) => name === port)?.port
    return number !== undefined && (endPort === undefined ? number === wanted : number <= wanted && wanted <= endPort)
  })
}
