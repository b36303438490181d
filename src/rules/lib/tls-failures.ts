import type { Line } from '../../situation/exchanges.ts'
import type { Situation } from '../../situation/situation.ts'
import { failingLines } from './deciding-line.ts'

const refused =
  /CERTIFICATE_VERIFY_FAILED|ALERT_UNKNOWN_CA|TLSV1_ALERT_UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|BAD_CERTIFICATE/i

/** Failing lines of the calling side whose handshake ended over a certificate. */
export function verifyFailures(situation: Situation): readonly Line[] {
  return failingLines(
    situation,
    ({ record, role }) => role !== 'server' && refused.test(`${record.transportFailure ?? ''} ${record.details ?? ''}`),
  )
}
