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
  const kept: (string | undefined)[] = new Array(slots)
  return (bytes, start, end) => {
    if (end - start > longestKept) return decode(bytes, start, end)
    let hash = end - start
    let at = start
    for (; at + 1 < end; at += 2) hash = (Math.imul(hash, 31) + (bytes[at]! | (bytes[at + 1]! << 8))) | 0
    if (at < end) hash = (Math.imul(hash, 31) + bytes[at]!) | 0
    const slot = (hash ^ (hash >>> 15)) & (slots - 1)
    const known = kept[slot]
    if (known !== undefined && isSame(known, bytes, start, end)) return known
    const made = decode(bytes, start, end)
    kept[slot] = made
    return made
  }
}

/** Only for ASCII: a string with other characters never equals its bytes one by one, and is made again. */
function isSame(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false
  for (let at = 0; at < text.length; at++) {
    const byte = bytes[start + at]!
    if (byte > 0x7f || text.charCodeAt(at) !== byte) return false
  }
  return true
}
