import type { Note, NoteCause, NoteEvidence } from '../model/note.ts'
import { forLine } from './escape.ts'
import { hopLines } from './hops.ts'
import {
  callLine,
  causeName,
  certaintyOf,
  certaintyWords,
  clusterLine,
  effectWords,
  evidenceOf,
  excerptOf,
  headline,
  hopWords,
  moveWords,
  redactionLine,
  runLine,
  stepSymbols,
  verdictSymbols,
} from './words.ts'
import { truncate, wrap, wrapCommand } from './wrap.ts'

export interface TextOptions {
  readonly width?: number
  readonly colour?: boolean
  /** Also every step with its commands and the whole list of evidence. */
  readonly full?: boolean
}

const styles = { bold: '1', dim: '2', bad: '31', good: '32', doubt: '33' } as const
type Style = keyof typeof styles

/** The note for a terminal: the answer first, then why, then what to do, then everything it stands on. */
export function text(note: Note, { width = 80, colour = false, full = false }: TextOptions = {}): string {
  const page = newPage(Math.max(30, width), colour)
  const tone = note.verdict === 'clean' ? 'good' : note.verdict === 'cause' ? 'bad' : 'doubt'
  const certainty = certaintyOf(note)
  page.para(`${verdictSymbols[note.verdict]} ${headline(note)}${certainty ? `  [${certainty}]` : ''}`, '', '  ', tone)
  // One cause is its own summary.
  if (!note.summary.startsWith(headline(note)) || note.causes.length > 1) page.para(note.summary, '  ')
  page.line()
  page.field('Symptom', `${note.symptom.title} (${note.symptom.id})`)
  page.field('Call', callLine(note))
  page.field('Cluster', clusterLine(note))
  page.field('Run', runLine(note))
  const hops = hopLines(note, page.width - 2)
  if (hops.length > 0) page.line()
  for (const line of hops) page.para(line, '  ', '    ', undefined, true)
  if (note.symptom.observed.length > 0) {
    page.heading('Seen')
    for (const seen of note.symptom.observed) page.item(`${seen.statement}${refs(seen.evidence)}`)
  }

  for (const [index, cause] of note.causes.entries()) writeCause(page, note, cause, index)
  page.heading('Who answered')
  page.para(
    `${hopWords[note.answeredBy.hop]} (${certaintyWords[note.answeredBy.certainty]}): ${note.answeredBy.because}`,
    '  ',
  )
  if (full) for (const evidence of evidenceOf(note, note.answeredBy.evidence)) writeProof(page, evidence, '+')
  if (note.ruledOut.length > 0) {
    page.heading('Ruled out')
    for (const entry of note.ruledOut) page.item(`${entry.code}: ${entry.because}${refs(entry.evidence)}`)
  }
  if (note.notChecked.length > 0) {
    page.heading('Not checked', 'doubt')
    for (const entry of note.notChecked) {
      page.item(`${entry.what} (${entry.layer}): ${entry.reason}`, '?')
      if (entry.unlock !== '') page.para(`unlock: ${entry.unlock}`, '    ', '      ')
    }
  }
  if (note.otherFindings.length > 0) {
    page.heading('True, but not about this')
    for (const finding of note.otherFindings)
      page.item(`${finding.code}: ${finding.title}. ${finding.statement}${refs(finding.evidence)}`, '!')
  }
  // Where there is a cause, its move and its check stand with it.
  if (note.nextSteps.length > 0 && (full || note.verdict === 'inconclusive')) {
    page.heading('Next')
    for (const step of note.nextSteps) {
      if (step.statement !== null) page.item(step.statement)
      if (step.command !== null) page.command(step.command)
      page.para(`${step.because} (${effectWords[step.effect]})`, '    ')
    }
  }
  writeSteps(page, note, full)
  if (full) writeEvidence(page, note)
  if (note.timeline.length > 0) page.heading('Timeline')
  for (const entry of note.timeline) page.para(`${entry.at}  ${entry.statement}`, '  ', '    ')
  if (note.followUps.length > 0) page.heading('Follow-ups')
  for (const entry of note.followUps) page.item(entry.owner ? `${entry.statement} (${entry.owner})` : entry.statement)
  page.line()
  page.para(redactionLine(note), '', '', 'dim')
  if (note.session) page.para(`Raw outputs: ${note.session.folder}`, '', '  ', 'dim')
  page.para(`${note.tool.name} ${note.tool.version}, note ${note.id}`, '', '  ', 'dim')
  return page.done()
}

type Page = ReturnType<typeof newPage>

function writeCause(page: Page, note: Note, cause: NoteCause, index: number): void {
  const name = causeName(note, cause, index)
  page.heading(`${name}: ${cause.title}`)
  page.para(cause.statement, '  ')
  page.para(`${cause.code} · ${cause.layer} · ${certaintyWords[cause.certainty]}`, '  ', '  ', 'dim')
  for (const evidence of evidenceOf(note, cause.supporting)) writeProof(page, evidence, '+')
  for (const evidence of evidenceOf(note, cause.contradicting)) writeProof(page, evidence, '-')
  if (cause.wouldDecide) {
    page.para(`Would decide: ${cause.wouldDecide.why}`, '  ', '    ', 'bold')
    page.command(cause.wouldDecide.command)
  }
  page.para(`${moveWords(note)}: ${cause.fix.statement}`, '  ', '    ', 'bold')
  for (const command of cause.fix.commands) page.command(command)
  page.para(`touches ${cause.fix.scope} · risk: ${cause.fix.risk} · undo: ${cause.fix.undo}`, '    ')
  page.para(`Check: ${cause.verify.expect}`, '  ', '    ')
  page.command(cause.verify.command)
  if (cause.seeAlso.length > 0) page.para(`see also ${cause.seeAlso.join(', ')}`, '  ', '    ', 'dim')
}

function writeProof(page: Page, evidence: NoteEvidence, mark: '+' | '-'): void {
  const missing = evidence.status === 'missing' ? ` (not read: ${evidence.reason ?? 'unknown reason'})` : ''
  page.item(`${mark === '-' ? 'against: ' : ''}${evidence.statement}${missing} [${evidence.id}]`, mark)
  const excerpt = excerptOf(evidence)
  if (excerpt !== null) page.quote(excerpt)
  if (evidence.source.command !== '') page.command(evidence.source.command)
}

function writeSteps(page: Page, note: Note, full: boolean): void {
  if (note.steps.length > 0) page.heading('Steps')
  for (const step of note.steps) {
    if (!full) {
      page.item(`${step.n}. ${step.title}`, stepSymbols[step.status])
      continue
    }
    page.item(
      `${step.n}. ${step.title} (${step.layer}): ${step.learned}${refs(step.evidence)}`,
      stepSymbols[step.status],
    )
    for (const command of step.commands) page.command(command)
    if (step.next) page.para(`then ${step.next.layer}: ${step.next.because}`, '    ', '      ', 'dim')
  }
}

function writeEvidence(page: Page, note: Note): void {
  if (note.evidence.length > 0) page.heading('Evidence')
  const quoted = new Set([
    ...note.causes.flatMap((cause) => [...cause.supporting, ...cause.contradicting]),
    ...note.answeredBy.evidence,
  ])
  for (const evidence of note.evidence) {
    const missing = evidence.status === 'missing' ? ` not read (${evidence.reason ?? 'unknown reason'})` : ''
    const line = evidence.source.line === undefined ? '' : `, line ${evidence.source.line}`
    page.para(
      `${evidence.id}${missing}  ${evidence.statement} · ${evidence.subject} · ${evidence.at}${line}`,
      '  ',
      '    ',
    )
    // The others stand above, with their command.
    if (!quoted.has(evidence.id) && evidence.source.command !== '') page.command(evidence.source.command)
  }
}

/** `kubectl get pods,services,…` of many kinds: the first few name it, the note has them all. */
function shortList(command: string): string {
  return command.replace(/(?<= )((?:[\w.-]+,){3})(?:[\w.-]+,){2,}[\w.-]+/g, '$1…')
}

function refs(ids: readonly string[]): string {
  return ids.length === 0 ? '' : ` [${ids.join(', ')}]`
}

function newPage(width: number, colour: boolean) {
  const lines: string[] = []
  const paint = (line: string, style: Style | undefined) =>
    colour && style !== undefined && line !== '' ? `\u001b[${styles[style]}m${line}\u001b[0m` : line
  const page = {
    width,
    line: (content = '', style?: Style) => {
      lines.push(paint(content.trimEnd(), style))
    },
    para: (content: string, first: string, rest = first, style?: Style, verbatim = false) => {
      const clean = verbatim ? content : forLine(content)
      const room = width - Math.max(first.length, rest.length)
      const parts = verbatim && content.length <= room ? [clean] : wrap(clean, room)
      for (const [index, part] of parts.entries()) page.line((index === 0 ? first : rest) + part, style)
    },
    heading: (title: string, style: Style = 'bold') => {
      page.line()
      page.para(title, '', '  ', style)
    },
    field: (name: string, value: string) => page.para(value, `  ${name.padEnd(9)}`, ' '.repeat(11)),
    item: (content: string, mark = '-') => page.para(content, `  ${mark} `, '    '),
    quote: (content: string) => page.para(truncate(content, 600), '    │ '),
    command: (command: string) => {
      for (const [index, part] of wrapCommand(shortList(forLine(command)), width - 6).entries())
        page.line(`    ${index === 0 ? '$ ' : '  '}${part}`)
    },
    done: () => `${lines.join('\n')}\n`,
  }
  return page
}
