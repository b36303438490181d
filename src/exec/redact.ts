import { UserError } from '../model/errors.ts'
import { namedValueRules } from './redact/named-values.ts'
import { privateKeyRules } from './redact/private-keys.ts'
import { mark, patternRule, type Rule } from './redact/rule.ts'
import { secretObjects } from './redact/secret-objects.ts'
import { tokenRules } from './redact/tokens.ts'
import { urlRules } from './redact/urls.ts'

export interface Redacted {
  readonly text: string
  /** How often each rule found something. Rules that found nothing are absent. */
  readonly counts: Readonly<Record<string, number>>
}

export type Redact = (text: string) => Redacted

/** Objects before single values, tokens before the headers that carry them: a JWT in a header keeps its claims. */
const builtIn: readonly Rule[] = [secretObjects, ...privateKeyRules, ...tokenRules, ...namedValueRules, ...urlRules]

/** The names of all rules, for the note. */
export const redactionRules: readonly string[] = [...new Set(builtIn.map(({ name }) => name))]

/**
 * Removes secrets from what a tool printed: JSON, YAML, tables, logs, error texts, arguments. Applied twice it changes
 * nothing more. `own` are a person's additional patterns.
 */
export function createRedact(own: readonly string[] = []): Redact {
  const rules = [...builtIn, ...own.map((source, index) => ownRule(source, index + 1))]
  return (text) => {
    const counts: Record<string, number> = {}
    let redacted = text
    for (const { name, trigger, apply } of rules) {
      if (!isTriggered(redacted, trigger)) continue
      redacted = apply(redacted, () => {
        counts[name] = (counts[name] ?? 0) + 1
      })
    }
    return { text: redacted, counts }
  }
}

/** For whoever asked to keep everything. */
export const redactNothing: Redact = (text) => ({ text, counts: {} })

function isTriggered(text: string, trigger: Rule['trigger']): boolean {
  return trigger instanceof RegExp ? trigger.test(text) : trigger.some((word) => text.includes(word))
}

/** Named by its number when it is wrong: the pattern may spell the secret itself. */
function ownRule(source: string, number: number): Rule {
  try {
    const pattern = new RegExp(source, 'g')
    if (pattern.test('')) throw new UserError(`redaction pattern ${number} matches everything`)
    return patternRule('own', new RegExp(source), pattern, (match) => (match === mark ? match : mark))
  } catch (error) {
    if (error instanceof SyntaxError) throw new UserError(`redaction pattern ${number} is no regular expression`)
    throw error
  }
}

export function addCounts(
  left: Readonly<Record<string, number>>,
  right: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Record<string, number> = { ...left }
  for (const [rule, count] of Object.entries(right)) sum[rule] = (sum[rule] ?? 0) + count
  return sum
}

export interface RedactionStream {
  readonly push: (text: string) => string
  readonly end: () => string
  readonly counts: () => Readonly<Record<string, number>>
}

/** Text kept back until what follows is known: a value may stand on the line after its name. */
const keptLines = 4
const longestKept = 1024 * 1024

/** The same for output that is too long to be kept: line by line, with a few lines of delay. */
export function createRedactionStream(redact: Redact): RedactionStream {
  let kept = ''
  let counts: Readonly<Record<string, number>> = {}
  const emit = (text: string) => {
    const redacted = redact(text)
    counts = addCounts(counts, redacted.counts)
    return redacted.text
  }
  return {
    push: (text) => {
      kept += text
      const cut = safeCut(kept)
      const ready = kept.slice(0, cut)
      kept = kept.slice(cut)
      return ready === '' ? '' : emit(ready)
    },
    end: () => {
      const rest = kept
      kept = ''
      return emit(rest)
    },
    counts: () => counts,
  }
}

/** Does the line that ends here announce what the next one holds? */
function opensValue(text: string, end: number): boolean {
  const line = text.slice(Math.max(text.lastIndexOf('\n', end - 1) + 1, end - 300), Math.max(end, 0))
  return /\b(?:name|key|value)\\*["']?\s*:|--?[\w-]+\\*["']?,?\s*$|[{[:]\s*$/.test(line)
}

/** Where the text can be parted: before its last lines, and never inside a private key. */
function safeCut(text: string): number {
  let cut = text.length
  for (let lines = 0; (lines < keptLines || opensValue(text, cut)) && cut > 0; lines++)
    cut = text.lastIndexOf('\n', cut - 1)
  const key = text.lastIndexOf('-----BEGIN', cut)
  if (key !== -1 && text.indexOf('-----END', key) >= Math.max(cut, 0)) cut = key
  else if (key !== -1 && text.indexOf('-----END', key) === -1) cut = key
  if (cut > 0 && text.length - cut < longestKept) return text[cut] === '\n' ? cut + 1 : cut
  if (text.length < 2 * longestKept) return 0
  // One endless line: part it between two words, far from its end.
  const end = text.length - longestKept / 2
  const blank = Math.max(text.lastIndexOf(' ', end), text.lastIndexOf(',', end), text.lastIndexOf('\n', end))
  return blank > 0 ? blank : end
}
