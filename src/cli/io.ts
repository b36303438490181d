import type { Environment } from './settings.ts'

/** The process as commands see it. Tests hand in their own. */
export interface Io {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly env: Environment
  readonly cwd: string
  /** Fires on Ctrl-C, SIGTERM and SIGHUP. */
  readonly interrupt: AbortSignal
  readonly now: () => Date
  /** `meshtriage`, or `kubectl meshtriage` when kubectl called us. */
  readonly programName: string
}

/** Writes all of it, and waits until the other end took it: a pipe that is slow must not lose the end of a note. */
export function print(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    // A closed pipe (`| head -1`) is the reader's choice, no failure of ours.
    stream.write(text, () => resolve())
  })
}

export async function readStdin(io: Io): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks).toString('utf8')
}

export function wantsColour(
  io: Io,
  choice: 'auto' | 'always' | 'never' | undefined,
  stream: NodeJS.WriteStream,
): boolean {
  if (choice === 'always') return true
  if (choice === 'never') return false
  if (io.env.FORCE_COLOR && io.env.FORCE_COLOR !== '0') return true
  if (io.env.NO_COLOR || io.env.TERM === 'dumb') return false
  return stream.isTTY === true
}
