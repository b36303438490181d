import type { Cause, Diagnosis } from '../../model/diagnosis.ts'
import type { RunState } from '../../model/run.ts'
import { blank, type Line, line, span, wrap } from '../lines.ts'
import { type Mark, markTones, symbols } from '../theme.ts'
import { shortIds } from './ids.ts'
import { railRows } from './rail.ts'
import { sectionColumn as column, section } from './section.ts'
import { excerptLines } from './step.ts'
import { suspectLines } from './suspects.ts'
import { timeOfDay } from './wording.ts'

export function verdictMark(diagnosis: Diagnosis): Mark {
  switch (diagnosis.verdict) {
    case 'cause':
      return 'bad'
    case 'suspects':
    case 'inconclusive':
      return 'blind'
    case 'clean':
      return 'ok'
  }
}

export function verdictWord(diagnosis: Diagnosis): string {
  switch (diagnosis.verdict) {
    case 'cause':
      return diagnosis.causes[0]?.certainty ?? 'cause'
    case 'suspects':
      return 'undecided'
    case 'inconclusive':
      return 'inconclusive'
    case 'clean':
      return 'nothing found'
  }
}

/** The answer first: one sentence, and how sure it is. */
export function titleLines(diagnosis: Diagnosis, width: number): Line[] {
  const mark = verdictMark(diagnosis)
  const word = verdictWord(diagnosis)
  const cause = diagnosis.verdict === 'cause' && diagnosis.causes.length === 1 ? diagnosis.causes[0] : undefined
  const said = wrap(
    line(span(`${symbols[mark]} `, markTones[mark]), span(cause?.title ?? diagnosis.summary, 'strong')),
    width - word.length - 2,
    2,
  )
  const [first, ...rest] = said
  if (!first) return []
  const gap = width - word.length - first.reduce((sum, part) => sum + part.text.length, 0)
  return [[...first, span(' '.repeat(Math.max(1, gap))), span(word, markTones[mark])], ...rest]
}

const results: Readonly<Record<RunState['retests'][number]['result'], { mark: Mark; word: string }>> = {
  fixed: { mark: 'ok', word: 'fixed' },
  changed: { mark: 'aside', word: 'changed' },
  same: { mark: 'bad', word: 'still the same' },
  blind: { mark: 'blind', word: 'could not look' },
}

export function retestLines(state: RunState, width: number): Line[] {
  const last = state.retests.at(-1)
  if (!last) return []
  const { mark, word } = results[last.result]
  const said = line(
    span(`${symbols[mark]} retest ${timeOfDay(last.at)}: `, markTones[mark]),
    span(word, 'strong'),
    last.statement === '' ? '' : `. ${last.statement}`,
  )
  return wrap(said, width, 2)
}

/** Below the title: why, proof, who answered; or the suspects, or what was looked at. */
export function reasonLines(state: RunState, diagnosis: Diagnosis, width: number, pair: number): Line[] {
  const answered = section('Answered', answeredLines(diagnosis), width)
  switch (diagnosis.verdict) {
    case 'cause':
      return [
        ...diagnosis.causes.flatMap((cause, index) => causeLines(cause, index, diagnosis.causes.length, state, width)),
        ...answered,
      ]
    case 'suspects':
      return [...suspectLines(diagnosis, shortIds(state), pair, width), ...answered]
    case 'inconclusive':
      return [...unknownSection(diagnosis, width), ...answered]
    case 'clean':
      return [...section('Looked at', lookedLines(state), width, 2), ...answered]
  }
}

/** What one wants to know after that: what was not seen, what else is true, what it is not. */
export function otherLines(state: RunState, diagnosis: Diagnosis, width: number): Line[] {
  return [
    ...(diagnosis.verdict === 'inconclusive' ? [] : unknownSection(diagnosis, width)),
    ...section('Also true', asideLines(diagnosis), width, 2),
    ...section('Not it', ruledOutLines(state, diagnosis), width, 2),
  ]
}

function unknownSection(diagnosis: Diagnosis, width: number): Line[] {
  return section('Unknown', unknownLines(diagnosis), width, 2)
}

function lookedLines(state: RunState): Line[] {
  return railRows(state)
    .filter(({ mark }) => mark === 'ok')
    .map(({ label, remark }) => line(span(`${label}  `, 'strong'), span(remark, 'dim')))
}

function causeLines(cause: Cause, index: number, of: number, state: RunState, width: number): Line[] {
  const head = line(
    span(`Cause ${index + 1} of ${of}  `, 'accent'),
    span(cause.title, 'strong'),
    span(`  ${cause.certainty}`, 'dim'),
  )
  const why = cause.why && !cause.statement.includes(cause.why) ? [line(cause.why)] : []
  const idOf = shortIds(state)
  const proof = cause.supporting.flatMap((quote, number) => {
    const said = line(
      span(`${number + 1}  `, 'dim'),
      quote.statement,
      span(`  ${sourceText(state, quote.entry)}[${idOf(quote.entry)}]`, 'dim'),
    )
    if (!quote.excerpt || quote.statement.includes(quote.excerpt)) return [said]
    return [said, ...excerptLines(quote.excerpt, '   ', width - column)]
  })
  const against = cause.contradicting.map((quote) => line(quote.statement, span(`  [${idOf(quote.entry)}]`, 'dim')))
  return [
    ...(of > 1 ? [...(index > 0 ? [blank] : []), ...wrap(head, width, 2)] : []),
    ...section('Why', [line(cause.statement)], width),
    ...section('Proof', proof, width, 3),
    ...section('Against it', against, width),
    ...section('Behind it', why, width),
  ]
}

function sourceText(state: RunState, id: string): string {
  if (id === 'given') return ''
  const probe = state.commands.find((command) => command.id === id)?.entry?.probe
  return probe ? `${probe} ` : ''
}

function answeredLines(diagnosis: Diagnosis): Line[] {
  const { hop, because, certainty } = diagnosis.answeredBy
  if (hop === 'unknown') return because === '' ? [] : [line(span('by whom is not known', 'strong'), `: ${because}`)]
  const who = hop === 'nobody' ? 'by nobody' : `by the ${hop.replace('-', ' ')}`
  return [line(span(who, 'strong'), span(` (${certainty})`, 'dim'), because === '' ? '' : `: ${because}`)]
}

/** A layer a line: who asks "is it the policy?" finds the answer without reading the rest. */
function ruledOutLines(state: RunState, diagnosis: Diagnosis): Line[] {
  const idOf = shortIds(state)
  const layers = new Map<string, Map<string, { codes: string[]; ids: Set<string> }>>()
  for (const { code, layer, because, evidence } of diagnosis.ruledOut) {
    const reasons = layers.get(layer) ?? new Map<string, { codes: string[]; ids: Set<string> }>()
    const { codes, ids } = reasons.get(because) ?? { codes: [], ids: new Set() }
    for (const { entry } of evidence) ids.add(idOf(entry))
    layers.set(layer, reasons.set(because, { codes: [...codes, code], ids }))
  }
  return [...layers].map(([layer, reasons]) => [
    span(`${layer}  `, 'strong'),
    ...[...reasons].flatMap(([because, { codes, ids }], index) => [
      span(index > 0 ? ' · ' : '', 'dim'),
      span(codes.join(', ')),
      span(` (${because})${ids.size > 0 ? ` [${[...ids].join(' ')}]` : ''}`, 'dim'),
    ]),
  ])
}

function asideLines(diagnosis: Diagnosis): Line[] {
  return diagnosis.otherFindings.map(({ subject, title }) =>
    line(span('! ', 'warn'), title, span(title.includes(subject) ? '' : ` · ${subject}`, 'dim')),
  )
}

/** Often one permission hides many things: they are named together, with what would show them. */
function unknownLines(diagnosis: Diagnosis): Line[] {
  const groups = new Map<string, Diagnosis['notChecked'][number][]>()
  for (const missing of diagnosis.notChecked) {
    const key = missing.unlock === '' ? `${missing.what} ${missing.reason}` : missing.unlock
    groups.set(key, [...(groups.get(key) ?? []), missing])
  }
  return [...groups.values()].map((missing) => {
    const [{ reason = '', unlock = '' } = {}] = missing
    return line(
      span('? ', 'blind'),
      missing.map(({ what }) => what).join(', '),
      span(` (${refusal(reason)})`, 'dim'),
      span(unlock === '' ? '' : ` · to see it: ${unlock}`, 'dim'),
    )
  })
}

/** Of a chain of wrapped errors, what the API server said in the end. */
function refusal(reason: string): string {
  return /[a-z.]+ "[^"]*" is forbidden: .*/s.exec(reason)?.[0] ?? reason
}

export function summaryText(diagnosis: Diagnosis): string {
  const cause = diagnosis.causes[0]
  const move = diagnosis.verdict === 'cause' && cause ? ` Smallest move: ${cause.fix.statement}` : ''
  return `${diagnosis.summary.replace(/\.$/, '')} (${verdictWord(diagnosis)}).${move}`
}
