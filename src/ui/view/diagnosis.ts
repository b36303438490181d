import type { Cause, Diagnosis } from '../../model/diagnosis.ts'
import type { EvidenceEntry } from '../../model/evidence.ts'
import type { RunState } from '../../model/run.ts'
import { blank, clipLine, type Line, labelled, line, type Span, span, wrap } from '../lines.ts'
import { type Mark, markTones, symbols } from '../theme.ts'
import { suspectLines } from './suspects.ts'
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

/** Everything below the title, in the order in which a tired person needs it. */
export function diagnosisLines(state: RunState, diagnosis: Diagnosis, width: number, pair: number): Line[] {
  const rest = [
    ...section('Not it', ruledOutLines(diagnosis), width),
    ...section('Also true', asideLines(diagnosis), width),
    ...section('Unknown', unknownLines(diagnosis), width),
  ]
  switch (diagnosis.verdict) {
    case 'cause': {
      const several = diagnosis.causes.length > 1
      const causes = diagnosis.causes.flatMap((cause, index) => [
        ...(several
          ? [
              line(
                span(`Cause ${index + 1} of ${diagnosis.causes.length}  `, 'accent'),
                span(cause.title, 'strong'),
                span(`  ${cause.certainty}`, 'dim'),
              ),
            ]
          : []),
        ...causeLines(cause, state, width),
        ...(several ? [blank] : []),
      ])
      const moves = diagnosis.causes.flatMap((cause, index) => moveLines(cause, width, several ? `${index + 1} ` : ''))
      return [...causes, ...answeredLines(diagnosis, width), ...rest, blank, ...moves]
    }
    case 'suspects':
      return [
        ...suspectLines(diagnosis, pair, width),
        ...answeredLines(diagnosis, width),
        ...rest,
        ...nextStepLines(diagnosis, width),
      ]
    case 'inconclusive':
      return [
        ...section('Unknown', unknownLines(diagnosis), width),
        ...answeredLines(diagnosis, width),
        ...section('Not it', ruledOutLines(diagnosis), width),
        ...section('Also true', asideLines(diagnosis), width),
        ...nextStepLines(diagnosis, width),
      ]
    case 'clean':
      return [
        ...section(
          'Looked at',
          state.steps
            .filter(({ status }) => status === 'ok')
            .map((step) => line(span(`${step.label}  `, 'strong'), step.learned[0] ?? '')),
          width,
        ),
        ...answeredLines(diagnosis, width),
        ...rest,
        ...nextStepLines(diagnosis, width),
      ]
  }
}

function section(label: string, lines: readonly Line[], width: number): Line[] {
  return lines.length === 0 ? [] : labelled(span(label, 'accent'), lines, width, column)
}

function causeLines(cause: Cause, state: RunState, width: number): Line[] {
  const proof = cause.supporting.flatMap((quote, index) => {
    const source = sourceText(state, quote.entry)
    const said = line(span(`${index + 1}  `, 'dim'), quote.statement, span(`  ${source}[${quote.entry}]`, 'dim'))
    const excerpt =
      quote.excerpt && !quote.statement.includes(quote.excerpt)
        ? [clipLine(line(span('   │ ', 'dim'), span(quote.excerpt, 'quote')), width - column)]
        : []
    return [said, ...excerpt]
  })
  const against = cause.contradicting.map((quote) => line(quote.statement, span(`  [${quote.entry}]`, 'dim')))
  return [
    ...section(
      'Why',
      [
        line(cause.statement),
        ...(cause.why && !cause.statement.includes(cause.why) ? [line(span(cause.why, 'dim'))] : []),
      ],
      width,
    ),
    ...section('Proof', proof, width),
    ...section('Against it', against, width),
  ]
}

function sourceText(state: RunState, id: string): string {
  const entry: EvidenceEntry | null | undefined = state.commands.find((command) => command.id === id)?.entry
  if (id === 'given') return 'as you pasted it '
  return entry ? `${entry.probe} ` : ''
}

function answeredLines(diagnosis: Diagnosis, width: number): Line[] {
  const { hop, because, certainty } = diagnosis.answeredBy
  if (hop === 'unknown' && because === '') return []
  const who = hop === 'unknown' ? 'not known' : hop === 'nobody' ? 'nobody' : `the ${hop.replace('-', ' ')}`
  return section(
    'Answered by',
    [
      line(
        span(who, 'strong'),
        span(hop === 'unknown' ? '' : ` (${certainty})`, 'dim'),
        because === '' ? '' : `: ${because}`,
      ),
    ],
    width,
  )
}

function ruledOutLines(diagnosis: Diagnosis): Line[] {
  return diagnosis.ruledOut.map(({ code, because, evidence }) => {
    const ids = [...new Set(evidence.map(({ entry }) => entry))]
    return line(span(`${code} `), span(`(${because})`, 'dim'), span(ids.length > 0 ? ` [${ids.join(' ')}]` : '', 'dim'))
  })
}

function asideLines(diagnosis: Diagnosis): Line[] {
  return diagnosis.otherFindings.map(({ subject, title, statement }) =>
    line(span('! ', 'warn'), title, span(statement === title ? '' : ` · ${subject}`, 'dim')),
  )
}

function unknownLines(diagnosis: Diagnosis): Line[] {
  return diagnosis.notChecked.flatMap(({ what, reason, unlock }) => [
    line(span('? ', 'blind'), what, span(` (${reason})`, 'dim')),
    ...(unlock === '' ? [] : [line(span(`  unlock: ${unlock}`, 'dim'))]),
  ])
}

function moveLines({ fix, verify }: Cause, width: number, prefix: string): Line[] {
  const risk: Span[] = [
    ...(fix.scope ? [span(`touches: ${fix.scope}`, 'dim')] : []),
    ...(fix.risk ? [span(`${fix.scope ? ' · ' : ''}risk: ${fix.risk}`, 'dim')] : []),
    ...(fix.undo ? [span(`${fix.scope || fix.risk ? ' · ' : ''}undo: ${fix.undo}`, 'dim')] : []),
  ]
  const move: Line[] = [
    line(span(fix.statement, 'strong')),
    ...fix.commands.map((command) => line(span('$ ', 'dim'), span(command, 'command'))),
    ...(fix.commands.length > 0 ? [line(span('shown, not run: meshtriage changes nothing', 'dim'))] : []),
    ...(risk.length > 0 ? [risk] : []),
  ]
  const check = [
    line(
      span(verify.command, 'command'),
      verify.expect ? ` → ${verify.expect}` : '',
      span(' · r retests and tells', 'dim'),
    ),
  ]
  return [
    ...labelled(span(`${prefix}Smallest move`, 'accent'), move, width, 16),
    ...labelled(span(`${prefix}Check`, 'accent'), check, width, 16),
  ]
}

function nextStepLines(diagnosis: Diagnosis, width: number): Line[] {
  const steps = diagnosis.nextSteps.flatMap(({ command, statement, because, effect }) => [
    line(
      ...(statement ? [span(statement, 'strong')] : []),
      span(because ? `${statement ? ' · ' : ''}${because}` : '', 'dim'),
    ),
    ...(command
      ? [
          line(
            span('$ ', 'dim'),
            span(command, 'command'),
            span(
              effect === 'reads'
                ? ''
                : effect === 'changes'
                  ? '  changes the cluster: shown, not run'
                  : '  sends a request',
              'warn',
            ),
          ),
        ]
      : []),
  ])
  return steps.length === 0 ? [] : [blank, ...labelled(span('Next', 'accent'), steps, width, column)]
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
  return `${diagnosis.summary} (${verdictWord(diagnosis)})${move}`
}
