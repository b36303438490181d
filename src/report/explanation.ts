import type { Explanation } from '../mesh/explain.ts'
import { isCommand, newPage, type PageOptions } from './page.ts'
import { certaintyWords, hopWords } from './words.ts'

const mostShown = 6

/** What was recognised, for a terminal: the answer, then what to look at, then what people get wrong about it. */
export function explanationText(explanation: Explanation, options: PageOptions = {}): string {
  const { answer, layer, answeredBy, recognised, next, mistakes, unknown, nearest } = explanation
  const page = newPage(options)
  page.para(answer, '', '', recognised.length > 0 ? 'bold' : 'doubt')
  if (layer !== null || answeredBy !== null) page.blank()
  if (layer !== null) page.field('Layer', layer)
  if (answeredBy !== null && answeredBy.hop !== 'unknown')
    page.field('Answered', `${hopWords[answeredBy.hop]} (${certaintyWords[answeredBy.certainty]})`)
  if (recognised.length > 1) {
    page.heading('Recognised')
    for (const { what, text, sentence } of recognised.slice(0, mostShown)) {
      page.item(`${what}: ${text}`, '·')
      // The answer said it already.
      if (!answer.includes(sentence)) page.para(sentence, '      ')
    }
    more(page, recognised.length)
  }
  if (next.length > 0) {
    page.heading('Look next')
    for (const step of next.slice(0, mostShown)) isCommand(step) ? page.command(step, '  ') : page.item(step, '·')
    more(page, next.length)
  }
  if (mistakes.length > 0) {
    page.heading('Often got wrong')
    for (const mistake of mistakes.slice(0, mostShown)) page.item(mistake, '·')
    more(page, mistakes.length)
  }
  if (unknown.length > 0 && recognised.length > 0) {
    page.heading('Not known')
    for (const { term, candidates } of nearest)
      page.item(candidates.length > 0 ? `${term} (spelled most like ${candidates.join(', ')})` : term, '?')
  }
  const doc = recognised.flatMap(({ entries }) => entries.flatMap((entry) => entry.doc ?? []))[0]
  if (doc !== undefined) {
    page.blank()
    page.link(`See ${doc}`)
  }
  return page.done()
}

function more(page: ReturnType<typeof newPage>, count: number): void {
  if (count > mostShown) page.item(`and ${count - mostShown} more: -o json has all`, '…')
}
