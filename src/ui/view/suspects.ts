import type { Cause, Diagnosis } from '../../model/diagnosis.ts'
import type { Quote } from '../../model/evidence.ts'
import { beside, blank, type Line, line, span, wrap } from '../lines.ts'
import { excerptLines } from './step.ts'

const letters = 'ABCDEFGHIJ'

type IdOf = (entry: string) => string

/** Two suspects side by side, each with what speaks for and against it. */
export function suspectLines(diagnosis: Diagnosis, idOf: IdOf, pair: number, width: number): Line[] {
  const { causes } = diagnosis
  const start = causes.length > 2 ? (pair * 2) % causes.length : 0
  const shown = causes.slice(start, start + 2)
  const others = causes.filter((cause) => !shown.includes(cause))
  const more =
    others.length === 0
      ? []
      : wrap(
          line(
            span('Also possible: ', 'accent'),
            others.map((cause) => `${letters[causes.indexOf(cause)] ?? '?'} ${cause.title}`).join(' · '),
            span('  tab shows', 'dim'),
          ),
          width,
          2,
        )
  return [...columns(shown, start, idOf, width), ...(more.length > 0 ? [blank] : []), ...more, blank]
}

/** The one command whose result separates them. */
export function deciderLines(diagnosis: Diagnosis, width: number): Line[] {
  const decider = diagnosis.causes.find(({ wouldDecide }) => wouldDecide)?.wouldDecide
  if (!decider) return [line(span('No single command decides between them.', 'dim'))]
  return [
    ...wrap(line(span('This decides ▸ ', 'accent'), decider.why), width, 15),
    ...wrap(line(span('$ ', 'dim'), span(decider.command, 'command')), width, 2),
  ]
}

function columns(shown: readonly Cause[], start: number, idOf: IdOf, width: number): Line[] {
  if (width < 64 || shown.length < 2)
    return shown.flatMap((cause, index) => [
      ...suspect(cause, letters[start + index] ?? '?', idOf, width),
      ...(index + 1 < shown.length ? [blank] : []),
    ])
  const half = Math.floor((width - 3) / 2)
  const [left = [], right = []] = shown.map((cause, index) => suspect(cause, letters[start + index] ?? '?', idOf, half))
  return beside(left, right, half)
}

function suspect(cause: Cause, letter: string, idOf: IdOf, width: number): Line[] {
  return [
    ...wrap(
      line(span(`${letter}  `, 'accent'), span(cause.title, 'strong'), span(`  ${cause.certainty}`, 'dim')),
      width,
      3,
    ),
    ...wrap(line(`   ${cause.statement}`), width, 3),
    ...speaks('for', cause.supporting, idOf, width),
    ...speaks('against', cause.contradicting, idOf, width),
  ]
}

function speaks(side: 'for' | 'against', quotes: readonly Quote[], idOf: IdOf, width: number): Line[] {
  const mark = span(side === 'for' ? '   + ' : '   - ', side === 'for' ? 'good' : 'bad')
  if (quotes.length === 0)
    return [line(mark, span(side === 'for' ? 'nothing speaks for it yet' : 'nothing seen speaks against it', 'dim'))]
  return quotes.flatMap(({ statement, excerpt, entry }) => [
    ...wrap(line(mark, statement, span(` [${idOf(entry)}]`, 'dim')), width, 5),
    // Two stand side by side: the words of the tool, but not all of them.
    ...(excerpt && !statement.includes(excerpt) ? excerptLines(excerpt, '     ', width, 100) : []),
  ])
}
