import { type Line, span } from '../lines.ts'
import { clampScroll } from '../view/windowed.ts'
import { Lines } from './Lines.tsx'

interface Props {
  readonly lines: readonly Line[]
  readonly width: number
  readonly height: number
  readonly offset: number
  /** The keys that scroll here. */
  readonly by?: string
}

/** A window on more lines than fit; says how many are above and below. */
export function Scroll({ lines, width, height, offset, by = 'space or ↓' }: Props) {
  if (lines.length <= height) return <Lines lines={lines} width={width} height={height} />
  const from = clampScroll(offset, lines.length, height)
  const shown = lines.slice(from, from + height)
  const below = lines.length - from - height
  if (below > 0) shown[height - 1] = [span(`↓ ${below + 1} more · ${by}`, 'dim')]
  if (from > 0) shown[0] = [span(`↑ ${from + 1} above`, 'dim')]
  return <Lines lines={shown} width={width} height={height} />
}
