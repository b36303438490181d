import { useInput } from 'ink'
import { createContext, useContext, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { decode, notPasting } from './decode.ts'
import type { Press } from './keys.ts'

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
  const isBusy = useRef(false)
  const latest = useRef(first)
  latest.current = first

  const [turn, setTurn] = useState(0)

  // One press a turn: keys that arrived together must each see the screen that the one before left.
  const handleNext = useRef(() => {
    const press = queue.current.shift()
    if (!press) return
    if (!latest.current(press)) handlers.current.at(-1)?.(press)
    setTurn((before) => before + 1)
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: a turn ends when what its press changed is drawn
  useEffect(() => {
    isBusy.current = queue.current.length > 0
    if (isBusy.current) setImmediate(handleNext.current)
  }, [turn])
  useInput((input, key) => {
    const { presses, after } = decode(decoding.current, input, key)
    decoding.current = after
    queue.current.push(...presses)
    if (presses.length === 0 || isBusy.current) return
    isBusy.current = true
    handleNext.current()
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
