import type { Cause, Diagnosis } from '../../model/diagnosis.ts'
import { type Line, line, span, wrap } from '../lines.ts'
import { section } from './section.ts'
import { deciderLines } from './suspects.ts'

/** Only the move itself, for screens too small for all about it. */
export function shortMoveLines(diagnosis: Diagnosis, width: number): Line[] {
  if (diagnosis.verdict === 'suspects') return deciderLines(diagnosis, width)
  const move = diagnosis.verdict === 'cause' ? diagnosis.causes[0]?.fix.statement : diagnosis.nextSteps[0]?.statement
  return move ? wrap(line(span('Smallest move ▸ ', 'accent'), move), width, 2) : []
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
  return diagnosis.causes.flatMap((cause, index) => moveOf(cause, several ? ` ${index + 1}` : '', width))
}

function moveOf({ fix, verify }: Cause, number: string, width: number): Line[] {
  const about = [
    ['touches', fix.scope],
    ['risk', fix.risk],
    ['undo', fix.undo],
  ] as const
  const move: Line[] = [
    line(span(fix.statement, 'strong')),
    ...fix.commands.map((command) =>
      line(span('$ ', 'dim'), span(command, 'command'), span('  shown, never run', 'dim')),
    ),
    ...about.flatMap(([word, text]) => (text ? [line(span(`${word}: `, 'dim'), text)] : [])),
  ]
  const check: Line[] = [
    line(span('$ ', 'dim'), span(verify.command, 'command')),
    ...(verify.expect ? [line('→ ', verify.expect)] : []),
    line(
      span(costOf(verify.command), 'warn'),
      span('yours to run; r only reads the proof again: fixed, changed or the same', 'dim'),
    ),
  ]
  return [...section(`Move${number}`, move, width, 2), ...section(`Check${number}`, check, width, 2)]
}

/** A check that sends the call again does again what the call does. */
function costOf(command: string): string {
  if (!/\bcurl\b/.test(command)) return ''
  const method = / -X (\w+)/.exec(command)?.[1] ?? 'GET'
  return method === 'GET' || method === 'HEAD' ? 'sends one request · ' : `sends a real ${method}, with all it does · `
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
