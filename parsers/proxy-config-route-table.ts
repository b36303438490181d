import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'

const RouteRow = z.object({
  /** Null for static routes. */
  name: z.string().nullable(),
  virtualHost: z.string(),
  /** At most two, and how many were left out: ask for JSON to know them. */
  domains: z.array(z.string()),
  moreDomains: z.number(),
  /** `/x*` prefix, `/x` exact, `PathPrefix:/x`, `regex …`; header matches are not shown. */
  match: z.string().nullable(),
  /** `name.namespace`, `<unknown>`; null also where no VirtualService made the route. */
  virtualService: z.string().nullable(),
  /** The virtual host has no route at all. */
  answers404: z.boolean(),
})
export type RouteRow = z.infer<typeof RouteRow>

/** `istioctl proxy-config route` as a table. */
export default defineParser<RouteRow[]>({
  name: 'proxy-config-route-table',
  schema: z.array(RouteRow),
  parse: (text) =>
    readTable(text, ['NAME', 'VHOST NAME', 'DOMAINS', 'MATCH', 'VIRTUAL SERVICE']).rows.map((row) => {
      if (row['VHOST NAME'] === '' && row.DOMAINS === '') throw new ParseError('a row without virtual host')
      const [, shown = row.DOMAINS, more] = /^(.*) \+ (\d+) more\.\.\.$/.exec(row.DOMAINS) ?? []
      const answers404 = row['VIRTUAL SERVICE'] === '404'
      return {
        name: row.NAME || null,
        virtualHost: row['VHOST NAME'],
        domains: shown.split(', ').filter((domain) => domain !== ''),
        moreDomains: more === undefined ? 0 : Number(more),
        match: row.MATCH || null,
        virtualService: answers404 ? null : row['VIRTUAL SERVICE'] || null,
        answers404,
      }
    }),
})
