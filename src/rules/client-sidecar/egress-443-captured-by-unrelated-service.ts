import { fired, quiet } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { capturedPort, quoteCaptor } from '../lib/captured-port.ts'
import { objectName, refOfObject } from '../lib/cluster.ts'
import { editFix, hitOf } from '../lib/make-hit.ts'
import { callerName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** A service elsewhere in the mesh takes port 443 for everybody. */
export default defineRule({
  code: 'egress-443-captured-by-unrelated-service',
  layer: 'client-sidecar-listener',
  severity: 'error',
  explains: ['404', '503', 'tls', 'reset', '400', '502'],
  title: 'A service elsewhere in the mesh takes port 443 for everybody',
  why: 'A Service or ServiceEntry that declares port 443 as http, grpc or tcp without an own address makes every proxy treat all traffic of that port as traffic for it, TLS to any outside host included.',
  needs: [['client.accessLog', 'client.listeners']],
  applies: ({ gateway, client }) => gateway === null && client.pods.length > 0,
  check(situation) {
    const captured = capturedPort(situation)
    const destination = destinationName(situation)
    if (
      !captured ||
      !(
        situation.server.external &&
        captured.port === 443 &&
        captured.owner?.object.kind !== 'ServiceEntry' &&
        captured.owner?.object.spec?.type !== 'ExternalName'
      )
    )
      return quiet
    const { host, port, owner, line } = captured
    const who = owner ? objectName(owner.object) : (host ?? 'another service')
    const seen = line !== null && line.record.upstreamCluster !== null
    return fired(
      hitOf({
        subject: who,
        title: `${who} takes port ${port} of every caller, also for ${destination}`,
        statement: `The proxy of ${callerName(situation)} has one listener for all addresses of port ${port}${host ? `, and it leads to ${host}` : ', and it parses what arrives as HTTP'}. TLS to ${destination} ends there.`,
        certainty: seen && situation.failing.length > 0 ? 'proven' : 'likely',
        supporting: [...captured.quotes, ...quoteCaptor(captured)],
        fix: owner
          ? editFix(
              refOfObject(owner.object),
              `Name port ${port} of ${who} https or tls (or limit who is shown it with exportTo); keep its other ports.`,
              `every proxy that is shown ${who}`,
              'callers of that service are routed anew',
            )
          : handOver(
              `Name port ${port} of ${who} https or tls (or limit who is shown it with exportTo); keep its other ports.`,
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
