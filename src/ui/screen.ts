import { useStdout } from 'ink'
import { createContext, useContext, useEffect, useState } from 'react'

export interface Screen {
  readonly columns: number
  readonly rows: number
  readonly colour: boolean
}

/** Two columns of text that are good to read; wider lines are not, and the rest of a terminal stays empty. */
const widest = 164

export const ScreenContext = createContext<Screen>({ columns: 80, rows: 24, colour: true })

export function useScreen(): Screen & { readonly width: number } {
  const screen = useContext(ScreenContext)
  // One column of margin on either side, unless every column counts.
  const margin = screen.columns < 60 ? 0 : 2
  return { ...screen, width: Math.max(10, Math.min(widest, screen.columns - margin)) }
}

/** The terminal's size as it is now. */
export function useTerminalSize(): { readonly columns: number; readonly rows: number } {
  const { stdout } = useStdout()
  const read = () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 })
  const [size, setSize] = useState(read)
  useEffect(() => {
    const resized = () => setSize({ columns: stdout.columns || 80, rows: stdout.rows || 24 })
    stdout.on('resize', resized)
    return () => {
      stdout.off('resize', resized)
    }
  }, [stdout])
  return size
}

/** Ticks while something is counted; a screen on which nothing runs is not redrawn. */
export function useNow(now: () => number, isCounting: boolean): number {
  const [at, setAt] = useState(now)
  useEffect(() => {
    if (!isCounting) return
    setAt(now())
    const timer = setInterval(() => setAt(now()), 1000)
    return () => clearInterval(timer)
  }, [isCounting, now])
  return at
}
