import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { failed, listenerConditions, quoteAnalyzed, quotePlaced } from '../lib/gateway-api.ts'
import { apiGateways, hostOfCall, nameOfStored } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

/** The listener's certificateRef leads to nothing usable. */
export default defineRule({
  code: 'gwapi-bad-cert-ref',
  layer: 'gateway-tls',
  severity: 'error',
  explains: ['tls', 'reset'],
  title: 'The certificate of the listener is missing or unusable',
  why: 'A TLS listener whose certificateRefs name no Secret, or one that is no certificate, is not programmed: connections to its port are closed.',
  needs: [
    ['server.config', 'gateway.published'],
    ['gateway.config', 'server.config', 'gateway.published'],
  ],
  seeAlso: ['https://gateway-api.sigs.k8s.io/guides/tls/'],
  applies: ({ gateway, symptom, hints }) => gateway !== null && (symptom === 'tls' || hints.port === 443),
  check(situation) {
    const host = hostOfCall(situation, null)
    const conditions = apiGateways(situation).flatMap((gateway) => listenerConditions(gateway, host))
    const condition = failed(conditions, 'ResolvedRefs', /^InvalidCertificateRef$/)
    if (!condition) {
      const [resolved] = conditions.filter(({ type, status }) => type === 'ResolvedRefs' && status === 'True')
      return resolved ? ruledOut('the listener has its certificate', quotePlaced(resolved)) : quiet
    }
    const name = nameOfStored(condition.stored)
    const { namespace = 'default', name: bare } = condition.stored.object.metadata
    return fired({
      subject: `Gateway ${name}`,
      title: `Gateway ${name} has no usable certificate at ${condition.at}: ${condition.message}`,
      statement: `${condition.at} of Gateway ${name} is for ${host ?? 'every host'}, and its certificateRefs cannot be resolved: ${condition.message}. Handshakes there are closed.`,
      certainty: 'proven',
      supporting: [
        quotePlaced(condition),
        quoteObject(condition.stored, 'its listeners', condition.stored.object.spec?.listeners),
        ...quoteAnalyzed(situation, condition),
      ],
      contradicting: [],
      fix: {
        statement: `Create the Secret that ${condition.at} names, of type kubernetes.io/tls, or name the one that is there; leave the other listeners as they are.`,
        commands: [`kubectl -n ${namespace} describe gateways.gateway.networking.k8s.io ${bare}`],
        scope: `handshakes at ${condition.at}`,
        risk: 'none for other listeners',
        undo: 'delete the Secret again',
      },
      verify: tryThroughGateway(situation, host ?? 'HOST', 'a status instead of a failed handshake'),
      wouldDecide: null,
      about: 'call',
    })
  },
})
