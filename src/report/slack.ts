import type { Note, NoteCause } from '../model/note.ts'
import { forSlack, slackCode } from './escape.ts'
import {
  answeredWords,
  callLine,
  causeName,
  certaintyOf,
  certaintyWords,
  effectWords,
  evidenceOf,
  excerptOf,
  headline,
  moveWords,
  redactionLine,
  runLine,
  verdictSymbols,
} from './words.ts'
import { truncate } from './wrap.ts'

/** Slack refuses a text object of a block beyond this, and a message beyond `messageLimit`. */
export const blockLimit = 3000
export const messageLimit = 40_000

const cutRemark = '_Cut here: the rest is in the note._'

/** The note as mrkdwn, in one piece. Steps and the full evidence stay in the note: a channel wants the answer. */
export function slack(note: Note): string {
  return slackBlocks(note).join('\n\n')
}

/** The same as texts of section blocks. */
export function slackBlocks(note: Note): readonly string[] {
  const blocks = sections(note).flatMap(splitAtLimit)
  const kept: string[] = []
  let used = cutRemark.length + 2
  for (const block of blocks) {
    used += block.length + 2
    if (used > messageLimit) return [...kept, cutRemark]
    kept.push(block)
  }
  return kept
}

function sections(note: Note): readonly (readonly string[])[] {
  const certainty = certaintyOf(note)
  return [
    [
      `*${verdictSymbols[note.verdict]} ${say(headline(note))}*${certainty ? ` (${certainty})` : ''}`,
      say(note.summary),
      `${say(note.symptom.title)}: ${say(callLine(note))}`,
      say(`${answeredWords(note)}: ${note.answeredBy.because}`),
    ],
    ...note.causes.map((cause, index) => causeLines(note, cause, index)),
    titled(
      'Ruled out',
      note.ruledOut.map((entry) => `• ${code(entry.code)} ${say(entry.because)}`),
    ),
    titled(
      'Not checked',
      note.notChecked.map(
        (entry) =>
          `• ${say(entry.what)}: ${say(entry.reason)}${entry.unlock === '' ? '' : ` Unlock: ${code(entry.unlock)}`}`,
      ),
    ),
    titled(
      'True, but not about this',
      note.otherFindings.map((finding) => `• ${code(finding.code)} ${say(finding.title)}`),
    ),
    titled(
      'Next',
      note.nextSteps.map((step) => {
        const what = [
          step.statement === null ? '' : say(step.statement),
          step.command === null ? '' : code(step.command),
        ]
        return `• ${what.filter((part) => part !== '').join(' ')}\n   ${say(step.because)} (${effectWords[step.effect]})`
      }),
    ),
    titled(
      'Follow-ups',
      note.followUps.map((entry) => `• ${say(entry.statement)}${entry.owner ? ` (${say(entry.owner)})` : ''}`),
    ),
    [`_${say(runLine(note)).replaceAll('_', ' ')}_`, say(redactionLine(note))],
  ].filter((lines) => lines.length > 0)
}

function causeLines(note: Note, cause: NoteCause, index: number): readonly string[] {
  const name = causeName(note, cause, index)
  const proof = (ids: readonly string[], mark: string) =>
    evidenceOf(note, ids).flatMap((entry) => {
      const missing = entry.status === 'missing' ? ` (not read: ${say(entry.reason ?? 'unknown reason')})` : ''
      const excerpt = excerptOf(entry)
      return [
        `${mark} ${say(entry.statement)}${missing}`,
        ...(excerpt === null ? [] : [`> ${code(excerpt)}`]),
        ...(entry.source.command === '' ? [] : [`   from ${code(entry.source.command)}`]),
      ]
    })
  return [
    `*${name}: ${say(cause.title)}* (${certaintyWords[cause.certainty]})`,
    say(cause.statement),
    ...proof(cause.supporting, '•'),
    ...proof(cause.contradicting, '• Against:'),
    ...(cause.wouldDecide ? [`*Would decide:* ${say(cause.wouldDecide.why)}`, code(cause.wouldDecide.command)] : []),
    `*${moveWords(note)}:* ${say(cause.fix.statement)}`,
    ...cause.fix.commands.map(code),
    `Touches: ${say(cause.fix.scope)} Risk: ${say(cause.fix.risk)} Undo: ${say(cause.fix.undo)}`,
    `*Check:* ${say(cause.verify.expect)}`,
    code(cause.verify.command),
  ]
}

function titled(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`*${title}*`, ...lines]
}

// Some lines have four parts; together they must fit into one block.
const partLimit = 700

function say(text: string): string {
  return fitting(text, forSlack)
}

function code(text: string): string {
  return fitting(text, slackCode)
}

// Cut before escaping, or an entity might be cut in two; how long it gets is known only afterwards.
function fitting(text: string, written: (text: string) => string): string {
  let length = 400
  let escaped = written(truncate(text, length))
  while (escaped.length > partLimit) {
    length = Math.floor(length * 0.7)
    escaped = written(truncate(text, length))
  }
  return escaped
}

function splitAtLimit(lines: readonly string[]): readonly string[] {
  const blocks: string[] = []
  let block = ''
  for (const line of lines) {
    const longer = block === '' ? line : `${block}\n${line}`
    if (longer.length <= blockLimit) block = longer
    else {
      blocks.push(block)
      block = line
    }
  }
  return [...blocks, block]
}
