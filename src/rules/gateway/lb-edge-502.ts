import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { answeredBefore, gatewayServices } from '../lib/gateway-service.ts'
import { hostOfCall, nameOfStored, publishes } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

/** Callers get 502 and the gateway has answered none: what stands before it did. */
export default defineRule({
  code: 'lb-edge-502',
  layer: 'lb-edge',
  severity: 'error',
  explains: ['502', '503'],
  title: '502 comes from the load balancer, not from the gateway',
  why: 'A load balancer answers 502 by itself when its health check fails, when it reuses a connection that the gateway has closed, or when it speaks another protocol (TLS, PROXY) than the gateway’s port. The gateway then has no line for the request.',
  needs: ['gateway.accessLog'],
  // That no 502 was logged means something only to who got one.
  applies: ({ gateway, symptom }) => gateway !== null && (symptom === '502' || symptom === '503'),
  check(situation) {
    const [seen] = situation.failing.flatMap(({ gateway }) => (gateway ? [gateway] : []))
    if (seen)
      return ruledOut(
        `the gateway has a line for the ${situation.symptom}`,
        quoteLine(seen, 'the request reached the gateway'),
      )
    // An empty log says nothing: logging may be off.
    if (situation.logState('gateway') !== 'lines') return quiet
    const [pod] = situation.gateway?.pods ?? []
    const entry = situation.entries.find(({ key, status }) => key === 'gateway.accessLog' && status === 'ok')
    const named = hostOfCall(situation, null)
    const reachesUs = situation.linesAt('gateway').length > 0 || named === null || publishes(situation, named)
    // A host that nothing here serves has no reason to come this way.
    if (!pod || !entry || !reachesUs) return quiet
    const host = named ?? 'this host'
    const before = answeredBefore(situation)
    // A 503 is what proxies of the mesh say, too: only a response that names its writer speaks against them.
    if (situation.symptom === '503' && before === null) return quiet
    const health = gatewayServices(situation).map((service) => nameOfStored(service))
    return fired({
      subject: 'load balancer',
      title: `The gateway logged no ${situation.symptom} for ${host}: the load balancer before it answered`,
      statement: `The access log of ${podLabel(pod)} holds lines, and none of them is a ${situation.symptom} for ${host}. What callers get was made before the request reached the gateway.`,
      certainty: before !== null ? 'proven' : 'likely',
      supporting: [
        ...(before === null ? [] : [quote('given', 'who wrote the response', `server: ${before}`)]),
        quote(
          entry.id,
          `the gateway's log was read: ${situation.linesAt('gateway').length} lines of this host, none with ${situation.symptom}`,
        ),
      ],
      contradicting: [],
      fix: {
        statement:
          'At the load balancer, let the health check ask port 15021, path /healthz/ready, speak the protocol of the target port, and keep idle connections shorter than the gateway does (one hour unless set); nothing in the mesh changes.',
        commands: health
          .slice(0, 1)
          .map((name) => `kubectl -n ${name.split('/')[0]} get service ${name.split('/')[1]} -o yaml`),
        scope: 'the load balancer',
        risk: 'other services behind the same balancer may share its settings',
        undo: 'restore the settings of the balancer',
      },
      verify: tryThroughGateway(situation, host, 'the status of the application, several times in a row'),
      wouldDecide:
        before !== null
          ? null
          : {
              command: `kubectl -n ${pod.namespace} get service -o wide`,
              why: 'it shows whose the external address is: the log and the target health of that balancer say why it answered by itself',
            },
      about: 'call',
    })
  },
})
