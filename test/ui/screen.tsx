import { render } from 'ink-testing-library'
import type { ReactElement, ReactNode } from 'react'
import { App } from '../../src/ui/App.tsx'
import type { Backend, GuidedOptions } from '../../src/ui/ports.ts'
import { PressContext, usePressSource } from '../../src/ui/press-source.ts'
import { ScreenContext } from '../../src/ui/screen.ts'
import { withoutColours } from '../../src/ui/sgr.ts'
import type { AppEnd } from '../../src/ui/use-leaving.ts'
import { widthOf } from '../../src/ui/width.ts'

/** The bytes that terminals send. */
export const keys = {
  enter: '\r',
  esc: '\u001b',
  up: '\u001b[A',
  down: '\u001b[B',
  tab: '\t',
  ctrlC: '\u0003',
} as const

export const bracketed = (text: string) => `\u001b[200~${text}\u001b[201~`

export interface Shown {
  readonly frame: () => string
  readonly raw: () => string
  readonly frames: () => readonly string[]
  readonly press: (...presses: readonly string[]) => Promise<void>
  readonly waitFor: (text: string | RegExp) => Promise<string>
  readonly gone: (text: string) => Promise<string>
  readonly resize: (columns: number, rows: number) => void
  readonly unmount: () => void
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function show(node: ReactElement, columns: number, rows: number): Shown {
  const app = render(<Keyboard>{null}</Keyboard>)
  const resize = (width: number, height: number) => {
    Object.defineProperty(app.stdout, 'columns', { value: width, configurable: true })
    Object.defineProperty(app.stdout, 'rows', { value: height, configurable: true })
    app.stdout.emit('resize')
  }
  resize(columns, rows)
  app.rerender(node)
  const frame = () => withoutColours(app.lastFrame() ?? '')
  const until = async (holds: () => boolean, what: string) => {
    for (let tries = 0; tries < 800; tries++) {
      if (holds()) return frame()
      // Most frames are a few turns away; a second that is counted takes a second.
      await (tries < 300 ? turn() : new Promise((resolve) => setTimeout(resolve, 5)))
    }
    throw new Error(`${what}. The last frame:\n${frame()}`)
  }
  return {
    frame,
    raw: () => app.lastFrame() ?? '',
    frames: () => app.frames,
    press: async (...presses) => {
      for (const press of presses) {
        app.stdin.write(press)
        for (let turns = 0; turns < 6 + press.length * 2; turns++) await turn()
      }
    },
    waitFor: (text) =>
      until(() => (typeof text === 'string' ? frame().includes(text) : text.test(frame())), `never saw ${text}`),
    gone: (text) => until(() => !frame().includes(text), `${text} stays`),
    resize,
    unmount: app.unmount,
  }
}

function Keyboard({ children }: { readonly children: ReactNode }) {
  return <PressContext.Provider value={usePressSource(() => false)}>{children}</PressContext.Provider>
}

/** One component on a screen of its own. */
export function draw(node: ReactNode, columns = 80, rows = 24, colour = true): Shown {
  return show(
    <ScreenContext.Provider value={{ columns, rows, colour }}>
      <Keyboard>{node}</Keyboard>
    </ScreenContext.Provider>,
    columns,
    rows,
  )
}

/** The whole app on a sample backend. */
export function open(
  backend: Backend,
  options: Partial<Pick<GuidedOptions, 'colour' | 'given' | 'open' | 'signal' | 'now'>> & {
    columns?: number
    rows?: number
  } = {},
): Shown & { readonly end: () => AppEnd | null } {
  let end: AppEnd | null = null
  const { columns = 80, rows = 24, now = () => 0, colour = true, ...rest } = options
  const shown = show(
    <App
      backend={backend}
      options={{ colour, ...rest }}
      now={now}
      onEnd={(last) => {
        end = last
      }}
    />,
    columns,
    rows,
  )
  return { ...shown, end: () => end }
}

/** What every frame must hold at any size. */
export function faults(frame: string, columns: number, rows: number): string[] {
  const lines = withoutColours(frame).split('\n')
  const wide = lines.filter((line) => widthOf(line) > columns).map((line) => `wider than ${columns}: ${line}`)
  return lines.length > rows ? [...wide, `${lines.length} lines on ${rows} rows`] : wide
}
