import { basename, join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { listSessions, pruneSessions, type SessionSummary } from '../../exec/session-list.ts'
import { UserError } from '../../model/errors.ts'
import { forLine } from '../../report/escape.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Io, print } from '../io.ts'
import type { CliCommand } from '../program.ts'
import { readDuration, readSettings, stateFolder } from '../settings.ts'

interface FolderFlags {
  readonly dir?: string
}
interface ListFlags extends FolderFlags {
  readonly output: 'text' | 'json'
}
interface PruneFlags extends FolderFlags {
  readonly olderThan?: string
  readonly keep?: string
  readonly yes?: boolean
}

const sessions: CliCommand = {
  name: 'sessions',
  register(program, io, done) {
    const command = program
      .command('sessions')
      .description('recorded walks: list them, look into one, remove old ones')
      .addHelpText(
        'after',
        '\nExamples:\n  meshtriage sessions list\n  meshtriage sessions show 2026-01-31T0310Z-503-web-ledger\n  meshtriage sessions prune --older-than 30d --keep 20\n  meshtriage replay "$(meshtriage sessions list -o json | jq -r \'.[0].folder\')"\n',
      )
    addList(command, io, done)
    addShow(command, io, done)
    addPrune(command, io, done)
  },
}
export default sessions

type Done = (exitCode: number) => void

function addList(parent: Command, io: Io, done: Done): void {
  withFolder(parent.command('list').description('sessions, the newest first'))
    .addOption(outputOption())
    .action(async (flags: ListFlags) => {
      const found = await listSessions(folderOf(io, flags))
      if (flags.output === 'json') await print(io.stdout, `${JSON.stringify(found.map(summaryJson), null, 2)}\n`)
      else if (found.length === 0) await print(io.stderr, `no sessions in ${folderOf(io, flags)}\n`)
      else await print(io.stdout, `${found.map(summaryLine).join('\n')}\n`)
      done(exitCodes.clean)
    })
}

function addShow(parent: Command, io: Io, done: Done): void {
  withFolder(parent.command('show').description('what one session asked, and how each command ended'))
    .argument('<session>', 'its id, or its folder')
    .addOption(outputOption())
    .action(async (named: string, flags: ListFlags) => {
      const { folder, session } = await findSession(io, named, flags)
      if (flags.output === 'json') await print(io.stdout, `${JSON.stringify({ folder, ...session }, null, 2)}\n`)
      else {
        const { sessionText } = await import('../../report/session-text.ts')
        await print(io.stdout, sessionText(session, folder, { width: Math.min(io.stdout.columns ?? 80, 110) }))
      }
      done(exitCodes.clean)
    })
}

function addPrune(parent: Command, io: Io, done: Done): void {
  withFolder(
    parent.command('prune').description('remove old sessions; says what it would remove, and does so with --yes'),
  )
    .option('--older-than <duration>', 'started longer ago than this: 30d, 12h')
    .option('--keep <number>', 'this many of the newest stay, whatever their age')
    .option('-y, --yes', 'remove them')
    .action(async (flags: PruneFlags) => {
      if (flags.olderThan === undefined && flags.keep === undefined)
        throw new UserError('what is old?', 'give --older-than 30d, or --keep 20, or both')
      const folder = folderOf(io, flags)
      const limits = {
        ...(flags.olderThan === undefined ? {} : { before: before(io, flags.olderThan) }),
        ...(flags.keep === undefined ? {} : { keep: readCount(flags.keep) }),
      }
      if (flags.yes) {
        const gone = await pruneSessions(folder, limits)
        await print(io.stderr, `removed ${count(gone.length)}\n`)
      } else {
        const all = await listSessions(folder)
        const old = all
          .slice(limits.keep ?? 0)
          .filter(({ session }) => limits.before === undefined || session.startedAt < limits.before)
        if (old.length > 0) await print(io.stdout, `${old.map(summaryLine).join('\n')}\n`)
        await print(
          io.stderr,
          `would remove ${count(old.length)} of ${all.length}${old.length > 0 ? '; --yes does' : ''}\n`,
        )
      }
      done(exitCodes.clean)
    })
}

function withFolder(command: Command): Command {
  return command.option('--dir <folder>', 'where the sessions are (default: the state folder)')
}

function outputOption(): Option {
  return new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text')
}

function folderOf(io: Io, { dir }: FolderFlags): string {
  const chosen = dir ?? readSettings(io.cwd, io.env).save
  return chosen === undefined ? join(stateFolder(io.env), 'sessions') : resolve(io.cwd, chosen)
}

async function findSession(io: Io, named: string, flags: FolderFlags) {
  const { readSession } = await import('../../exec/session-files.ts')
  // An id is a name without a slash; `.` and `..` would lead elsewhere.
  const folder = /^[\w-][\w.-]*$/.test(named) ? join(folderOf(io, flags), named) : resolve(io.cwd, named)
  return { folder, session: await readSession(folder) }
}

function before(io: Io, text: string): string {
  const days = /^(\d+)d$/.exec(text)
  const ms = days ? Number(days[1]) * 86_400_000 : readDuration(text, '--older-than')
  return new Date(io.now().getTime() - ms).toISOString()
}

function readCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new UserError(`--keep ${text}: no number`, 'for example --keep 20')
  return Number(text)
}

function count(number: number): string {
  return `${number} ${number === 1 ? 'session' : 'sessions'}`
}

function summaryJson({ folder, session, bytes }: SessionSummary) {
  const { id, startedAt, finishedAt, symptom, runbook, context, commands } = session
  return {
    id,
    folder,
    startedAt,
    finishedAt: finishedAt ?? null,
    symptom: symptom ?? null,
    runbook: runbook ?? null,
    context: context ?? null,
    commands: commands.length,
    bytes,
  }
}

function summaryLine({ folder, session, bytes }: SessionSummary): string {
  const { startedAt, finishedAt, symptom, commands } = session
  const size = bytes >= 1_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${Math.ceil(bytes / 1000)} kB`
  return forLine(
    [
      startedAt.slice(0, 16).replace('T', ' '),
      symptom ?? '-',
      // Its folder, since two walks may have one id.
      basename(folder),
      `${commands.length} commands`,
      size,
      finishedAt ? '' : 'not finished',
    ]
      .filter((part) => part !== '')
      .join('  '),
  )
}
