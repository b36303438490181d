import { setTimeout } from 'node:timers/promises'
import { brotliDecompressSync } from 'node:zlib'
import type { Command, CommandResult, Runner } from '../model/command.ts'
import { canonicalKey } from './allow-list.ts'

/** A whole walk in one compressed file: what demos and tests play. */
export interface Recorded {
  readonly name: string
  /** Recorded as it was, or made by changing a recording: then what was changed. */
  readonly synthetic: false | string
  readonly given: unknown
  readonly expect?: unknown
  readonly commands: readonly {
    readonly file: Command['file']
    readonly args: readonly string[]
    readonly result: CommandResult
  }[]
}

export function unpackRecorded(bytes: Uint8Array): Recorded {
  return JSON.parse(brotliDecompressSync(bytes).toString('utf8')) as Recorded // our own files, made by scripts of this project
}

/** Answers from memory and starts nothing. `pauseMs`: how long each answer takes, to let a person watch. */
export function recordedRunner(recorded: Recorded, pauseMs = 0): Runner {
  const answers = new Map(recorded.commands.map((command) => [canonicalKey(command), command.result]))
  return async (command, signal) => {
    if (pauseMs > 0) await setTimeout(pauseMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return { exit: { kind: 'canceled' }, stdout: '', stderr: '', durationMs: 0 }
    return (
      answers.get(canonicalKey(command)) ?? {
        exit: { kind: 'not-recorded' },
        stdout: '',
        stderr: 'this recording holds no answer to this command',
        durationMs: 0,
      }
    )
  }
}
