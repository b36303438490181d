import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import type { Given } from '../../src/model/call.ts'
import type { Command, CommandResult, Runner } from '../../src/model/command.ts'
import { proxyConfigJson, readConfigDump } from '../../src/model/config-dump.ts'

export const sessionsFolder = resolve(import.meta.dirname, '../../fixtures/sessions')

/** What one walk of a recorded mesh asked and got, and what it must conclude. */
export interface SessionFixture {
  readonly name: string
  /** Recorded as it is, or made by changing a recording: then what was changed. */
  readonly synthetic: false | string
  readonly given: Given
  readonly expect: {
    readonly verdict: string
    readonly codes: readonly string[]
    readonly layer: readonly string[]
    readonly answeredBy: string
    readonly notCodes: readonly string[]
    readonly maxCertainty?: string
    readonly alsoNoted?: readonly string[]
    readonly unrelated?: readonly string[]
    readonly fixMustKeep?: readonly string[]
  }
  readonly commands: readonly {
    readonly file: string
    readonly args: readonly string[]
    readonly result: CommandResult
  }[]
}

export const fixtureNames: readonly string[] = existsSync(sessionsFolder)
  ? readdirSync(sessionsFolder)
      .filter((name) => name.endsWith('.json.br'))
      .map((name) => name.slice(0, -'.json.br'.length))
      .sort()
  : []

export function readFixture(name: string): SessionFixture {
  return JSON.parse(brotliDecompressSync(readFileSync(join(sessionsFolder, `${name}.json.br`))).toString('utf8'))
}

export type Edit = (result: CommandResult, command: Command) => CommandResult

/** Answers from a fixture by argv. `edit` makes a synthetic mesh of it: say in the test what was changed. */
export function fixtureRunner(fixture: SessionFixture, edit: Edit = (result) => result): Runner {
  const byArgv = new Map(fixture.commands.map(({ file, args, result }) => [JSON.stringify([file, ...args]), result]))
  return async (command) => {
    const found = byArgv.get(JSON.stringify([command.file, ...command.args]))
    return edit(found ?? partOfAll(byArgv, command) ?? notRecorded, command)
  }
}

const notRecorded: CommandResult = { exit: { kind: 'not-recorded' }, stdout: '', stderr: '', durationMs: 0 }
const partsOfDump = ['listener', 'route', 'cluster', 'secret'] as const

/** What `istioctl proxy-config KIND` prints, where the session holds the whole dump of that proxy. */
function partOfAll(byArgv: ReadonlyMap<string, CommandResult>, { file, args }: Command): CommandResult | null {
  const kind = partsOfDump.find((one) => args[0] === 'proxy-config' && args[1] === one)
  const all = kind && byArgv.get(JSON.stringify([file, 'proxy-config', 'all', ...args.slice(2)]))
  if (!kind || all?.exit.kind !== 'exited' || all.exit.code !== 0) return null
  const dump = readConfigDump(JSON.parse(all.stdout))
  const part = dump && proxyConfigJson(dump, kind)
  return part === undefined ? null : { ...all, stdout: JSON.stringify(part, null, 4) }
}

/** An edit of one kind of a proxy's configuration: the whole dump must give no answer, so that the kind is asked for by itself. */
function isWholeOf(matches: RegExp, { file, args }: Command): boolean {
  if (args[0] !== 'proxy-config' || args[1] !== 'all') return false
  const asked = (kind: string) => [file, 'proxy-config', kind, ...args.slice(2)].join(' ')
  return !matches.test(asked('all')) && partsOfDump.some((kind) => matches.test(asked(kind)))
}

/** Edits the JSON that matching commands print. `matches` is looked for in the command as displayed. */
export function editJson(matches: RegExp, change: (data: any) => unknown): Edit {
  return (result, command) => {
    if (isWholeOf(matches, command)) return notRecorded
    if (!matches.test([command.file, ...command.args].join(' ')) || result.exit.kind !== 'exited') return result
    return {
      ...result,
      stdout: JSON.stringify(change(JSON.parse(result.stdout.trim() === '' ? 'null' : result.stdout))),
    }
  }
}

export function editText(matches: RegExp, change: (text: string) => string): Edit {
  return (result, command) =>
    isWholeOf(matches, command)
      ? notRecorded
      : matches.test([command.file, ...command.args].join(' '))
        ? { ...result, stdout: change(result.stdout) }
        : result
}

export function forbid(matches: RegExp): Edit {
  return (result, command) =>
    isWholeOf(matches, command)
      ? notRecorded
      : matches.test([command.file, ...command.args].join(' '))
        ? {
            exit: { kind: 'exited', code: 1 },
            stdout: '',
            stderr:
              'Error from server (Forbidden): pods "x" is forbidden: User "dev" cannot get resource "pods/log" in API group "" in the namespace "pay"\n',
            durationMs: 1,
          }
        : result
}

export function edits(...all: readonly Edit[]): Edit {
  return (result, command) => all.reduce((current, edit) => edit(current, command), result)
}
