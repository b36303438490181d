import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'

const ListenerRow = z.object({
  /** Empty for internal listeners. */
  addresses: z.array(z.string()),
  port: z.number(),
  /** Parts in the printed order, `[]` for ALL: `Trans: tls`, `App: HTTP TLS`, `Addr: *:9080`, `SNI: a,b`. */
  match: z.array(z.string()),
  destination: z.string(),
  /** Of `Route: name`. */
  route: z.string().nullable(),
  /** Of `Cluster: name`, or a bare name of a passthrough cluster. */
  cluster: z.string().nullable(),
})
export type ListenerRow = z.infer<typeof ListenerRow>

/** `istioctl proxy-config listener` as a table: one row for each filter chain, columns one blank apart. */
export default defineParser<ListenerRow[]>({
  name: 'proxy-config-listener-table',
  schema: z.array(ListenerRow),
  parse: (text) =>
    readTable(text, ['ADDRESSES', 'PORT', 'MATCH', 'DESTINATION'], { tight: true }).rows.map((row) => {
      if (!/^\d+$/.test(row.PORT)) throw new ParseError(`a listener on port "${row.PORT}"`)
      const named = /^(Route|Cluster): (.+)$/.exec(row.DESTINATION)
      const isBareCluster = /^\S*Cluster\S*$/.test(row.DESTINATION)
      return {
        addresses: row.ADDRESSES.split(',').filter((address) => address !== ''),
        port: Number(row.PORT),
        match: row.MATCH === 'ALL' || row.MATCH === '' ? [] : row.MATCH.split('; '),
        destination: row.DESTINATION,
        route: named?.[1] === 'Route' ? named[2]! : null,
        cluster: named?.[1] === 'Cluster' ? named[2]! : isBareCluster ? row.DESTINATION : null,
      }
    }),
})
