const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

export function decode(bytes: Uint8Array, start: number, end: number): string {
  return end > start ? utf8.decode(bytes.subarray(start, end)) : ''
}

export type Interner = (bytes: Uint8Array, start: number, end: number) => string

const slots = 4096
const longestKept = 256

/**
 * Turns bytes into strings, giving the same string again for what it saw before. Clusters, flags and details repeat on
 * every line; making them anew each time would cost more than reading the line. It forgets what collides, so its size
 * is fixed.
 */
export function createInterner(): Interner {
  const kept: string[] = new Array(slots).fill('')
  // What each string was made of: comparing bytes with bytes costs a third of comparing them with characters.
  const keptBytes = new Uint8Array(slots * longestKept)
  const lengths = new Int32Array(slots).fill(-1)
  return (bytes, start, end) => {
    const length = end - start
    if (length > longestKept) return decode(bytes, start, end)
    const slot = slotOf(bytes, start, end)
    const from = slot * longestKept
    if (lengths[slot] === length && isSame(bytes, start, end, keptBytes, from)) return kept[slot]!
    const made = decode(bytes, start, end)
    kept[slot] = made
    lengths[slot] = length
    for (let at = 0; at < length; at++) keptBytes[from + at] = bytes[start + at]!
    return made
  }
}

/** Long texts differ near their ends (numbers, names) more often than not, so a part of their bytes tells them apart. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  const head = Math.min(end, start + 6)
  for (let at = start; at < head; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0
  const tail = Math.max(head, end - 12)
  for (let at = head; at < tail; at += 3) hash = (Math.imul(hash, 31) + bytes[at]!) | 0
  for (let at = tail; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0
  return (hash ^ (hash >>> 15)) & (slots - 1)
}

function isSame(bytes: Uint8Array, start: number, end: number, other: Uint8Array, from: number): boolean {
  for (let at = start, there = from; at < end; at++, there++) if (bytes[at] !== other[there]) return false
  return true
}
