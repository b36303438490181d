import type { Note, NoteCause, NoteEvidence } from '../model/note.ts'
import { forLine, forMarkdown, markdownBlock, markdownCell, markdownCode } from './escape.ts'
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
import { truncate } from './wrap.ts'

/** The note for a ticket or a chat: plain Markdown without HTML, readable before it is rendered, too. */
export function markdown(note: Note): string {
  const certainty = certaintyOf(note)
  const blocks = [
    `# ${verdictSymbols[note.verdict]} ${forMarkdown(headline(note))}${certainty ? ` (${certainty})` : ''}`,
    `**${forMarkdown(note.summary)}**`,
    list([
      `Symptom: ${forMarkdown(note.symptom.title)}`,
      `Call: ${forMarkdown(callLine(note))}`,
      `Cluster: ${forMarkdown(clusterLine(note))}`,
      `Run: ${forMarkdown(runLine(note))}`,
    ]),
    hopBlock(note),
    ...section(
      'Seen',
      note.symptom.observed.map((seen) => `${forMarkdown(seen.statement)}${refs(seen.evidence)}`),
    ),
    ...note.causes.flatMap((cause, index) => causeBlocks(note, cause, index)),
    ...section('Who answered', [
      `${forMarkdown(hopWords[note.answeredBy.hop])} (${certaintyWords[note.answeredBy.certainty]}): ${forMarkdown(note.answeredBy.because)}${refs(note.answeredBy.evidence)}`,
    ]),
    ...section(
      'Ruled out',
      note.ruledOut.map((entry) => `${markdownCode(entry.code)}: ${forMarkdown(entry.because)}${refs(entry.evidence)}`),
    ),
    ...section(
      'Not checked',
      note.notChecked.map((entry) => {
        const unlock = entry.unlock === '' ? '' : `\n  To unlock: ${markdownCode(entry.unlock)}`
        return `${forMarkdown(entry.what)} (${entry.layer}): ${forMarkdown(entry.reason)}${unlock}`
      }),
    ),
    ...section(
      'True, but not about this',
      note.otherFindings.map(
        (finding) =>
          `${markdownCode(finding.code)} ${forMarkdown(finding.title)}. ${forMarkdown(finding.statement)}${refs(finding.evidence)}`,
      ),
    ),
    ...section('Next', note.nextSteps.map(nextStep)),
    ...stepBlocks(note),
    ...section('Evidence', note.evidence.map(evidenceItem)),
    ...section(
      'Timeline',
      note.timeline.map((entry) => `${entry.at} ${forMarkdown(entry.statement)}`),
    ),
    ...section(
      'Follow-ups',
      note.followUps.map(
        (entry) => `[ ] ${forMarkdown(entry.statement)}${entry.owner ? ` (${forMarkdown(entry.owner)})` : ''}`,
      ),
    ),
    '---',
    footer(note),
  ]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

function hopBlock(note: Note): string {
  const lines = hopLines(note, 76)
  return lines.length === 0 ? '' : markdownBlock(lines.join('\n'))
}

function causeBlocks(note: Note, cause: NoteCause, index: number): readonly string[] {
  const decider = cause.wouldDecide
    ? [
        `**Would decide:** ${forMarkdown(cause.wouldDecide.why)}`,
        markdownBlock(forLine(cause.wouldDecide.command), 'sh'),
      ]
    : []
  return [
    `## ${causeName(note, cause, index)}: ${forMarkdown(cause.title)}`,
    `${forMarkdown(cause.statement)}`,
    `${markdownCode(cause.code)} · ${cause.layer} · ${certaintyWords[cause.certainty]}`,
    proofBlock(note.verdict === 'suspects' ? 'Speaks for it' : 'Proof', evidenceOf(note, cause.supporting)),
    proofBlock('Speaks against it', evidenceOf(note, cause.contradicting)),
    ...decider,
    `**${moveWords(note)}:** ${forMarkdown(cause.fix.statement)}`,
    cause.fix.commands.length === 0 ? '' : markdownBlock(cause.fix.commands.map(forLine).join('\n'), 'sh'),
    list([
      `Touches: ${forMarkdown(cause.fix.scope)}`,
      `Risk: ${forMarkdown(cause.fix.risk)}`,
      `Undo: ${forMarkdown(cause.fix.undo)}`,
    ]),
    `**Check:** ${forMarkdown(cause.verify.expect)}`,
    markdownBlock(forLine(cause.verify.command), 'sh'),
    cause.seeAlso.length === 0 ? '' : `See also: ${cause.seeAlso.map(markdownCode).join(', ')}`,
  ]
}

function proofBlock(title: string, evidence: readonly NoteEvidence[]): string {
  if (evidence.length === 0) return ''
  const items = evidence.map((entry, index) => {
    const missing = entry.status === 'missing' ? ` (not read: ${forMarkdown(entry.reason ?? 'unknown reason')})` : ''
    const excerpt = excerptOf(entry)
    const quoted = excerpt === null ? '' : `\n   > ${markdownCode(truncate(forLine(excerpt), 600))}`
    const from = entry.source.command === '' ? '' : `\n\n   printed by ${markdownCode(entry.source.command)}`
    return `${index + 1}. ${forMarkdown(entry.statement)}${missing} (${forMarkdown(entry.id)})${quoted}${from}`
  })
  return `**${title}:**\n\n${items.join('\n')}`
}

function nextStep(step: Note['nextSteps'][number]): string {
  const what = [
    step.statement === null ? '' : forMarkdown(step.statement),
    step.command === null ? '' : markdownCode(step.command),
  ].filter((part) => part !== '')
  return `${what.join(': ')}\n  ${forMarkdown(step.because)} (${effectWords[step.effect]})`
}

// Narrow columns only: what a step learned is a sentence and stands below.
function stepBlocks(note: Note): readonly string[] {
  if (note.steps.length === 0) return []
  const rows = note.steps.map((step) =>
    [
      `${step.n}`,
      `${stepSymbols[step.status]} ${step.status}`,
      step.layer,
      forMarkdown(truncate(forLine(step.title), 60)),
    ]
      .map(markdownCell)
      .join(' | '),
  )
  const details = note.steps.map((step) => {
    const commands = step.commands.map((command) => `\n   ${markdownCode(command)}`).join('')
    const next = step.next ? `\n   Then ${step.next.layer}: ${forMarkdown(step.next.because)}` : ''
    return `${step.n}. ${forMarkdown(step.learned) || 'nothing learned'}${refs(step.evidence)}${commands}${next}`
  })
  return [
    '## Steps',
    `| # | result | layer | step |\n|---|---|---|---|\n${rows.map((row) => `| ${row} |`).join('\n')}`,
    details.join('\n'),
  ]
}

function evidenceItem(entry: NoteEvidence): string {
  const missing = entry.status === 'missing' ? ` (not read: ${forMarkdown(entry.reason ?? 'unknown reason')})` : ''
  const line = entry.source.line === undefined ? '' : `, line ${entry.source.line}`
  const from = entry.source.command === '' ? '' : `, from ${markdownCode(entry.source.command)}${line}`
  return `${forMarkdown(entry.id)}: ${forMarkdown(entry.statement)}${missing}, about ${forMarkdown(entry.subject)}, at ${entry.at}${from}`
}

function footer(note: Note): string {
  const session = note.session ? ` Raw outputs: ${markdownCode(note.session.folder)}.` : ''
  return `${forMarkdown(redactionLine(note))}${session} ${forMarkdown(`${note.tool.name} ${note.tool.version}`)}, note ${markdownCode(note.id)}.`
}

function section(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`## ${title}`, list(items)]
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n')
}

function refs(ids: readonly string[]): string {
  return ids.length === 0 ? '' : ` (${ids.map(forMarkdown).join(', ')})`
}
