/** Colours by meaning. None carries anything alone: the symbol or the word beside it says the same. */
export type Tone =
  | 'plain'
  | 'strong'
  | 'dim'
  | 'good'
  | 'bad'
  | 'warn'
  | 'blind'
  | 'accent'
  | 'command'
  | 'quote'
  | 'marked'
  | 'found'

export interface Style {
  readonly color?: string
  readonly bold?: boolean
  readonly dimColor?: boolean
  readonly inverse?: boolean
  readonly underline?: boolean
}

// Named colours of the 16: they follow the person's own palette, on light backgrounds too.
const coloured: Readonly<Record<Tone, Style>> = {
  plain: {},
  strong: { bold: true },
  dim: { dimColor: true },
  good: { color: 'green' },
  bad: { color: 'red', bold: true },
  warn: { color: 'yellow' },
  blind: { color: 'magenta' },
  accent: { color: 'cyan', bold: true },
  command: { color: 'cyan' },
  quote: { color: 'blueBright' },
  marked: { inverse: true },
  found: { color: 'yellow', underline: true },
}

/** Under NO_COLOR weight stays, colour goes. */
const colourless: Readonly<Record<Tone, Style>> = {
  plain: {},
  strong: { bold: true },
  dim: { dimColor: true },
  good: {},
  bad: { bold: true },
  warn: {},
  blind: {},
  accent: { bold: true },
  command: {},
  quote: {},
  // Reversed is no colour, and the only way to say where one stands.
  marked: { inverse: true },
  found: { underline: true },
}

export function styleOf(tone: Tone, colour: boolean): Style {
  return (colour ? coloured : colourless)[tone]
}

/** Looked and fine · broken here · true but not the cause · could not look · now · not yet. */
export const symbols = { ok: '✓', bad: '✗', aside: '!', blind: '?', now: '▸', open: '·' } as const

export type Mark = keyof typeof symbols

export const markTones: Readonly<Record<Mark, Tone>> = {
  ok: 'good',
  bad: 'bad',
  aside: 'warn',
  blind: 'blind',
  now: 'accent',
  open: 'dim',
}

/** The same in words, for plain mode and for whoever cannot see the symbol. */
export const markWords: Readonly<Record<Mark, string>> = {
  ok: 'Fine',
  bad: 'Problem',
  aside: 'True, but not the cause',
  blind: 'Could not look',
  now: 'Now',
  open: 'Not yet',
}
