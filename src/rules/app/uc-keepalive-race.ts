import { fired } from '../../model/finding.ts'
import { quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { isCutInbound } from '../lib/app-answers.ts'
import { refOfObject, ruleFor } from '../lib/cluster.ts'
import { quotePassing, serverLines, share } from '../lib/front.ts'
import { editFix, hitOf, signMissing } from '../lib/make-hit.ts'
import { connectionsOf, isTimer, looksLikeKeepAlive } from '../lib/upstream-connections.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** Proxy and application both keep idle connections; the application lets go first, just as a request arrives. */
export default defineRule({
  code: 'uc-keepalive-race',
  layer: 'app',
  severity: 'error',
  explains: ['503', 'reset'],
  title: 'The application drops idle connections before the proxy does',
  why: 'A proxy keeps connections to its application for reuse. Where the application closes idle ones after a few seconds, now and then a request goes out on a connection that is being closed, and gets 503.',
  needs: ['server.accessLog'],
  yieldsTo: ['uc-pod-shutdown'],
  check(situation) {
    const lines = serverLines(situation, isCutInbound)
    if (lines.length === 0)
      return signMissing(situation, "no line of the destination's proxy shows a connection that the application closed")
    const connections = connectionsOf(situation, lines)
    if (!looksLikeKeepAlive(connections))
      return signMissing(situation, 'connections were cut that had just been opened or used')
    const { cuts, survivedMs } = connections
    const gaps = cuts.map(({ idleMs }) => idleMs ?? 0)
    const shortest = Math.min(...gaps)
    const longest = survivedMs.at(-1) ?? null
    const destination = destinationName(situation)
    const [rule] = (situation.server.host ? ruleFor(situation, situation.server.host) : null)?.objects ?? []
    const timer = Math.floor(shortest / 1000)
    // One cut could be chance; several beyond a gap that none survives are a timer.
    const isProven =
      isTimer(connections) &&
      cuts.length > 2 &&
      survivedMs.length > 2 &&
      situation.server.pods.every(({ terminating }) => !terminating)
    const statement = `Set the application's keep-alive above the proxy's idle timeout, or connectionPool.http.idleTimeout for ${destination} below ${timer > 0 ? `${timer}s` : `${shortest}ms`}.`
    return fired(
      hitOf({
        subject: destination,
        title: `${destination} closes idle connections after ${timer > 0 ? `about ${timer} s` : `${shortest} ms`}, while its proxy still uses them`,
        statement: `All ${cuts.length} cut connections had been idle, for ${shortest} ms or more${longest === null ? '' : `; reused ones that worked had been idle for at most ${longest} ms`}. The application closes first and the proxy's next request is lost.`,
        certainty: isProven ? 'proven' : 'likely',
        supporting: [
          ...cuts
            .slice(-2)
            .map(({ line, idleMs, earlier }) =>
              quoteLine(
                line,
                `cut after ${idleMs} ms of silence; the connection had answered ${earlier} requests (${share(situation, lines)})`,
              ),
            ),
          ...quotePassing(situation, 'server'),
        ],
        fix: rule
          ? editFix(
              refOfObject(rule),
              `${statement} Keep the rule's other settings.`,
              `connections towards ${destination}`,
              'connections are opened a little more often',
            )
          : {
              ...handOver(statement, `connections towards ${destination}`),
              risk: 'connections are opened a little more often',
              undo: 'set the old keep-alive again, or take the DestinationRule out',
            },
        verify: tryAgain(situation, 'no UC in the lines of the destination’s proxy over an hour of the usual traffic'),
        wouldDecide: isProven
          ? null
          : {
              command: `kubectl logs ${lines.at(-1)?.pod?.name ?? 'POD'} -n ${lines.at(-1)?.pod?.namespace ?? 'NAMESPACE'} -c istio-proxy --tail=-1`,
              why: 'more lines tell: if only connections beyond one idle time are cut (silence between two lines with the same UPSTREAM_LOCAL_ADDRESS), it is this timer; if equally idle ones survive, the application hangs up',
            },
      }),
    )
  },
})
