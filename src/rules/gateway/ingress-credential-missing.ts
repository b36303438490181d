import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import {
  istiodOnCredential,
  quoteAtProxy,
  quoteSaid,
  quoteServer,
  type ServedCredential,
  servedCredentials,
} from '../lib/gateway-credentials.ts'
import { hostOfCall, nameOfStored } from '../lib/gateways.ts'
import { quoted, tryThroughGateway } from '../lib/words.ts'

/** The Secret that the Gateway names for this host is not beside the gateway's pods. */
export default defineRule({
  code: 'ingress-credential-missing',
  layer: 'gateway-tls',
  severity: 'error',
  explains: ['tls', 'reset'],
  title: 'The certificate that the Gateway names is not there',
  why: 'The Secret under `credentialName` has to be in the namespace of the gateway’s pods. Without it the gateway has nothing to answer a handshake with: it closes the connection and writes no access-log line.',
  needs: [['gateway.secrets', 'gateway.secretNames', 'gateway.analyze', 'server.analyze']],
  yieldsTo: ['proxy-nack-error'],
  seeAlso: ['https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/'],
  applies: ({ gateway, symptom, hints }) => gateway !== null && (symptom === 'tls' || hints.port === 443),
  check(situation) {
    const credentials = servedCredentials(situation)
    const [missing] = credentials.filter((one) => isMissing(situation, one))
    if (missing) return fired(missingCredential(situation, missing))
    const [active] = credentials.filter(({ atProxy }) => atProxy === 'active')
    if (active) return ruledOut(`the gateway has ${active.name}`, ...quoteAtProxy(active))
    const [present] = credentials.filter(({ exists }) => exists === true)
    if (present?.listEntry)
      return ruledOut(
        `Secret ${present.pod.namespace}/${present.name} exists`,
        quote(present.listEntry, 'it is in the list of Secrets', `secret/${present.name}`),
      )
    return quiet
  },
})

function analyzed(situation: Situation, { name, server }: ServedCredential) {
  return situation.analyze.find(
    ({ code, args, origin }) =>
      code === 'IST0101' &&
      args.reftype === 'credentialName' &&
      args.refval === name &&
      origin?.name === server.gateway.object.metadata.name,
  )
}

function isMissing(situation: Situation, credential: ServedCredential): boolean {
  // A Secret deleted under a running gateway stays in its memory: calls go on until the pod is replaced.
  if (credential.atProxy === 'active' || credential.exists === true) return false
  return (
    credential.exists === false ||
    analyzed(situation, credential) !== undefined ||
    notFound(situation, credential).length > 0
  )
}

function notFound(situation: Situation, credential: ServedCredential) {
  return istiodOnCredential(situation, credential, 'credential-missing').filter(({ said }) =>
    /not found/.test(said.reason ?? ''),
  )
}

function missingCredential(situation: Situation, credential: ServedCredential): Hit {
  const { name, pod, server, exists, listEntry, atProxy } = credential
  const host = hostOfCall(situation, null) ?? 'this name'
  const finding = analyzed(situation, credential)
  const gateway = nameOfStored(server.gateway)
  const elsewhere = situation.store.list('Secret').find(({ object }) => object.metadata.name === name)
  const proven = atProxy !== 'unread'
  return {
    subject: `Secret ${pod.namespace}/${name}`,
    title: `Gateway ${gateway} names Secret ${name} for ${host}, and there is none in ${pod.namespace}`,
    statement: `Server ${server.index} of Gateway ${gateway} takes its certificate from Secret ${name}, which has to be in ${pod.namespace}, where the gateway's pods run. It is not there${
      atProxy === 'warming' ? ', and the gateway still waits for it' : ''
    }. Without a certificate the gateway closes every handshake for ${host}, before any access log.`,
    certainty: proven ? 'proven' : 'likely',
    supporting: [
      quoteServer(credential),
      ...quoteAtProxy(credential),
      ...(finding ? [quote(finding.entry, 'istioctl analyze says so', `${finding.code} ${finding.message}`)] : []),
      ...(exists === false && listEntry
        ? [quote(listEntry, `the Secrets of ${pod.namespace} were listed, and ${name} is none of them`)]
        : []),
      ...quoteSaid(notFound(situation, credential)),
    ],
    contradicting: [],
    fix: {
      statement: `Create Secret ${name} of type kubernetes.io/tls with the certificate for ${host} in ${pod.namespace}${
        elsewhere ? ` (one of that name is in ${elsewhere.object.metadata.namespace})` : ''
      }, or write the name of the Secret that is there under credentialName. No restart is needed.`,
      commands: [`kubectl -n ${pod.namespace} create secret tls ${quoted(name)} --cert=CERTIFICATE.pem --key=KEY.pem`],
      scope: `handshakes for ${server.hosts.join(', ')} on port ${server.port ?? '?'}`,
      risk: 'none for other servers of the gateway',
      undo: `delete Secret ${name} again`,
    },
    verify: tryThroughGateway(situation, host, 'a status instead of a failed handshake'),
    wouldDecide: proven
      ? null
      : {
          command: `istioctl proxy-config secret ${pod.name}.${pod.namespace}`,
          why: `an ACTIVE row for ${name} means that the gateway still holds a copy; none proves that it has lost it`,
        },
    about: 'call',
  }
}
