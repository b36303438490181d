import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { quoteStart } from './lib/kubectl-json.ts'
import { readTable } from './lib/table.ts'

const CanI = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('answer'), allowed: z.boolean(), reason: z.string().nullable() }),
  z.object({
    kind: z.literal('list'),
    rules: z.array(
      z.object({
        /** `pods/exec`, `virtualservices.networking.istio.io`, `*.*`; empty for rules about URLs. */
        resources: z.string(),
        nonResourceUrls: z.array(z.string()),
        resourceNames: z.array(z.string()),
        verbs: z.array(z.string()),
      }),
    ),
  }),
])
export type CanI = z.infer<typeof CanI>

/** `kubectl auth can-i …`: `yes`, `no` (exit 1) or `no - reason`; with `--list` a table. Warnings may stand before both. */
export default defineParser({
  name: 'can-i',
  schema: CanI,
  parse(text): CanI {
    if (/^Resources\s+Non-Resource URLs/m.test(text)) return { kind: 'list', rules: readRules(text) }
    const lines = text.split('\n').map((line) => line.trim())
    const answers = lines.flatMap((line) => {
      const match = /^(yes|no)(?: - (.*))?$/.exec(line)
      return match ? [{ kind: 'answer' as const, allowed: match[1] === 'yes', reason: match[2] ?? null }] : []
    })
    const [answer, second] = answers
    if (!answer || second) throw new ParseError(`can-i: neither yes nor no in ${quoteStart(text)}`)
    return answer
  },
})

function readRules(text: string) {
  return readTable(text, ['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs']).rows.map((row) => ({
    resources: row.Resources ?? '',
    nonResourceUrls: wordsOf(row['Non-Resource URLs']),
    resourceNames: wordsOf(row['Resource Names']),
    verbs: wordsOf(row.Verbs),
  }))
}

function wordsOf(cell = ''): string[] {
  const inner = /^\[(.*)\]$/.exec(cell)?.[1]
  if (inner === undefined) throw new ParseError(`can-i: "${cell}" is not a list in brackets`)
  return inner.split(' ').filter((word) => word !== '')
}
