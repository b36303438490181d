import process from 'node:process'
import { execa } from 'execa'
import type { Command, CommandResult, Exit, Runner } from '../model/command.ts'
import { check } from './allow-list.ts'
import { createLimit } from './limit.ts'
import { collect, type Sink, type Spool } from './output-sink.ts'

export interface LiveOptions {
  /** The person's environment. What would make a tool behave differently for everybody else is taken out of it. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly context?: string
  readonly kubeconfig?: string
  readonly as?: string
  readonly asGroups?: readonly string[]
  readonly concurrency?: number
  /** More than this of stdout is not kept in memory. */
  readonly memoryLimitBytes?: number
  /** Where the output of a command goes that prints more than that; without it, such a command ends as `too-big`. */
  readonly spool?: Spool
  /** How long after the polite signal the other one follows. */
  readonly killGraceMs?: number
  /** Lets commands start that the allow-list marks as sending traffic, or as running on request only. */
  readonly permit?: (command: Command) => boolean
}

export interface StreamEnd {
  readonly exit: Exit
  readonly stderr: string
  readonly durationMs: number
}

export interface Live {
  readonly run: Runner
  /** For what does not end by itself (`logs -f`) or is too long to be kept. No timeout: the signal ends it. */
  readonly stream: (command: Command, signal: AbortSignal, onChunk: (text: string) => void) => Promise<StreamEnd>
}

const mebibyte = 1024 * 1024
const defaults = { concurrency: 4, memoryLimitBytes: 64 * mebibyte, killGraceMs: 1000 }
const stderrLimitBytes = mebibyte

/** Starts the engineer's own kubectl and istioctl. Nothing else in the program starts a process. */
export function createLive(options: LiveOptions): Live {
  const limit = createLimit(options.concurrency ?? defaults.concurrency)
  const env = toolEnvironment(options.env)

  return {
    run: async (command, signal) => {
      const why = refusal(command, options)
      if (why !== undefined) return { ...nothing({ kind: 'refused' }), stderr: why }
      const sink = collect(options.memoryLimitBytes ?? defaults.memoryLimitBytes, options.spool)
      const ended = await limit(() => start(command, signal, options, env, sink), signal)
      if (ended === 'canceled') return nothing({ kind: 'canceled' })
      const { exit, stderr, durationMs } = ended
      const output = await sink.finish()
      return { exit: sink.isOver() ? { kind: 'too-big' } : exit, ...output, stderr, durationMs }
    },
    stream: async (command, signal, onChunk) => {
      const why = refusal(command, options)
      if (why !== undefined) return { exit: { kind: 'refused' }, stderr: why, durationMs: 0 }
      const decoder = new TextDecoder()
      const sink: Sink = {
        write: async (chunk) => onChunk(decoder.decode(chunk, { stream: true })),
        isOver: () => false,
      }
      // A follower would hold its place for the whole session, so it takes none.
      const ended = await start({ ...command, timeoutMs: Number.POSITIVE_INFINITY }, signal, options, env, sink)
      const rest = decoder.decode()
      if (rest) onChunk(rest)
      return ended
    },
  }
}

function refusal(command: Command, { permit }: LiveOptions): string | undefined {
  const answer = check(command)
  if (!answer.allowed) return answer.why
  if (answer.effect === 'reads' && !answer.onlyOnRequest) return undefined
  return permit?.(command) ? undefined : 'this runs only when a person asked for exactly this command'
}

const nothing = (exit: Exit): CommandResult => ({ exit, stdout: '', stderr: '', durationMs: 0 })

async function start(
  command: Command,
  signal: AbortSignal,
  options: LiveOptions,
  env: Record<string, string>,
  sink: Sink,
): Promise<StreamEnd> {
  if (signal.aborted) return { exit: { kind: 'canceled' }, stderr: '', durationMs: 0 }
  const startedAt = performance.now()
  const child = execa(command.file, [...beforeDash(command, personal(command, options))], {
    env,
    extendEnv: false,
    stdin: 'ignore',
    buffer: false,
    reject: false,
    // Its own process group, so that what it started ends with it. execa's timers know the one process only.
    detached: true,
    cleanup: false,
  })
  const group = child.pid
  let stopped: 'timed-out' | 'canceled' | 'too-big' | undefined
  let killTimer: NodeJS.Timeout | undefined
  const stop = (why: NonNullable<typeof stopped>) => {
    if (stopped) return
    stopped = why
    killGroup(group, 'SIGTERM')
    killTimer = setTimeout(() => {
      killGroup(group, 'SIGKILL')
      child.stdout.destroy()
      child.stderr.destroy()
    }, options.killGraceMs ?? defaults.killGraceMs)
  }
  const onAbort = () => stop('canceled')
  const onExit = () => killGroup(group, 'SIGKILL')
  const timer = Number.isFinite(command.timeoutMs) ? setTimeout(() => stop('timed-out'), command.timeoutMs) : undefined
  signal.addEventListener('abort', onAbort, { once: true })
  process.once('exit', onExit)

  // A grandchild may hold the pipes open after the command itself has ended.
  child.once('exit', () => {
    killTimer ??= setTimeout(() => {
      child.stdout.destroy()
      child.stderr.destroy()
    }, options.killGraceMs ?? defaults.killGraceMs)
  })
  const errors = readErrors(child.stderr)
  await drain(child.stdout, async (chunk) => {
    await sink.write(chunk)
    if (sink.isOver()) stop('too-big')
  })
  const stderr = await errors
  const result = await child

  clearTimeout(timer)
  // The group's leader may be gone while one of its children still ignores the polite signal: that timer stays.
  if (!stopped) clearTimeout(killTimer)
  signal.removeEventListener('abort', onAbort)
  process.off('exit', onExit)
  return { ...ending(result, stopped, stderr), durationMs: Math.round(performance.now() - startedAt) }
}

interface Ended {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  readonly code?: string | undefined
  readonly message?: string | undefined
}

/** Flags before exit codes: what we stopped has no answer, whatever code it left. */
function ending(
  result: Ended,
  stopped: 'timed-out' | 'canceled' | 'too-big' | undefined,
  stderr: string,
): { exit: Exit; stderr: string } {
  if (stopped) return { exit: { kind: stopped }, stderr }
  if (/^(ENOENT|EACCES|ENOEXEC|ENOTDIR)$/.test(result.code ?? ''))
    return { exit: { kind: 'tool-missing' }, stderr: stderr || `cannot be started: ${result.code}` }
  if (result.exitCode !== undefined) return { exit: { kind: 'exited', code: result.exitCode }, stderr }
  // Ended by somebody else's signal (the kernel's, for want of memory): a shell would say 128 and more.
  return {
    exit: { kind: 'exited', code: 128 },
    stderr: `${stderr}${stderr && !stderr.endsWith('\n') ? '\n' : ''}ended by signal ${result.signal ?? 'unknown'}\n`,
  }
}

async function drain(stream: NodeJS.ReadableStream, onChunk: (chunk: Uint8Array) => Promise<void>): Promise<void> {
  try {
    for await (const chunk of stream) await onChunk(chunk as unknown as Uint8Array)
  } catch (error) {
    // Destroyed by ourselves, after the command had ended or was told to.
    if (!isPrematureClose(error)) throw error
  }
}

function isPrematureClose(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR' || code === 'ERR_STREAM_DESTROYED'
}

async function readErrors(stream: NodeJS.ReadableStream): Promise<string> {
  const kept: Uint8Array[] = []
  let bytes = 0
  await drain(stream, async (chunk) => {
    if (bytes < stderrLimitBytes) kept.push(chunk.subarray(0, stderrLimitBytes - bytes))
    bytes += chunk.length
  })
  return new TextDecoder().decode(Buffer.concat(kept))
}

function killGroup(group: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (group === undefined) return
  try {
    process.kill(-group, signal)
  } catch {
    // Nobody is left in the group: that is what was wanted.
  }
}

/** What the person's cluster adds to a command; recordings go without it. */
function personal({ file }: Command, { context, kubeconfig, as, asGroups = [] }: LiveOptions): string[] {
  return [
    ...(context ? [`--context=${context}`] : []),
    ...(kubeconfig ? [`--kubeconfig=${kubeconfig}`] : []),
    ...(as ? [`--as=${as}`] : []),
    ...asGroups.map((group) => `--as-group=${group}`),
    // istioctl logs to stdout, in front of tables and JSON. Hidden, but there in every version; where it has no effect it does no harm.
    ...(file === 'istioctl' ? ['--log_target=stderr'] : []),
  ]
}

function beforeDash({ args }: Command, added: readonly string[]): string[] {
  const dash = args.indexOf('--')
  return dash === -1 ? [...args, ...added] : [...args.slice(0, dash), ...added, ...args.slice(dash)]
}

/** Settings that change what is printed, or how, for one person only. */
const unwanted =
  /^(ISTIOCTL_.*|ISTIOCONFIG|KUBECTL_EXTERNAL_DIFF|KUBE_EDITOR|EDITOR|VISUAL|PAGER|KUBECTL_PLUGINS_.*|CLICOLOR_FORCE|FORCE_COLOR|GREP_OPTIONS|KUBECTL_COMMAND_HEADERS)$/

function toolEnvironment(env: LiveOptions['env']): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !unwanted.test(entry[0]),
  )
  return { ...Object.fromEntries(kept), NO_COLOR: '1', TERM: 'dumb', KUBECTL_KUBERC: 'false', KUBERC: 'off' }
}
