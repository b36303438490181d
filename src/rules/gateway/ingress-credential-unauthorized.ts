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
import { hostOfCall } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

/** The Secret exists, and istiod does not hand it out: the gateway's service account may not read Secrets. */
export default defineRule({
  code: 'ingress-credential-unauthorized',
  layer: 'gateway-tls',
  severity: 'error',
  explains: ['tls', 'reset'],
  title: 'The gateway may not read the certificate it needs',
  why: 'istiod gives a Secret only to a gateway whose service account may read Secrets in its own namespace. Without that Role the Secret exists, and the gateway waits for it forever.',
  needs: [['mesh.istiodLog', 'gateway.secrets']],
  seeAlso: ['https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/'],
  applies: ({ gateway, symptom, hints }) => gateway !== null && (symptom === 'tls' || hints.port === 443),
  check(situation) {
    const credentials = servedCredentials(situation)
    for (const credential of credentials) {
      const refusals = istiodOnCredential(situation, credential, 'unauthorized-certificates')
      if (credential.atProxy === 'active')
        return ruledOut(`the gateway has ${credential.name}`, ...quoteAtProxy(credential))
      if (refusals.length > 0) return fired(unauthorized(situation, credential, refusals))
      // There, not arrived, and nobody said why: istiod's log may be too short.
      if (credential.atProxy === 'warming' && credential.exists === true && !saidOtherwise(situation, credential))
        return fired(unauthorized(situation, credential, []))
    }
    return quiet
  },
})

function saidOtherwise(situation: Situation, credential: ServedCredential): boolean {
  return (
    istiodOnCredential(situation, credential, 'credential-missing').length > 0 ||
    situation.analyze.some(({ code }) => code === 'IST0161')
  )
}

function unauthorized(
  situation: Situation,
  credential: ServedCredential,
  refusals: ReturnType<typeof istiodOnCredential>,
): Hit {
  const { name, pod, exists, listEntry } = credential
  const host = hostOfCall(situation, null) ?? 'this name'
  const account = `${pod.serviceAccount}.${pod.namespace}`
  const proven = refusals.length > 0 && credential.atProxy !== 'unread'
  return {
    subject: `ServiceAccount ${pod.namespace}/${pod.serviceAccount}`,
    title: `The gateway's service account ${account} may not read Secret ${name}, so ${host} has no certificate`,
    statement: `Secret ${pod.namespace}/${name} ${exists === false ? 'was not found in the list' : 'is there'}, but ${
      refusals.length > 0
        ? `istiod refused to give it to ${pod.name}: its service account ${pod.serviceAccount} is not allowed to read Secrets`
        : `it has not arrived at ${pod.name}, and no other reason was found`
    }. The gateway closes every handshake for ${host} without a line in its access log.`,
    certainty: proven ? 'proven' : refusals.length > 0 ? 'likely' : 'possible',
    supporting: [
      ...quoteSaid(refusals),
      ...quoteAtProxy(credential),
      ...(exists && listEntry ? [quote(listEntry, 'the Secret exists', `secret/${name}`)] : []),
      quoteServer(credential),
    ],
    contradicting: [],
    fix: {
      statement: `Give service account ${pod.serviceAccount} a Role in ${pod.namespace} that allows get, list and watch on Secrets, as the gateway's installation would; leave the Secret and the Gateway as they are.`,
      commands: [
        `kubectl -n ${pod.namespace} create role ${pod.serviceAccount}-secrets --verb=get,list,watch --resource=secrets`,
        `kubectl -n ${pod.namespace} create rolebinding ${pod.serviceAccount}-secrets --role=${pod.serviceAccount}-secrets --serviceaccount=${pod.namespace}:${pod.serviceAccount}`,
      ],
      scope: `what ${account} may read in ${pod.namespace}: all Secrets of that namespace`,
      risk: 'the gateway can then read every Secret of its namespace: keep other Secrets elsewhere',
      undo: `kubectl -n ${pod.namespace} delete rolebinding,role ${pod.serviceAccount}-secrets`,
    },
    verify: tryThroughGateway(situation, host, 'a status instead of a failed handshake'),
    wouldDecide: proven
      ? null
      : {
          command: `kubectl auth can-i list secrets -n ${pod.namespace} --as=system:serviceaccount:${pod.namespace}:${pod.serviceAccount}`,
          why: 'no means that the gateway’s service account may not read Secrets, which proves it',
        },
    about: 'call',
  }
}
