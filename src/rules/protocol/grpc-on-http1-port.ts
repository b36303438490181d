import { isGrpcRequest } from '../../mesh/answered-status.ts'
import { fired } from '../../model/finding.ts'
import { quoteLine, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { isInbound } from '../lib/app-answers.ts'
import { anyLog, findLine } from '../lib/decided-by-line.ts'
import { quoteSign, refOf } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { speaksHttp2 } from '../lib/port-protocol.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** One side speaks HTTP/2, the other was told HTTP/1. The name of the Service's port decides what proxies speak. */
export default defineRule({
  code: 'grpc-on-http1-port',
  layer: 'protocol',
  severity: 'error',
  explains: ['502', '503', '500', '400', 'reset'],
  title: 'HTTP/2 and HTTP/1 meet at a port that declares the other one',
  why: 'Proxies speak HTTP/1.1 to a port called http and HTTP/2 to one called grpc or http2. An application that only knows the other version breaks off, and the proxy reports a protocol error.',
  needs: [anyLog],
  seeAlso: ['https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/'],
  check(situation) {
    const found = findLine(
      situation,
      ({ record }, where) => record.flags.includes('UPE') && (where !== 'server' || isInbound(record.upstreamCluster)),
    )
    if (!found) return signMissing(situation, 'no line speaks of a protocol error of the next hop')
    const { line, where, lines, who, often } = found
    const { port, service } = situation.server
    const http2 = speaksHttp2(port)
    // The other half: the destination's proxy could not parse what came, at the same time.
    const parse = situation
      .linesAt('server')
      .find(({ record }) => /codec_error/.test(record.details ?? '') && near(record.time, line.record.time))
    const fromGrpc = (line.record.protocol === 'HTTP/2' || isGrpcRequest(line.record)) && !http2
    const towardsHttp1 = http2 && where === 'server' && situation.passing.length === 0
    if (!parse && !fromGrpc && !towardsHttp1)
      return signMissing(situation, 'the protocols of both sides fit as far as was read')
    const destination = destinationName(situation)
    const isProven = parse !== undefined && !http2
    const declared = port
      ? `port ${port.port} is called ${port.name ?? 'nothing'}${port.appProtocol ? ` with appProtocol ${port.appProtocol}` : ''}`
      : 'its port could not be read'
    const change = http2
      ? `Name the port of ${destination} http (or set appProtocol: http) if the application speaks HTTP/1.1`
      : `Name the port of ${destination} grpc-… or http2-… (or set appProtocol: grpc) if the application speaks HTTP/2`
    return fired(
      hitOf({
        subject: destination,
        title: `${destination} is declared as ${http2 ? 'HTTP/2' : 'HTTP/1'} and ${http2 ? 'its application does not speak it' : 'is called with HTTP/2'}`,
        statement: `${who} ended ${often} with a protocol error of the next hop (UPE); ${declared}, so proxies speak ${http2 ? 'HTTP/2' : 'HTTP/1.1'} to it.${parse ? " The destination's proxy could not parse what arrived." : ''}`,
        certainty: isProven ? 'proven' : 'likely',
        supporting: [
          ...quoteSign(situation, lines, 'the next hop broke the protocol'),
          ...(parse ? [quoteLine(parse, "the destination's proxy could not parse it")] : []),
          ...(service
            ? [quoteObject(service, 'what the Service declares', { ports: service.object.spec?.ports })]
            : []),
        ],
        fix: service
          ? editFix(
              refOf(service),
              `${change}; keep its number, targetPort and the other ports.`,
              `every caller of ${destination} on this port`,
              'callers of the other version break instead: make sure what the application speaks',
            )
          : handOver(`${change}.`, destination),
        verify: tryAgain(situation, 'no UPE in the new line, with the real client'),
        wouldDecide: isProven
          ? null
          : {
              command: `kubectl get service -n ${situation.server.namespace ?? 'NAMESPACE'} -o yaml`,
              why: 'it shows name and appProtocol of the port: one that does not say gRPC or HTTP/2, while the application speaks it, proves it',
            },
      }),
    )
  },
})

function near(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && Math.abs(Date.parse(a) - Date.parse(b)) < 1000
}
