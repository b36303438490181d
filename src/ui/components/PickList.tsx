import { matches } from '../fuzzy.ts'
import { clipLine, highlight, type Line, lineWidth, padLine, span } from '../lines.ts'
import { strip } from '../strip.ts'
import type { Tone } from '../theme.ts'
import { clipPhrases, widthOf } from '../width.ts'
import { Lines } from './Lines.tsx'

/** One line of a list to pick from. */
export interface PickRow<Value> {
  readonly id: string
  readonly label: string
  readonly detail: string
  /** More words it is found by. */
  readonly says?: string
  /** Stays at the end whatever the filter says: "I don't know". */
  readonly pinned?: boolean
  readonly tone?: Tone
  /** Drawn behind the detail, because it is why one would pick this. */
  readonly remark?: string | null
  readonly value: Value
}

/** What the filter leaves: best match first, the rest in the given order. */
export function filtered<Value>(rows: readonly PickRow<Value>[], filter: string): PickRow<Value>[] {
  const query = filter.trim()
  if (query === '') return [...rows]
  const scored = rows.flatMap((row) => {
    const score = scoreOf(row, query)
    // What stands below the list is found as well: then it is one of the list.
    return score === null ? [] : [{ row: { ...row, pinned: false }, score }]
  })
  scored.sort((a, b) => b.score - a.score)
  const found = scored.map(({ row }) => row)
  return [...found, ...rows.filter(({ id, pinned }) => pinned && !found.some((row) => row.id === id))]
}

function scoreOf<Value>(row: PickRow<Value>, query: string): number | null {
  const label = matches(query, row.label)
  const whole = matches(query, `${row.label} ${row.detail} ${row.says ?? ''} ${row.remark ?? ''}`)
  if (!label && !whole) return null
  // What the name says counts more than what is said about it.
  return Math.max(label ? label.score + 2 : 0, whole?.score ?? 0)
}

interface Props<Value> {
  readonly rows: readonly PickRow<Value>[]
  readonly filter: string
  readonly cursor: number
  readonly offset: number
  readonly width: number
  readonly height: number
}

/** How many lines are left for what scrolls: the pinned ones always stand below it. */
export function roomAbovePinned<Value>(rows: readonly PickRow<Value>[], height: number): number {
  return Math.max(1, height - rows.filter(({ pinned }) => pinned).length)
}

export function PickList<Value>({ rows, filter, cursor, offset, width, height }: Props<Value>) {
  const column = columnOf(rows, width)
  const draw = (row: PickRow<Value>) => rowLine(row, filter, rows.indexOf(row) === cursor, column, width)
  const free = rows.filter(({ pinned }) => !pinned)
  const pinned = rows.filter((row) => row.pinned)
  const shown = free.slice(offset, offset + roomAbovePinned(rows, height))
  return <Lines lines={[...shown, ...pinned].map(draw)} width={width} height={height} />
}

/** What most labels need: the few long ones push their own detail aside instead of everybody's. */
function columnOf<Value>(rows: readonly PickRow<Value>[], width: number): number {
  const widths = rows.map(({ label }) => widthOf(strip(label)))
  if (width < 60) return Math.min(Math.max(0, ...widths), width - 4) + 2
  return Math.max(0, ...widths.filter((each) => each <= width * 0.45)) + 2
}

function rowLine<Value>(row: PickRow<Value>, filter: string, isHere: boolean, column: number, width: number): Line {
  const match = filter.trim() === '' ? null : matches(filter, strip(row.label))
  const label = highlight(row.label, match?.positions ?? new Set(), isHere ? 'accent' : (row.tone ?? 'plain'), 'marked')
  const mark = span(isHere ? '▸ ' : '  ', 'accent')
  const room = width - column - 2
  // Half a word tells nothing: a narrow screen says why one would pick it, or nothing.
  if (room < 14) {
    const why = span(row.remark ? `  ${row.remark}` : '', 'warn')
    return clipLine([mark, ...clipLine(label, Math.max(10, width - 2 - widthOf(why.text))), why], width)
  }
  const remark = span(row.remark ? `${row.detail ? ' · ' : ''}${row.remark}` : '', 'warn')
  const name = padLine(clipLine(label, Math.max(column - 2, Math.floor(width * 0.5))), column - 2)
  const left = width - 4 - lineWidth(name) - widthOf(remark.text)
  return clipLine([mark, ...name, span('  '), span(clipPhrases(row.detail, left), 'dim'), remark], width)
}
