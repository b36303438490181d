import { wrapCommand } from '../../report/wrap.ts'
import { line, lineText, wrap } from '../lines.ts'

/** A command at the end of a sentence. */
const command =
  /^(.*?(?:^|[:.] ))((?:kubectl (?:get|logs|auth|config|version|api-resources|describe|exec|patch|apply|delete|label|annotate|rollout|edit|run|create|scale)\b|istioctl (?:analyze|version|proxy-|pc|ps|x|experimental|ztunnel-config|waypoint|tag|install)|curl -).*)$/

/** A sentence over the lines of a terminal, broken at words; where nobody knows its width, as one line. A command can still be pasted. */
export function sentenceLines(sentence: string, columns: number | undefined): string[] {
  if (!columns || columns < 20 || sentence.length <= columns) return [sentence]
  const [, before = '', run] = command.exec(sentence) ?? []
  const words = (text: string) => wrap(line(text), columns, 2).map((part) => lineText(part).trimEnd())
  if (run === undefined) return words(sentence)
  return [
    ...(before === '' ? [] : words(before.trimEnd())),
    ...wrapCommand(run, columns - 2).map((part) => `  ${part}`),
  ]
}
