import type { CommandState, RunState, StepState } from '../../model/run.ts'
import { clipLine, type Line, padLine, span } from '../lines.ts'
import { type Mark, markTones, symbols, type Tone } from '../theme.ts'
import { lastRuns } from './ids.ts'

export interface RailRow {
  readonly id: string
  readonly n: number
  readonly label: string
  readonly title: string
  readonly mark: Mark
  /** The verdict in a few words. */
  readonly remark: string
}

/** One row a layer: the plan, and steps that came on top of it. */
export function railRows(state: RunState): RailRow[] {
  const steps = new Map(state.steps.map((step) => [step.id, step]))
  const extra = state.steps.filter(({ id }) => !state.plan.some((entry) => entry.id === id))
  const current = state.diagnosis ? null : (state.steps.findLast(({ status }) => status === 'running') ?? null)
  return [...state.plan, ...extra].map((entry, index) => {
    const step = steps.get(entry.id)
    const row = { id: entry.id, n: index + 1, label: entry.label, title: entry.title }
    if (!step) return { ...row, mark: 'open', remark: '' }
    if (step.status === 'running') return { ...row, mark: current?.id === step.id ? 'now' : 'open', remark: '…' }
    if (step.status === 'skipped') return { ...row, mark: 'open', remark: 'skipped' }
    const commands = lastRuns(state).filter((command) => command.step === step.id)
    const mark = verdictOf(state, step, commands)
    return { ...row, mark, remark: shortVerdict(step.learned[0] ?? lookedAt(commands)) }
  })
}

/** A true finding about something else is `!`; what was looked at only in part is not fine. */
function verdictOf(state: RunState, step: StepState, commands: readonly CommandState[]): Mark {
  if (step.status === 'blind') return 'blind'
  const hits = Object.values(state.outcomes)
    .filter((settled) => settled.layer === step.layer)
    .flatMap(({ outcome }) => (outcome.status === 'fired' ? outcome.hits : []))
  const onlyAsides = hits.length > 0 && hits.every(({ about }) => about === 'aside')
  if (step.status === 'problem') return onlyAsides ? 'aside' : 'bad'
  if (commands.some(couldNotLook)) return 'blind'
  return onlyAsides ? 'aside' : 'ok'
}

/** That something is not there is an answer; everything else that is missing hides one. */
const answers: ReadonlySet<string | null> = new Set(['not-found', 'no-proxy', 'no-container'])

function couldNotLook({ entry }: CommandState): boolean {
  return entry?.status === 'missing' && !answers.has(entry.reason)
}

function lookedAt(commands: readonly CommandState[]): string {
  const lost = commands.filter(couldNotLook)
  if (lost.length > 0)
    return lost.length === commands.length ? 'not seen' : `${lost.length} of ${commands.length} not seen`
  return commands.find(({ learned }) => learned)?.learned ?? ''
}

/** The rail has room for a clause, not for a sentence. */
function shortVerdict(learned: string): string {
  return learned.split(/[:;.](?:\s|$)| because | which /)[0] ?? learned
}

export function railLines(rows: readonly RailRow[], cursor: string | null, width: number): Line[] {
  const labelWidth = Math.min(13, Math.max(6, ...rows.map(({ label }) => label.length)) + 1)
  return rows.map((row) => {
    const isHere = row.id === cursor
    const tone: Tone = row.mark === 'bad' ? 'bad' : row.mark === 'open' ? 'dim' : 'plain'
    const label = padLine([span(row.label, isHere ? 'accent' : tone)], labelWidth)
    return clipLine(
      [
        // One `▸` is enough where the walk is and the person looks.
        span(isHere && row.mark !== 'now' ? '▸' : ' ', 'accent'),
        span(`${symbols[row.mark]} `, markTones[row.mark]),
        ...label,
        span(row.remark, row.mark === 'bad' ? 'bad' : 'dim'),
      ],
      width,
    )
  })
}

/** All layers in one line, for screens too narrow for a rail: `✓✓!▸····  6 of 9 route`. */
export function railStrip(rows: readonly RailRow[], cursor: string | null, width: number): Line {
  const at = rows.findIndex(({ id }) => id === cursor)
  const here = rows[at]
  return clipLine(
    [
      ...rows.map((row) => span(symbols[row.mark], row.id === cursor ? 'accent' : markTones[row.mark])),
      span(here ? `  ${at + 1} of ${rows.length} ${here.label}` : ''),
      span(here?.remark ? ` · ${here.remark}` : '', 'dim'),
    ],
    width,
  )
}
