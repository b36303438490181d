/** Called with one line: `bytes[start, end)`, without its line break. The bytes are only valid during the call. */
export type OnLine = (bytes: Uint8Array, start: number, end: number, line: number, tooLong: boolean) => void

export interface LineSplitter {
  readonly push: (chunk: Uint8Array | string) => void
  readonly end: () => void
}

const newline = 0x0a
const carriageReturn = 0x0d

/** Envoy refuses headers beyond 60 KiB unless configured otherwise; a longer line than this is not worth its memory. */
export const longestLine = 1024 * 1024

/**
 * Cuts a stream into lines. Lines within one chunk are not copied. Of a line longer than `longest` only its beginning is
 * kept and handed on as `tooLong`; the rest is skipped, so memory stays flat whatever comes. `linesBefore` are those of a
 * part that somebody else reads.
 */
export function createLineSplitter(onLine: OnLine, longest = longestLine, linesBefore = 0): LineSplitter {
  const encoder = new TextEncoder()
  let held = new Uint8Array(4096)
  let heldLength = 0
  let overflowed = false
  let line = linesBefore
  let halfPair = ''

  function hold(chunk: Uint8Array, start: number, end: number): void {
    const room = longest + 1 - heldLength
    const take = Math.min(end - start, room)
    if (end - start > room) overflowed = true
    if (take <= 0) return
    if (heldLength + take > held.length) {
      const larger = new Uint8Array(Math.min(longest + 1, Math.max(held.length * 2, heldLength + take)))
      larger.set(held.subarray(0, heldLength))
      held = larger
    }
    held.set(chunk.subarray(start, start + take), heldLength)
    heldLength += take
  }

  function emit(bytes: Uint8Array, start: number, end: number): void {
    const tooLong = overflowed || end - start > longest
    const to = tooLong ? Math.min(end, start + longest) : end
    onLine(bytes, start, to > start && bytes[to - 1] === carriageReturn ? to - 1 : to, ++line, tooLong)
  }

  function emitHeld(): void {
    emit(held, 0, heldLength)
    heldLength = 0
    overflowed = false
    if (held.length > 65536) held = new Uint8Array(4096)
  }

  function pushBytes(given: Uint8Array): void {
    // One kind of array everywhere: with Buffers beside plain arrays the engine's fast path is lost.
    const chunk = new Uint8Array(given.buffer, given.byteOffset, given.length)
    let start = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
      if (heldLength > 0) {
        hold(chunk, start, at)
        emitHeld()
      } else emit(chunk, start, at)
      start = at + 1
    }
    if (start < chunk.length) hold(chunk, start, chunk.length)
  }

  return {
    push(chunk) {
      if (typeof chunk !== 'string') return pushBytes(chunk)
      // A pair of surrogates may lie on both sides of the cut; encoding its halves alone would lose the character.
      const text = halfPair + chunk
      const last = text.charCodeAt(text.length - 1)
      halfPair = last >= 0xd800 && last <= 0xdbff ? text.slice(-1) : ''
      pushBytes(encoder.encode(halfPair ? text.slice(0, -1) : text))
    },
    end() {
      if (halfPair) pushBytes(encoder.encode(halfPair))
      halfPair = ''
      if (heldLength > 0) emitHeld()
    },
  }
}
