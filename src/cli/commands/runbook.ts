import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type FoundRunbook, readRunbookFile } from '../../library/find-runbooks.ts'
import { readRunbook } from '../../library/read-runbook.ts'
import { UserError } from '../../model/errors.ts'
import { splitKey } from '../../model/probe.ts'
import { probes } from '../../probes/index.ts'
import { forLine } from '../../report/escape.ts'
import { runbookMermaid, runbookOutline, runbookText } from '../../report/runbook-graph.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Io, print, readStdin } from '../io.ts'
import type { CliCommand } from '../program.ts'
import { allRunbooks, catalogue } from '../runbooks.ts'
import { configFolder } from '../settings.ts'
import { nearest } from '../suggest.ts'

const runbook: CliCommand = {
  name: 'runbook',
  register(program, io, done) {
    const command = program
      .command('runbook')
      .description('the runbooks: list them, read one, check your own file, draw one')
      .addHelpText(
        'after',
        '\nExamples:\n  meshtriage runbook list\n  meshtriage runbook show http-503\n  meshtriage runbook show http-503 -o yaml > mine.yaml\n  meshtriage runbook lint mine.yaml\n  meshtriage runbook graph http-503 -o mermaid\n',
      )
    addList(command, io, done)
    addShow(command, io, done)
    addLint(command, io, done)
    addGraph(command, io, done)
  },
}
export default runbook

type Done = (exitCode: number) => void

function addList(parent: Command, io: Io, done: Done): void {
  parent
    .command('list')
    .description('all runbooks with the symptoms they are for')
    .addOption(output(['text', 'json']))
    .action(async (flags: { output: 'text' | 'json' }) => {
      const found = allRunbooks(userFolder(io))
      if (flags.output === 'json') {
        const entries = found.map(({ runbook: book, origin, path }) => ({
          id: book.id,
          title: book.title,
          symptoms: book.symptoms,
          says: book.says,
          steps: book.steps.length,
          origin,
          path,
        }))
        await print(io.stdout, `${JSON.stringify(entries, null, 2)}\n`)
      } else {
        const width = Math.max(...found.map(({ runbook: book }) => book.id.length))
        const lines = found.map(({ runbook: book, origin }) => {
          const symptoms = book.symptoms.filter((symptom) => symptom !== 'unknown').join(' ')
          return forLine(
            `${book.title}${symptoms === '' ? '' : ` [${symptoms}]`}${origin === 'built-in' ? '' : `, ${origin}`}`,
          )
        })
        await print(
          io.stdout,
          `${found.map(({ runbook: book }, at) => `${book.id.padEnd(width)}  ${lines[at]}`).join('\n')}\n`,
        )
      }
      done(exitCodes.clean)
    })
}

function addShow(parent: Command, io: Io, done: Done): void {
  parent
    .command('show')
    .description('what a runbook does, step by step; -o yaml prints the file, to begin your own from')
    .argument('<runbook>', 'its id, or a file')
    .addOption(output(['text', 'yaml', 'json']))
    .action(async (named: string, flags: { output: 'text' | 'yaml' | 'json' }) => {
      const found = find(io, named)
      if (flags.output === 'yaml') await print(io.stdout, readFileSync(found.path, 'utf8'))
      else if (flags.output === 'json') await print(io.stdout, `${JSON.stringify(found.runbook, null, 2)}\n`)
      else await print(io.stdout, runbookText(found.runbook, titleOf, { width: widthOf(io) }))
      done(exitCodes.clean)
    })
}

function addLint(parent: Command, io: Io, done: Done): void {
  parent
    .command('lint')
    .description('check runbooks of your own: unknown evidence and rules, unreachable steps, ways that never end')
    .argument('[file...]', 'YAML files, - for standard input; left out: your own folder')
    .addHelpText('after', '\nExit codes: 0 all are fine, 65 something is wrong\n')
    .action(async (files: readonly string[]) => {
      const named = files.length > 0 ? files : ownFiles(io)
      let wrong = 0
      for (const file of named) {
        const { problems } = readRunbook(await readText(io, file), catalogue)
        for (const { line, column, message } of problems)
          await print(io.stdout, `${forLine(file)}:${line}:${column}: ${forLine(message)}\n`)
        if (problems.length > 0) wrong++
        else await print(io.stderr, `${forLine(file)}: fine\n`)
      }
      done(wrong > 0 ? exitCodes.input : exitCodes.clean)
    })
}

function addGraph(parent: Command, io: Io, done: Done): void {
  parent
    .command('graph')
    .description('a drawing of a runbook: for the terminal, or as Mermaid')
    .argument('<runbook>', 'its id, or a file')
    .addOption(output(['text', 'mermaid']))
    .action(async (named: string, flags: { output: 'text' | 'mermaid' }) => {
      const { runbook: book } = find(io, named)
      await print(
        io.stdout,
        flags.output === 'mermaid' ? runbookMermaid(book) : runbookOutline(book, { width: widthOf(io) }),
      )
      done(exitCodes.clean)
    })
}

function output(choices: readonly string[]): Option {
  return new Option('-o, --output <format>', 'form of the result').choices([...choices]).default('text')
}

function widthOf(io: Io): number {
  return Math.min(io.stdout.columns ?? 80, 110)
}

function userFolder(io: Io): string {
  return join(configFolder(io.env), 'runbooks')
}

function ownFiles(io: Io): readonly string[] {
  const own = allRunbooks(userFolder(io)).filter(({ origin }) => origin === 'user')
  if (own.length > 0) return own.map(({ path }) => path)
  throw new UserError('which file?', `name a YAML file; there are none in ${userFolder(io)}`)
}

function find(io: Io, named: string): FoundRunbook {
  if (named.includes('/') || /\.ya?ml$/.test(named)) return readRunbookFile(resolve(io.cwd, named), catalogue)
  const all = allRunbooks(userFolder(io))
  const ids = all.map(({ runbook: book }) => book.id)
  const found =
    all.find(({ runbook: book }) => book.id === named) ??
    all.find(({ runbook: book }) => book.symptoms.some((symptom) => symptom === named))
  if (found) return found
  throw new UserError(`no runbook is called ${named}`, `${nearest(named, ids)}; there are: ${ids.join(', ')}`)
}

async function readText(io: Io, file: string): Promise<string> {
  if (file === '-') return readStdin(io)
  try {
    return await readFile(resolve(io.cwd, file), 'utf8')
  } catch {
    throw new UserError(`cannot read ${file}`, 'does the file exist?', 'input')
  }
}

function titleOf(key: string): string | null {
  const { probe } = splitKey(key)
  return probes.find(({ name }) => name === probe)?.title ?? null
}
