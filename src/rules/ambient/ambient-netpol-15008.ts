import { fired, quiet, ruledOut } from '../../model/finding.ts'
import type { KubeObject } from '../../model/kube.ts'
import { matchesLabels } from '../../situation/pods.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { isAmbientCall, quoteZtunnel, ztunnelErrors } from '../lib/ambient.ts'
import { callerName, destinationName, quoted, tryAgain } from '../lib/words.ts'

const blocked = /maybe a NetworkPolicy is blocking HBONE port 15008|(?:connection )?timed out.*:15008/i

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
    const timeouts = ztunnelErrors(situation, blocked)
    const last = timeouts.at(-1)
    if (!last) {
      const [other] = ztunnelErrors(situation, /./)
      return other ? ruledOut('ztunnel reports another error', quoteZtunnel(other, 'no timeout on port 15008')) : quiet
    }
    const policies = suspects(situation)
    const [policy] = policies
    const name = policy ? `NetworkPolicy ${policy.object.metadata.namespace}/${policy.object.metadata.name}` : null
    // The policy may be one of the caller's side, of another kind, or of the network itself.
    return fired({
      subject: name ?? destinationName(situation),
      title: `${name ?? 'Something in the network'} keeps port 15008 of ${destinationName(situation)} closed to ztunnel`,
      statement: `The caller's ztunnel could not open port 15008 of the destination's pod: the connection timed out${
        policy
          ? `. ${name} selects the pod and allows no ingress on 15008`
          : '. No NetworkPolicy that was read explains it: look at those of the caller’s namespace and of the CNI'
      }. ${callerName(situation)} is in the mesh and can reach the pod no other way.`,
      certainty: 'proven',
      supporting: [
        quoteZtunnel(last, `ztunnel timed out on port 15008 (${timeouts.length} times)`),
        ...policies
          .slice(0, 2)
          .map((stored) =>
            quoteObject(stored, 'it selects the pod and leaves 15008 out', stored.object.spec?.ingress ?? []),
          ),
      ],
      contradicting: [],
      fix: {
        statement: `Allow TCP port 15008 ${policy ? `in the ingress rules of ${name}` : 'where the network blocks it'}, for the same callers that may reach the application's port; leave its other rules as they are.`,
        commands: policy
          ? [
              `kubectl -n ${policy.object.metadata.namespace} edit networkpolicies.networking.k8s.io ${quoted(policy.object.metadata.name)}`,
            ]
          : [],
        scope: 'traffic of the mesh to the pods that it selects',
        risk: 'once 15008 is open, who may call is decided by AuthorizationPolicies, not by the port rules any more',
        undo: 'take port 15008 out again',
      },
      verify: tryAgain(situation, 'an answer, and a line of ztunnel without an error'),
      wouldDecide: null,
      about: 'call',
    })
  },
})

/** Ingress policies that select the destination and allow no port 15008. */
function suspects({ store, server }: Situation) {
  const pod = server.pod
  if (!pod) return []
  return store
    .list('NetworkPolicy', pod.namespace)
    .filter(({ object }) => selects(object, pod.labels) && !allows(object))
}

function selects({ spec }: KubeObject, labels: Readonly<Record<string, string>>): boolean {
  const types: readonly string[] = spec?.policyTypes ?? ['Ingress']
  const wanted: Readonly<Record<string, string>> = spec?.podSelector?.matchLabels ?? {}
  return types.includes('Ingress') && (Object.keys(wanted).length === 0 || matchesLabels(wanted, labels))
}

function allows({ spec }: KubeObject): boolean {
  const rules: readonly { ports?: readonly { port?: number | string; endPort?: number; protocol?: string }[] }[] =
    spec?.ingress ?? []
  return rules.some(
    ({ ports }) =>
      !ports ||
      ports.length === 0 ||
      ports.some(
        ({ port, endPort }) =>
          port === undefined ||
          port === 15008 ||
          (typeof port === 'number' && endPort !== undefined && port <= 15008 && endPort >= 15008),
      ),
  )
}
