import { blank, type Line, line, span, wrap } from '../lines.ts'
import type { Explanation, Paste } from '../ports.ts'

export function explanationLines(explanation: Explanation, width: number): Line[] {
  const { title, layer, sentences, lookNext, myth } = explanation
  return [
    ...wrap(line(span(title, 'strong'), span(layer ? `  ${layer}` : '', 'dim')), width),
    ...sentences.flatMap((sentence) => wrap(line(sentence), width)),
    ...(lookNext.length > 0 ? [blank, line(span('Look next', 'accent'))] : []),
    ...lookNext.flatMap(({ command, why }) => [
      ...wrap(line(span('· ', 'dim'), why), width, 2),
      ...(command ? wrap(line(span('  $ ', 'dim'), span(command, 'command')), width, 4) : []),
    ]),
    ...(myth ? [blank, ...wrap(line(span('Often got wrong: ', 'accent'), myth), width)] : []),
  ]
}

/** What a pasted text says, and what it already tells the walk. */
export function pasteLines(paste: Paste, text: string, known: readonly string[], width: number): Line[] {
  const quoted = text.split('\n').filter((each) => each.trim() !== '')
  return [
    ...wrap(line(span(paste.sentence, 'strong')), width),
    ...paste.details.flatMap((detail) => wrap(line(span('· ', 'dim'), detail), width, 2)),
    ...(known.length > 0
      ? [
          blank,
          line(span('Known from it, so not asked again', 'accent')),
          ...known.flatMap((each) => wrap(line(span('✓ ', 'good'), each), width, 2)),
        ]
      : []),
    blank,
    line(span(quoted.length > 4 ? `You pasted ${quoted.length} lines` : 'You pasted', 'accent')),
    ...quoted.slice(0, 4).flatMap((each) => wrap(line(span('│ ', 'dim'), span(each, 'quote')), width, 2).slice(0, 6)),
  ]
}
