import { withoutColours } from './sgr.ts'
import { widthOf } from './width.ts'

// Alternate screen, no cursor, bracketed paste. No wrapping at the edge: between a resize and the next layout a line
// may be too long, and in the last row it would scroll everything.
const enter = '\u001b[?1049h\u001b[?25l\u001b[?2004h\u001b[?7l\u001b[2J\u001b[H'
const leave = '\u001b[0m\u001b[?7h\u001b[?2004l\u001b[?25h\u001b[?1049l'
// Terminals that know it show the frame at once; the others ignore it.
const beginFrame = '\u001b[?2026h'
const endFrame = '\u001b[?2026l'

/** What turns one frame into the next: only lines that differ, each at its own place. */
export function frameChange(before: readonly string[], after: readonly string[], columns: number): string {
  let out = ''
  for (let row = 0; row < Math.max(before.length, after.length); row++) {
    const text = after[row] ?? ''
    if (before[row] === text) continue
    // Behind a full line the cursor still stands on its last column: erasing there would take the last character.
    const isFull = widthOf(withoutColours(text)) >= columns
    out += `\u001b[${row + 1};1H\u001b[0m${text}\u001b[0m${isFull ? '' : '\u001b[K'}`
  }
  return out
}

export interface ScreenWriter {
  /** What Ink writes to: it sees a screen of the right size and hands over whole frames. */
  readonly stdout: NodeJS.WriteStream
  readonly open: () => void
  /** Puts the terminal back; may be called at any time, any number of times. */
  readonly close: () => void
}

/**
 * Ink's own writer clears the whole terminal when a frame is as high as the screen, which flickers and loses the
 * scrollback. In its debug mode Ink hands over every frame as it is; the comparison with the last one happens here.
 */
export function createScreenWriter(terminal: NodeJS.WriteStream): ScreenWriter {
  let frame: readonly string[] = []
  let isOpen = false
  const size = () => `${terminal.columns}x${terminal.rows}`
  let drawnAt = size()
  const draw = (text: string) => {
    if (!isOpen) return
    const rows = terminal.rows || 24
    const next = text.split('\n').slice(0, rows)
    // After a resize nothing is where it was.
    const before = size() === drawnAt ? frame : Array.from({ length: rows }, () => '\u0000')
    drawnAt = size()
    const change = frameChange(before, next, terminal.columns || 80)
    frame = next
    if (change !== '') terminal.write(beginFrame + change + endFrame)
  }
  const target = {
    get columns() {
      return terminal.columns || 80
    },
    get rows() {
      return terminal.rows || 24
    },
    isTTY: false,
    write: (text: string) => {
      draw(text)
      return true
    },
    on: (event: string, listener: () => void) => terminal.on(event, listener),
    off: (event: string, listener: () => void) => terminal.off(event, listener),
  }
  return {
    // Ink reads its size, writes frames, and listens for `resize`: this is all of a stream it uses in debug mode.
    stdout: target as unknown as NodeJS.WriteStream,
    open: () => {
      if (isOpen) return
      isOpen = true
      terminal.write(enter)
    },
    close: () => {
      if (!isOpen) return
      isOpen = false
      terminal.write(leave)
    },
  }
}
