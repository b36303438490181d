import { fired } from '../../model/finding.ts'
import { ipOf, portOf } from '../../situation/hints.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { findLine } from '../lib/decided-by-line.ts'
import { editCommand, quotePassing, quoteSign, refOf, undoEdit } from '../lib/front.ts'
import { hitOf, signMissing } from '../lib/make-hit.ts'
import { blockingPolicies, rulesOf } from '../lib/network-policies.ts'
import { answeringText, replicasOf } from '../lib/replicas.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

const silence = /connection_timeout|connect_timeout/
const unreachable = /No_route_to_host|:_113|os error 113|Network_is_unreachable/

/** Nobody answers the connection: packets are dropped on the way, or the address is nobody's any more. */
export default defineRule({
  code: 'uf-connect-timeout-network',
  layer: 'network',
  severity: 'error',
  explains: ['503', '504', 'timeout', 'reset'],
  title: 'Connections to the destination are never answered',
  why: 'A refused connection is answered at once. One that runs into the connect timeout was dropped on the way: a NetworkPolicy, a firewall, a node that is gone, an address that is stale.',
  needs: [['client.accessLog', 'gateway.accessLog', 'waypoint.accessLog', 'server.accessLog']],
  yieldsTo: ['mc-network-unknown', 'ambient-netpol-15008'],
  check(situation) {
    const found = findLine(situation, ({ record }, where) => {
      if (where === 'server') return false
      const text = `${record.details ?? ''} ${record.transportFailure ?? ''}`
      return record.flags.includes('UF') && (silence.test(text) || unreachable.test(text))
    })
    if (!found) return signMissing(situation, 'no line speaks of a connection that was never answered')
    const { line, lines, who, often } = found
    const address = line.record.upstreamHost
    const pod = situation.podByIp(ipOf(address))
    const caller = line.pod ?? situation.client.pod
    const port = portOf(address)
    const blocking =
      pod && caller && port !== null
        ? (blockingPolicies(situation, caller, pod, port).find(({ open }) => !open) ?? null)
        : null
    const [policy] = blocking?.policies ?? []
    const isDenyAll = policy !== undefined && blocking !== null && rulesOf(policy, blocking.direction).length === 0
    const isGone =
      pod === null &&
      !situation.server.external &&
      situation.server.namespace !== null &&
      situation.store.readable('Pod', situation.server.namespace) === 'yes'
    const name = policy ? `NetworkPolicy ${policy.object.metadata.namespace}/${policy.object.metadata.name}` : null
    const replicas = replicasOf(situation, lines)
    const one = pod ? podLabel(pod) : (address ?? destinationName(situation))
    const where = replicas.failing.length > 1 ? destinationName(situation) : one
    return fired(
      hitOf({
        subject: where,
        title: `Connections to ${where} are never answered${name ? `; ${name} does not let them ${blocking?.direction === 'Egress' ? 'out' : 'in'}` : ''}`,
        statement: `${who} waited ${line.record.durationMs ?? '?'} ms in vain for a connection to ${address ?? 'the destination'} (${often}).${answeringText(replicas)} ${
          name
            ? `${name} selects ${blocking?.direction === 'Egress' ? (caller?.name ?? 'the caller') : 'that pod'}, and no NetworkPolicy lets this connection ${blocking?.direction === 'Egress' ? 'out' : 'in'}.`
            : isGone
              ? 'No pod of the namespace has that address now.'
              : 'The NetworkPolicies that were read let it pass: what drops the packets stands elsewhere.'
        }`,
        // The line proves that nothing answered; it never says who dropped it. An address that nobody has is stale configuration.
        certainty: isGone ? 'likely' : 'proven',
        supporting: [
          ...quoteSign(situation, lines, 'the connection was never answered'),
          ...(policy ? [quoteObject(policy, `what ${name} lets pass`, policy.object.spec)] : []),
          ...(pod
            ? [
                quote(
                  pod.entry,
                  'the pod behind the address',
                  `${pod.name} ${pod.ip} on ${pod.node ?? 'an unknown node'}`,
                ),
              ]
            : []),
          ...quotePassing(situation),
        ],
        fix: policy
          ? {
              statement: isDenyAll
                ? `If the caller is meant to reach it, add a NetworkPolicy that lets port ${port ?? '?'} pass between these two; leave ${name}, which denies everything, as it is.`
                : `If the caller is meant to reach it, let ${name} allow port ${port ?? '?'} between the two; keep its other rules.`,
              commands: isDenyAll ? [] : [editCommand(refOf(policy))],
              scope: `pods that ${name} selects`,
              risk: 'what it newly lets in can reach the pod directly',
              undo: undoEdit(refOf(policy)),
            }
          : handOver(
              'Find what drops packets between both pods: policies of the CNI, firewalls between nodes, a node that is gone.',
              where,
            ),
        verify: tryAgain(situation, 'an answer within the connect timeout'),
        wouldDecide: isGone
          ? {
              command: `istioctl proxy-config endpoints ${situation.client.pod?.name ?? 'POD'}.${situation.client.pod?.namespace ?? 'NAMESPACE'}`,
              why: 'an endpoint whose address no pod has any more means that the proxy has not got the news; if all have a pod, the network between them drops packets',
            }
          : null,
      }),
    )
  },
})
