/** Lines from a stream, one at a time. `null`: it has ended. */
export interface LineReader {
  readonly next: () => Promise<string | null>
  /** Takes this word out of what waits to be read, when it is there. */
  readonly take: (word: string) => boolean
  readonly close: () => void
}

export function readLines(stream: NodeJS.ReadStream): LineReader {
  const lines: string[] = []
  let rest = ''
  let ended = false
  let waiting: ((line: string | null) => void) | null = null
  const wake = () => {
    if (!waiting || (lines.length === 0 && !ended)) return
    const resolve = waiting
    waiting = null
    resolve(lines.shift() ?? null)
  }
  const onData = (chunk: string | Uint8Array) => {
    const parts = (rest + String(chunk)).split(/\r\n|\n|\r/)
    rest = parts.pop() ?? ''
    lines.push(...parts)
    wake()
  }
  const onEnd = () => {
    if (rest !== '') lines.push(rest)
    rest = ''
    ended = true
    wake()
  }
  stream.setEncoding('utf8')
  stream.on('data', onData)
  stream.on('end', onEnd)
  stream.resume()
  return {
    next: () =>
      new Promise((resolve) => {
        waiting = resolve
        wake()
      }),
    take: (word) => {
      const at = lines.findIndex((line) => line.trim() === word)
      if (at >= 0) lines.splice(at, 1)
      return at >= 0
    },
    close: () => {
      stream.off('data', onData)
      stream.off('end', onEnd)
      stream.pause()
      onEnd()
    },
  }
}
