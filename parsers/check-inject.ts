import { z } from 'zod'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'
import { readToolText } from './lib/tool-text.ts'

const CheckInject = z.object({
  webhooks: z.array(
    z.object({
      webhook: z.string(),
      revision: z.string().nullable(),
      /** Null: a sign that is neither a tick nor a cross. */
      injects: z.boolean().nullable(),
      reason: z.string(),
    }),
  ),
  /** Said below the table: no hooks at all, or several that will inject. */
  problems: z.array(z.string()),
})
export type CheckInject = z.infer<typeof CheckInject>

/** `istioctl x check-inject`. Always coloured; exits 0 whether anything injects or not. */
export default defineParser<CheckInject>({
  name: 'check-inject',
  schema: CheckInject,
  parse: (text) => {
    const problems: string[] = []
    // Printed without a line end of its own, by a writer other than the table's.
    const table = readToolText(text).body.replace(/^ERROR: .*$/gm, (line) => {
      problems.push(line.slice('ERROR: '.length).trim())
      return ''
    })
    const { rows } = readTable(table, ['WEBHOOK', 'REVISION', 'INJECTED', 'REASON'])
    return {
      webhooks: rows.map((row) => ({
        webhook: row.WEBHOOK,
        revision: row.REVISION || null,
        injects: signs[row.INJECTED] ?? null,
        reason: row.REASON,
      })),
      problems,
    }
  },
})

const signs: Readonly<Record<string, boolean>> = { '✔': true, '✘': false }
