import { useInput } from 'ink'
import { createContext, useContext, useLayoutEffect, useRef } from 'react'
import { decode, notPasting, type Press } from './keys.ts'

type Handler = (press: Press) => void

interface PressSource {
  readonly add: (handler: Handler) => () => void
}

export const PressContext = createContext<PressSource>({ add: () => () => undefined })

/** The one place that reads the keyboard. `first` sees every key before the screens and may keep it. */
export function usePressSource(first: (press: Press) => boolean): PressSource {
  const handlers = useRef<Handler[]>([])
  const decoding = useRef(notPasting)
  const queue = useRef<Press[]>([])
  const latest = useRef(first)
  latest.current = first

  // One press a turn: keys that arrived together must each see the screen that the one before left.
  const pump = useRef(() => {
    const press = queue.current[0]
    if (!press) return
    if (!latest.current(press)) handlers.current.at(-1)?.(press)
    queue.current.shift()
    if (queue.current.length > 0) setImmediate(pump.current)
  })
  useInput((input, key) => {
    const { presses, after } = decode(decoding.current, input, key)
    decoding.current = after
    if (presses.length === 0) return
    const idle = queue.current.length === 0
    queue.current.push(...presses)
    if (idle) pump.current()
  })
  return useRef<PressSource>({
    add: (handler) => {
      handlers.current.push(handler)
      return () => {
        handlers.current = handlers.current.filter((other) => other !== handler)
      }
    },
  }).current
}

/** Keys for this screen, as long as it is the active one. */
export function usePresses(handler: Handler, isActive: boolean): void {
  const source = useContext(PressContext)
  const latest = useRef(handler)
  latest.current = handler
  useLayoutEffect(() => {
    if (!isActive) return
    return source.add((press) => latest.current(press))
  }, [source, isActive])
}
