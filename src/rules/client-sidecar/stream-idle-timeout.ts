import { defineRule } from '../define-rule.ts'
import { anyLog, decidedByLine } from '../lib/decided-by-line.ts'
import { destinationName, handOver, tryAgain } from '../lib/words.ts'

/** Nothing moved on the stream for as long as the proxy allows. */
export default defineRule({
  code: 'stream-idle-timeout',
  layer: 'proxy-limit',
  severity: 'error',
  explains: ['timeout', '504', 'reset'],
  title: 'A stream on which nothing moves is ended',
  why: 'Proxies end a request or stream on which no byte moves for five minutes. Event streams and long polls without a heartbeat run into it.',
  needs: [anyLog],
  check: (situation) =>
    decidedByLine(
      situation,
      ({ record }) =>
        record.details === 'stream_idle_timeout' ||
        (record.flags.includes('SI') && record.details !== 'upstream_per_try_idle_timeout'),
      'no line ends in an idle timeout',
      ({ who, often, line }) => ({
        subject: destinationName(situation),
        title: `${who} ends streams to ${destinationName(situation)} on which nothing moves`,
        statement: `${who} ended ${often} as idle, the last after ${line.record.durationMs ?? '?'} ms in all.`,
        sign: 'nothing moved for as long as the proxy allows',
        fix: handOver(
          'Let the application send a heartbeat more often than every five minutes; raising the limit needs an EnvoyFilter with stream_idle_timeout for this workload.',
          destinationName(situation),
        ),
        verify: tryAgain(situation, 'the stream stays open past the limit'),
      }),
    ),
})
