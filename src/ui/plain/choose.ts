import { matches } from '../fuzzy.ts'

export interface Choosable<Value> {
  readonly text: string
  readonly says?: string
  readonly value: Value
}

export type Chosen<Value> =
  | { readonly is: 'one'; readonly value: Value }
  | { readonly is: 'several'; readonly rows: readonly Choosable<Value>[] }
  | { readonly is: 'none' }

/** A number takes that line; letters take the only line they fit, or narrow the list. */
export function choose<Value>(rows: readonly Choosable<Value>[], input: string): Chosen<Value> {
  const text = input.trim()
  const numbered = /^\d{1,2}$/.test(text) ? rows[Number(text) - 1] : undefined
  if (numbered) return { is: 'one', value: numbered.value }
  const scored = rows.flatMap((row) => {
    const match = matches(text, `${row.text} ${row.says ?? ''}`)
    return match ? [{ row, score: match.score }] : []
  })
  scored.sort((a, b) => b.score - a.score)
  const [only] = scored
  if (!only) return { is: 'none' }
  if (scored.length === 1) return { is: 'one', value: only.row.value }
  return { is: 'several', rows: scored.map(({ row }) => row) }
}

/** More than this at once nobody keeps in mind. */
const most = 15

export function numbered(rows: readonly Choosable<unknown>[]): string[] {
  const shown = rows.slice(0, most).map(({ text }, index) => `${index + 1}. ${text}`)
  return rows.length > most ? [...shown, `and ${rows.length - most} more: type letters to narrow the list`] : shown
}
