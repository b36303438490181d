import { fired, quiet } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { capturedPort, quoteCaptor } from '../lib/captured-port.ts'
import { objectName, refOfObject } from '../lib/cluster.ts'
import { editFix, hitOf } from '../lib/make-hit.ts'
import { callerName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** A TCP ServiceEntry without address takes its port for everybody. */
export default defineRule({
  code: 'serviceentry-tcp-no-address',
  layer: 'client-sidecar-listener',
  severity: 'error',
  explains: ['reset', 'timeout', '503', 'tls', 'not-applied'],
  title: 'A TCP ServiceEntry without address takes its port for everybody',
  why: 'Proxies tell TCP services apart by address. A ServiceEntry for TCP without addresses takes every connection of its port, wherever it was meant to go.',
  needs: [['client.accessLog', 'client.listeners']],
  applies: ({ gateway, client }) => gateway === null && client.pods.length > 0,
  check(situation) {
    const captured = capturedPort(situation)
    const destination = destinationName(situation)
    if (
      !captured ||
      !(
        captured.as === 'tcp' &&
        captured.owner?.object.kind === 'ServiceEntry' &&
        !(captured.owner.object.spec?.addresses?.length > 0)
      )
    )
      return quiet
    const { host, port, owner, line } = captured
    const who = owner ? objectName(owner.object) : (host ?? 'another service')
    const seen = line !== null && line.record.upstreamCluster !== null
    return fired(
      hitOf({
        subject: who,
        title: `${who} takes all connections to port ${port}, also those to ${destination}`,
        statement: `The proxy of ${callerName(situation)} has one listener for all addresses of port ${port}${host ? `, and it leads to ${host}` : ', and it parses what arrives as HTTP'}. ${who} declares that port as TCP and has no addresses, so connections to ${destination} go there.`,
        certainty: seen && situation.failing.length > 0 ? 'proven' : 'likely',
        supporting: [...captured.quotes, ...quoteCaptor(captured)],
        fix: owner
          ? editFix(
              refOfObject(owner.object),
              `Give ${who} addresses, or let proxies assign them (ISTIO_META_DNS_CAPTURE and automatic addresses); keep its hosts and ports.`,
              `every proxy that is shown ${who}`,
              'callers of that service are routed anew',
            )
          : handOver(
              `Give ${who} addresses, or let proxies assign them (ISTIO_META_DNS_CAPTURE and automatic addresses); keep its hosts and ports.`,
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
