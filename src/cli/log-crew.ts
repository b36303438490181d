import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { CompiledFormat } from '../../parsers/access-log-format.ts'
import type { LogOrder } from './log-part.ts'
import { cutLog, type LogRange, readRange } from './log-ranges.ts'
import type { LogReader, ReadPart } from './log-reader.ts'
import type { LogErrand } from './log-worker.ts'

/** Below this a thread takes longer to start than to read its part. */
const worthSharing = 8 * 1024 * 1024
/** Each takes memory, and the disk has one arm. */
const mostThreads = 4

export type ReadElsewhere = (range: LogRange, stop: Int32Array) => Promise<ReadPart | null>

/** Where the threads' own program lies: beside the built program. From sources and in one executable file there is none. */
export function workerFile(): URL | null {
  try {
    const url = new URL('./log-worker.js', import.meta.url)
    return existsSync(fileURLToPath(url)) ? url : null
  } catch {
    return null
  }
}

export const threadsFor = (bytes: number): number =>
  bytes < worthSharing ? 1 : Math.min(availableParallelism(), mostThreads)

export function inThread(file: URL, order: LogOrder): { readonly read: ReadElsewhere; readonly end: () => void } {
  const workers: Worker[] = []
  return {
    read: (range, stop) =>
      new Promise((resolve) => {
        const errand: LogErrand = { order, range, stop }
        const worker = new Worker(file, {
          workerData: errand,
          execArgv: [],
          resourceLimits: { maxYoungGenerationSizeMb: 8 },
        })
        workers.push(worker)
        // A thread that does not start or does not end well has read nothing: its part is read here.
        worker.once('message', resolve)
        worker.once('messageerror', () => resolve(null))
        worker.once('error', () => resolve(null))
        worker.once('exit', () => resolve(null))
      }),
    end: () => {
      for (const worker of workers) void worker.terminate()
    },
  }
}

/**
 * Reads a log in parts at the same time, the first one here. They are added up in their order, so the summary is the one
 * of reading it from beginning to end; what nobody could read elsewhere is read here when its turn comes.
 */
export async function readShared(
  reader: LogReader,
  path: string,
  whole: LogRange,
  sharing: { readonly threads: number; readonly format: CompiledFormat | undefined; readonly elsewhere: ReadElsewhere },
  interrupt: AbortSignal,
): Promise<void> {
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const onAbort = () => Atomics.store(stop, 0, 1)
  if (interrupt.aborted) onAbort()
  interrupt.addEventListener('abort', onAbort, { once: true })
  const file = await open(path, 'r')
  try {
    const ranges = await cutLog(file, whole, sharing.threads, sharing.format)
    const parts = ranges.map((range, index) => (index === 0 ? null : sharing.elsewhere(range, stop)))
    let lines = 0
    for (const [index, range] of ranges.entries()) {
      const part = await parts[index]
      if (part) {
        reader.take(part, lines)
        lines += part.counts.lines
      } else {
        const scanner = reader.open('', lines)
        await readRange(file, range, scanner.push, () => interrupt.aborted)
        lines += scanner.end().lines
      }
    }
  } finally {
    interrupt.removeEventListener('abort', onAbort)
    await file.close()
  }
}
