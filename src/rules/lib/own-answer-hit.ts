import { fired, quiet, type RuleOutcome } from '../../model/finding.ts'
import type { Situation } from '../../situation/situation.ts'
import { appAnswer, hiddenAnswer } from './app-answers.ts'
import { quotePassing, quoteSign, share } from './front.ts'
import { hitOf, signMissing } from './make-hit.ts'
import { resetReasonOf } from './proxy-body.ts'
import { destinationName, plural, tryAgain } from './words.ts'

/** The application itself gave the status that callers complain about. */
export function ownAnswer(situation: Situation, fits: (code: number) => boolean, advice: string): RuleOutcome {
  const answers = situation.failing.flatMap((exchange) => {
    const line = appAnswer(situation, exchange)
    return line && fits(line.record.code ?? 0) ? [line] : []
  })
  const last = answers.at(-1)
  if (!last) return unseen(situation, fits)
  const destination = destinationName(situation)
  const { code, path, upstreamTimeMs } = last.record
  const pod = last.role === 'server' ? last.pod : situation.server.pod
  const container = pod?.ports.find(({ port }) => port === situation.server.port?.containerPort)?.container
  const outside = situation.server.external
  const passing = situation.passing.length
  return fired(
    hitOf({
      subject: destination,
      title: `${outside ? destination : `The application behind ${destination}`} itself answers ${code}${path ? ` for ${path}` : ''}`,
      statement: `In ${share(situation, answers)} the last proxy before it passed on ${code} as it came (via_upstream, no flag${upstreamTimeMs === null ? '' : `, after ${upstreamTimeMs} ms`}). ${
        passing > 0 ? `${plural(passing, 'other request')} of the same call passed. ` : ''
      }The mesh delivered the request and the answer.`,
      certainty: 'proven',
      supporting: [
        ...quoteSign(situation, answers, 'the answer came from behind the last proxy'),
        ...quotePassing(situation, 'server'),
      ],
      fix: {
        statement: advice,
        commands: pod
          ? [`kubectl logs ${pod.name} -n ${pod.namespace}${container ? ` -c ${container}` : ''} --since=15m`]
          : [],
        scope: outside ? destination : `the application behind ${destination}`,
        risk: 'none: nothing in the mesh changes',
        undo: 'nothing to undo',
      },
      verify: tryAgain(situation, `no ${code}`),
    }),
  )
}

/** The caller's proxy got the answer from further on, and nobody there could be asked. */
function unseen(situation: Situation, fits: (code: number) => boolean): RuleOutcome {
  const lines = situation.failing.flatMap((exchange) => {
    const line = hiddenAnswer(situation, exchange)
    // A body as long as one of Envoy's own was written by the destination's proxy.
    return line && fits(line.record.code ?? 0) && resetReasonOf(line.record.bytesSent) === null ? [line] : []
  })
  const last = lines.at(-1)
  if (!last)
    return situation.failing.length > 0 ? signMissing(situation, 'a proxy made the answer, not the application') : quiet
  const destination = destinationName(situation)
  const pod = situation.server.pod
  return fired(
    hitOf({
      subject: destination,
      title: `${destination} or its proxy answers ${last.record.code}`,
      statement: `The caller's side passed on ${last.record.code} from ${destination} in ${share(situation, lines)}. Whether its proxy or the application made it stands in the log of the destination's proxy, which could not be read.`,
      certainty: 'possible',
      supporting: quoteSign(situation, lines, 'the answer came from the destination or its proxy'),
      fix: {
        statement: 'Read the log of the destination’s proxy before anything is changed.',
        commands: [],
        scope: destination,
        risk: 'none: nothing changes',
        undo: 'nothing to undo',
      },
      verify: tryAgain(situation, `no ${last.record.code}`),
      wouldDecide: {
        command: `kubectl logs ${pod?.name ?? 'POD'} -n ${pod?.namespace ?? 'NAMESPACE'} -c istio-proxy`,
        why: `flag and details of the destination's line say whether the proxy or the application answered ${last.record.code}`,
      },
    }),
  )
}
