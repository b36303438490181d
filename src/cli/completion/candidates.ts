import { Command, type Option } from 'commander'
import type { LiveNames } from './live-names.ts'

export interface Candidate {
  readonly value: string
  readonly about?: string
}

export interface Candidates {
  readonly found: readonly Candidate[]
  /** The shell should offer file names besides. */
  readonly files: boolean
}

/** What some place of the command line takes. */
type Source =
  | 'namespaces'
  | 'workloads'
  | 'files'
  | 'folders'
  | 'symptoms'
  | 'runbooks'
  | 'demos'
  | 'sessions'
  | 'shells'
  | 'nothing'

const ofFlag: Readonly<Record<string, Source>> = {
  '--namespace': 'namespaces',
  '--istio-namespace': 'namespaces',
  '--from': 'workloads',
  '--to': 'workloads',
  '--runbook': 'runbooks',
  '--kubeconfig': 'files',
  '--log': 'files',
  '--curl': 'files',
  '--jwt': 'files',
  '--open': 'files',
  '--file': 'files',
  '--filename': 'files',
  '--save': 'folders',
  '--dir': 'folders',
}

const ofArgument: Readonly<Record<string, Source>> = {
  diagnose: 'symptoms',
  logs: 'workloads',
  proxies: 'workloads',
  mtls: 'workloads',
  lint: 'files',
  replay: 'folders',
  demo: 'demos',
  completion: 'shells',
  'runbook show': 'runbooks',
  'runbook graph': 'runbooks',
  'runbook lint': 'files',
  'note show': 'files',
  'note render': 'files',
  'note compare': 'files',
  'sessions show': 'sessions',
}

export interface CompletionPorts {
  readonly names: string[]
  /** Adds a command to the program, loading its module. */
  readonly load: (name: string, program: Command) => Promise<void>
  readonly live: (namespaceAndCluster: Readonly<Record<string, string>>) => Promise<LiveNames>
  readonly listed: (source: 'symptoms' | 'runbooks' | 'demos' | 'sessions') => Promise<readonly Candidate[]>
}

/** `words` are those after the program's name; the last is the one under the cursor, perhaps empty. */
export async function candidates(words: readonly string[], ports: CompletionPorts): Promise<Candidates> {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const name = before.find((word) => !word.startsWith('-'))
  if (name === undefined || !ports.names.includes(name))
    return name === undefined && !current.startsWith('-')
      ? offer(
          ports.names.map((value) => ({ value })),
          current,
        )
      : nothing
  const program = new Command()
  await ports.load(name, program)
  const position = readWords(program, before)
  if (position === null) return nothing
  const { command, pending, given } = position
  if (pending) return valuesOf(pending, current, given, ports)
  const equals = /^(--[a-z-]+)=(.*)$/s.exec(current)
  if (equals) {
    const option = command.options.find(({ long }) => long === equals[1])
    if (!option) return nothing
    const { found, files } = await valuesOf(option, equals[2] ?? '', given, ports)
    return { found: found.map(({ value, ...rest }) => ({ ...rest, value: `${equals[1]}=${value}` })), files }
  }
  if (current.startsWith('-')) return offer(flagsOf(command), current)
  const subcommands = command.commands.filter((one) => one.name() !== hiddenCommand)
  if (subcommands.length > 0)
    return offer(
      subcommands.map((one) => ({ value: one.name(), about: one.description() })),
      current,
    )
  return from(ofArgument[pathOf(command)] ?? 'nothing', current, given, ports)
}

/** What the shells' scripts call. */
const hiddenCommand = 'complete'
const nothing: Candidates = { found: [], files: false }

interface Position {
  readonly command: Command
  /** A flag whose value is being typed. */
  readonly pending: Option | null
  /** Values of flags typed so far, by long name. */
  readonly given: Readonly<Record<string, string>>
}

function readWords(program: Command, words: readonly string[]): Position | null {
  let command = program
  let pending: Option | null = null
  const given: Record<string, string> = {}
  for (const word of words) {
    if (pending) {
      given[pending.long ?? ''] = word
      pending = null
      continue
    }
    if (word.startsWith('-')) {
      const [flag = '', value] = word.split('=', 2)
      const option = command.options.find(({ long, short }) => long === flag || short === flag)
      if (option && value !== undefined) given[option.long ?? ''] = value
      else if (option?.required) pending = option
      continue
    }
    const next = command.commands.find((one) => one.name() === word)
    if (next) command = next
    else if (command === program) return null
  }
  return { command, pending, given }
}

function flagsOf(command: Command): Candidate[] {
  return [...command.options.filter(({ hidden }) => !hidden), { long: '--help', description: 'show help' }].flatMap(
    ({ long, description }) => (long ? [{ value: long, about: description }] : []),
  )
}

function pathOf(command: Command): string {
  const names: string[] = []
  for (let one: Command | null = command; one?.parent; one = one.parent) names.unshift(one.name())
  return names.join(' ')
}

async function valuesOf(
  option: Option,
  current: string,
  given: Position['given'],
  ports: CompletionPorts,
): Promise<Candidates> {
  if (option.argChoices)
    return offer(
      option.argChoices.map((value) => ({ value })),
      current,
    )
  return from(ofFlag[option.long ?? ''] ?? 'nothing', current, given, ports)
}

async function from(
  source: Source,
  current: string,
  given: Position['given'],
  ports: CompletionPorts,
): Promise<Candidates> {
  switch (source) {
    case 'nothing':
      return nothing
    case 'files':
    case 'folders':
      return { found: [], files: true }
    case 'shells':
      return offer(
        ['bash', 'zsh', 'fish'].map((value) => ({ value })),
        current,
      )
    case 'namespaces':
      return offer(
        (await (await ports.live(given)).namespaces()).map((value) => ({ value })),
        current,
      )
    case 'workloads':
      return workloads(current, given, ports)
    case 'symptoms':
    case 'runbooks':
    case 'demos':
    case 'sessions': {
      const { found } = offer(await ports.listed(source), current)
      return { found, files: source === 'runbooks' || source === 'sessions' }
    }
  }
}

/** `[KIND/]NAME` first, and namespaces once a dot was typed. */
async function workloads(current: string, given: Position['given'], ports: CompletionPorts): Promise<Candidates> {
  // A path is a file: `logs ./access.log`.
  if (/^[./~]/.test(current)) return { found: [], files: true }
  const live = await ports.live(given)
  const dot = current.indexOf('.')
  if (dot > 0) {
    const named = current.slice(0, dot + 1)
    return offer(
      (await live.namespaces()).map((name) => ({ value: `${named}${name}` })),
      current,
    )
  }
  const found = await live.workloads(given['--namespace'])
  const named = current.includes('/') ? found : [...found, ...found.map((one) => one.slice(one.indexOf('/') + 1))]
  return {
    ...offer(
      unique(named).map((value) => ({ value })),
      current,
    ),
    files: false,
  }
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)]
}

function offer(all: readonly Candidate[], current: string): Candidates {
  return { found: all.filter(({ value }) => value.startsWith(current)), files: false }
}

/** What the shell reads: one candidate a line. */
export function printCandidates({ found, files }: Candidates): string {
  const lines = found.map(({ value, about }) => {
    const clean = about?.replace(/\s+/g, ' ')
    return clean ? `${value}\t${clean}` : value
  })
  return [...lines, ...(files ? [':files'] : [])].map((line) => `${line}\n`).join('')
}
