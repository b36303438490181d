import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'

const ClusterRow = z.object({
  /** Null for a sidecar's inbound clusters, whose name ends in nothing. */
  fqdn: z.string().nullable(),
  port: z.number().nullable(),
  subset: z.string().nullable(),
  /** inbound, outbound, inbound-vip; null for clusters that are no service's. */
  direction: z.string().nullable(),
  type: z.string(),
  /** `name.namespace`; `<unknown>` up to 1.23 for rules of newer API versions. */
  destinationRule: z.string().nullable(),
})
export type ClusterRow = z.infer<typeof ClusterRow>

/** `istioctl proxy-config cluster` as a table. */
export default defineParser<ClusterRow[]>({
  name: 'proxy-config-cluster-table',
  schema: z.array(ClusterRow),
  parse: (text) =>
    readTable(text, ['SERVICE FQDN', 'PORT', 'SUBSET', 'DIRECTION', 'TYPE', 'DESTINATION RULE']).rows.map((row) => {
      if (row.TYPE === '') throw new ParseError('a row without type')
      return {
        fqdn: row['SERVICE FQDN'] || null,
        port: /^\d+$/.test(row.PORT) ? Number(row.PORT) : null,
        subset: filled(row.SUBSET),
        direction: filled(row.DIRECTION),
        type: row.TYPE,
        destinationRule: row['DESTINATION RULE'] || null,
      }
    }),
})

function filled(cell: string): string | null {
  return cell === '' || cell === '-' ? null : cell
}
