import process from 'node:process'
import type { Given } from '../model/call.ts'
import { runGuided } from '../ui/run-guided.tsx'
import { createBackend } from './backend.ts'
import { type Io, wantsColour } from './io.ts'
import { readSettings } from './settings.ts'
import type { ClusterOptions } from './walk-session.ts'

export interface GuideOptions {
  readonly given?: Partial<Given>
  readonly open?:
    | { readonly demo: string }
    | { readonly recording: string }
    | { readonly archive: string }
    | { readonly paste: string }
  readonly cluster?: ClusterOptions
  readonly namespace?: string
  readonly plain?: boolean
  /** A session folder to go on with. */
  readonly resume?: string
  readonly save?: string | false
  readonly color?: 'auto' | 'always' | 'never'
}

/** Starts the guided walk in the terminal we have. */
export async function guide(io: Io, options: GuideOptions = {}): Promise<number> {
  const settings = readSettings(io.cwd, io.env)
  const namespace = options.namespace ?? settings.namespace ?? null
  const backend = await createBackend({
    io,
    settings,
    cluster: {
      context: options.cluster?.context ?? settings.context,
      kubeconfig: options.cluster?.kubeconfig ?? settings.kubeconfig,
      as: options.cluster?.as ?? settings.as,
      asGroup: options.cluster?.asGroup ?? settings.asGroup,
    },
    namespace,
    saving: { save: options.save ?? settings.save, redact: true },
    resume: options.resume !== undefined,
  })
  const shared = {
    colour: wantsColour(io, options.color ?? settings.color, io.stdout),
    given: { ...(namespace ? { namespace } : {}), ...options.given },
    ...(options.resume === undefined
      ? options.open
        ? { open: options.open }
        : {}
      : { open: { recording: options.resume } }),
    signal: io.interrupt,
  }
  const isPlain =
    options.plain === true ||
    io.env.TERM === 'dumb' ||
    io.env.INK_SCREEN_READER === 'true' ||
    io.env.INK_SCREEN_READER === '1'
  if (isPlain) {
    const { runPlain } = await import('../ui/run-plain.ts')
    const end = await runPlain(backend, { stdin: io.stdin, stdout: io.stdout, ...shared })
    return end.exitCode
  }
  // A crash must not leave the person with a terminal that shows nothing they type.
  let restore: () => void = () => undefined
  const onExit = () => restore()
  process.on('exit', onExit)
  try {
    const end = await runGuided(backend, {
      stdin: io.stdin,
      stdout: io.stdout,
      stderr: io.stderr,
      ...shared,
      onTerminal: (put) => {
        restore = put
      },
    })
    return end.exitCode
  } finally {
    process.off('exit', onExit)
  }
}
