import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { UserError } from '../../model/errors.ts'
import type { Note } from '../../model/note.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Io, print, wantsColour } from '../io.ts'
import type { CliCommand } from '../program.ts'
import { refuseUnredacted, renderNote } from '../render-note.ts'
import { stateFolder } from '../settings.ts'
import { colorOption, type NoteFormat, noteFormats } from '../shared-options.ts'

interface ShowFlags {
  readonly color?: 'auto' | 'always' | 'never'
}
interface RenderFlags extends ShowFlags {
  readonly output: NoteFormat
}
interface CompareFlags {
  readonly output: 'text' | 'json'
}

const source = 'a note (note.json), a session folder, - for standard input; left out: the newest session'

const note: CliCommand = {
  name: 'note',
  register(program, io, done) {
    const command = program
      .command('note')
      .description('an existing incident note: show it, turn it into something else, compare two, print the schema')
      .addHelpText(
        'after',
        '\nExamples:\n  meshtriage note show\n  meshtriage note render note.json -o markdown\n  meshtriage note compare before.json after.json\n  meshtriage diagnose 503 … -o json | meshtriage note render - -o html > note.html\n',
      )
    addShow(command, io, done)
    addRender(command, io, done)
    addCompare(command, io, done)
    command
      .command('schema')
      .description('the JSON Schema of the note')
      .action(async () => {
        const { noteJsonSchema } = await import('../../model/note-schema.ts')
        await print(io.stdout, `${JSON.stringify(noteJsonSchema(), null, 2)}\n`)
        done(exitCodes.clean)
      })
  },
}
export default note

type Done = (exitCode: number) => void

function addShow(parent: Command, io: Io, done: Done): void {
  parent
    .command('show')
    .description('the note on the screen')
    .argument('[note]', source)
    .addOption(colorOption())
    .action(async (path: string | undefined, flags: ShowFlags) => {
      const shown = await openNote(io, path)
      const { noteProblems } = await import('../../model/note-read.ts')
      // A note may have been edited; what it claims without evidence is said, and not hidden.
      for (const problem of noteProblems(shown)) await print(io.stderr, `the note breaks its own rules: ${problem}\n`)
      await write(io, shown, 'text', flags)
      done(exitCodes.clean)
    })
}

function addRender(parent: Command, io: Io, done: Done): void {
  parent
    .command('render')
    .description('the note as Markdown, HTML, Slack text, YAML, JSON, a few lines')
    .argument('[note]', source)
    .addOption(new Option('-o, --output <format>', 'form of the result').choices([...noteFormats]).default('markdown'))
    .addOption(colorOption())
    .action(async (path: string | undefined, flags: RenderFlags) => {
      const shown = await openNote(io, path)
      refuseUnredacted(flags.output, shown.redaction.applied)
      await write(io, shown, flags.output, flags)
      done(exitCodes.clean)
    })
}

function addCompare(parent: Command, io: Io, done: Done): void {
  parent
    .command('compare')
    .description('two notes of one call: what was introduced, fixed, unchanged, and not looked at again')
    .argument('<before>', 'the earlier note, or its session folder')
    .argument('<after>', 'the later one')
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing new, 79 something was introduced, 80 something could not be looked at again\n',
    )
    .action(async (before: string, after: string, flags: CompareFlags) => {
      const { comparisonText, compareNotes } = await import('../../report/compare.ts')
      const comparison = compareNotes(await openNote(io, before), await openNote(io, after))
      const text =
        flags.output === 'json'
          ? `${JSON.stringify({ kind: 'NoteComparison', schemaVersion: '1.0', ...comparison }, null, 2)}\n`
          : comparisonText(comparison)
      await print(io.stdout, text)
      if (comparison.introduced.length > 0) done(exitCodes.found)
      else done(comparison.notLookedAt.length > 0 ? exitCodes.inconclusive : exitCodes.clean)
    })
}

async function openNote(io: Io, named: string | undefined): Promise<Note> {
  const { readNote } = await import('../../model/note-read.ts')
  const path = named ?? (await newestSession(io))
  if (path === '-') {
    const { readStdin } = await import('../io.ts')
    return readNote(await readStdin(io), 'standard input')
  }
  const { readInput } = await import('./diagnose.ts')
  const absolute = resolve(io.cwd, path)
  const isFolder = await stat(absolute).then(
    (about) => about.isDirectory(),
    () => false,
  )
  return readNote(await readInput(io, isFolder ? join(absolute, 'note.json') : absolute, 'note'), path)
}

async function newestSession(io: Io): Promise<string> {
  const { listSessions } = await import('../../exec/session-list.ts')
  const [newest] = await listSessions(join(stateFolder(io.env), 'sessions'))
  if (newest) return newest.folder
  throw new UserError('which note?', 'name a note.json or a session folder: there are no sessions yet', 'usage')
}

async function write(io: Io, shown: Note, format: NoteFormat, { color }: ShowFlags): Promise<void> {
  const width = Math.min(io.stdout.isTTY ? (io.stdout.columns ?? 80) : 80, 110)
  const text = await renderNote(shown, format, { width, colour: wantsColour(io, color, io.stdout) })
  await print(io.stdout, text.endsWith('\n') ? text : `${text}\n`)
}
