import { identityOf } from '../../mesh/workload.ts'
import { fired, type Hit, quiet } from '../../model/finding.ts'
import type { PodView } from '../../situation/pods.ts'
import { podLabel } from '../../situation/pods.ts'
import { workloadOf } from '../../situation/security.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { ztunnelOfCall } from '../../situation/ztunnel-lines.ts'
import { defineRule } from '../define-rule.ts'
import { hit } from '../lib/hit.ts'
import { quotePod } from '../lib/pod-facts.ts'
import { messagesOf } from '../lib/sync-state.ts'

const refusedAtAgent =
  /Unauthenticated|request authenticate failure|failed to read token file|PermissionDenied.*(?:CSR|certificate)/i

/** The CA does not accept who asks for a certificate: the proxy stays without one, or with its old one. */
export default defineRule({
  code: 'ca-unauthenticated',
  layer: 'control-plane-ca',
  severity: 'error',
  explains: ['503', 'reset', 'tls', 'timeout', 'not-applied'],
  title: 'The CA refuses to issue a certificate',
  why: 'A proxy proves who it is with its service account token. When istiod does not accept the token, there is no certificate, and without one no mutual TLS and no configuration.',
  // Speaks only when an agent or istiod complains; who is silent, or was not asked, proves nothing either way.
  needs: [],
  yieldsTo: ['istiod-down'],
  check(situation) {
    const ofTunnel = refusedForTunnel(situation)
    if (ofTunnel) return fired(ofTunnel)
    const hits = [...situation.client.pods, ...situation.server.pods].flatMap((pod) => refusedFor(situation, pod) ?? [])
    const [first] = hits
    return first ? fired(first) : quiet
  },
})

function refusedFor(situation: Situation, pod: PodView): Hit | null {
  const message = messagesOf(situation, pod, refusedAtAgent).at(-1)
  const impersonation = impersonationRefused(situation, pod)
  if (!message && !impersonation) return null
  const name = podLabel(pod)
  const unread = /failed to read token file/.test(message?.text ?? '')
  // A proxy that is ready has had its certificate since.
  const stands = impersonation !== null || !pod.ready
  return hit({
    subject: name,
    title: `istiod's CA issues no certificate for ${name}`,
    statement: impersonation
      ? `istiod does not let the node's ztunnel ask for a certificate of ${identityOf(workloadOf(pod), situation.mesh.trustDomain)}, so ${name} has no identity.`
      : unread
        ? `The agent of ${pod.name}.${pod.namespace} cannot read its token file, so it cannot ask for a certificate.`
        : `istiod did not accept the token of ${pod.name}.${pod.namespace}.`,
    certainty: stands ? 'proven' : 'likely',
    supporting: [
      ...(message ? [quote(message.entry, 'its agent was refused', message.text, message.line)] : []),
      ...(impersonation ? [quote(impersonation.entry, 'istiod refused', impersonation.raw, impersonation.line)] : []),
      quotePod(pod, pod.ready ? 'the pod is ready' : 'the pod is not ready'),
    ],
    wouldDecide: stands
      ? null
      : {
          command: `istioctl proxy-config secret ${pod.name}.${pod.namespace}`,
          why: 'an ACTIVE certificate means that the refusal is over; none, that it goes on',
        },
    fix: {
      statement: impersonation
        ? 'Add the service account of ztunnel to CA_TRUSTED_NODE_ACCOUNTS of istiod; policies need no change.'
        : unread
          ? `Let the pod's securityContext (fsGroup) make the token readable for the proxy in the pod template of ${name}; keep its other settings.`
          : 'Check that token audience and issuer of the cluster are those that istiod expects (istio-ca), then restart istiod if its keys were from before a change. Policies need no change.',
      commands: [`kubectl logs -n ${situation.given.istioNamespace} deploy/istiod --tail=500`],
      scope: unread ? `the pods of ${name}` : 'the control plane',
      risk: 'certificates of other workloads are not touched',
      undo: 'put the setting back',
    },
    verify: {
      command: `istioctl proxy-config secret ${pod.name}.${pod.namespace}`,
      expect: 'default ACTIVE, VALID CERT true',
    },
    about: stands ? 'call' : 'aside',
  })
}

const noIdentity = /identity error|impersonation authentication failure|signing gRPC error/
const notAllowed = /impersonation authentication failure|not allowed to impersonate/

/** ztunnel asks for the certificates of the pods on its node, and says on their connections when it gets none. */
function refusedForTunnel(situation: Situation): Hit | null {
  const line = ztunnelOfCall(situation).findLast(({ record }) => noIdentity.test(record.error ?? ''))
  if (!line) return null
  const { record, entry } = line
  const pod = (record.direction === 'inbound' ? situation.server.pod : situation.client.pod) ?? situation.client.pod
  const name = pod ? podLabel(pod) : 'the caller'
  const refusal = pod ? impersonationRefused(situation, pod) : null
  const { istioNamespace } = situation.given
  const isRefused = refusal !== null || notAllowed.test(record.error ?? '')
  return hit({
    subject: name,
    title: isRefused
      ? `istiod does not let ztunnel ask for a certificate of ${name}`
      : `ztunnel has no certificate for ${name}`,
    statement: `The ztunnel of ${pod?.node ?? 'the node'} could not get a certificate for ${name}, so it opens no tunnel: ${record.error}.${
      isRefused
        ? ' The refusal is about ztunnel’s own account, which istiod has to trust with the identities of other pods.'
        : ' Whether istiod refused it, or could not be reached, its log has to tell.'
    }`,
    certainty: isRefused ? 'proven' : 'likely',
    supporting: [
      quote(entry, 'ztunnel has no certificate for this workload', record.raw, record.line),
      ...(refusal ? [quote(refusal.entry, 'istiod refused', refusal.raw, refusal.line)] : []),
    ],
    wouldDecide: isRefused
      ? null
      : {
          command: `kubectl logs -n ${istioNamespace} deploy/istiod --tail=500`,
          why: 'a line "is not allowed to impersonate" names the account that istiod does not trust',
        },
    fix: {
      statement: isRefused
        ? 'Add the service account of ztunnel (NAMESPACE/ztunnel) to CA_TRUSTED_NODE_ACCOUNTS of istiod, trustedZtunnelNamespace in its Helm values; policies need no change.'
        : 'Read why istiod’s CA gives this ztunnel no certificate; policies need no change.',
      commands: [
        `kubectl logs -n ${istioNamespace} deploy/istiod --tail=500`,
        `kubectl get pods -A -l app=ztunnel -o wide`,
      ],
      scope: 'the control plane; certificates of other workloads are not touched',
      risk: 'an account that is trusted so may ask for the identity of every pod on its node',
      undo: 'put the setting back',
    },
    verify: {
      command: `istioctl ztunnel-config certificate --node ${pod?.node ?? 'NODE'}`,
      expect: `a valid leaf certificate of ${name}`,
    },
    about: 'call',
  })
}

function impersonationRefused(situation: Situation, pod: PodView) {
  const identity = identityOf(workloadOf(pod), situation.mesh.trustDomain)
  return (
    situation.istiodLog
      .flatMap(({ data, entry }) => data.entries.map((line) => ({ ...line, entry })))
      .findLast(
        (line) =>
          line.kind === 'impersonation-refused' &&
          (line.identity ?? line.message).includes(identity.replace('spiffe://', '')),
      ) ?? null
  )
}
