import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'

const EcdsRow = z.object({ name: z.string(), type: z.string().nullable() })
export type EcdsRow = z.infer<typeof EcdsRow>

/** `istioctl proxy-config ecds` as a table: extensions that istiod delivers apart from the listeners. */
export default defineParser<EcdsRow[]>({
  name: 'proxy-config-ecds-table',
  schema: z.array(EcdsRow),
  parse: (text) =>
    readTable(text, ['ECDS NAME', 'TYPE']).rows.map((row) => {
      if (row['ECDS NAME'] === '') throw new ParseError('a row without name')
      return { name: row['ECDS NAME'], type: row.TYPE || null }
    }),
})
