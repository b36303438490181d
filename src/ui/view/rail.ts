import type { RunState } from '../../model/run.ts'
import { clipLine, type Line, padLine, span } from '../lines.ts'
import { type Mark, markTones, symbols, type Tone } from '../theme.ts'

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
    return { ...row, mark: verdictOf(state, step.layer, step.status), remark: shortVerdict(step.learned[0] ?? '') }
  })
}

/** A true finding about something else is `!`, never the `✗` of the place where the call breaks. */
function verdictOf(state: RunState, layer: string, status: 'ok' | 'problem' | 'blind'): Mark {
  if (status === 'blind') return 'blind'
  const hits = Object.values(state.outcomes)
    .filter((settled) => settled.layer === layer)
    .flatMap(({ outcome }) => (outcome.status === 'fired' ? outcome.hits : []))
  const onlyAsides = hits.length > 0 && hits.every(({ about }) => about === 'aside')
  if (status === 'problem') return onlyAsides ? 'aside' : 'bad'
  return onlyAsides ? 'aside' : 'ok'
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
