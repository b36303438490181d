/** A flag that a verb knows: whether a value follows it, and what that value may look like. */
export interface FlagRule {
  readonly long: string
  readonly short?: string
  /** Absent: the flag is a switch and takes no following word. */
  readonly value?: RegExp
}

export interface ReadArgv {
  readonly words: readonly string[]
  /** By long name. A repeated flag has several values; a bare switch has `true`. */
  readonly flags: ReadonlyMap<string, readonly string[]>
  /** What stands after `--`, or undefined without one. */
  readonly afterDash: readonly string[] | undefined
}

/**
 * Reads arguments as pflag does, but only where nobody could read them differently: no bundled switches, no value that
 * begins with a dash, no unknown flag. Returns why not, as text, when in doubt.
 */
export function readArgv(args: readonly string[], known: readonly FlagRule[]): ReadArgv | string {
  const words: string[] = []
  const flags = new Map<string, string[]>()
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string
    if (arg === '--') return { words, flags, afterDash: args.slice(at + 1) }
    if (!arg.startsWith('-')) {
      words.push(arg)
      continue
    }
    const found = findFlag(arg, known)
    if (typeof found === 'string') return found
    let { value } = found
    if (found.rule.value && value === undefined) {
      value = args[++at]
      if (value === undefined) return `flag ${arg} has no value`
    }
    if (found.rule.value && !matchesWhole(found.rule.value, value as string))
      return `flag ${arg} has a value that is not allowed`
    if (!found.rule.value && value !== undefined && !/^(true|false)$/.test(value)) return `flag ${arg} takes no value`
    const { long } = found.rule
    flags.set(long, [...(flags.get(long) ?? []), value ?? 'true'])
  }
  return { words, flags, afterDash: undefined }
}

function findFlag(arg: string, known: readonly FlagRule[]): { rule: FlagRule; value: string | undefined } | string {
  const isLong = arg.startsWith('--')
  const equals = arg.indexOf('=')
  const name = equals === -1 ? arg : arg.slice(0, equals)
  const value = equals === -1 ? undefined : arg.slice(equals + 1)
  if (isLong) {
    const rule = known.find(({ long }) => name === `--${long}`)
    return rule ? { rule, value } : `flag ${name} is not on the list`
  }
  const rule = known.find(({ short }) => short !== undefined && arg.startsWith(`-${short}`))
  if (!rule) return `flag ${arg.slice(0, 2)} is not on the list`
  if (arg.length === 2) return { rule, value: undefined }
  if (arg[2] === '=') return { rule, value: arg.slice(3) }
  // `-ojson` is common; `-Ao json` can be read in two ways.
  return rule.value ? { rule, value: arg.slice(2) } : `switches are not bundled here: ${arg}`
}

/** Alternatives of a pattern would otherwise be content with a beginning of the text. */
export function matchesWhole(pattern: RegExp, text: string): boolean {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags).test(text)
}
