import type { ProxySecret } from '../../../parsers/proxy-config-secret.ts'
import type { Quote } from '../../model/evidence.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Line, ZtunnelLine } from '../../situation/exchanges.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { firstFailing } from '../lib/deciding-line.ts'
import { hit } from '../lib/hit.ts'
import { workloadCommand } from '../lib/pod-facts.ts'
import { mostTelling, tunnelCertificate, verifyFailures } from '../lib/tls-failures.ts'
import { removeTlsBlock } from '../lib/tls-fix.ts'
import { nameOf, quoteRule, type Transport, transportOf } from '../lib/transport.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

/** Both ends speak mutual TLS, and one does not believe the certificate of the other. */
export default defineRule({
  code: 'cert-verify-failed',
  layer: 'control-plane-ca',
  severity: 'error',
  explains: ['503', 'reset', 'tls'],
  title: 'A mesh certificate is not accepted',
  why: 'The handshake was made and the certificate refused: the two proxies trust different roots, a certificate has run out, or a DestinationRule insists on a name that the destination does not have.',
  needs: [['client.accessLog', 'gateway.accessLog', 'waypoint.accessLog', 'ztunnel.ztunnelLog']],
  yieldsTo: ['dr-tls-disable-vs-strict', 'workload-cert-expired', 'root-ca-expired', 'mc-root-mismatch'],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/security-issues/#keys-and-certificates-errors'],
  applies: ({ server }) => !server.external,
  check(situation) {
    const lines = verifyFailures(situation)
    const line = mostTelling(situation, lines)
    const tunnel = tunnelCertificate(situation)
    if (!line && tunnel && !/Expired/.test(tunnel.record.error ?? '')) return fired(inTunnel(situation, tunnel))
    if (!line) {
      const other = firstFailing(situation)
      return other ? ruledOut('no line speaks of a certificate', quoteLine(other, 'another reason stands here')) : quiet
    }
    const exchange = situation.failing.findLast(({ client, gateway }) => client === line || gateway === line) ?? null
    const transport = transportOf(situation, exchange)
    if (!transport || /expired/i.test(line.record.transportFailure ?? line.record.details ?? '')) return quiet
    return fired(notAccepted(situation, line, transport))
  },
})

function notAccepted(situation: Situation, line: Line, transport: Transport): Hit {
  const { sends, target, caller } = transport
  const text = `${line.record.transportFailure ?? ''}${line.record.details ?? ''}`
  const name = destinationName(situation)
  const said = quoteLine(line, 'the caller’s side refused the certificate, or was refused')
  const base = { subject: name, verify: tryAgain(situation, 'an answer, and no TLS_error in the new line') }
  const by = sends?.decidedBy ?? null
  if (by && /SAN/i.test(text) && (sends?.subjectAltNames.length ?? 0) > 0) {
    const rule = quoteRule(situation, by.object)
    return hit({
      ...base,
      title: `DestinationRule ${nameOf(by.object)} insists on a name that ${name} does not have`,
      statement: `${by.field}.subjectAltNames asks for ${sends?.subjectAltNames.join(', ')}; ${target.name}.${target.namespace} runs as ${target.serviceAccount}, and its certificate says so.`,
      certainty: 'proven',
      supporting: [
        said,
        ...(rule ? [rule] : []),
        quote(target.entry, 'the account it runs as', `serviceAccountName: ${target.serviceAccount}`),
      ],
      fix: {
        ...removeTlsBlock(by.object, by.field, situation.mesh.enableAutoMtls),
        statement: `Correct subjectAltNames in spec.${by.field} of DestinationRule ${nameOf(by.object)} to the account ${target.serviceAccount} of namespace ${target.namespace}; keep everything else in it.`,
        commands: [
          `kubectl -n ${by.object.metadata.namespace} edit destinationrules.networking.istio.io ${by.object.metadata.name}`,
        ],
      },
    })
  }
  const roots = differentRoots(situation, caller, target)
  const proven = roots !== null
  const wouldDecide = caller
    ? {
        command: `istioctl proxy-config secret ${target.name}.${target.namespace}, and the same of ${caller.name}.${caller.namespace}`,
        why: 'roots (ROOTCA) that differ, or a certificate out of its dates, say why it is refused',
      }
    : {
        command: `istioctl proxy-config secret ${target.name}.${target.namespace}`,
        why: 'its dates and its root say why it is refused',
      }
  return hit({
    ...base,
    title: proven
      ? `${callerName(situation)} and ${name} trust different roots`
      : `${callerName(situation)} and ${name} do not accept each other's certificates`,
    statement: proven
      ? `The proxies of ${caller?.name} and ${target.name} hold different root certificates, so the handshake ends with CERTIFICATE_VERIFY_FAILED.`
      : 'The handshake ends with CERTIFICATE_VERIFY_FAILED; which certificate is refused, and why, was not seen.',
    certainty: proven ? 'proven' : 'likely',
    supporting: [said, ...(roots ?? [])],
    wouldDecide: proven ? null : wouldDecide,
    fix: {
      statement: `Find out which of the two has the old root (istiod's CA may have changed) and let that workload make new pods; when a root is exchanged, keep both in the bundle until all pods are new.`,
      commands: [...workloadCommand(target, 'rollout restart')],
      scope: 'the pods of the workload that holds the old root',
      risk: 'a root taken away too early breaks every proxy that still uses it',
      undo: 'put the old root back into the bundle',
    },
  })
}

/** Which of two ztunnels holds the wrong certificate no line says: their lists have to be laid side by side. */
function inTunnel(situation: Situation, { record, entry }: ZtunnelLine): Hit {
  const name = destinationName(situation)
  const isName = /expected (?:SAN|trustdomain)/.test(record.error ?? '')
  const nodes = [situation.client.pod?.node, situation.server.pod?.node].filter((node) => node)
  return hit({
    subject: name,
    title: isName
      ? `The tunnel to ${name} is shown a certificate of somebody else`
      : `The ztunnels of ${callerName(situation)} and ${name} do not accept each other's certificates`,
    statement: `The handshake of the tunnel ends over a certificate: ${record.error}. ${
      isName
        ? 'An address that another pod has taken over gives this for a short time; else the account or the trust domain of the destination changed.'
        : 'Different roots on the two nodes are the usual reason: one ztunnel has not got the present root.'
    }`,
    certainty: 'likely',
    supporting: [quote(entry, 'ztunnel ended the handshake over a certificate', record.raw, record.line)],
    wouldDecide: {
      command: nodes.map((node) => `istioctl ztunnel-config certificate --node ${node}`).join('; '),
      why: 'roots (Root) that differ between the two nodes, or dates that have run out, say which is refused',
    },
    fix: {
      statement:
        'Find the node whose ztunnel has the old root and replace that ztunnel pod; when a root is exchanged, keep both in the bundle until all have the new one.',
      commands: [`kubectl get pods -n ${situation.given.istioNamespace} -l app=ztunnel -o wide`],
      scope: 'ambient pods of that node',
      risk: 'connections through that ztunnel are cut when it is replaced',
      undo: 'put the old root back into the bundle',
    },
    verify: tryAgain(situation, 'an answer, and no tls error in the new line of ztunnel'),
  })
}

/** Roots compared as they are printed: equal text is the same root, no common one is none. */
function differentRoots(situation: Situation, caller: PodView | null, target: PodView): readonly Quote[] | null {
  if (!caller) return null
  const [left, right] = [caller, target].map((pod) => {
    const secrets = situation.of<readonly ProxySecret[]>('secrets', pod)
    const roots = (secrets?.data ?? [])
      .filter(({ kind, name, state }) => kind === 'trust' && name === 'ROOTCA' && state !== 'warming')
      .flatMap(({ pem }) => pem.match(/-----BEGIN CERTIFICATE-----[^-]+/g) ?? [])
      .map((pem) => pem.replace(/\s/g, ''))
    return secrets && roots.length > 0 ? { pod, entry: secrets.entry, roots } : null
  })
  if (!left || !right || left.roots.some((root) => right.roots.includes(root))) return null
  return [left, right].map(({ pod, entry, roots }) =>
    quote(entry, `the root that ${pod.name} trusts`, `ROOTCA ${roots.map((root) => `…${root.slice(-24)}`).join(', ')}`),
  )
}
