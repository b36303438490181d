import { forLine } from './escape.ts'
import { displayWidth, truncate } from './wrap.ts'

/** Rows with aligned columns. Where they are wider than the page, the widest columns give way first. */
export function columns(rows: readonly (readonly string[])[], width: number, gap = 2): readonly string[] {
  const clean = rows.map((row) => row.map(cleaned))
  const count = Math.max(0, ...clean.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, at) =>
    clean.reduce((most, row) => Math.max(most, displayWidth(row[at] ?? '')), 0),
  )
  const least = 8
  let over = widths.reduce((sum, one) => sum + one, 0) + gap * (count - 1) - width
  while (over > 0) {
    const widest = widths.indexOf(Math.max(...widths))
    const current = widths[widest] ?? 0
    if (current <= least) break
    widths[widest] = current - 1
    over -= 1
  }
  return clean.map((row) =>
    row
      .map((cell, at) => {
        const room = widths[at] ?? 0
        const shown = displayWidth(cell) > room ? truncate(cell, room) : cell
        return at === row.length - 1 ? shown : shown + ' '.repeat(Math.max(0, room - displayWidth(shown)) + gap)
      })
      .join('')
      .trimEnd(),
  )
}

/** Tables of thousands of rows are mostly plain ASCII, which needs no cleaning. */
function cleaned(cell: string): string {
  return /^[ -~]*$/.test(cell) && !/^ | $| {2}/.test(cell) ? cell : forLine(cell)
}
