import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hadExpired, heldCertificates } from '../lib/held-certificates.ts'
import { hit } from '../lib/hit.ts'
import { quotePod } from '../lib/pod-facts.ts'
import { messagesOf } from '../lib/sync-state.ts'
import { mostTelling, tunnelCertificate, verifyFailures } from '../lib/tls-failures.ts'
import { transportOf } from '../lib/transport.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

const expired = /certificate[ _]has[ _]expired|CERTIFICATE_EXPIRED/i
const renewalFails = /failed to warm certificate|failed to (?:generate|sign|fetch|get).*cert|Unauthenticated/i

/** The refusing side says that the certificate it was shown has run out. */
export default defineRule({
  code: 'workload-cert-expired',
  layer: 'control-plane-ca',
  severity: 'error',
  explains: ['503', 'reset', 'tls'],
  title: 'A workload’s certificate has expired',
  why: 'Mesh certificates live for a day and are renewed halfway. When renewal fails for long enough they run out, and every handshake is refused.',
  needs: [['client.accessLog', 'gateway.accessLog', 'waypoint.accessLog', 'ztunnel.ztunnelLog']],
  yieldsTo: ['root-ca-expired'],
  applies: ({ server }) => !server.external,
  check(situation) {
    const tunnel = expiredInTunnel(situation)
    if (tunnel) return fired(tunnel)
    const line = mostTelling(
      situation,
      verifyFailures(situation).filter(({ record }) =>
        expired.test(`${record.transportFailure ?? ''} ${record.details ?? ''}`),
      ),
    )
    if (!line) return quiet
    const text = `${line.record.transportFailure ?? ''} ${line.record.details ?? ''}`
    // An alert comes from the other side: it is our certificate that it refused.
    const ours = /ALERT/i.test(text)
    const transport = transportOf(
      situation,
      situation.failing.findLast(({ client, gateway }) => client === line || gateway === line) ?? null,
    )
    const pod = ours ? (transport?.caller ?? null) : (transport?.target ?? null)
    if (!pod) return quiet
    const failing = messagesOf(situation, pod, renewalFails).at(-1)
    const held = heldCertificates(situation, pod)
    const over = hadExpired(held?.own ?? null, line.record.time)
    // Its own certificate was good then: what ran out is the root, or something else in the chain.
    if (held && over === false && !failing)
      return ruledOut(
        `the certificate of ${pod.name} is valid until ${held.own?.notAfter}`,
        quote(held.entry, 'dates of its certificate', JSON.stringify(held.own)),
      )
    return fired(
      hit({
        subject: `${pod.name}.${pod.namespace}`,
        title: `The certificate of ${pod.name}.${pod.namespace} has expired`,
        statement: `The handshake with ${destinationName(situation)} was refused because ${ours ? 'the caller' : 'the destination'} shows a certificate that has run out.${
          failing ? ' Its agent reports that renewal fails.' : ''
        }`,
        certainty: over === true || failing ? 'proven' : 'likely',
        wouldDecide:
          over === true || failing
            ? null
            : {
                command: `istioctl proxy-config secret ${pod.name}.${pod.namespace}`,
                why: 'NOT AFTER of its own certificate, or of ROOTCA, says which of the two has run out',
              },
        supporting: [
          quoteLine(line, 'the handshake failed over an expired certificate'),
          ...(held?.own ? [quote(held.entry, 'dates of its certificate', JSON.stringify(held.own))] : []),
          quotePod(pod, 'the pod that shows it'),
          ...(failing ? [quote(failing.entry, 'its agent could not renew it', failing.text, failing.line)] : []),
        ],
        fix: {
          statement: `Let the workload of ${pod.name}.${pod.namespace} make a new pod, which asks for a new certificate; then find out why renewal failed, or it comes back.`,
          commands: [
            `kubectl logs -n ${pod.namespace} ${pod.name} -c istio-proxy --tail=500`,
            `kubectl delete pod -n ${pod.namespace} ${pod.name}`,
          ],
          scope: 'this one pod',
          risk: 'if the CA refuses this workload, the new pod does not become ready',
          undo: 'nothing to undo',
        },
        verify: tryAgain(situation, 'an answer, and VALID CERT true in istioctl proxy-config secret of the pod'),
      }),
    )
  },
})

/** Between ztunnels the side that says "invalid" was shown the certificate, and the side that got the alert showed it. */
function expiredInTunnel(situation: Situation): Hit | null {
  const failure = tunnelCertificate(situation)
  if (!failure || !/Expired/.test(failure.record.error ?? '')) return null
  const { record, entry } = failure
  const isOwn = /AlertReceived/.test(record.error ?? '')
  const pod = (record.direction === 'inbound') === isOwn ? situation.server.pod : situation.client.pod
  const name = pod ? `${pod.name}.${pod.namespace}` : 'one end'
  return hit({
    subject: name,
    title: `The certificate of ${name} has expired`,
    statement: `The tunnel to ${destinationName(situation)} was refused because ${name} shows a certificate that has run out. ztunnel renews them for the pods of its node, so ${pod?.node ?? 'that node'} is where renewal fails.`,
    certainty: 'proven',
    supporting: [quote(entry, 'the handshake failed over an expired certificate', record.raw, record.line)],
    fix: {
      statement: `Find out why the ztunnel of ${pod?.node ?? 'that node'} gets no new certificates (istiod’s log, its connection to istiod); the application’s pods stay as they are.`,
      commands: [
        `istioctl ztunnel-config certificate --node ${pod?.node ?? 'NODE'}`,
        `kubectl logs -n ${situation.given.istioNamespace} deploy/istiod --tail=500`,
      ],
      scope: `pods on ${pod?.node ?? 'that node'}`,
      risk: 'none while only reading',
      undo: 'nothing to undo',
    },
    verify: tryAgain(situation, 'an answer, and VALID CERT true in istioctl ztunnel-config certificate'),
  })
}
