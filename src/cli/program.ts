import { Command, CommanderError } from 'commander'
import { UserError } from '../model/errors.ts'
import { exitCodeOfError, exitCodes } from './exit-codes.ts'
import { type Io, print } from './io.ts'

/** A command adds itself to the program; what it needs to run is loaded only when it does. */
export interface CliCommand {
  readonly name: string
  readonly register: (program: Command, io: Io, done: (exitCode: number) => void) => void
}

/** Which module holds which command. Only the one that is called gets loaded, so that the others cost nothing at start. */
export const modules: Readonly<Record<string, () => Promise<{ readonly default: CliCommand }>>> = {
  'can-i': () => import('./commands/can-i.ts'),
  completion: () => import('./commands/completion.ts'),
  demo: () => import('./commands/demo.ts'),
  diagnose: () => import('./commands/diagnose.ts'),
  doctor: () => import('./commands/doctor.ts'),
  explain: () => import('./commands/explain.ts'),
  lint: () => import('./commands/lint.ts'),
  logs: () => import('./commands/logs.ts'),
  mtls: () => import('./commands/mtls.ts'),
  note: () => import('./commands/note.ts'),
  proxies: () => import('./commands/proxies.ts'),
  rbac: () => import('./commands/rbac.ts'),
  replay: () => import('./commands/replay.ts'),
  runbook: () => import('./commands/runbook.ts'),
  sessions: () => import('./commands/sessions.ts'),
  trace: () => import('./commands/trace.ts'),
}

/** Runs a command line and returns its exit code. Throws only for bugs of ours. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = exitCodes.clean
  const done = (code: number) => {
    exitCode = code
  }
  const program = new Command()
  program
    .name(io.programName)
    .description(
      'Finds out which layer of an Istio mesh made the decision, with proof, and the smallest safe next move. Read-only.',
    )
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => Math.min(io.stdout.columns ?? 100, 120),
    })
    .exitOverride()
    .enablePositionalOptions()
  try {
    const named = argv.find((word) => !word.startsWith('-'))
    const loaded = named === undefined ? undefined : modules[named]
    const [first] = argv
    if (!loaded && first !== undefined && !first.startsWith('-') && first !== 'help') {
      const { nearest } = await import('./suggest.ts')
      const known = Object.keys(modules)
      throw new UserError(`${first} is no command`, `${nearest(first, known)}; there are: ${known.join(', ')}`)
    }
    if (loaded) {
      const { default: command } = await loaded()
      command.register(program, io, done)
    } else {
      const { default: guided } = await import('./commands/guided.ts')
      // Help or a typo: all names must be known then. The guided walk must be on the screen at once.
      if (!isGuidedWalk(guided, argv, io))
        for (const load of Object.values(modules)) (await load()).default.register(program, io, done)
      guided.register(program, io, done)
    }
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.clean : exitCodes.usage
    if (error instanceof UserError) {
      await print(
        io.stderr,
        await speakable(`${io.programName}: ${error.message}\n${error.hint ? `  ${error.hint}\n` : ''}`),
      )
      return exitCodeOfError(error.kind)
    }
    throw error
  }
}

/** Flags of the guided walk and nothing else, and somebody there to be asked. */
function isGuidedWalk(guided: CliCommand, argv: readonly string[], io: Io): boolean {
  const probe = new Command().exitOverride().configureOutput({ writeErr: () => undefined })
  guided.register(probe, io, () => undefined)
  try {
    const { operands, unknown } = probe.parseOptions([...argv])
    return operands.length + unknown.length === 0 && (probe.opts().plain || (io.stdin.isTTY && io.stdout.isTTY))
  } catch (error) {
    // A flag without its value: the real program says so.
    if (error instanceof CommanderError || error instanceof UserError) return false
    throw error
  }
}

/** Messages quote what was typed or read: without secrets, and without anything that a terminal would obey. */
async function speakable(message: string): Promise<string> {
  const [{ createRedact }, { forTerminal }] = await Promise.all([
    import('../exec/redact.ts'),
    import('../report/escape.ts'),
  ])
  return forTerminal(createRedact()(message).text)
}
