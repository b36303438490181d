import type { Note } from '../model/note.ts'
import { forLine } from './escape.ts'
import { answeredWords, callLine, certaintyOf, evidenceOf, headline, runLine, verdictSymbols } from './words.ts'
import { truncate } from './wrap.ts'

/** Three to six lines: what, who answered, the proof, the next move, what could not be seen. */
export function short(note: Note): string {
  const certainty = certaintyOf(note)
  const [first] = note.causes
  const lines = [
    `${verdictSymbols[note.verdict]} ${note.verdict === 'cause' ? headline(note) : note.summary}${certainty ? ` [${certainty}]` : ''}`,
    `call: ${callLine(note)}; ${answeredWords(note)}`,
    note.verdict === 'suspects' ? suspects(note) : proof(note),
    first && note.verdict === 'suspects' && first.wouldDecide ? `decide: ${first.wouldDecide.command}` : null,
    first && note.verdict === 'cause' ? `move: ${first.fix.statement}` : null,
    first && note.verdict === 'cause' ? `check: ${first.verify.command}` : null,
    first ? null : next(note),
    unseen(note),
    note.causes.length === 0 ? `run: ${runLine(note)}` : null,
  ]
  return `${lines
    .filter((line) => line !== null)
    .slice(0, 6)
    .map((line) => truncate(forLine(line), 240))
    .join('\n')}\n`
}

function suspects(note: Note): string {
  return `suspects: ${note.causes.map((cause) => cause.title).join('; or ')}`
}

function proof(note: Note): string | null {
  const [first] = note.causes
  const [evidence] = first ? evidenceOf(note, first.supporting).filter(({ status }) => status === 'ok') : []
  return evidence ? `proof: ${evidence.statement} (${evidence.source.command})` : null
}

function next(note: Note): string | null {
  const [step] = note.nextSteps
  return step ? `next: ${step.command ?? step.statement ?? step.because}` : null
}

function unseen(note: Note): string | null {
  const [first, ...more] = note.notChecked
  if (!first) return null
  return `not checked: ${first.what} (${first.reason})${more.length > 0 ? ` and ${more.length} more` : ''}`
}
