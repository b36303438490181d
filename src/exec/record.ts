import type { Command, CommandResult, Runner } from '../model/command.ts'
import { addCounts, type Redact } from './redact.ts'
import { type RecordedCommand, readSpooled } from './session-files.ts'

export interface RecordOptions {
  readonly redact: Redact
  /** The wall clock, for the session's timeline. */
  readonly now: () => Date
  /** Usually a session writer's `add`; without it nothing is kept, and secrets are removed all the same. */
  readonly add?: (entry: RecordedCommand) => Promise<void>
}

/**
 * Stands between the runner and the engine: what a command printed is redacted first, then written, then handed on. The
 * engine sees what the disk holds, so that a replay is the same walk.
 */
export function record(run: Runner, { redact, now, add }: RecordOptions): Runner {
  return async (command, signal) => {
    const startedAt = now().toISOString()
    const result = await whole(await run(command, signal))
    const stdout = redact(result.stdout)
    const stderr = redact(result.stderr)
    const shown = redactCommand(command, redact)
    const redacted: CommandResult = { ...result, stdout: stdout.text, stderr: stderr.text }
    // Cancelled by the person: it says nothing about the cluster, and the same question may be asked again.
    if (result.exit.kind !== 'canceled')
      await add?.({
        command: shown.command,
        result: redacted,
        startedAt,
        counts: [stdout.counts, stderr.counts, shown.counts].reduce(addCounts),
      })
    return redacted
  }
}

/** A command as a session names it. */
export function redactCommand(command: Pick<Command, 'file' | 'args'>, redact: Redact) {
  const args = command.args.map(redact)
  return {
    command: { file: command.file, args: args.map(({ text }) => text) },
    counts: args.map(({ counts }) => counts).reduce(addCounts, {}),
  }
}

/** What went to a file because it was long is read back as a replay would read it, so that both see the same. */
async function whole(result: CommandResult): Promise<CommandResult> {
  if (result.spooledTo === undefined) return result
  const stdout = await readSpooled(result.spooledTo).catch(() => undefined)
  return stdout === undefined ? { ...result, stdout: '', exit: { kind: 'too-big' } } : { ...result, stdout }
}
