import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { asFields, asList, textOf } from './lib/fields.ts'
import { readJsonDocument, startsLikeJson } from './lib/json-stream.ts'
import { readTable } from './lib/table.ts'

const ZtunnelCertificate = z.object({
  /** SPIFFE id. */
  identity: z.string(),
  /** Leaf, Intermediate or Root. Null: the identity has no certificate. */
  type: z.enum(['Leaf', 'Intermediate', 'Root']).nullable(),
  /** Available, Initializing, Unavailable. */
  state: z.string(),
  /** Why there is none, where ztunnel says so. */
  stateDetail: z.string().nullable(),
  /** Compared by istioctl with its own clock; null in JSON. */
  valid: z.boolean().nullable(),
  /** Lower-case hexadecimal of 32 digits. */
  serial: z.string().nullable(),
  notBefore: z.string().nullable(),
  notAfter: z.string().nullable(),
  /** Base64 of the PEM. JSON only. */
  pem: z.string().nullable(),
})
export type ZtunnelCertificate = z.infer<typeof ZtunnelCertificate>

/** `istioctl ztunnel-config certificate`: one entry for each certificate of each identity that this ztunnel holds. */
export default defineParser<ZtunnelCertificate[]>({
  name: 'ztunnel-certificates',
  schema: z.array(ZtunnelCertificate),
  parse: (text) =>
    startsLikeJson(text) ? asList(readJsonDocument(text), 'certificates').flatMap(ofJson) : ofTable(text),
})

function ofJson(entry: unknown): ZtunnelCertificate[] {
  const fields = asFields(entry, 'an identity')
  const identity = textOf(fields.identity)
  const printed = textOf(fields.state)
  if (identity === null || printed === null) throw new ParseError('an entry without identity or state')
  const [state = '', ...detail] = printed.split(': ')
  const base = { identity, state, stateDetail: detail.join(': ') || null, valid: null }
  const chain = asList(fields.certChain, 'certChain')
  const roots = asList(fields.rootCerts, 'rootCerts')
  // Before 1.24.5 and 1.25.2 the root is the end of the chain.
  const typeInChain = (at: number) =>
    at === 0 ? 'Leaf' : roots.length === 0 && at === chain.length - 1 ? 'Root' : 'Intermediate'
  const certificates = [
    ...chain.map((certificate, at) => ({ ...base, type: typeInChain(at), ...datesOf(certificate) }) as const),
    ...roots.map((certificate) => ({ ...base, type: 'Root', ...datesOf(certificate) }) as const),
  ]
  if (certificates.length > 0) return certificates
  return [{ ...base, type: null, serial: null, notBefore: null, notAfter: null, pem: null }]
}

function datesOf(value: unknown): Pick<ZtunnelCertificate, 'serial' | 'notBefore' | 'notAfter' | 'pem'> {
  const fields = asFields(value, 'a certificate')
  const serial = textOf(fields.serialNumber)
  return {
    serial: serial !== null && /^\d{1,60}$/.test(serial) ? normalSerial(BigInt(serial).toString(16)) : serial,
    notBefore: textOf(fields.validFrom),
    notAfter: textOf(fields.expirationTime),
    pem: textOf(fields.pem),
  }
}

const types: Readonly<Record<string, ZtunnelCertificate['type']>> = {
  Leaf: 'Leaf',
  Intermediate: 'Intermediate',
  Root: 'Root',
  // Until 1.21, where the first of the chain is called CA and the rest Cert Chain.
  CA: 'Leaf',
  'Cert Chain': 'Root',
}

function ofTable(text: string): ZtunnelCertificate[] {
  const columns = ['TYPE', 'STATUS', 'VALID CERT', 'SERIAL NUMBER', 'NOT AFTER', 'NOT BEFORE'] as const
  const { rows } = readTable(text, columns, { optional: ['CERTIFICATE NAME', 'NAME'] })
  return rows.map((row) => {
    const identity = row['CERTIFICATE NAME'] ?? row.NAME ?? ''
    if (identity === '' || row.STATUS === '') throw new ParseError('a row without identity or status')
    const serial = knownCell(row['SERIAL NUMBER'])
    return {
      identity,
      type: types[row.TYPE] ?? null,
      state: row.STATUS,
      stateDetail: null,
      valid: row['VALID CERT'] === '' ? null : row['VALID CERT'] === 'true',
      serial: serial === null ? null : normalSerial(serial),
      notBefore: knownCell(row['NOT BEFORE']),
      notAfter: knownCell(row['NOT AFTER']),
      pem: null,
    }
  })
}

function knownCell(cell: string): string | null {
  return cell === '' || cell === 'NA' ? null : cell
}

function normalSerial(hex: string): string {
  return hex.toLowerCase().padStart(32, '0')
}
