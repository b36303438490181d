import type { Line, ZtunnelLine } from '../../situation/exchanges.ts'
import { ipOf } from '../../situation/hints.ts'
import type { Situation } from '../../situation/situation.ts'
import { ztunnelOfCall } from '../../situation/ztunnel-lines.ts'
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

const inTunnel =
  /InvalidCertificate|AlertReceived\((?:UnknownCA|BadCertificate|CertificateUnknown|CertificateExpired|DecryptError)\)|did not present the expected SAN|expected trustdomain/

/** The latest tunnel of this call whose handshake ended over a certificate, as ztunnel puts it. */
export function tunnelCertificate(situation: Situation): ZtunnelLine | null {
  return ztunnelOfCall(situation).findLast(({ record }) => inTunnel.test(record.error ?? '')) ?? null
}

/** Among lines that say the same, one about a proxy whose certificates were read tells more than the last one. */
export function mostTelling(situation: Situation, lines: readonly Line[]): Line | null {
  const isRead = ({ record }: Line) => {
    const pod = situation.podByIp(ipOf(record.upstreamHost))
    return pod !== null && situation.of('secrets', pod) !== null
  }
  return lines.findLast(isRead) ?? lines.at(-1) ?? null
}
