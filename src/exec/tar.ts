import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { UserError } from '../model/errors.ts'

export interface TarEntry {
  readonly path: string
  readonly size: number
}

export interface TarLimits {
  readonly entries: number
  /** Of the whole archive once unpacked: what a small file may grow to. */
  readonly bytes: number
}

export interface TarReport {
  readonly entries: number
  /** The archive ends in the middle. What came before is good. */
  readonly isTruncated: boolean
  /** Links, devices and the like, and paths that lead out of the archive: none of them is followed. */
  readonly skipped: number
}

/** Gets an entry's content piece by piece; undefined to pass over it. */
export type OnEntry = (
  entry: TarEntry,
) => Promise<{ write: (chunk: Uint8Array) => Promise<void>; end: () => Promise<void> } | undefined>

const block = 512

/** Reads a tar file, gzipped or not, in one pass and at constant memory. Nothing is unpacked by name. */
export async function readTar(path: string, limits: TarLimits, onEntry: OnEntry): Promise<TarReport> {
  const bytes = new ByteReader(await openStream(path), limits.bytes, path)
  try {
    return await readEntries(bytes, path, limits, onEntry)
  } finally {
    await bytes.close()
  }
}

async function readEntries(bytes: ByteReader, path: string, limits: TarLimits, onEntry: OnEntry): Promise<TarReport> {
  let entries = 0
  let skipped = 0
  let longPath: string | undefined
  for (;;) {
    const header = await bytes.take(block)
    // Too short for anything, and whole: a text, or nothing.
    if ((header?.length ?? 0) < block && entries === 0 && !bytes.isBroken) throw notAnArchive(path)
    if (header === undefined || header.length < block)
      return { entries, skipped, isTruncated: bytes.isBroken || (header?.length ?? 0) > 0 || entries === 0 }
    if (header.every((byte) => byte === 0)) return { entries, skipped, isTruncated: false }
    if (!hasChecksum(header)) {
      if (entries === 0) throw notAnArchive(path)
      return { entries, skipped, isTruncated: true }
    }
    const size = octal(header, 124, 12)
    const type = String.fromCharCode(header[156] ?? 0)
    if (++entries > limits.entries)
      throw new UserError(`${path} has more than ${limits.entries} entries`, undefined, 'input')
    if ('Lxg'.includes(type)) {
      const extension = await bytes.take(Math.min(size, 1024 * 1024))
      await bytes.pass(size - (extension?.length ?? 0) + padding(size))
      if (extension && type === 'L') longPath = text(extension, 0, extension.length)
      if (extension && type === 'x') longPath = paxPath(extension) ?? longPath
      continue
    }
    const name = longPath ?? shortPath(header)
    longPath = undefined
    const isFile = type === '0' || type === '\0'
    const sink = isFile && isInside(name) ? await onEntry({ path: name, size }) : undefined
    if ((!isFile && type !== '5') || !isInside(name)) skipped++
    const isWhole = await bytes.pass(size, sink?.write)
    await sink?.end()
    if (!isWhole) return { entries, skipped, isTruncated: true }
    await bytes.pass(padding(size))
  }
}

const padding = (size: number) => (block - (size % block)) % block
const notAnArchive = (path: string) =>
  new UserError(`${path} is not a tar archive`, 'expected what `istioctl bug-report` wrote, or a folder', 'input')

async function openStream(path: string): Promise<AsyncIterable<Uint8Array>> {
  let magic: Uint8Array
  try {
    const file = await open(path)
    magic = (await file.read(new Uint8Array(2), 0, 2, 0)).buffer
    await file.close()
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${error instanceof Error ? error.message : error}`, undefined, 'input')
  }
  const raw = createReadStream(path, { highWaterMark: 256 * 1024 })
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return raw
  // pipeline hands errors on; whoever reads the last stream meets them there.
  return pipeline(raw, createGunzip({ chunkSize: 256 * 1024 }), () => {})
}

/** Pieces of a stream, as many bytes at a time as are asked for. An end in the middle is an end. */
class ByteReader {
  isBroken = false
  private readonly chunks: AsyncIterator<Uint8Array>
  private current: Uint8Array = new Uint8Array(0)
  private total = 0

  constructor(
    stream: AsyncIterable<Uint8Array>,
    private readonly limit: number,
    private readonly path: string,
  ) {
    this.chunks = stream[Symbol.asyncIterator]()
  }

  async close(): Promise<void> {
    await this.chunks.return?.()
  }

  /** So many bytes, fewer at the end, undefined after it. */
  async take(size: number): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = []
    const isWhole = await this.pass(size, async (part) => void parts.push(part.slice()))
    return !isWhole && parts.length === 0 ? undefined : Buffer.concat(parts)
  }

  /** Hands on so many bytes; false if the stream ended before. */
  async pass(size: number, write?: (part: Uint8Array) => Promise<void>): Promise<boolean> {
    let left = size
    while (left > 0) {
      if (this.current.length === 0 && !(await this.fill())) return false
      const part = this.current.subarray(0, left)
      this.current = this.current.subarray(part.length)
      left -= part.length
      await write?.(part)
    }
    return true
  }

  private async fill(): Promise<boolean> {
    try {
      const { value, done } = await this.chunks.next()
      if (done) return false
      this.total += value.length
      this.current = value
    } catch {
      // zlib's "unexpected end of file" and its like: the download was cut off.
      this.isBroken = true
      return false
    }
    if (this.total > this.limit)
      throw new UserError(
        `${this.path} unpacks to more than ${this.limit} bytes`,
        'it may be damaged, or made to fill a disk',
        'input',
      )
    return true
  }
}

function hasChecksum(header: Uint8Array): boolean {
  let sum = 0
  for (let at = 0; at < block; at++) sum += at >= 148 && at < 156 ? 32 : (header[at] ?? 0)
  return sum === octal(header, 148, 8)
}

function octal(header: Uint8Array, start: number, length: number): number {
  // Sizes of 8 GiB and more are written in base 256, marked by the top bit.
  if ((header[start] ?? 0) & 0x80)
    return header.subarray(start + 4, start + length).reduce((sum, byte) => sum * 256 + byte, 0)
  const digits = text(header, start, length).trim()
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

function text(bytes: Uint8Array, start: number, length: number): string {
  const part = bytes.subarray(start, start + length)
  const end = part.indexOf(0)
  return new TextDecoder().decode(end === -1 ? part : part.subarray(0, end))
}

function shortPath(header: Uint8Array): string {
  const isUstar = text(header, 257, 5) === 'ustar'
  const prefix = isUstar ? text(header, 345, 155) : ''
  return prefix ? `${prefix}/${text(header, 0, 100)}` : text(header, 0, 100)
}

function paxPath(extension: Uint8Array): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(new TextDecoder().decode(extension))?.[1]
}

/** Content is stored by number, not by name; a name that leads elsewhere is a sign of an archive made to harm. */
function isInside(path: string): boolean {
  return !path.startsWith('/') && !/(^|[/\\])\.\.([/\\]|$)/.test(path) && !path.includes('\0') && !/^[a-z]:/i.test(path)
}
