import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { isAbsolute, join, normalize, sep } from 'node:path'
import type { Command, CommandResult } from '../model/command.ts'
import { UserError } from '../model/errors.ts'
import { Session, type SessionCommand, sessionKind, sessionSchemaVersion } from '../model/session.ts'
import type { Spool } from './output-sink.ts'
import { addCounts, createRedactionStream, type Redact } from './redact.ts'

const sessionFile = 'session.json'
const outputsFolder = 'outputs'
/** The person's own runbook, where one was walked. */
export const runbookFile = 'runbook.yaml'

/** What is known when a walk begins; more can be told later with `update`. */
export interface SessionStart {
  readonly id: string
  readonly tool: Session['tool']
  readonly startedAt: string
  readonly symptom?: string
  readonly runbook?: string
  readonly call?: unknown
  readonly context?: string
  readonly toolVersions?: Record<string, string>
  readonly answers?: Record<string, string>
  /** Lines the person wrote into the note. */
  readonly notes?: { at: string; text: string }[]
  readonly expect?: unknown
  readonly [further: string]: unknown
}

export interface SessionWriter {
  readonly folder: string
  /** Keeps what a command printed. The texts must be redacted already. */
  readonly add: (entry: RecordedCommand) => Promise<void>
  /** Adds to what session.json says, for example answers and the call once it is known. */
  readonly update: (fields: Partial<SessionStart> & { readonly finishedAt?: string }) => Promise<void>
  /** Where output goes that is too long for memory, redacted on the way. */
  readonly spool: Spool
  /** What went wrong with writing, if anything: a full disk does not end a walk. */
  readonly problem: () => string | undefined
}

export interface RecordedCommand {
  readonly command: Pick<Command, 'file' | 'args'>
  readonly result: CommandResult
  readonly startedAt: string
  readonly counts: Readonly<Record<string, number>>
}

export interface SessionExtras {
  /** What redaction found in what the person gave, before the first command. */
  readonly counts?: Readonly<Record<string, number>>
  /** The text of a runbook that is not built in. */
  readonly runbook?: string | null
}

/** Makes `parent/id` (or `id-2`, …), readable by its owner only, and keeps it usable at every moment from now on. */
export async function createSession(
  parent: string,
  start: SessionStart,
  redact: Redact | undefined,
  { counts = {}, runbook = null }: SessionExtras = {},
): Promise<SessionWriter> {
  const folder = await newFolder(parent, start.id)
  const session: Session = {
    ...start,
    ...(runbook === null ? {} : { runbookFile }),
    kind: sessionKind,
    schemaVersion: sessionSchemaVersion,
    redaction: { applied: redact !== undefined, counts: { ...counts } },
    commands: [],
  }
  if (runbook !== null) await writeFile(join(folder, runbookFile), redact?.(runbook).text ?? runbook, { mode: 0o600 })
  await replaceFile(join(folder, sessionFile), printed(session))
  return writeInto(folder, session, redact)
}

/** Goes on with a session that was cut off or saved: further commands are added behind those that it holds. */
export async function continueSession(
  folder: string,
  session: Session,
  redact: Redact | undefined,
): Promise<SessionWriter> {
  await mkdir(join(folder, outputsFolder), { recursive: true, mode: 0o700 })
  const { finishedAt: _over, ...open } = session
  const writer = writeInto(folder, open, redact)
  await writer.update({})
  return writer
}

function writeInto(folder: string, initial: Session, redact: Redact | undefined): SessionWriter {
  let session = initial
  let problem: string | undefined
  let writing: Promise<void> = Promise.resolve()
  // Higher than any number an earlier writer of this folder can have used.
  let spools = session.commands.length === 0 ? 0 : 1000 * (session.commands.length + 1)

  const queue = (step: () => Promise<void>): Promise<void> => {
    writing = writing.then(step).catch((error: unknown) => {
      problem ??= error instanceof Error ? error.message : String(error)
    })
    return writing
  }
  const save = () => replaceFile(join(folder, sessionFile), printed(session))

  return {
    folder,
    problem: () => problem,
    add: (entry) =>
      queue(async () => {
        const n = Math.max(0, ...session.commands.map((command) => command.n)) + 1
        const recorded = await writeOutputs(folder, n, entry)
        const redaction = { ...session.redaction, counts: addCounts(session.redaction.counts, entry.counts) }
        session = { ...session, redaction, commands: [...session.commands, recorded] }
        await save()
      }),
    update: (fields) =>
      queue(async () => {
        session = { ...session, ...fields } as Session // only fields that a session has
        await save()
      }),
    spool: {
      file: () => join(folder, outputsFolder, `spool-${++spools}.out`),
      transform: () => (redact ? createRedactionStream(redact) : { push: (text) => text, end: () => '' }),
    },
  }
}

const printed = (session: Session) => `${JSON.stringify(session, null, 2)}\n`

async function newFolder(parent: string, id: string): Promise<string> {
  const safeId = slug(id, 80) || 'session'
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 })
    for (let attempt = 1; ; attempt++) {
      const folder = join(parent, attempt === 1 ? safeId : `${safeId}-${attempt}`)
      // Not recursive: an existing session is never written into.
      const isNew = await mkdir(folder, { mode: 0o700 }).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'EEXIST' && attempt < 1000) return false
          throw error
        },
      )
      if (!isNew) continue
      await mkdir(join(folder, outputsFolder), { mode: 0o700 })
      return folder
    }
  } catch (error) {
    throw new UserError(
      `cannot make a session folder in ${parent}: ${error instanceof Error ? error.message : error}`,
      'name another folder with --save',
      'input',
    )
  }
}

async function writeOutputs(
  folder: string,
  n: number,
  { command, result, startedAt }: RecordedCommand,
): Promise<SessionCommand> {
  const base = `${outputsFolder}/${String(n).padStart(3, '0')}-${slug([command.file, ...command.args].join(' '), 60)}`
  const write = async (name: string, text: string) => {
    // What is there already was left by a walk that was killed before session.json named it.
    await rm(join(folder, name), { force: true })
    await writeFile(join(folder, name), text, { mode: 0o600, flag: 'wx' })
    return name
  }
  const { exit, stdout, stderr, durationMs, spooledTo } = result
  return {
    n,
    file: command.file,
    args: [...command.args],
    exit,
    startedAt,
    durationMs,
    ...(spooledTo
      ? { stdout: `${outputsFolder}/${spooledTo.split(sep).at(-1)}`, isSpooled: true }
      : stdout && { stdout: await write(`${base}.out`, stdout) }),
    ...(stderr && { stderr: await write(`${base}.err`, stderr) }),
  }
}

/** Letters, digits, dots and dashes: fit for a file's name on every system, and never a way out of the folder. */
function slug(text: string, longest: number): string {
  return text
    .replace(/[^A-Za-z0-9.]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[-.]+/, '')
    .slice(0, longest)
    .replace(/[-.]+$/, '')
}

/** A reader sees the old text or the new one, also when the writer is killed in between. */
async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.next`
  await writeFile(next, text, { mode: 0o600 })
  await rename(next, path)
}

/** session.json of a folder. What is no session, or one of a later major version, is an input error with a reason. */
export async function readSession(folder: string): Promise<Session> {
  let text: string
  try {
    text = await readFile(join(folder, sessionFile), 'utf8')
  } catch {
    throw new UserError(
      `${folder} is not a session: it has no ${sessionFile}`,
      'a session is a folder written by --save',
      'input',
    )
  }
  const json = parse(text, folder)
  const version = String((json as { schemaVersion?: unknown } | null)?.schemaVersion ?? '')
  const parsed = Session.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new UserError(
      `${folder}/${sessionFile} is not a session: ${issue?.path.join('.')}: ${issue?.message}`,
      undefined,
      'input',
    )
  }
  if (version.split('.')[0] !== sessionSchemaVersion.split('.')[0])
    throw new UserError(
      `${folder} was written by a later version (session format ${version})`,
      'update meshtriage',
      'input',
    )
  return parsed.data
}

function parse(text: string, folder: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UserError(
      `${folder}/${sessionFile} cannot be read: ${error instanceof Error ? error.message : error}`,
      undefined,
      'input',
    )
  }
}

/** More than this of one output is kept on the disk and not read: a text of that size is of no use to any reader. */
const longestOutput = 256 * 1024 * 1024

/** Output that was written to a file because it was too long to be kept; undefined where it is too long for anybody. */
export async function readSpooled(path: string, longest = longestOutput): Promise<string | undefined> {
  return (await stat(path)).size > longest ? undefined : readFile(path, 'utf8')
}

/** One recorded output. A path that leads out of the session is not followed: sessions are handed around. */
export async function readOutput(folder: string, name: string): Promise<string> {
  const path = normalize(name)
  if (isAbsolute(path) || path.split(sep).includes('..'))
    throw new UserError(`${folder}: an output lies outside of the session: ${name}`, undefined, 'input')
  const text = await readSpooled(join(folder, path))
  if (text === undefined) throw new UserError(`${name} is larger than what is read at once`, undefined, 'input')
  return text
}
