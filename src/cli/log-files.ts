import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { UserError } from '../model/errors.ts'

const chunkBytes = 256 * 1024

export interface OpenFile {
  readonly stream: () => Readable
  readonly bytes: number
  /** Where reading begins. */
  readonly start: number
  /** A file of known size with the log itself in it: no pipe, and not compressed. */
  readonly isPlain: boolean
}

/** A log file as a stream; `tail` lines from its end, where they are asked for. */
export async function openLogFile(path: string, shown: string, tail: number | null): Promise<OpenFile> {
  const isGzip = path.endsWith('.gz')
  if (isGzip && tail !== null)
    throw new UserError(
      '--tail: the end of a compressed file is not known before it is read',
      `gunzip -c ${shown} | tail -n ${tail} | meshtriage logs -`,
    )
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    throw unreadable(shown, error)
  }
  const about = await file.stat()
  if (about.isDirectory()) {
    await file.close()
    throw new UserError(`${shown} is a folder`, 'name a file in it, or pipe: cat FOLDER/* | meshtriage logs -', 'input')
  }
  const start = tail === null ? 0 : await startOfTail(file, about.size, tail)
  await file.close()
  const stream = () => {
    const raw = createReadStream(path, { highWaterMark: chunkBytes, start })
    return isGzip ? raw.pipe(createGunzip({ chunkSize: chunkBytes })) : raw
  }
  return { stream, bytes: about.size - start, start, isPlain: about.isFile() && !isGzip }
}

function unreadable(shown: string, error: unknown): UserError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const why = code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'you may not read it' : 'it cannot be read'
  return new UserError(`${shown}: ${why}`, undefined, 'input')
}

/** Where the last so many lines begin: looked for from the end, so that a large file need not be read. */
async function startOfTail(file: FileHandle, size: number, lines: number): Promise<number> {
  if (lines === 0) return size
  const block = Buffer.alloc(64 * 1024)
  let left = lines
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - block.length)
    const { bytesRead } = await file.read(block, 0, end - start, start)
    for (let at = bytesRead - 1; at >= 0; at--) {
      // The line break at the very end closes the last line and begins none.
      if (block[at] !== 0x0a || start + at === size - 1) continue
      left--
      if (left === 0) return start + at + 1
    }
    end = start
  }
  return 0
}

/** The chunks of a stream until it ends or the person wants out. */
export async function* chunksUntil(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array | string> {
  const stop = () => stream.destroy()
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of stream) yield chunk as Uint8Array | string
  } catch (error) {
    // Destroyed by ourselves: what was read until then is the answer.
    if (!signal.aborted) throw asUserError(error)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function asUserError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code.startsWith('Z_') ? new UserError('the compressed file is damaged', code, 'input') : error
}
