import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { arrayIn, isObject, numberOrNull, objectIn, readJsonObject, stringOrNull } from './lib/kubectl-json.ts'

const EnvoyCertificate = z.object({
  /** Hexadecimal, lower case, without leading zeros: `istioctl` and `openssl` pad differently. */
  serial: z.string(),
  path: z.string().nullable(),
  uris: z.array(z.string()),
  dnsNames: z.array(z.string()),
  ips: z.array(z.string()),
  validFrom: z.string().nullable(),
  expires: z.string().nullable(),
  /** As Envoy counted, rounded down: 0 on the last day and after. */
  daysLeft: z.number().nullable(),
})

const EnvoyCertificates = z.array(
  z.object({
    roots: z.array(EnvoyCertificate),
    chain: z.array(EnvoyCertificate),
    /** In how many TLS contexts of the proxy this pair is in use. */
    uses: z.number(),
  }),
)
export type EnvoyCertificate = z.infer<typeof EnvoyCertificate>
export type EnvoyCertificates = z.infer<typeof EnvoyCertificates>

/** Envoy's `certs`: what is loaded now. It prints one entry per TLS context, mostly the same pair; equal ones are counted. */
export default defineParser({
  name: 'envoy-certs',
  schema: EnvoyCertificates,
  parse(text): EnvoyCertificates {
    const document = readJsonObject(text, 'envoy-certs')
    // Protobuf leaves out an empty list: a proxy without certificates prints `{}`.
    if (!Array.isArray(document.certificates) && Object.keys(document).length > 0)
      throw new ParseError(`envoy-certs: JSON without certificates: ${Object.keys(document).slice(0, 5).join(', ')}`)
    const pairs = new Map<string, EnvoyCertificates[number]>()
    for (const entry of arrayIn(document.certificates).filter(isObject)) {
      const roots = arrayIn(entry.ca_cert).map(readCertificate)
      const chain = arrayIn(entry.cert_chain).map(readCertificate)
      const key = JSON.stringify([roots, chain])
      const known = pairs.get(key)
      if (known) known.uses++
      else pairs.set(key, { roots, chain, uses: 1 })
    }
    return [...pairs.values()]
  },
})

function readCertificate(value: unknown): EnvoyCertificate {
  const certificate = objectIn(value)
  const names = arrayIn(certificate.subject_alt_names).map(objectIn)
  const namesOf = (kind: string) => names.map((name) => stringOrNull(name[kind])).filter((name) => name !== null)
  return {
    serial: (stringOrNull(certificate.serial_number) ?? '').toLowerCase().replace(/^0+(?=.)/, ''),
    path: stringOrNull(certificate.path),
    uris: namesOf('uri'),
    dnsNames: namesOf('dns'),
    ips: namesOf('ip_address'),
    validFrom: stringOrNull(certificate.valid_from),
    expires: stringOrNull(certificate.expiration_time),
    daysLeft: numberOrNull(certificate.days_until_expiration),
  }
}
