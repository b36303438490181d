/** What we start on the engineer's machine. Always an argv array, never a line for a shell. */
export interface Command {
  readonly file: 'kubectl' | 'istioctl' | 'curl'
  readonly args: readonly string[]
  readonly timeoutMs: number
}

/** How a command ended. Everything but `exited` means: its output is not an answer. */
export type Exit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'tool-missing' | 'timed-out' | 'canceled' | 'too-big' | 'not-recorded' | 'refused' }

export interface CommandResult {
  readonly exit: Exit
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
  /** Set when stdout was larger than memory should hold: all of it is in this file of the session folder. */
  readonly spooledTo?: string
}

/** The only way to the outside that the engine knows. It never rejects: failure is a result. */
export type Runner = (command: Command, signal: AbortSignal) => Promise<CommandResult>

/** For display and for the note. Quoted so that a person can paste it; never given to a shell by us. */
export function displayCommand(command: Pick<Command, 'file' | 'args'>): string {
  return [command.file, ...command.args.map(quoteWord)].join(' ')
}

function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  return `'${word.replaceAll("'", "'\\''")}'`
}
