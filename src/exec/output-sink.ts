import { type FileHandle, open } from 'node:fs/promises'

export interface Spool {
  /** A new file's path. */
  readonly file: () => string
  /** What is done to the text before it touches the disk. */
  readonly transform: () => { readonly push: (text: string) => string; readonly end: () => string }
}

/** Takes what a command prints. */
export interface Sink {
  readonly write: (chunk: Uint8Array) => Promise<void>
  /** No more is wanted: the command may be ended. */
  readonly isOver: () => boolean
}

/** Keeps stdout in memory up to the limit, and all of it in a file beyond. */
export function collect(memoryLimitBytes: number, spool: Spool | undefined) {
  const kept: Uint8Array[] = []
  let keptBytes = 0
  let isOver = false
  let spooled:
    | {
        path: string
        file: FileHandle
        transform: ReturnType<Spool['transform']>
        decoder: InstanceType<typeof TextDecoder>
      }
    | undefined

  const toFile = async (chunk: Uint8Array) => {
    if (!spooled && spool) {
      const path = spool.file()
      spooled = { path, file: await open(path, 'wx', 0o600), transform: spool.transform(), decoder: new TextDecoder() }
      for (const earlier of kept) await append(earlier)
    }
    await append(chunk)
  }
  const append = async (chunk: Uint8Array) => {
    if (spooled) await spooled.file.write(spooled.transform.push(spooled.decoder.decode(chunk, { stream: true })))
  }
  return {
    isOver: () => isOver,
    write: async (chunk: Uint8Array) => {
      if (isOver) return
      if (!spooled && keptBytes + chunk.length <= memoryLimitBytes) {
        kept.push(chunk)
        keptBytes += chunk.length
      } else if (!spool) isOver = true
      // A full disk must not end the walk: the answer is then as good as too big.
      else await toFile(chunk).catch(() => (isOver = true))
    },
    finish: async () => {
      const stdout = new TextDecoder().decode(Buffer.concat(kept))
      if (!spooled) return { stdout }
      const rest = spooled.transform.push(spooled.decoder.decode()) + spooled.transform.end()
      await spooled.file.write(rest).catch(() => (isOver = true))
      await spooled.file.close()
      return { stdout, spooledTo: spooled.path }
    },
  }
}
