import type { FlagRule, ReadArgv } from './argv.ts'

export type Effect = 'reads' | 'sends-traffic'

export interface Verb {
  readonly file: 'kubectl' | 'istioctl'
  /** The words that lead to it, each with its aliases. */
  readonly path: readonly (readonly string[])[]
  /** How `meshtriage doctor --commands` names it. */
  readonly title: string
  readonly flags: readonly FlagRule[]
  /** How many words may follow the path, and what they look like. */
  readonly words: { readonly min: number; readonly max: number; readonly pattern: RegExp }
  /** Says why not, for what flags and words alone do not tell. */
  readonly refuse?: (argv: ReadArgv) => string | undefined
  readonly effect: Effect
  /** Runs only when the person asked for exactly this. */
  readonly onlyOnRequest?: true
}

export const any = /[^-].*|/
export const name = /[a-z0-9]([a-z0-9.-]*[a-z0-9])?/i
export const number = /\d+/
export const duration = /[0-9.hmsuµn]+/

export const flag = (long: string, value?: RegExp, short?: string): FlagRule => ({
  long,
  ...(value && { value }),
  ...(short && { short }),
})

/** A pod, `type/name`, `name.namespace`, a kind list `a,b`: never something that a tool could take for a flag or a file. */
export const target = /[a-z0-9][\w.,:/-]*/i
export const nothing = { min: 0, max: 0, pattern: target }
/** A local file. Tools fetch what looks like a URL, and read a manifest from stdin for `-`. */
export const localFile = /(?![a-z][a-z0-9+.-]*:\/\/)[^-].*/i

export const output = (formats: RegExp) => flag('output', formats, 'o')
export const selector = flag('selector', any, 'l')
export const allNamespaces = flag('all-namespaces', undefined, 'A')
export const podTarget = { min: 0, max: 1, pattern: target }
