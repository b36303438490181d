import type { AccessLogRecord } from '../../model/access-log.ts'
import type { LogData, LogRole } from '../../situation/exchanges.ts'
import type { Situation } from '../../situation/situation.ts'

/** Everything a role's proxies logged, of this call or another. For what happens beside the call. */
export function rawLines(
  situation: Situation,
  role: Exclude<LogRole, 'given'>,
): readonly { readonly record: AccessLogRecord; readonly entry: string }[] {
  return situation
    .all<LogData>(`${role}.accessLog`)
    .flatMap(({ data, entry }) => data.records.map((record) => ({ record, entry })))
}
