import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'

const EndpointRow = z.object({
  /** As printed: `address:port`, `unix://…`, `envoy://connect_originate/…`. */
  endpoint: z.string(),
  address: z.string(),
  port: z.number().nullable(),
  /** EDS health: HEALTHY, UNHEALTHY, DRAINING, TIMEOUT, DEGRADED, UNKNOWN. */
  health: z.string(),
  /** Put aside by outlier detection. Null: a word that is neither OK nor FAILED. */
  ejected: z.boolean().nullable(),
  cluster: z.string(),
})
export type EndpointRow = z.infer<typeof EndpointRow>

/** `istioctl proxy-config endpoint` as a table. A cluster without hosts has no row here, nor has a cluster that does not exist. */
export default defineParser<EndpointRow[]>({
  name: 'proxy-config-endpoint-table',
  schema: z.array(EndpointRow),
  parse: (text) =>
    readTable(text, ['ENDPOINT', 'STATUS', 'OUTLIER CHECK', 'CLUSTER']).rows.map((row) => {
      if (row.ENDPOINT === '' || row.CLUSTER === '') throw new ParseError('a row without endpoint or cluster')
      // IPv6 comes without brackets: the port follows the last colon.
      const [, address, port] = /^(.*):(\d{1,5})$/.exec(row.ENDPOINT) ?? []
      return {
        endpoint: row.ENDPOINT,
        address: address ?? row.ENDPOINT,
        port: port === undefined ? null : Number(port),
        health: row.STATUS,
        ejected: outlierChecks[row['OUTLIER CHECK']] ?? null,
        cluster: row.CLUSTER,
      }
    }),
})

const outlierChecks: Readonly<Record<string, boolean>> = { OK: false, FAILED: true }
