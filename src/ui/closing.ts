import type { RunState } from '../model/run.ts'
import { lineText, span, wrap } from './lines.ts'
import type { Saved } from './ports.ts'
import { symbols } from './theme.ts'
import { summaryText, verdictMark } from './view/diagnosis.ts'
import { callText, count, symptomWords } from './view/wording.ts'

/** The same numbers as in every output format: the verdict, or that somebody interrupted. */
export function exitCodeOf(state: RunState, interrupted: boolean): number {
  if (interrupted) return 130
  switch (state.diagnosis?.verdict) {
    case 'cause':
    case 'suspects':
      return 79
    case 'inconclusive':
      return 80
    case 'clean':
      return 0
    case undefined:
      return state.startedAt === null ? 0 : 80
  }
}

/** What stays in the scrollback when the screen is gone. */
export function closingLines(state: RunState, saved: Saved | null, columns: number): string[] {
  if (state.startedAt === null) return []
  const what = `${symptomWords[state.given?.symptom ?? 'unknown']}  ${callText(state)}`
  const last = state.retests.at(-1)
  const verdict = state.diagnosis
    ? `${symbols[verdictMark(state.diagnosis)]} ${summaryText(state.diagnosis)}`
    : `${symbols.blind} not diagnosed: left after ${count(state.steps.length, 'step')}`
  return [
    what,
    verdict,
    ...(last ? [`  last retest: ${last.result}${last.statement ? `, ${last.statement}` : ''}`] : []),
    saved ? `  note: ${saved.notePath}` : '  no note was saved',
  ].flatMap((text) => wrap([span(text)], columns, 2).map(lineText))
}
