import type { ProxySecret } from '../../../parsers/proxy-config-secret.ts'
import { type CertificateDates, certificateDates } from '../../mesh/certificate-dates.ts'
import type { PodView } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'

/** Dates of the certificates that a proxy holds, from `istioctl proxy-config secret`. */
export interface HeldCertificates {
  readonly pod: PodView
  readonly entry: string
  /** Its own certificate; null where it has none or its dates cannot be read. */
  readonly own: CertificateDates | null
  /** The roots that it trusts. */
  readonly roots: readonly CertificateDates[]
}

const block = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** Null when the proxy was not asked. */
export function heldCertificates(situation: Situation, pod: PodView | null): HeldCertificates | null {
  const secrets = pod ? situation.of<readonly ProxySecret[]>('secrets', pod) : null
  if (!pod || !secrets) return null
  const active = secrets.data.filter(({ state }) => state !== 'warming')
  const own = active.find(({ name, kind }) => name === 'default' && kind === 'certificate')
  const trusted = active.filter(({ name, kind }) => kind === 'trust' && name === 'ROOTCA')
  return {
    pod,
    entry: secrets.entry,
    own: own ? certificateDates(own.pem) : null,
    roots: trusted.flatMap(({ pem }) => (pem.match(block) ?? []).flatMap((one) => certificateDates(one) ?? [])),
  }
}

/** Whether a certificate had run out at a moment; null where a time is unknown, or where another one was in its place then. */
export function hadExpired(dates: CertificateDates | null, time: string | null): boolean | null {
  const left = Date.parse(dates?.notAfter ?? '') - Date.parse(time ?? '')
  const isLater = Date.parse(dates?.notBefore ?? '') > Date.parse(time ?? '')
  return Number.isNaN(left) || isLater ? null : left <= 0
}
