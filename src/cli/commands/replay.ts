import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createRedact, redactNothing } from '../../exec/redact.ts'
import { createReplay, recordedPorts } from '../../exec/replay.ts'
import { readSession, runbookFile } from '../../exec/session-files.ts'
import { UserError } from '../../model/errors.ts'
import type { Session } from '../../model/session.ts'
import { type Io, print } from '../io.ts'
import type { CliCommand } from '../program.ts'
import { readGiven } from '../read-given.ts'
import { readPasted } from '../read-pasted.ts'
import { chooseRunbook } from '../runbooks.ts'
import { type ScriptedWalk, scriptedWalk } from '../scripted-walk.ts'
import { readSettings } from '../settings.ts'
import { colorOption, failOnOption, type NoteFormat, outputOption } from '../shared-options.ts'

interface ReplayFlags {
  readonly output?: NoteFormat
  readonly color?: 'auto' | 'always' | 'never'
  readonly failOn?: ScriptedWalk['failOn']
  readonly speed?: string
  readonly guided?: boolean
  readonly quiet?: boolean
  readonly events?: boolean
  readonly runbook?: string
  readonly open?: string
}

const replay: CliCommand = {
  name: 'replay',
  register(program, io, done) {
    program
      .command('replay')
      .description("walk a recorded session again with today's rules; starts no process")
      .argument('[dir]', 'session folder, as meshtriage diagnose leaves it')
      .option('--speed <factor>', 'let commands take as long as they took (1), or a part of it (10: a tenth)')
      .option('-g, --guided', 'in the guided walk')
      .option('--runbook <name|file>', 'use this runbook instead')
      .option('--open <archive>', 'an istioctl bug-report instead of a session: the same as diagnose --open')
      .addOption(failOnOption())
      .addOption(outputOption())
      .addOption(colorOption())
      .option('--events', 'NDJSON of everything that happens, on stdout, the note last')
      .option('-q, --quiet', 'no progress on stderr')
      .addHelpText(
        'after',
        '\nExamples:\n  meshtriage replay ~/.local/state/meshtriage/sessions/2026-01-31T0310Z-503-web-ledger\n  meshtriage replay DIR -o json | jq -r .summary\n',
      )
      .action(async (folder: string | undefined, flags: ReplayFlags) => {
        done(await run(io, folder, flags))
      })
  },
}
export default replay

async function run(io: Io, folder: string | undefined, flags: ReplayFlags): Promise<number> {
  if (flags.open !== undefined) {
    if (folder !== undefined) throw new UserError('a session and --open are two sources', 'give one of them')
    const { diagnose } = await import('./diagnose.ts')
    return diagnose(io, undefined, { ...flags, exec: true, redact: true, save: false })
  }
  if (folder === undefined)
    throw new UserError('which session?', 'meshtriage replay DIR, or meshtriage replay --open ARCHIVE')
  await refuseFile(folder)
  if (flags.guided && io.stdout.isTTY && io.stdin.isTTY) {
    const { guide } = await import('../guide.ts')
    return guide(io, { open: { recording: folder } })
  }
  const session = await readSession(folder)
  const given = readGiven(session.call, folder)
  const speed = flags.speed === undefined ? undefined : Number(flags.speed)
  if (speed !== undefined && !(speed > 0))
    throw new UserError(`--speed ${flags.speed}: no factor`, 'write --speed 1 or --speed 10')
  const settings = readSettings(io.cwd, io.env)
  const patterns = settings.redact?.patterns ?? []
  if (session.finishedAt === undefined && !flags.quiet)
    await print(
      io.stderr,
      `this session was cut off: ${session.commands.length} commands had ended by then; what is missing says so\n`,
    )
  return scriptedWalk({
    io,
    settings: settings.redact ? { redact: settings.redact } : {},
    given,
    pasted: readPasted(given.logText, given.curlText),
    runbook: runbookOf(session, folder, flags.runbook),
    run: () =>
      createReplay({
        folder,
        session,
        redact: session.redaction.applied ? createRedact(patterns) : redactNothing,
        ...(speed === undefined ? {} : { speed }),
      }),
    mode: 'replay',
    context: session.context ?? null,
    saving: { save: false, redact: true },
    budgetMs: null,
    failOn: flags.failOn ?? 'possible',
    format: flags.output ?? 'text',
    color: flags.color,
    events: flags.events === true,
    quiet: flags.quiet === true,
    id: session.id,
    ports: recordedPorts(session),
    counts: session.redaction.counts,
  })
}

async function refuseFile(folder: string): Promise<void> {
  const about = await stat(folder).catch(() => null)
  if (about !== null && !about.isDirectory())
    throw new UserError(
      `${folder} is a file, and a session is a folder`,
      `a bug report is read with: meshtriage diagnose --open ${folder}`,
      'input',
    )
}

/** The person's own runbook is kept with the session; of built-in ones today's is walked. */
function runbookOf(session: Session, folder: string, named: string | undefined) {
  const own = session.runbookFile === runbookFile ? join(folder, '.', runbookFile) : undefined
  const symptom = readGiven(session.call, folder).symptom
  try {
    return chooseRunbook(symptom, named ?? own ?? session.runbook, null)
  } catch (error) {
    if (!(error instanceof UserError) || named !== undefined || own !== undefined) throw error
    // Renamed or removed since: the one for the symptom takes its place.
    return chooseRunbook(symptom, undefined, null)
  }
}
