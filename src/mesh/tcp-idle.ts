import type { AccessLogRecord } from '../model/access-log.ts'

const hour = 3_600_000

/** The line of a TCP connection that a proxy's idle timer ended: it lasted an hour, and no flag says who closed it. */
export function lastedAnHour({
  kind,
  flags,
  durationMs,
}: Pick<AccessLogRecord, 'kind' | 'flags' | 'durationMs'>): boolean {
  return (
    kind === 'tcp' &&
    flags.length === 0 &&
    durationMs !== null &&
    durationMs >= hour - 5_000 &&
    durationMs <= hour + 120_000
  )
}
