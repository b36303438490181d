import { isGrpcRequest } from '../../mesh/answered-status.ts'
import { fired } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { isInbound } from '../lib/app-answers.ts'
import { quotePassing, quoteSign, serverLines, share } from '../lib/front.ts'
import { hitOf, signMissing } from '../lib/make-hit.ts'
import { speaksHttp2 } from '../lib/port-protocol.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The application's answer breaks the rules of HTTP, and the proxy in front of it does not pass it on. */
export default defineRule({
  code: 'invalid-upstream-headers',
  layer: 'app',
  severity: 'error',
  explains: ['502', '503'],
  title: 'The application answers in invalid HTTP',
  why: 'A proxy drops an answer that is no valid HTTP: two Transfer-Encoding headers, a Content-Length beside chunks, forbidden characters. Lenient clients that ask the application directly do not notice.',
  needs: ['server.accessLog'],
  yieldsTo: ['grpc-on-http1-port'],
  check(situation) {
    const lines = serverLines(
      situation,
      ({ record }) =>
        isInbound(record.upstreamCluster) &&
        (record.flags.includes('UPE') || /\{protocol_error/.test(record.details ?? '')),
    )
    if (lines.length === 0)
      return signMissing(situation, "no line of the destination's proxy objects to the application's answer")
    const destination = destinationName(situation)
    const { server } = situation
    // HTTP/2 towards an application that only knows HTTP/1.1 looks the same.
    const isGrpc = lines.some(({ record }) => isGrpcRequest(record))
    const isSure =
      !speaksHttp2(server.port) && !isGrpc && (situation.passing.length > 0 || server.port?.protocol === 'http')
    const pod = lines.at(-1)?.pod ?? server.pod
    const port = server.port?.containerPort ?? server.portNumber
    return fired(
      hitOf({
        subject: destination,
        title: `The application behind ${destination} answers in HTTP that its proxy must reject`,
        statement: `The destination's proxy ended ${share(situation, lines)} with a protocol error of its own application (UPE on the inbound cluster).${
          situation.passing.length > 0 ? ' Other requests pass, so the protocol as such fits.' : ''
        }`,
        certainty: isSure ? 'proven' : 'likely',
        supporting: [
          ...quoteSign(situation, lines, 'the answer of the application was no valid HTTP'),
          ...quotePassing(situation, 'server'),
        ],
        fix: {
          ...handOver(
            'Repair the headers of this answer in the application: one Transfer-Encoding or one Content-Length, never both; no blanks or control characters in names.',
            `the application behind ${destination}`,
          ),
          commands: pod
            ? [
                `kubectl exec -n ${pod.namespace} ${pod.name} -- curl -sv -o /dev/null http://localhost:${port ?? 'PORT'}/`,
              ]
            : [],
        },
        verify: tryAgain(situation, 'no UPE in the new line of the destination’s proxy'),
        wouldDecide: isSure
          ? null
          : {
              command: pod
                ? `kubectl exec -n ${pod.namespace} ${pod.name} -- curl -sv -o /dev/null http://localhost:${port ?? 'PORT'}/`
                : 'curl -v against the application itself',
              why: 'the raw headers of the answer show what the proxy rejects',
            },
      }),
    )
  },
})
