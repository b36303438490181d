import { fired, type Hit } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { quoteLine, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hiddenResets, isCutInbound } from '../lib/app-answers.ts'
import { quotePassing, quoteSign, serverLines, share } from '../lib/front.ts'
import { hitOf, signMissing } from '../lib/make-hit.ts'
import { answeringText, replicasOf } from '../lib/replicas.ts'
import { type Connections, connectionsOf, isShorter, isTimer, looksLikeKeepAlive } from '../lib/upstream-connections.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

/** The request reached the application, and the application hung up instead of answering. */
export default defineRule({
  code: 'app-closes-connection',
  layer: 'app',
  severity: 'error',
  explains: ['503', 'reset', '502'],
  title: 'The application closes the connection without an answer',
  why: 'The destination’s proxy had a connection to its application, sent the request, and the application closed it before a response began. The mesh delivered; what failed is behind it.',
  needs: [['server.accessLog', 'client.accessLog', 'gateway.accessLog']],
  yieldsTo: ['uc-pod-shutdown'],
  check(situation) {
    const lines = serverLines(situation, isCutInbound)
    const hidden = hiddenResets(situation, 'connection termination')
    if (lines.length === 0 && hidden.length > 0) return fired(unseenHit(situation, hidden))
    if (lines.length === 0)
      return signMissing(situation, "no line of the destination's proxy shows a connection that the application closed")
    const connections = connectionsOf(situation, lines)
    if (looksLikeKeepAlive(connections) && isTimer(connections))
      return signMissing(situation, 'only connections that had been idle were cut')
    return fired(closesHit(situation, connections))
  },
})

function closesHit(situation: Situation, { cuts, survivedMs, isWhole }: Connections): Hit {
  const destination = destinationName(situation)
  const fresh = cuts.filter(({ earlier }) => earlier === 0)
  const busy = cuts.filter(({ idleMs }) => idleMs !== null && isShorter(idleMs, survivedMs.at(-1) ?? 0))
  // A cut on a connection that carried nothing before, or right after an answer, is no timer of an idle connection.
  const isProven = (fresh.length > 0 && (isWhole || fresh.length > 2)) || busy.length > 1
  const gone = situation.server.pods.filter(({ terminating }) => terminating)
  const lines = cuts.map(({ line }) => line)
  const evidence = fresh.at(-1) ?? busy.at(-1) ?? cuts.at(-1)
  const replicas = replicasOf(situation, lines)
  const pod = replicas.failing.at(-1) ?? situation.server.pod
  const container = pod?.ports.find(({ port }) => port === situation.server.port?.containerPort)?.container
  return hitOf({
    subject: destination,
    title: `The application ${replicas.text.startsWith('pod ') ? `of ${replicas.text},` : `behind ${destination}`} closes connections without answering`,
    statement: `The destination's proxy logged UC on its inbound cluster for ${share(situation, lines)}: the request was delivered and the connection ended before a response. ${
      fresh.length > 0
        ? `${fresh.length} of these connections had carried no request before, so no idle timer explains it.`
        : `They had been idle for ${Math.min(...cuts.map(({ idleMs }) => idleMs ?? 0))} ms and more, and others survived ${survivedMs.at(-1) ?? 0} ms.`
    }${answeringText(replicas)}`,
    certainty: isProven && gone.length === 0 ? 'proven' : 'likely',
    supporting: [
      ...(evidence ? [quoteLine(evidence.line, `the application hung up (${share(situation, lines)})`)] : []),
      ...(evidence && evidence.earlier === 0 && evidence.line.record.upstreamLocal
        ? [
            quoteLine(
              evidence.line,
              `no earlier line of this pod uses ${evidence.line.record.upstreamLocal}: the connection was new`,
            ),
          ]
        : []),
      ...quotePassing(situation, 'server'),
    ],
    fix: {
      statement: `Look at the application's own log at these times and repair the handler that ends the connection; nothing in the mesh needs to change. Do not add retries for requests that change something.`,
      commands: pod
        ? [`kubectl logs ${pod.name} -n ${pod.namespace}${container ? ` -c ${container}` : ''} --since=15m`]
        : [],
      scope: `the application behind ${destination}`,
      risk: 'none: reading a log',
      undo: 'nothing to undo',
    },
    verify: tryAgain(situation, 'an answer, and no UC in the new line of the destination’s proxy'),
    wouldDecide:
      isProven && gone.length === 0
        ? null
        : {
            command: pod
              ? `kubectl logs ${pod.name} -n ${pod.namespace} -c istio-proxy --tail=-1`
              : "kubectl logs of the destination's proxy",
            why: 'connections (UPSTREAM_LOCAL_ADDRESS) that had carried nothing before, or had just answered, are cut by the application; only idle ones, by a timer',
          },
  })
}

/** The log of the destination's proxy is out of reach; the length of the body that it wrote is not. */
function unseenHit(situation: Situation, lines: readonly Line[]): Hit {
  const destination = destinationName(situation)
  const { pod } = situation.server
  return hitOf({
    subject: destination,
    title: `The application behind ${destination} closes connections, as far as the caller's side tells`,
    statement: `The answer of ${share(situation, lines)} is as long as the one that a proxy writes when its application ends the connection (reset reason: connection termination). Whether the application hangs up or only drops idle connections stands in the log of the destination's proxy.`,
    certainty: 'possible',
    supporting: quoteSign(
      situation,
      lines,
      `${lines.at(-1)?.record.bytesSent ?? '?'} bytes of answer: the text of a reset connection`,
    ),
    fix: {
      statement: 'Read the log of the destination’s proxy before anything is changed.',
      commands: [],
      scope: destination,
      risk: 'none: nothing changes',
      undo: 'nothing to undo',
    },
    verify: tryAgain(situation, 'an answer of the application'),
    wouldDecide: {
      command: `kubectl logs ${pod?.name ?? 'POD'} -n ${pod?.namespace ?? 'NAMESPACE'} -c istio-proxy`,
      why: 'lines with UC on an inbound cluster prove that the application ended the connection; if only idle connections are cut, it is a timer',
    },
  })
}
