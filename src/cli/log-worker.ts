// An entry point of its own: what a thread loads to read its part of a large log.
import { parentPort, workerData } from 'node:worker_threads'
import { type LogOrder, readPart } from './log-part.ts'
import type { LogRange } from './log-ranges.ts'

export interface LogErrand {
  readonly order: LogOrder
  readonly range: LogRange
  /** Not 0 when the person wants out: shared memory, as nobody here waits for messages. */
  readonly stop: Int32Array
}

const { order, range, stop } = workerData as LogErrand
parentPort?.postMessage(await readPart(order, range, () => Atomics.load(stop, 0) !== 0))
