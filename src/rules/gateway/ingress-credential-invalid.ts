import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import {
  istiodOnCredential,
  quoteAtProxy,
  quoteSaid,
  quoteServer,
  servedCredentials,
} from '../lib/gateway-credentials.ts'
import { hostOfCall, nameOfStored } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

/** The Secret is there, but what is in it is no usable certificate with its key. */
export default defineRule({
  code: 'ingress-credential-invalid',
  layer: 'gateway-tls',
  severity: 'error',
  explains: ['tls', 'reset'],
  title: 'The Secret of the Gateway holds no usable certificate',
  why: 'A Secret with other keys than tls.crt and tls.key, with text that is no PEM, or with a key that does not belong to the certificate never becomes a certificate at the gateway.',
  needs: [['server.analyze', 'gateway.analyze', 'mesh.istiodLog']],
  seeAlso: ['https://istio.io/latest/docs/reference/config/analysis/ist0161/'],
  applies: ({ gateway, symptom, hints }) => gateway !== null && (symptom === 'tls' || hints.port === 443),
  check(situation) {
    const host = hostOfCall(situation, null) ?? 'this name'
    for (const credential of servedCredentials(situation)) {
      const { name, pod, server, atProxy, exists } = credential
      if (atProxy === 'active') return ruledOut(`the gateway took ${name}`, ...quoteAtProxy(credential))
      const findings = situation.analyze.filter(
        ({ code, message, origin }) =>
          code === 'IST0161' &&
          (message.includes(name) || origin?.name === server.gateway.object.metadata.name || origin?.name === name),
      )
      const refusals = istiodOnCredential(situation, credential, 'credential-missing').filter(
        ({ said }) => !/not found/.test(said.reason ?? ''),
      )
      if ((findings.length === 0 && refusals.length === 0) || exists === false) continue
      const words = refusals.at(-1)?.said.reason ?? findings[0]?.message ?? ''
      return fired({
        subject: `Secret ${pod.namespace}/${name}`,
        title: `Secret ${pod.namespace}/${name} holds no usable certificate, so handshakes for ${host} fail`,
        statement: `Gateway ${nameOfStored(server.gateway)} takes its certificate for ${host} from Secret ${pod.namespace}/${name}. The Secret is there, but it cannot be used: ${words}`,
        certainty: atProxy === 'unread' ? 'likely' : 'proven',
        supporting: [
          ...findings
            .slice(0, 1)
            .map((finding) => quote(finding.entry, 'istioctl analyze says so', `${finding.code} ${finding.message}`)),
          ...quoteSaid(refusals),
          ...quoteAtProxy(credential),
          quoteServer(credential),
        ],
        contradicting: [],
        fix: {
          statement: `Replace the data of Secret ${pod.namespace}/${name} by a certificate (tls.crt) and its own key (tls.key) in PEM; the Gateway stays as it is and no restart is needed.`,
          commands: [
            `kubectl -n ${pod.namespace} create secret tls ${name} --cert=CERTIFICATE.pem --key=KEY.pem --dry-run=client -o yaml`,
          ],
          scope: `handshakes for ${server.hosts.join(', ')}`,
          risk: 'a wrong certificate replaces one that some gateway pods may still hold',
          undo: 'apply the saved Secret again',
        },
        verify: tryThroughGateway(situation, host, 'a status instead of a failed handshake'),
        wouldDecide:
          atProxy === 'unread'
            ? {
                command: `istioctl proxy-config secret ${pod.name}.${pod.namespace}`,
                why: `an ACTIVE row for ${name} means that the gateway holds an older copy, and works with it`,
              }
            : null,
        about: 'call',
      })
    }
    return quiet
  },
})
