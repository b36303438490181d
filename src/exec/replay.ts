import { setTimeout } from 'node:timers/promises'
import type { Command, CommandResult, Runner } from '../model/command.ts'
import { unattended, type WalkPorts } from '../model/control.ts'
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
export function createReplay(options: ReplayOptions): Runner {
  const { folder, speed } = options
  const find = recordedAnswers(options)

  return async (command, signal) => {
    if (signal.aborted) return nothing('canceled', '')
    const found = find(command)
    if (!found) return nothing('not-recorded', 'this session holds no answer to this command')
    const recorded = found.next ?? found.last
    const waited = speed === undefined || (await pause(recorded.durationMs / speed, signal))
    return waited ? readAnswer(folder, recorded) : nothing('canceled', '')
  }
}

/** Goes on with a session: what it holds is not asked again, everything else is, also a question that is asked once more. */
export function resumeRunner(options: Omit<ReplayOptions, 'speed'>, live: Runner): Runner {
  const find = recordedAnswers(options)
  return async (command, signal) => {
    if (signal.aborted) return nothing('canceled', '')
    const recorded = find(command)?.next
    // What ended without an answer may well have one today.
    return recorded?.exit.kind === 'exited' ? readAnswer(options.folder, recorded) : live(command, signal)
  }
}

/** What the session holds on a question: the answer whose turn it is, if there is one left, and the last one. */
function recordedAnswers({ session, redact }: ReplayOptions) {
  const exact = group(session.commands, (command) => JSON.stringify([command.file, command.args]))
  const equal = group(session.commands, canonicalKey)
  const asked = new Map<SessionCommand[], number>()
  return (command: Command): { next: SessionCommand | undefined; last: SessionCommand } | undefined => {
    const spelled = redactCommand(command, redact).command
    const answers = exact.get(JSON.stringify([spelled.file, spelled.args])) ?? equal.get(canonicalKey(spelled))
    const last = answers?.at(-1)
    if (!answers || !last) return undefined
    const turn = asked.get(answers) ?? 0
    asked.set(answers, turn + 1)
    return { next: answers[turn], last }
  }
}

/** Answers and lines of the person who recorded it, said again at the same places. */
export function recordedPorts({ answers = {}, notes = [] }: Session): WalkPorts {
  return {
    ...unattended,
    ask: async ({ id, choices }) => {
      const answer = answers[id]
      // A question of today may have lost a choice of then.
      return answer !== undefined && choices.some((choice) => choice.id === answer) ? answer : 'unknown'
    },
    onNote: (listener) => {
      for (const { text } of notes) listener(text)
      return () => undefined
    },
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

async function readAnswer(
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
