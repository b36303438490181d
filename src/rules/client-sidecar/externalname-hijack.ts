import { fired, quiet } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { capturedPort, quoteCaptor } from '../lib/captured-port.ts'
import { objectName, refOfObject } from '../lib/cluster.ts'
import { editFix, hitOf } from '../lib/make-hit.ts'
import { callerName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** An ExternalName Service takes its port for everybody. */
export default defineRule({
  code: 'externalname-hijack',
  layer: 'client-sidecar-listener',
  severity: 'error',
  explains: ['reset', 'timeout', '503', 'tls', '404', 'not-applied'],
  title: 'An ExternalName Service takes its port for everybody',
  why: 'Up to Istio 1.20 an ExternalName Service with a port that is not HTTP made proxies send all traffic of that port to the external name.',
  needs: [['client.accessLog', 'client.listeners']],
  applies: ({ gateway, client }) => gateway === null && client.pods.length > 0,
  check(situation) {
    const captured = capturedPort(situation)
    const destination = destinationName(situation)
    if (!captured || !(captured.owner?.object.spec?.type === 'ExternalName')) return quiet
    const { host, port, owner, line } = captured
    const who = owner ? objectName(owner.object) : (host ?? 'another service')
    const seen = line !== null && line.record.upstreamCluster !== null
    return fired(
      hitOf({
        subject: who,
        title: `${who} takes all traffic to port ${port}, also that to ${destination}`,
        statement: `The proxy of ${callerName(situation)} has one listener for all addresses of port ${port}${host ? `, and it leads to ${host}` : ', and it parses what arrives as HTTP'}. ${who} is an ExternalName Service, and connections to ${destination} go to the name it stands for.`,
        certainty: seen && situation.failing.length > 0 ? 'proven' : 'likely',
        supporting: [...captured.quotes, ...quoteCaptor(captured)],
        fix: owner
          ? editFix(
              refOfObject(owner.object),
              `Remove the port from ${who} (an ExternalName needs none), or name it as HTTP; keep its name.`,
              `every proxy that is shown ${who}`,
              'callers of that service are routed anew',
            )
          : handOver(
              `Remove the port from ${who} (an ExternalName needs none), or name it as HTTP; keep its name.`,
              `every proxy that is shown ${who}`,
            ),
        verify: tryAgain(situation, `an answer of ${destination} itself`),
        wouldDecide:
          seen && situation.failing.length > 0
            ? null
            : {
                command: `istioctl proxy-config listeners ${situation.client.pod?.name ?? 'POD'}.${situation.client.pod?.namespace ?? 'NAMESPACE'} --port ${port} -o json`,
                why: 'the chain that takes the connection, and its cluster, name who captures it',
              },
      }),
    )
  },
})
