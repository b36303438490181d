import type { Command } from '../model/command.ts'
import { allowedVerbs } from './allowed-verbs.ts'
import { type FlagRule, matchesWhole, readArgv } from './argv.ts'
import type { Effect, Verb } from './verb.ts'

export type Permission =
  | { readonly allowed: true; readonly effect: Effect; readonly onlyOnRequest: boolean }
  | { readonly allowed: false; readonly why: string }

/** Control characters, and those that change how a line looks to a person who approves it. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
const longestArg = 4096

/** May this be started? The one question in front of every start of a process. */
export function check(command: Pick<Command, 'file' | 'args'>): Permission {
  const found = recognize(command)
  if (typeof found === 'string') return { allowed: false, why: found }
  return { allowed: true, effect: found.verb.effect, onlyOnRequest: found.verb.onlyOnRequest === true }
}

/** The same for two ways to write one command (`-n shop get pods`, `get po… -nshop` differ in words, not in flags' places). */
export function canonicalKey(command: Pick<Command, 'file' | 'args'>): string {
  const found = recognize(command)
  if (typeof found === 'string') return JSON.stringify([command.file, ...command.args])
  const { verb, words, flags, afterDash } = found
  const sorted = [...flags].map(([name, values]) => `${name}=${values.join('\u0000')}`).sort()
  return JSON.stringify([verb.file, verb.path.map(([name]) => name), words, sorted, afterDash ?? null])
}

interface Recognized {
  readonly verb: Verb
  readonly words: readonly string[]
  readonly flags: ReadonlyMap<string, readonly string[]>
  readonly afterDash: readonly string[] | undefined
}

/** Which verb this is, with its arguments read; or why it is none. */
export function recognize({ file, args }: Pick<Command, 'file' | 'args'>): Recognized | string {
  if (file !== 'kubectl' && file !== 'istioctl') return `${file} is never started by this program`
  for (const arg of args) {
    if (unprintable.test(arg)) return 'an argument holds a control or invisible character'
    if (arg.length > longestArg) return 'an argument is too long'
  }
  const verbs = allowedVerbs.filter((verb) => verb.file === file)
  const reasons: string[] = []
  for (const verb of verbs) {
    const argv = readArgv(args, verb.flags)
    // The path is looked for with this verb's flags, so that `-n shop get` finds `get`.
    if (typeof argv === 'string') {
      if (startsWith(plainWords(args), verb)) reasons.push(argv)
      continue
    }
    if (!startsWith(argv.words, verb)) continue
    const rest = { ...argv, words: argv.words.slice(verb.path.length) }
    const why = refuseShape(verb, rest, args) ?? verb.refuse?.(rest)
    if (why === undefined) return { verb, ...rest }
    reasons.push(why)
  }
  return (
    reasons[0] ?? `not on the list of commands that only read: ${[file, ...plainWords(args).slice(0, 2)].join(' ')}`
  )
}

function refuseShape(
  verb: Verb,
  { words, afterDash }: { words: readonly string[]; afterDash: readonly string[] | undefined },
  args: readonly string[],
): string | undefined {
  const { min, max, pattern } = verb.words
  if (afterDash !== undefined && verb.path[0]?.[0] !== 'exec') return `${verb.title} takes nothing after --`
  if (words.length < min || words.length > max)
    return `${verb.title} takes ${min === max ? min : `${min} to ${max}`} words`
  const odd = words.find((word) => !matchesWhole(pattern, word))
  if (odd !== undefined) return `${verb.title} does not take a word like this: ${odd.slice(0, 80)}`
  // cobra finds the command before it knows the verb's own flags: only the namespace may stand in front.
  const before = args.slice(
    0,
    args.findIndex((arg) => verb.path[0]?.includes(arg)),
  )
  if (before.length > 0 && !(before.length === 2 && /^(-n|--namespace)$/.test(before[0] ?? '')))
    return 'flags stand after the verb'
  return undefined
}

function startsWith(words: readonly string[], verb: Verb): boolean {
  return verb.path.every((aliases, at) => aliases.includes(words[at] ?? ''))
}

/** The words of a command whose flags could not be read: good enough to say which verb was meant. */
function plainWords(args: readonly string[]): string[] {
  const words: string[] = []
  for (let at = 0; at < args.length && args[at] !== '--'; at++) {
    if (args[at] === '-n' || args[at] === '--namespace') at++
    else if (!args[at]?.startsWith('-')) words.push(args[at] ?? '')
  }
  return words
}

export interface AllowedCommand {
  readonly title: string
  readonly effect: Effect
  readonly onlyOnRequest: boolean
  readonly flags: readonly string[]
}

/** The list itself, for `meshtriage doctor --commands`. */
export function describeAllowList(): AllowedCommand[] {
  return allowedVerbs.map(({ title, effect, onlyOnRequest, flags }) => ({
    title,
    effect,
    onlyOnRequest: onlyOnRequest === true,
    flags: flags.map(printFlag),
  }))
}

function printFlag({ long, short, value }: FlagRule): string {
  return `${short ? `-${short}/` : ''}--${long}${value ? ' VALUE' : ''}`
}
