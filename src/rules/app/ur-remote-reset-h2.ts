import { defineRule } from '../define-rule.ts'
import { isInbound } from '../lib/app-answers.ts'
import { anyLog, decidedByLine } from '../lib/decided-by-line.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The other side ended one HTTP/2 stream and kept the connection. */
export default defineRule({
  code: 'ur-remote-reset-h2',
  layer: 'app',
  severity: 'error',
  explains: ['503', 'reset', '500'],
  title: 'The next hop resets the stream',
  why: 'In HTTP/2 either side may end one request without closing the connection. The proxy reports it as UR; who did it stands in the line of the hop nearest to the application.',
  needs: [anyLog],
  yieldsTo: ['uc-pod-shutdown'],
  check: (situation) =>
    decidedByLine(
      situation,
      ({ record }) =>
        record.kind === 'http' &&
        (record.flags.includes('UR') || /remote_(?:refused_stream_)?reset/.test(record.details ?? '')),
      'no line speaks of a reset stream',
      ({ who, often, line, where }) => {
        const byApp = where === 'server' && isInbound(line.record.upstreamCluster)
        return {
          subject: destinationName(situation),
          title: byApp
            ? `The application behind ${destinationName(situation)} resets the stream`
            : `The hop after ${who} resets the stream to ${destinationName(situation)}`,
          statement: `${who} logged ${line.record.details ?? 'UR'} for ${often}. ${byApp ? 'Behind it stands only the application.' : 'The line of the next hop, which would say who did it, was not read or does not exist.'}`,
          certainty: byApp ? 'proven' : 'likely',
          sign: 'the stream was reset from further on',
          fix: handOver(
            'Look at the application’s own log at these times: handlers that end a call early, limits of streams per connection, restarts.',
            destinationName(situation),
          ),
          verify: tryAgain(situation, 'no UR in the new line, with the real client'),
          wouldDecide: byApp
            ? null
            : {
                command: `kubectl logs ${situation.server.pod?.name ?? 'POD'} -n ${situation.server.pod?.namespace ?? 'NAMESPACE'} -c istio-proxy`,
                why: "the destination's line of the same request says whether its proxy or the application reset it",
              },
        }
      },
    ),
})
