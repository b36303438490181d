import { fired, ruledOut } from '../../model/finding.ts'
import { quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { frontLines, frontName, quoteSign, share } from '../lib/front.ts'
import { hitOf, signMissing } from '../lib/make-hit.ts'
import { callerName, destinationName, handOver, tryAgain } from '../lib/words.ts'

/** The caller hung up first. The outermost proxy's line counts: further in, a hang-up is the echo of a timeout before it. */
export default defineRule({
  code: 'dc-client-gave-up',
  layer: 'client',
  severity: 'error',
  explains: ['timeout', '504', 'reset', 'slow'],
  title: 'The caller hangs up before the answer comes',
  why: 'A caller with a timeout of its own closes the connection when it is over. The proxies only see that nobody waits any more; the limit is in the caller.',
  needs: [['client.accessLog', 'gateway.accessLog']],
  yieldsTo: ['ut-route-timeout', 'retry-multiplied-timeout'],
  check(situation) {
    const signs = frontLines(
      situation,
      ({ record }) =>
        record.details === 'downstream_remote_disconnect' ||
        record.details === 'http2.remote_reset' ||
        ((record.flags.includes('DC') || record.flags.includes('DR')) && record.details === null),
    ).filter(({ role }) => role !== 'waypoint')
    // Whoever waits for an injected delay hangs up because of it.
    const held = signs.find(({ line }) => line.record.flags.includes('DI'))
    if (held)
      return ruledOut('the caller hung up while an injected delay held the request back', quoteLine(held.line, 'DI'))
    const last = signs.at(-1)
    if (!last) return signMissing(situation, 'the caller did not hang up')
    // Who hung up itself sees no status: a 504 was written by something between the caller and the gateway.
    if (last.role === 'gateway' && (situation.symptom === '504' || situation.symptom === '502'))
      return ruledOut(
        `callers got ${situation.symptom}, so whoever hung up on the gateway is not the caller itself`,
        quoteLine(last.line, 'somebody before the gateway hung up'),
      )
    const waits = signs.flatMap(({ line }) => line.record.durationMs ?? [])
    const shortest = Math.min(...waits)
    const longest = Math.max(...waits)
    // The same wait again and again is a timer; one hang-up can be anything.
    const isTimer = waits.length > 1 && longest - shortest <= Math.max(100, longest * 0.1)
    const caller = last.role === 'gateway' ? 'The caller outside' : callerName(situation)
    const wait = isTimer ? `${Math.round((shortest + longest) / 2)} ms` : `${shortest} to ${longest} ms`
    return fired(
      hitOf({
        subject: caller,
        title: `${caller} hangs up after ${waits.length === 1 ? `${shortest} ms` : wait}, before ${destinationName(situation)} has answered`,
        statement: `${frontName(situation, last.role)} saw its caller close the connection in ${share(situation, signs)}, after ${waits.length === 1 ? `${shortest} ms` : wait}${isTimer ? ': always the same wait, so it is a timeout of the caller' : ''}. No proxy had given up.`,
        certainty: isTimer ? 'proven' : 'likely',
        supporting: quoteSign(
          situation,
          signs.map(({ line }) => line),
          'the caller closed the connection',
        ),
        fix: handOver(
          `Raise the caller's own timeout above what a good answer of ${destinationName(situation)} takes, or find out why that takes so long.`,
          caller,
        ),
        verify: tryAgain(situation, 'an answer; compare its time with the timeout of the caller'),
        wouldDecide: isTimer
          ? null
          : {
              command: `grep the caller's configuration for a timeout of about ${wait}`,
              why: 'a timeout of that length in the caller’s settings or log is the limit that it gave up at',
            },
      }),
    )
  },
})
