import { line, lineText, wrap } from '../lines.ts'

/** A command is pasted into another terminal: a break of ours in it would end it there. */
const holdsCommand = /(?:^|[:.] )(?:kubectl|istioctl|curl|meshtriage) /

/** A sentence over the lines of a terminal, broken at words; where nobody knows its width, as one line. */
export function sentenceLines(sentence: string, columns: number | undefined): string[] {
  if (!columns || columns < 20 || sentence.length <= columns || holdsCommand.test(sentence)) return [sentence]
  return wrap(line(sentence), columns, 2).map((part) => lineText(part).trimEnd())
}
