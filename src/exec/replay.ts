import { setTimeout } from 'node:timers/promises'
import type { CommandResult, Runner } from '../model/command.ts'
import type { Session, SessionCommand } from '../model/session.ts'
import { canonicalKey } from './allow-list.ts'
import { redactCommand } from './record.ts'
import type { Redact } from './redact.ts'
import { readOutput } from './session-files.ts'

export interface ReplayOptions {
  readonly folder: string
  readonly session: Session
  /** The rules the session was recorded with, so that a question is spelled as it was written down. */
  readonly redact: Redact
  /** 1 takes as long as it took, 10 a tenth of it; left out, no time at all. */
  readonly speed?: number
}

/**
 * Answers from a session, by what was asked and not by when. The same question asked again gets the next recorded answer
 * (a retest), and the last one for ever. What was not recorded is not run.
 */
export function createReplay({ folder, session, redact, speed }: ReplayOptions): Runner {
  const exact = group(session.commands, (command) => JSON.stringify([command.file, command.args]))
  const equal = group(session.commands, canonicalKey)
  const asked = new Map<SessionCommand[], number>()

  return async (command, signal) => {
    if (signal.aborted) return nothing('canceled', '')
    const spelled = redactCommand(command, redact).command
    const answers = exact.get(JSON.stringify([spelled.file, spelled.args])) ?? equal.get(canonicalKey(spelled))
    if (!answers) return nothing('not-recorded', 'this session holds no answer to this command')
    const turn = asked.get(answers) ?? 0
    asked.set(answers, turn + 1)
    const recorded = answers[Math.min(turn, answers.length - 1)] as SessionCommand
    const waited = speed === undefined || (await pause(recorded.durationMs / speed, signal))
    return waited ? answer(folder, recorded) : nothing('canceled', '')
  }
}

function group(
  commands: readonly SessionCommand[],
  keyOf: (command: SessionCommand) => string,
): Map<string, SessionCommand[]> {
  const groups = new Map<string, SessionCommand[]>()
  for (const command of commands) {
    const key = keyOf(command)
    groups.set(key, [...(groups.get(key) ?? []), command])
  }
  return groups
}

async function answer(
  folder: string,
  { exit, stdout, stderr, durationMs, isSpooled }: SessionCommand,
): Promise<CommandResult> {
  try {
    return {
      exit,
      stdout: stdout === undefined ? '' : await readOutput(folder, stdout),
      stderr: stderr === undefined ? '' : await readOutput(folder, stderr),
      durationMs,
    }
  } catch (error) {
    // A session that was copied in part, or an output longer than a text can be.
    const why = error instanceof Error ? error.message : String(error)
    return nothing(isSpooled ? 'too-big' : 'not-recorded', `the recorded output cannot be read: ${why}`)
  }
}

const nothing = (kind: 'canceled' | 'not-recorded' | 'too-big', stderr: string): CommandResult => ({
  exit: { kind },
  stdout: '',
  stderr,
  durationMs: 0,
})

async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return setTimeout(ms, true, { signal }).catch(() => false)
}
