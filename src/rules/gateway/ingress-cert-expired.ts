import type { ProxySecret } from '../../../parsers/proxy-config-secret.ts'
import { certificateDates } from '../../mesh/certificate-dates.ts'
import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { quoteServer, secretName, servedCredentials } from '../lib/gateway-credentials.ts'
import { hostOfCall } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

/** The gateway shows a certificate whose time is over. */
export default defineRule({
  code: 'ingress-cert-expired',
  layer: 'gateway-tls',
  severity: 'error',
  explains: ['tls', 'reset'],
  title: 'The certificate of the gateway has expired',
  why: 'The gateway shows whatever certificate its Secret holds, also after its end. Callers then refuse the handshake with a certificate error, and the gateway logs little or nothing.',
  needs: ['gateway.secrets'],
  seeAlso: ['https://istio.io/latest/docs/ops/integrations/certmanager/'],
  applies: ({ gateway, symptom, hints }) => gateway !== null && (symptom === 'tls' || hints.port === 443),
  check(situation) {
    const host = hostOfCall(situation, null) ?? 'this name'
    for (const credential of servedCredentials(situation)) {
      if (credential.atProxy !== 'active' || credential.secretsEntry === null) continue
      const secrets = situation.of<readonly ProxySecret[]>('secrets', credential.pod)
      const secret = secrets?.data.find(
        ({ name, kind }) => name === secretName(credential.name) && kind === 'certificate',
      )
      const dates = secret ? certificateDates(secret.pem) : null
      const entry = situation.entries.find(({ id }) => id === credential.secretsEntry)
      const now = entry ? Date.parse(entry.at) : Number.NaN
      if (!dates || Number.isNaN(now)) continue
      const shown = `${secretName(credential.name)} NOT BEFORE ${dates.notBefore} NOT AFTER ${dates.notAfter}`
      const said = quote(
        credential.secretsEntry,
        `the certificate that ${credential.pod.name} shows for ${host}`,
        shown,
      )
      const isOver = Date.parse(dates.notAfter) < now
      if (!isOver && Date.parse(dates.notBefore) <= now)
        return ruledOut(`the certificate ${credential.name} is valid until ${dates.notAfter}`, said)
      return fired({
        subject: `Secret ${credential.pod.namespace}/${credential.name}`,
        title: `The gateway's certificate ${credential.name} for ${host} ${isOver ? `expired at ${dates.notAfter}` : `is not valid before ${dates.notBefore}`}`,
        statement: `The gateway shows the certificate of Secret ${credential.pod.namespace}/${credential.name}, valid from ${dates.notBefore} to ${dates.notAfter}. It was read at ${entry?.at}, so callers that check dates refuse it.`,
        certainty: 'proven',
        supporting: [said, quoteServer(credential)],
        contradicting: [],
        fix: {
          statement: `Renew the certificate in Secret ${credential.pod.namespace}/${credential.name} (where cert-manager does it, read why its Certificate is not Ready); the gateway takes the new one without a restart.`,
          commands: [`kubectl -n ${credential.pod.namespace} get certificates.cert-manager.io`],
          scope: `handshakes for ${credential.server.hosts.join(', ')}`,
          risk: 'none',
          undo: 'nothing to undo',
        },
        verify: tryThroughGateway(situation, host, 'a status, without a certificate error'),
        wouldDecide: null,
        about: 'call',
      })
    }
    return quiet
  },
})
