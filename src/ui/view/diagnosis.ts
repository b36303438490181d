import type { Cause, Diagnosis } from '../../model/diagnosis.ts'
import type { RunState } from '../../model/run.ts'
import { blank, type Line, labelled, line, span, wrap } from '../lines.ts'
import { type Mark, markTones, symbols } from '../theme.ts'
import { shortIds } from './ids.ts'
import { railRows } from './rail.ts'
import { excerptLines } from './step.ts'
import { deciderLines, suspectLines } from './suspects.ts'
import { timeOfDay } from './wording.ts'

const column = 11

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

/** Everything below the title, in the order in which a tired person needs it. What to do comes apart: `moveLines`. */
export function diagnosisLines(state: RunState, diagnosis: Diagnosis, width: number, pair: number): Line[] {
  const answered = section('Answered', answeredLines(diagnosis), width)
  const unknown = section('Unknown', unknownLines(diagnosis), width, 2)
  const others = [
    ...section('Not it', ruledOutLines(state, diagnosis), width),
    ...section('Also true', asideLines(diagnosis), width, 2),
  ]
  switch (diagnosis.verdict) {
    case 'cause':
      return [
        ...diagnosis.causes.flatMap((cause, index) => causeLines(cause, index, diagnosis.causes.length, state, width)),
        ...answered,
        ...others,
        ...unknown,
      ]
    case 'suspects':
      return [...suspectLines(diagnosis, shortIds(state), pair, width), ...answered, ...others, ...unknown]
    case 'inconclusive':
      return [...unknown, ...answered, ...others]
    case 'clean':
      return [...section('Looked at', lookedLines(state), width, 2), ...answered, ...others, ...unknown]
  }
}

/** Only the move itself, for screens too small for all about it. */
export function shortMoveLines(diagnosis: Diagnosis, width: number): Line[] {
  if (diagnosis.verdict === 'suspects') return deciderLines(diagnosis, width)
  const move = diagnosis.verdict === 'cause' ? diagnosis.causes[0]?.fix.statement : diagnosis.nextSteps[0]?.statement
  return move ? wrap(line(span('Move ▸ ', 'accent'), move), width, 2) : []
}

/** The smallest move and how to check it; or, without a cause, what to look at next. */
export function moveLines(diagnosis: Diagnosis, width: number): Line[] {
  if (diagnosis.verdict === 'suspects') {
    const decider = decidingCommand(diagnosis)
    const rest = diagnosis.nextSteps.filter(({ command }) => command === null || command !== decider)
    return [...deciderLines(diagnosis, width), ...nextStepLines({ ...diagnosis, nextSteps: rest }, width)]
  }
  if (diagnosis.verdict !== 'cause') return nextStepLines(diagnosis, width)
  const several = diagnosis.causes.length > 1
  return diagnosis.causes.flatMap((cause, index) => moveOf(cause, several ? `${index + 1} ` : '', width))
}

function lookedLines(state: RunState): Line[] {
  return railRows(state)
    .filter(({ mark }) => mark === 'ok')
    .map(({ label, remark }) => line(span(`${label}  `, 'strong'), span(remark, 'dim')))
}

function section(label: string, lines: readonly Line[], width: number, hanging = 0): Line[] {
  return lines.length === 0 ? [] : labelled(span(label, 'accent'), lines, width, column, hanging)
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

/** One after the other: what it is not needs to be complete, not prominent. */
function ruledOutLines(state: RunState, diagnosis: Diagnosis): Line[] {
  if (diagnosis.ruledOut.length === 0) return []
  const idOf = shortIds(state)
  return [
    diagnosis.ruledOut.flatMap(({ code, because, evidence }, index) => {
      const ids = [...new Set(evidence.map(({ entry }) => idOf(entry)))]
      const from = ids.length > 0 ? ` [${ids.join(' ')}]` : ''
      return [span(index > 0 ? ' · ' : '', 'dim'), span(code), span(` (${because})${from}`, 'dim')]
    }),
  ]
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

function moveOf({ fix, verify }: Cause, prefix: string, width: number): Line[] {
  const wishes = [
    ['touches', fix.scope],
    ['risk', fix.risk],
    ['undo', fix.undo],
  ] as const
  const about = wishes.flatMap(([word, text]) => (text ? [`${word}: ${text}`] : [])).join(' · ')
  const move: Line[] = [
    line(span(fix.statement, 'strong')),
    ...fix.commands.map((command) =>
      line(span('$ ', 'dim'), span(command, 'command'), span('  shown, never run', 'dim')),
    ),
    ...(about === '' ? [] : [line(span(about, 'dim'))]),
  ]
  const check = line(
    span(verify.command, 'command'),
    verify.expect ? ` → ${verify.expect}` : '',
    span(' · r retests and tells', 'dim'),
  )
  return [
    ...labelled(span(`${prefix}Smallest move`, 'accent'), move, width, 16),
    ...labelled(span(`${prefix}Check`, 'accent'), [check], width, 16),
  ]
}

function nextStepLines(diagnosis: Diagnosis, width: number): Line[] {
  const effects = {
    reads: '',
    changes: '  changes the cluster: shown, never run',
    'sends-traffic': '  sends a request',
  }
  const steps = diagnosis.nextSteps.flatMap(({ command, statement, because, effect }) => [
    line(
      ...(statement ? [span(statement, 'strong')] : []),
      span(because ? `${statement ? ' · ' : ''}${because}` : '', 'dim'),
    ),
    ...(command ? [line(span('$ ', 'dim'), span(command, 'command'), span(effects[effect], 'warn'))] : []),
  ])
  return section('Next', steps, width)
}

/** The one command that matters now: what decides between suspects, or what checks the fix. */
export function decidingCommand(diagnosis: Diagnosis): string | null {
  const decider = diagnosis.causes.find(({ wouldDecide }) => wouldDecide)?.wouldDecide?.command
  if (diagnosis.verdict === 'suspects' && decider) return decider
  return diagnosis.causes[0]?.verify.command ?? diagnosis.nextSteps.find(({ command }) => command)?.command ?? null
}

export function summaryText(diagnosis: Diagnosis): string {
  const cause = diagnosis.causes[0]
  const move = diagnosis.verdict === 'cause' && cause ? ` Smallest move: ${cause.fix.statement}` : ''
  return `${diagnosis.summary.replace(/\.$/, '')} (${verdictWord(diagnosis)}).${move}`
}
