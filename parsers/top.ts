import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'

const Usage = z.object({
  namespace: z.string().nullable(),
  /** The pod, or the node for `top node`. */
  name: z.string(),
  container: z.string().nullable(),
  cpuMillicores: z.number().nullable(),
  memoryBytes: z.number().nullable(),
})
export type Usage = z.infer<typeof Usage>

/** `kubectl top pod [--containers] [-A]` and `top node`. `<unknown>` and the like become null, never 0. */
export default defineParser({
  name: 'top',
  schema: z.array(Usage),
  parse(text): Usage[] {
    return readTable(text, ['CPU(cores)', 'MEMORY(bytes)']).rows.map((row) => {
      // With --containers the columns are POD and NAME, NAME being the container's.
      const name = row.POD ?? row.NAME
      if (!name) throw new ParseError('top: a row without a name')
      return {
        namespace: row.NAMESPACE ?? null,
        name,
        container: row.POD === undefined ? null : (row.NAME ?? null),
        cpuMillicores: millicoresOf(row['CPU(cores)']),
        memoryBytes: bytesOf(row['MEMORY(bytes)']),
      }
    })
  },
})

function millicoresOf(cell = ''): number | null {
  const match = /^(\d+(?:\.\d+)?)(n|u|m|)$/.exec(cell)
  if (!match) return null
  const perUnit = { n: 1e-6, u: 1e-3, m: 1, '': 1000 }[match[2] ?? ''] ?? 1
  return Number(match[1]) * perUnit
}

const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

function bytesOf(cell = ''): number | null {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(cell)
  const perUnit = unitBytes[match?.[2] ?? 'none']
  return match && perUnit !== undefined ? Number(match[1]) * perUnit : null
}
