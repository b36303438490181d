import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'
import { readToolText } from './lib/tool-text.ts'

const Waypoint = z.object({
  /** Printed with `-A` only. */
  namespace: z.string().nullable(),
  name: z.string(),
  revision: z.string().nullable(),
  /** True, False or Unknown, as the Gateway's condition has it. */
  programmed: z.string(),
  /** 1.27 and later: service, workload, all; `none` means no label. */
  trafficType: z.string().nullable(),
  /** Until 1.21; a waypoint without is one for the namespace. */
  serviceAccount: z.string().nullable(),
})
export type Waypoint = z.infer<typeof Waypoint>

/** `istioctl waypoint list` (`x waypoint list` until 1.22). */
export default defineParser<Waypoint[]>({
  name: 'waypoint-list',
  schema: z.array(Waypoint),
  parse: (text) => {
    if (readToolText(text).body.trim() === 'No waypoints found.') return []
    const optional = ['NAMESPACE', 'SERVICE ACCOUNT', 'TRAFFIC TYPE']
    return readTable(text, ['NAME', 'REVISION', 'PROGRAMMED'], { optional }).rows.map((row) => {
      if (row.NAME === '' || row.PROGRAMMED === '') throw new ParseError('a row without name or state')
      return {
        namespace: row.NAMESPACE || null,
        name: row.NAME,
        revision: row.REVISION || null,
        programmed: row.PROGRAMMED,
        trafficType: row['TRAFFIC TYPE'] || null,
        serviceAccount: row['SERVICE ACCOUNT'] || null,
      }
    })
  },
})
