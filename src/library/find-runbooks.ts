import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../model/errors.ts'
import type { Runbook } from '../model/runbook.ts'
import { packageRoot } from './package-root.ts'
import { type Catalogue, readRunbook } from './read-runbook.ts'

export interface FoundRunbook {
  readonly runbook: Runbook
  readonly origin: 'built-in' | 'user' | 'file'
  readonly path: string
}

/**
 * Built-in runbooks, then the user's own folder; one of the user's replaces a built-in one of the same id. Of the built-in
 * ones only those whose head holds the word, where one is given: reading and checking all of them takes longer than starting.
 */
export function findRunbooks(catalogue: Catalogue, userFolder: string | null, word = ''): FoundRunbook[] {
  const builtIn = readFolder(join(packageRoot(), 'runbooks'), 'built-in', catalogue, word)
  const own = userFolder !== null && existsSync(userFolder) ? readFolder(userFolder, 'user', catalogue) : []
  const replaced = new Set(own.map(({ runbook }) => runbook.id))
  return [...builtIn.filter(({ runbook }) => !replaced.has(runbook.id)), ...own].sort((a, b) =>
    a.runbook.id < b.runbook.id ? -1 : 1,
  )
}

export function readRunbookFile(
  path: string,
  catalogue: Catalogue,
  origin: FoundRunbook['origin'] = 'file',
): FoundRunbook {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new UserError(`cannot read the runbook ${path}`, 'does the file exist?', 'input')
  }
  const reading = readRunbook(text, catalogue)
  if (reading.runbook === null) {
    const list = reading.problems.map(({ line, column, message }) => `  ${path}:${line}:${column}  ${message}`)
    throw new UserError(
      `the runbook ${path} has ${list.length} problem${list.length === 1 ? '' : 's'}:\n${list.join('\n')}`,
      'meshtriage runbook show http-503 prints one that works',
      'input',
    )
  }
  return { runbook: reading.runbook, origin, path }
}

function readFolder(folder: string, origin: FoundRunbook['origin'], catalogue: Catalogue, word = ''): FoundRunbook[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => word === '' || headOf(readFileSync(path, 'utf8')).includes(word))
    .map((path) => readRunbookFile(path, catalogue, origin))
}

/** Id, title, symptoms: what stands above the steps. */
export function headOf(text: string): string {
  return text.split(/^steps:/m, 1)[0] ?? ''
}
