import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { servedCredentials, tlsServers } from '../lib/gateway-credentials.ts'
import { hostOfCall, nameOfStored } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

const demanded =
  /certificate[_ ]required|alert.*116|bad certificate|alert.*42|unknown ca|alert.*48|peer did not return a certificate/i

/** The gateway asks callers for a certificate, and the caller has none that it accepts. */
export default defineRule({
  code: 'ingress-client-cert',
  layer: 'gateway-tls',
  severity: 'error',
  explains: ['tls', 'reset'],
  title: 'The gateway wants a client certificate',
  why: 'With mode MUTUAL the gateway closes a handshake unless the caller shows a certificate signed by an authority in its CA bundle, which stands in the Secret as ca.crt or in a second Secret NAME-cacert.',
  needs: [['server.config', 'gateway.published']],
  yieldsTo: [
    'ingress-credential-missing',
    'ingress-credential-unauthorized',
    'ingress-credential-invalid',
    'ingress-sni-mismatch',
    'ingress-cert-expired',
  ],
  seeAlso: [
    'https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/#configure-a-mutual-tls-ingress-gateway',
  ],
  applies: ({ gateway, symptom, hints }) => gateway !== null && (symptom === 'tls' || hints.port === 443),
  check(situation) {
    const host = hostOfCall(situation, null) ?? 'this name'
    const servers = tlsServers(situation)
    const server = servers.find(({ tlsMode }) => tlsMode === 'MUTUAL')
    if (!server) {
      const [other] = servers
      return other
        ? ruledOut(
            `the gateway asks no certificate of callers (${other.tlsMode})`,
            quoteObject(other.gateway, 'its TLS mode', other.written?.tls ?? null),
          )
        : quiet
    }
    // A server without its own certificate fails before it asks for one.
    if (servedCredentials(situation).some(({ atProxy, exists }) => atProxy === 'warming' || exists === false))
      return quiet
    const error = situation.pasted.curl?.errorText ?? null
    const proven = error !== null && demanded.test(error)
    const gateway = nameOfStored(server.gateway)
    return fired({
      subject: `Gateway ${gateway}`,
      title: `Gateway ${gateway} wants a client certificate for ${host}${proven ? ', and the caller showed none that it accepts' : ''}`,
      statement: `Server ${server.index} of Gateway ${gateway} has mode MUTUAL. Callers without a certificate that its CA bundle accepts are closed in the handshake, before any access log.`,
      certainty: proven ? 'proven' : 'possible',
      supporting: [
        quoteObject(server.gateway, `server ${server.index} asks for a client certificate`, server.written),
        ...(error ? [quote('given', 'what the caller saw', error)] : []),
      ],
      contradicting: [],
      fix: {
        statement: `Give the caller a certificate whose issuer is in the CA bundle of ${server.credential ?? 'the server'}, or add that issuer to the bundle; leave the mode MUTUAL.`,
        commands: [],
        scope: 'this caller, or all callers with certificates of the added authority',
        risk: 'an authority added to the bundle lets in everybody it has signed',
        undo: 'take the authority out of the bundle again',
      },
      verify: {
        ...tryThroughGateway(situation, host, 'a status instead of a failed handshake'),
        command: `curl -s -o /dev/null -w '%{http_code}' --cert CLIENT.pem --key CLIENT-KEY.pem 'https://${host}/'`,
      },
      wouldDecide: proven
        ? null
        : {
            command: `openssl s_client -connect ${host}:443 -servername ${host}`,
            why: 'it names the authorities that the gateway accepts; "certificate required" at its end proves that the client sent none',
          },
      about: 'call',
    })
  },
})
