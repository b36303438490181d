import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'
import { readToolText } from './lib/tool-text.ts'

const SecretRow = z.object({
  name: z.string(),
  /** `Cert Chain` or `CA`; null while there is no certificate. */
  type: z.string().nullable(),
  /** ACTIVE, WARMING, UNINITIALIZED. */
  status: z.string(),
  /** Compared by istioctl with its own clock. */
  valid: z.boolean().nullable(),
  /** Lower-case hexadecimal of 32 digits, as 1.29 and later print it. */
  serial: z.string().nullable(),
  notBefore: z.string().nullable(),
  notAfter: z.string().nullable(),
  /** 1.25 and later, where every secret has one (SPIRE). */
  trustDomain: z.string().nullable(),
})
export type SecretRow = z.infer<typeof SecretRow>

/** `istioctl proxy-config secret` as a table. A bundle of roots has a row for each. */
export default defineParser<SecretRow[]>({
  name: 'proxy-config-secret-table',
  schema: z.array(SecretRow),
  parse: (text) => {
    if (readToolText(text).body.trim() === 'No active or warming secrets found.') return []
    const columns = [
      'RESOURCE NAME',
      'TYPE',
      'STATUS',
      'VALID CERT',
      'SERIAL NUMBER',
      'NOT AFTER',
      'NOT BEFORE',
    ] as const
    return readTable(text, columns, { optional: ['TRUST DOMAIN'] }).rows.map((row) => {
      if (row['RESOURCE NAME'] === '' || row.STATUS === '') throw new ParseError('a row without name or status')
      const serial = row['SERIAL NUMBER']
      return {
        name: row['RESOURCE NAME'],
        type: row.TYPE || null,
        status: row.STATUS,
        valid: row['VALID CERT'] === '' ? null : row['VALID CERT'] === 'true',
        serial: serial === '' ? null : serial.toLowerCase().padStart(32, '0'),
        notBefore: row['NOT BEFORE'] || null,
        notAfter: row['NOT AFTER'] || null,
        trustDomain: row['TRUST DOMAIN'] || null,
      }
    })
  },
})
