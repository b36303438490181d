import type { Quote } from '../../model/evidence.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { ipOf, portOf } from '../../situation/hints.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import {
  clusterIdOf,
  eastWestGateways,
  eastWestPort,
  externalAddresses,
  hasOtherClusters,
  networkOf,
  ownerOf,
} from '../lib/clusters-of-mesh.ts'
import { type Found, findLine } from '../lib/decided-by-line.ts'
import { quoteSign } from '../lib/front.ts'
import { nameOfStored } from '../lib/gateways.ts'
import { hit } from '../lib/hit.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

const unanswered = /connection_timeout|connect_timeout|No_route_to_host|:_113|os error 113|Network_is_unreachable/

/** The caller dials a pod of another cluster by its own address, which leads nowhere outside that cluster. */
export default defineRule({
  code: 'mc-network-unknown',
  layer: 'multicluster',
  severity: 'error',
  explains: ['503', '504', 'timeout', 'reset'],
  title: 'A pod of another cluster is dialled directly instead of through its gateway',
  why: `Between clusters that share no network, traffic must enter at the other cluster's east-west gateway, port ${eastWestPort}. When istiod does not know that two networks exist, or has no address of that gateway, it hands out the addresses of the pods themselves.`,
  needs: [['client.accessLog', 'gateway.accessLog']],
  seeAlso: ['https://istio.io/latest/docs/ops/diagnostic-tools/multicluster/'],
  applies: ({ server }) => !server.external,
  check(situation) {
    const found = findLine(situation, ({ record }, where) => {
      const text = `${record.details ?? ''} ${record.transportFailure ?? ''}`
      return (where === 'client' || where === 'gateway') && record.flags.includes('UF') && unanswered.test(text)
    })
    const address = ipOf(found?.line.record.upstreamHost ?? null)
    if (!found || address === null) return quiet
    const sign = quoteSign(situation, found.lines, 'the connection was never answered')
    const own = situation.podByIp(address)
    if (own)
      return ruledOut(
        `${address} is ${own.name} of this cluster`,
        quote(own.entry, 'whose address it is', `${own.name} ${address}`),
      )
    if (portOf(found.line.record.upstreamHost) === eastWestPort)
      return ruledOut('the caller does go to a gateway of the other cluster', ...sign)
    const writer =
      found.line.pod ?? (found.where === 'gateway' ? situation.gateway?.pods[0] : situation.client.pod) ?? null
    if (!writer) return quiet
    const owner = ownerOf(situation, writer, address)
    const here = clusterIdOf(writer)
    if (owner && here !== null && owner.cluster === here)
      return ruledOut(`${address} belongs to this cluster, ${here}`, owner.quote)
    // Whoever passes to that very address has a network in common with it.
    if (situation.passing.some((one) => ipOf((one.client ?? one.gateway)?.record.upstreamHost ?? null) === address))
      return quiet
    const other = owner && here !== null ? owner : null
    if (!other && !hasOtherClusters(situation, here)) return quiet
    const namespace = situation.server.namespace
    const podsRead = namespace !== null && situation.store.readable('Pod', namespace) === 'yes'
    if (!other && !podsRead) return quiet
    return fired(dialledDirectly(situation, { found, address, writer, other, sign }))
  },
})

interface Dialled {
  readonly found: Found
  readonly address: string
  readonly writer: PodView
  readonly other: { readonly cluster: string; readonly quote: Quote } | null
  readonly sign: readonly Quote[]
}

function dialledDirectly(situation: Situation, { found, address, writer, other, sign }: Dialled): Hit {
  const { network, known } = networkOf(situation, writer)
  const unlabelled = known && network === null
  const gateways = eastWestGateways(situation)
  const pending = gateways.filter((service) => externalAddresses(service).length === 0)
  const system = situation.store.get('Namespace', null, situation.given.istioNamespace)
  // A gateway for other clusters says that networks differ; without one they may share a network behind a firewall.
  const certainty = !other ? 'possible' : unlabelled && gateways.length > 0 ? 'proven' : 'likely'
  const eds = `istioctl proxy-config eds ${writer.name}.${writer.namespace} -o json`
  const whose = other ? `a pod of cluster ${other.cluster}` : 'no pod that was read here'
  return hit({
    subject: `${destinationName(situation)} at ${address}`,
    title: other
      ? `${callerName(situation)} dials ${address}, a pod of cluster ${other.cluster}, without going through its gateway`
      : `${callerName(situation)} dials ${address}, which may be a pod of another cluster, without going through a gateway`,
    statement: `${found.who} waited in vain for ${found.line.record.upstreamHost} (${found.often}), which is ${whose}. ${
      unlabelled
        ? `Namespace ${situation.given.istioNamespace} carries no label topology.istio.io/network, so istiod takes every address for reachable.`
        : network !== null
          ? `This side is in network ${network}; the other one has no network of its own, or no gateway whose address istiod knows.`
          : 'Which network this side is in could not be read.'
    }${pending.length > 0 ? ` ${pending.map(nameOfStored).join(', ')} has no external address, so the other clusters are in the same trouble.` : ''}`,
    certainty,
    supporting: [
      ...sign,
      ...(other ? [other.quote] : []),
      ...(unlabelled && system
        ? [quoteObject(system, 'labels of the control plane’s namespace', system.object.metadata.labels ?? {})]
        : []),
      ...gateways
        .slice(0, 2)
        .map((service) =>
          quoteObject(
            service,
            `${nameOfStored(service)} lets other clusters in${pending.includes(service) ? ', and waits for an address' : ''}`,
            service.object.status?.loadBalancer ?? {},
          ),
        ),
    ],
    fix: {
      statement: unlabelled
        ? `Label namespace ${situation.given.istioNamespace} of each cluster with its own topology.istio.io/network, and see that each has an east-west gateway with an address; set the same network in istiod's values. Keep policies and routes as they are.`
        : `In the other cluster, see that its ${situation.given.istioNamespace} carries topology.istio.io/network and that its east-west gateway has an external address; nothing changes here.`,
      commands: unlabelled
        ? [`kubectl label namespace ${situation.given.istioNamespace} topology.istio.io/network=NETWORK`]
        : [],
      scope: 'calls between clusters',
      risk: 'from then on calls to other networks go through the gateway and need mutual TLS; clusters that really share a network must get the same name',
      undo: `kubectl label namespace ${situation.given.istioNamespace} topology.istio.io/network-`,
    },
    verify: tryAgain(situation, `an answer, and :${eastWestPort} as the upstream address in the new line`),
    wouldDecide:
      certainty === 'proven'
        ? null
        : other
          ? {
              command: `kubectl --context=OTHER get namespace ${situation.given.istioNamespace} --show-labels, and get services there`,
              why: `it shows whether cluster ${other.cluster} names its network and has a gateway with an address; if both share one network, something else drops the packets`,
            }
          : { command: eds, why: `the metadata of ${address} names the cluster that it belongs to` },
  })
}
