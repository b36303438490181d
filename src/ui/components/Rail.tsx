import { type RailRow, railLines } from '../view/rail.ts'
import { windowAround } from '../view/windowed.ts'
import { Lines } from './Lines.tsx'

interface Props {
  readonly rows: readonly RailRow[]
  readonly cursor: string | null
  readonly width: number
  readonly height: number
}

/** The layers, one a row, each with its verdict. */
export function Rail({ rows, cursor, width, height }: Props) {
  const at = Math.max(
    0,
    rows.findIndex(({ id }) => id === cursor),
  )
  const from = windowAround(rows.length, at, height, 0)
  return <Lines lines={railLines(rows, cursor, width).slice(from, from + height)} width={width} height={height} />
}
