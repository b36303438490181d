import type { PageOptions } from '../report/page.ts'
import { type Io, wantsColour } from './io.ts'

/** Width and colour of a report on standard output: the terminal's, and 100 columns without one. */
export function pageOptions(io: Io, color: 'auto' | 'always' | 'never' | undefined): PageOptions {
  return {
    width: Math.min(io.stdout.isTTY ? (io.stdout.columns ?? 80) : 100, 110),
    colour: wantsColour(io, color, io.stdout),
  }
}
