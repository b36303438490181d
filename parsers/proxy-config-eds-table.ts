import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'

const EdsRow = z.object({
  /** Several addresses of one endpoint are joined with commas (1.23 and later). */
  endpoint: z.string(),
  health: z.string(),
  /** `region/zone/subzone`. */
  locality: z.string().nullable(),
  cluster: z.string(),
})
export type EdsRow = z.infer<typeof EdsRow>

/** `istioctl proxy-config eds` as a table: what istiod assigned, with locality. */
export default defineParser<EdsRow[]>({
  name: 'proxy-config-eds-table',
  schema: z.array(EdsRow),
  parse: (text) =>
    readTable(text, ['NAME', 'STATUS', 'LOCALITY', 'CLUSTER']).rows.map((row) => {
      if (row.NAME === '' || row.CLUSTER === '') throw new ParseError('a row without endpoint or cluster')
      return { endpoint: row.NAME, health: row.STATUS, locality: row.LOCALITY || null, cluster: row.CLUSTER }
    }),
})
