/** The part of a long list that is drawn: the marked line stays in view, with two lines of context where there is room. */
export function windowAround(length: number, cursor: number, height: number, before: number): number {
  if (length <= height) return 0
  const margin = Math.min(2, Math.floor((height - 1) / 2))
  const lowest = Math.max(0, cursor - height + 1 + margin)
  const highest = Math.max(0, cursor - margin)
  const wanted = Math.min(Math.max(before, lowest), highest)
  return clampScroll(wanted, length, height)
}

export function clampScroll(offset: number, length: number, height: number): number {
  return Math.max(0, Math.min(offset, length - height))
}
