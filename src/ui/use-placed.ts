import { useCallback, useRef, useState } from 'react'

/** State that belongs to a place and is forgotten when that changes; at once, where an effect would eat the next key. */
export function usePlaced<T>(place: string, initial: T): readonly [T, (value: T) => void] {
  const [kept, setKept] = useState({ place, value: initial })
  const here = useRef(place)
  here.current = place
  const set = useCallback((value: T) => setKept({ place: here.current, value }), [])
  return [kept.place === place ? kept.value : initial, set]
}
