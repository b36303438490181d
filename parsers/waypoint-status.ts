import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'
import { readToolText } from './lib/tool-text.ts'

const WaypointCondition = z.object({
  namespace: z.string().nullable(),
  name: z.string(),
  status: z.string(),
  type: z.string(),
  reason: z.string().nullable(),
  message: z.string().nullable(),
})
export type WaypointCondition = z.infer<typeof WaypointCondition>

/** `istioctl waypoint status`. It prints a row every second until the waypoint is programmed: the last one of a waypoint counts. */
export default defineParser<WaypointCondition[]>({
  name: 'waypoint-status',
  schema: z.array(WaypointCondition),
  parse: (text) => {
    if (readToolText(text).body.trim() === 'No waypoints found.') return []
    const { rows } = readTable(text, ['NAME', 'STATUS', 'TYPE', 'REASON', 'MESSAGE'], { optional: ['NAMESPACE'] })
    const last = new Map<string, WaypointCondition>()
    for (const row of rows) {
      if (row.NAME === '' || row.STATUS === '') throw new ParseError('a row without name or status')
      last.set(`${row.NAMESPACE ?? ''}/${row.NAME}/${row.TYPE}`, {
        namespace: row.NAMESPACE || null,
        name: row.NAME,
        status: row.STATUS,
        type: row.TYPE,
        reason: row.REASON || null,
        message: row.MESSAGE || null,
      })
    }
    return [...last.values()]
  },
})
