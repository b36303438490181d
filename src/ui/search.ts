import { stripLines } from './strip.ts'
import { take, widthOf } from './width.ts'

/** What one line of the screen shows of a text: a line of it, or a part of a long one. */
export interface TextRow {
  readonly text: string
  /** Which line of the text it belongs to. */
  readonly line: number
}

/** A part of a row that belongs to the hit with this number. */
export interface Range {
  readonly from: number
  readonly to: number
  readonly hit: number
}

export interface Found {
  /** For each hit, the row in which it begins. */
  readonly hits: readonly number[]
  readonly ranges: ReadonlyMap<number, readonly Range[]>
  /** More than anybody goes through: the rest is not counted. */
  readonly isCut: boolean
}

const mostHits = 10_000

/** Long lines go on in the next row: of a log line the end tells as much as the beginning. */
export function textRows(text: string, width: number): TextRow[] {
  const rows = stripLines(text).flatMap((whole, line) => chunks(whole, width).map((part) => ({ text: part, line })))
  if (rows.at(-1)?.text === '') rows.pop()
  return rows
}

function chunks(text: string, width: number): string[] {
  const out: string[] = []
  let rest = text
  // A line without an end may be megabytes long: never measure more of it than fits.
  while (rest.length > width || widthOf(rest) > width) {
    const head = take(rest.slice(0, width).replace(/[\ud800-\udbff]$/, ''), width)
    if (head === '') break
    out.push(head)
    rest = rest.slice(head.length)
  }
  return [...out, rest]
}

/** Every place, also one that the edge of the screen cuts in two. Capitals do not matter. */
export function findIn(rows: readonly TextRow[], query: string): Found {
  const hits: number[] = []
  const ranges = new Map<number, Range[]>()
  const wanted = folded(query)
  for (let first = 0; wanted !== '' && first < rows.length; ) {
    let after = first + 1
    while (rows[after]?.line === rows[first]?.line) after++
    const whole = folded(
      rows
        .slice(first, after)
        .map(({ text }) => text)
        .join(''),
    )
    let row = first
    let rowStart = 0
    for (let at = whole.indexOf(wanted); at >= 0; at = whole.indexOf(wanted, at + wanted.length)) {
      if (hits.length === mostHits) return { hits, ranges, isCut: true }
      const lengthOf = (index: number) => rows[index]?.text.length ?? 0
      for (; at >= rowStart + lengthOf(row); row++) rowStart += lengthOf(row)
      const hit = hits.push(row) - 1
      let start = rowStart
      for (let part = row; part < after && start < at + wanted.length; part++) {
        const range = { from: Math.max(0, at - start), to: Math.min(lengthOf(part), at + wanted.length - start), hit }
        ranges.set(part, [...(ranges.get(part) ?? []), range])
        start += lengthOf(part)
      }
    }
    first = after
  }
  return { hits, ranges, isCut: false }
}

/** Lower case, unless that would move what stands behind. */
function folded(text: string): string {
  const lower = text.toLowerCase()
  return lower.length === text.length ? lower : text
}
