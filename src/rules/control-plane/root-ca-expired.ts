import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote, quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hadExpired, heldCertificates } from '../lib/held-certificates.ts'
import { hit } from '../lib/hit.ts'
import { mostTelling, verifyFailures } from '../lib/tls-failures.ts'
import { transportOf } from '../lib/transport.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

/** The root that all proxies trust has run out: from then on no certificate of the mesh is accepted. */
export default defineRule({
  code: 'root-ca-expired',
  layer: 'control-plane-ca',
  severity: 'error',
  explains: ['503', 'reset', 'tls'],
  title: 'The root certificate of the mesh has expired',
  why: 'Every certificate of the mesh leads back to one root. When its date is over, handshakes fail everywhere at once, also between pods whose own certificates are fresh; new pods do not help.',
  needs: [['client.accessLog', 'gateway.accessLog', 'waypoint.accessLog']],
  seeAlso: ['https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/'],
  applies: ({ server }) => !server.external,
  check(situation) {
    const line = mostTelling(situation, verifyFailures(situation))
    if (!line) return quiet
    const exchange = situation.failing.findLast(({ client, gateway }) => client === line || gateway === line) ?? null
    const transport = transportOf(situation, exchange)
    const held = [line.pod, transport?.caller ?? null, transport?.target ?? null, situation.server.pod].flatMap(
      (pod) => heldCertificates(situation, pod) ?? [],
    )
    const { time } = line.record
    const over = held.find(({ roots }) => roots.length > 0 && roots.every((root) => hadExpired(root, time) === true))
    if (!over) {
      const [valid] = held.filter(({ roots }) => roots.some((root) => hadExpired(root, time) === false))
      return valid
        ? ruledOut(
            `the root that ${valid.pod.name} trusts is valid until ${valid.roots
              .map(({ notAfter }) => notAfter)
              .sort()
              .at(-1)}`,
            quote(valid.entry, 'dates of the root', JSON.stringify(valid.roots)),
          )
        : quiet
    }
    const [root] = over.roots
    const { istioNamespace } = situation.given
    return fired(
      hit({
        subject: 'root certificate of the mesh',
        title: `The root certificate that ${over.pod.name}.${over.pod.namespace} trusts ran out at ${root?.notAfter}`,
        statement: `The handshake with ${destinationName(situation)} was refused over a certificate, and the root that the proxy of ${over.pod.name}.${over.pod.namespace} checks against was over before that (${root?.notAfter}). Every mutual TLS call of the mesh fails in this way; restarting workloads changes nothing.`,
        certainty: 'proven',
        supporting: [
          quoteLine(line, 'the handshake failed over a certificate'),
          quote(over.entry, 'dates of the root that it trusts', JSON.stringify(over.roots)),
        ],
        fix: {
          statement: `Give istiod a new root: put it beside the old one in the bundle (Secret cacerts in ${istioNamespace}), restart istiod, then let workloads make new pods so that all of them trust it; take the old root out at the end.`,
          commands: [`kubectl get configmap istio-ca-root-cert -n ${istioNamespace} -o yaml`],
          scope: 'the whole mesh',
          risk: 'until a proxy has the new root it refuses those that show certificates of it',
          undo: 'put the old bundle back; nothing works with it any more than now',
        },
        verify: tryAgain(situation, 'an answer, and no TLS_error in the new line'),
      }),
    )
  },
})
