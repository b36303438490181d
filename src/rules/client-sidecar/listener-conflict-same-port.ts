import { fired, quiet } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { capturedPort, quoteCaptor } from '../lib/captured-port.ts'
import { objectName, refOfObject } from '../lib/cluster.ts'
import { editFix, hitOf } from '../lib/make-hit.ts'
import { callerName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The listener of the port speaks HTTP, and the call does not. */
export default defineRule({
  code: 'listener-conflict-same-port',
  layer: 'client-sidecar-listener',
  severity: 'error',
  explains: ['reset', 'timeout', '400', 'tls'],
  title: 'The listener of the port speaks HTTP, and the call does not',
  why: 'Without an own address for the destination, a proxy has one listener for a port. Where another Service declares the same number as HTTP, TCP traffic of that port is parsed as HTTP and breaks.',
  needs: [['client.accessLog', 'client.listeners']],
  applies: ({ gateway, client }) => gateway === null && client.pods.length > 0,
  check(situation) {
    const captured = capturedPort(situation)
    const destination = destinationName(situation)
    if (!captured || !(captured.as === 'http' && !situation.server.external)) return quiet
    const { host, port, owner, line } = captured
    const who = owner ? objectName(owner.object) : (host ?? 'another service')
    const seen = line !== null && line.record.upstreamCluster !== null
    return fired(
      hitOf({
        subject: who,
        title: `Another Service declares port ${port} as HTTP, so TCP to ${destination} is parsed as HTTP`,
        statement: `The proxy of ${callerName(situation)} has one listener for all addresses of port ${port}${host ? `, and it leads to ${host}` : ', and it parses what arrives as HTTP'}. ${destination} declares it as TCP and has no address of its own, so the listener of the other Service takes its connections.`,
        certainty: seen && situation.failing.length > 0 ? 'proven' : 'likely',
        supporting: [...captured.quotes, ...quoteCaptor(captured)],
        fix: owner
          ? editFix(
              refOfObject(owner.object),
              `Give ${destination} a port number that no HTTP service uses, or a cluster IP instead of a headless Service; keep its selector.`,
              `every proxy that is shown ${who}`,
              'callers of that service are routed anew',
            )
          : handOver(
              `Give ${destination} a port number that no HTTP service uses, or a cluster IP instead of a headless Service; keep its selector.`,
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
