import { forLine } from './escape.ts'
import type { Span } from './log-summary-counter.ts'
import type { Page } from './page.ts'
import { displayWidth } from './wrap.ts'

export interface Row {
  readonly name: string
  readonly span: Span
  readonly failed: number
}

/** Numbers right of names; where the line is too narrow the name is cut in its middle, since both its ends tell. */
export function table(page: Page, title: string, rows: readonly Row[], total: number): void {
  const head = ['lines', 'share', 'failed', 'seen (UTC)']
  const body = rows.map(({ span, failed }) => [
    number(span.count),
    percent(span.count, total),
    failed === 0 ? '-' : number(failed),
    seen(span),
  ])
  const widths = head.map((word, column) => Math.max(word.length, ...body.map((cells) => cells[column]?.length ?? 0)))
  const room = Math.max(16, page.width - widths.reduce((sum, width) => sum + width + 2, 2))
  const names = rows.map(({ name }) => cutMiddle(forLine(withoutSuffix(name)), room))
  const longest = Math.max(title.length - 2, ...names.map(displayWidth))
  const row = (cells: readonly string[]) =>
    cells.map((cell, column) => (column === 3 ? cell : cell.padStart(widths[column] ?? 0))).join('  ')
  page.blank()
  page.row(`${title.padEnd(longest + 2)}  ${row(head)}`, 'bold')
  for (const [index, name] of names.entries())
    page.row(`  ${name}${' '.repeat(longest - displayWidth(name))}  ${row(body[index] ?? [])}`)
}

function cutMiddle(text: string, room: number): string {
  const characters = [...text]
  if (characters.length <= room) return text
  const tail = Math.floor((room - 1) / 2)
  return `${characters.slice(0, room - 1 - tail).join('')}…${characters.slice(-tail).join('')}`
}

function seen({ first, last }: Span): string {
  if (first === null || last === null) return '-'
  const [from, to] = [iso(first), iso(last)]
  // Of several days the times alone would lie.
  if (from.slice(0, 10) !== to.slice(0, 10)) return `${from.slice(5, 16)}–${to.slice(5, 16)}`
  const [start, end] = [from.slice(11, 19), to.slice(11, 19)]
  return start === end ? start : `${start}–${end}`
}

export function between(span: Span): string {
  if (span.first === null || span.last === null) return ''
  const [from, to] = [iso(span.first), iso(span.last)]
  const sameDay = from.slice(0, 10) === to.slice(0, 10)
  return from === to ? `, at ${from}` : `, ${from} to ${sameDay ? to.slice(11) : to}`
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

export function lines(count: number): string {
  return `${number(count)} ${count === 1 ? 'line' : 'lines'}`
}

export function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return '-'
  const share = (part / whole) * 100
  if (share > 0 && share < 0.1) return '<0.1%'
  return `${share >= 10 || share === 0 ? Math.round(share) : share.toFixed(1)}%`
}

/** Nearly all clusters end alike; the part that differs is what a narrow table must show. */
export function withoutSuffix(name: string): string {
  return name.replace(/\.svc\.cluster\.local$/, '')
}
