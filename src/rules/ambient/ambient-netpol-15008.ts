import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { ipOf } from '../../situation/hints.ts'
import type { Stored } from '../../situation/objects.ts'
import { type PodView, podLabel } from '../../situation/pods.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { tunnelPort } from '../../situation/ztunnel-lines.ts'
import { defineRule } from '../define-rule.ts'
import { isAmbientCall, quoteZtunnel, ztunnelErrors } from '../lib/ambient.ts'
import { frontLines, frontName } from '../lib/front.ts'
import { type Blocking, blockingPolicies } from '../lib/network-policies.ts'
import { callerName, destinationName, quoted, tryAgain } from '../lib/words.ts'

const blocked = /maybe a NetworkPolicy is blocking HBONE port 15008|(?:connection )?timed out.*:15008/i
const silence = /connection_timeout|connect_timeout/

/** Between two ambient pods everything goes through port 15008, which a NetworkPolicy written for the application's port does not allow. */
export default defineRule({
  code: 'ambient-netpol-15008',
  layer: 'ambient-ztunnel',
  severity: 'error',
  explains: ['timeout', 'reset', '503', '504', 'unknown'],
  title: 'A NetworkPolicy blocks the port of the mesh',
  why: 'Between ambient pods ztunnel carries every connection to port 15008 of the destination. A NetworkPolicy that allows the application’s port alone drops it, and callers inside the mesh time out while others still get through.',
  needs: ['ztunnel.ztunnelLog'],
  seeAlso: ['https://istio.io/latest/docs/ambient/usage/networkpolicy/'],
  applies: isAmbientCall,
  check(situation) {
    const silent = silentTunnel(situation)
    if (!silent) {
      const [other] = ztunnelErrors(situation, /./)
      return other ? ruledOut('ztunnel reports another error', quoteZtunnel(other, 'no timeout on port 15008')) : quiet
    }
    const keepers = blockingPolicies(situation, silent.from, silent.to, tunnelPort)
    // A proxy that waits in vain for a connection says nothing of the port: the policy has to.
    if (!silent.namesPort && keepers.length === 0) return quiet
    return fired(closed(situation, silent, keepers))
  },
})

/** Somebody waited in vain for a tunnel: who, for which pod, and whether the text names port 15008. */
interface Silent {
  readonly who: string
  readonly from: PodView | null
  readonly to: PodView | null
  readonly namesPort: boolean
  readonly quote: Hit['supporting'][number]
}

function silentTunnel(situation: Situation): Silent | null {
  const timeouts = ztunnelErrors(situation, blocked)
  const last = timeouts.at(-1)
  if (last)
    return {
      who: "The caller's ztunnel",
      from: situation.client.pod,
      to: situation.podByIp(ipOf(last.record.dstAddress)) ?? situation.server.pod,
      namesPort: true,
      quote: quoteZtunnel(last, `ztunnel timed out on port 15008 (${timeouts.length} times)`),
    }
  const lines = frontLines(
    situation,
    ({ record }) => silence.test(record.details ?? '') && /^envoy:\/\//.test(record.upstreamHost ?? ''),
  )
  const front = lines.at(-1)
  if (!front || front.role === 'client') return null
  const name = frontName(situation, front.role)
  return {
    who: `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    from: front.line.pod,
    to: situation.podByIp(ipOf(front.line.record.upstreamHost)),
    namesPort: false,
    quote: quoteLine(front.line, `nobody answered its tunnel (${lines.length} times)`),
  }
}

function closed(situation: Situation, silent: Silent, keepers: readonly Blocking[]): Hit {
  const { who, from, to, quote: said } = silent
  const [keeper] = keepers
  const policy = keeper?.policies[0] ?? null
  const name = policy ? nameOf(policy) : null
  const target = to ? podLabel(to) : destinationName(situation)
  const outward = keeper?.direction === 'Egress'
  const subject = name === null ? 'Something in the network' : keeper?.open ? `Perhaps ${name}` : name
  const what = outward
    ? `${subject} keeps ${podLabel(keeper.pod)} from port ${tunnelPort} of ${target}`
    : `${subject} keeps port ${tunnelPort} of ${target} closed to the mesh`
  const proven = keeper ? silent.namesPort || !keeper.open : !sawAllPolicies(situation, silent)
  return {
    subject: name ?? target,
    title: what,
    statement: `${who} could not open port ${tunnelPort} of ${to?.name ?? 'the destination’s pod'}: the connection timed out${
      keeper && policy
        ? `. ${keeper.policies.map(nameOf).join(', ')} ${keeper.policies.length === 1 ? 'selects' : 'select'} ${keeper.pod.name} and allow${keeper.policies.length === 1 ? 's' : ''} no ${keeper.direction.toLowerCase()} on ${tunnelPort}${keeper.open ? ' that is known to fit' : ''}`
        : '. No NetworkPolicy that was read explains it: look at those of both namespaces, of the CNI, and at firewalls between the nodes'
    }. ${from === situation.client.pod ? `${callerName(situation)} is in the mesh and can reach the pod no other way.` : `${who} reaches ambient pods no other way.`}`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      said,
      ...(keeper?.policies ?? [])
        .slice(0, 2)
        .map((stored) =>
          quoteObject(
            stored,
            `it selects ${keeper?.pod.name} and leaves ${tunnelPort} out`,
            stored.object.spec?.[keeper?.direction === 'Egress' ? 'egress' : 'ingress'] ?? [],
          ),
        ),
      ...(keeper ? [quote(keeper.pod.entry, 'the pod that it selects', JSON.stringify(keeper.pod.labels))] : []),
    ],
    contradicting: [],
    fix: {
      statement: `Allow TCP port ${tunnelPort} ${policy ? `in the ${keeper?.direction.toLowerCase()} rules of ${name}` : 'where the network blocks it'}, for the same peers as the application's port; leave its other rules as they are.`,
      commands: policy
        ? [
            `kubectl -n ${policy.object.metadata.namespace} edit networkpolicies.networking.k8s.io ${quoted(policy.object.metadata.name)}`,
          ]
        : [],
      scope: 'traffic of the mesh of the pods that it selects',
      risk: `once ${tunnelPort} is open, who may call is decided by AuthorizationPolicies, not by the port rules any more`,
      undo: `take port ${tunnelPort} out again`,
    },
    verify: tryAgain(situation, 'an answer, and a line of ztunnel without an error'),
    wouldDecide: proven
      ? null
      : {
          command: `kubectl get networkpolicies.networking.k8s.io -A -o wide; kubectl get node ${to?.node ?? 'NODE'}`,
          why: policy
            ? `its rules either let ${from ? podLabel(from) : 'the caller'} in on ${tunnelPort} or do not`
            : 'a policy of another kind, or a node that is gone or NotReady, is what drops the packets',
        },
    about: 'call',
  }
}

/** Then it is no NetworkPolicy of Kubernetes that drops the packets. */
function sawAllPolicies({ store }: Situation, { from, to }: Silent): boolean {
  return [from, to].every((pod) => pod !== null && store.readable('NetworkPolicy', pod.namespace) === 'yes')
}

function nameOf({ object }: Stored): string {
  return `NetworkPolicy ${object.metadata.namespace}/${object.metadata.name}`
}
