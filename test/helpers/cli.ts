import { PassThrough, Readable, Writable } from 'node:stream'
import type { Io } from '../../src/cli/io.ts'
import { run } from '../../src/cli/program.ts'

export interface CliOptions {
  /** Only these variables: the person's own shell must not change what a test sees. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly stdin?: string | Uint8Array
  /** Whether the three streams are a terminal. */
  readonly tty?: boolean
  readonly columns?: number
  readonly cwd?: string
  readonly now?: Date
  readonly interrupt?: AbortSignal
  readonly programName?: string
}

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command line in this process, as main.ts would, and keeps what it wrote. */
export async function runCli(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const stdout = memoryStream(options)
  const stderr = memoryStream(options)
  const code = await run(argv, {
    stdin: inputStream(options),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: options.env ?? quietEnv(),
    cwd: options.cwd ?? '/',
    interrupt: options.interrupt ?? new AbortController().signal,
    now: () => options.now ?? new Date('2026-01-01T00:00:00Z'),
    programName: options.programName ?? 'meshtriage',
  })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

/** No tool on the PATH, no settings of anybody. */
export function quietEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: '/nonexistent', HOME: '/nonexistent', ...more }
}

function memoryStream({ tty, columns }: CliOptions) {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      chunks.push(Buffer.from(chunk))
      callback()
    },
  })
  Object.assign(stream, { isTTY: tty === true, columns: tty ? (columns ?? 80) : columns })
  return {
    stream: stream as unknown as Io['stdout'], // what commands use of it: write, isTTY, columns
    text: () => Buffer.concat(chunks).toString('utf8'),
  }
}

function inputStream({ stdin, tty }: CliOptions): Io['stdin'] {
  const bytes = stdin === undefined ? undefined : Buffer.from(stdin)
  // A terminal at which nobody types never ends; a test that waits for it would hang, and says so by its time limit.
  const stream = bytes === undefined ? (tty ? new PassThrough() : Readable.from([])) : Readable.from([bytes])
  Object.assign(stream, { isTTY: tty === true && stdin === undefined })
  return stream as unknown as Io['stdin'] // as above
}
