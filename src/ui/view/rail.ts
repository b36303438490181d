import type { HopRole } from '../../model/call.ts'
import type { AnsweredBy } from '../../model/diagnosis.ts'
import type { Hit } from '../../model/finding.ts'
import type { CommandState, RunState, StepState } from '../../model/run.ts'
import { clipLine, type Line, padLine, span } from '../lines.ts'
import { type Mark, markTones, symbols, type Tone } from '../theme.ts'
import { widthOf } from '../width.ts'
import { lastRuns } from './ids.ts'
import { partsNotRead } from './wording.ts'

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
  const found = foundWhere(state)
  return [...state.plan, ...extra].map((entry, index) => {
    const step = steps.get(entry.id)
    const row = { id: entry.id, n: index + 1, label: entry.label, title: entry.title }
    const hits = found.get(entry.id) ?? []
    const isRunning = step?.status === 'running' && current?.id === step.id
    // What objects alone give away is shown where it belongs, whether or not the walk has been there.
    if (hits.length > 0 && !isRunning) {
      const word = surest(hits)
      return { ...row, mark: word === 'possible' ? 'blind' : 'bad', remark: word }
    }
    const commands = commandsOf(state, entry.id)
    if (!step) return { ...row, ...askedOnTheWay(state, commands) }
    if (step.status === 'running') return { ...row, mark: isRunning ? 'now' : 'open', remark: '…' }
    if (step.status === 'skipped') return { ...row, mark: 'open', remark: 'skipped' }
    const titles = new Set(firedHits(state).map(({ hit }) => hit.title))
    const told = step.learned.find((text) => !titles.has(text))
    return {
      ...row,
      mark: verdictOf(state, step, commands),
      remark: shortVerdict(told ?? (isAnswer(step) ? whoAnswered(state) : null) ?? lookedAt(state, step, commands)),
    }
  })
}

/** What a step asked. One on top of the plan asks on behalf of layers that the walk left out: it answers for them. */
export function commandsOf(state: RunState, id: string): CommandState[] {
  const isExtra = !state.plan.some((entry) => entry.id === id)
  const walked = new Set(state.steps.map((step) => step.id))
  return lastRuns(state).filter(({ step }) => step === id || (isExtra && !walked.has(step)))
}

/** The walk has not been there; a jump, or what a rule still needed, may have asked its questions all the same. */
function askedOnTheWay(state: RunState, commands: readonly CommandState[]): Pick<RailRow, 'mark' | 'remark'> {
  if (commands.length === 0) return { mark: 'open', remark: '' }
  if (commands.some(({ entry }) => entry === null)) return { mark: 'now', remark: '…' }
  return { mark: commands.some(couldNotLook) ? 'blind' : 'open', remark: lookedAt(state, null, commands) }
}

interface Fired {
  readonly layer: string
  readonly hit: Hit
}

function firedHits(state: RunState): Fired[] {
  return Object.values(state.outcomes).flatMap(({ layer, outcome }) =>
    outcome.status === 'fired' ? outcome.hits.map((hit) => ({ layer, hit })) : [],
  )
}

/** Findings about this call, by the row of their layer; where no row has it, by the step that found them. */
export function foundWhere(state: RunState): ReadonlyMap<string, readonly Hit[]> {
  const found = new Map<string, Hit[]>()
  for (const { layer, hit } of firedHits(state)) {
    if (hit.about !== 'call') continue
    const step =
      state.plan.find((entry) => entry.layer === layer) ??
      state.plan.find((entry) => familyOf(entry.layer) === familyOf(layer)) ??
      state.steps.find(({ learned }) => learned.includes(hit.title))
    if (step) found.set(step.id, [...(found.get(step.id) ?? []), hit])
  }
  return found
}

/** `client-sidecar-cluster` and `client-sidecar-routing` are looked at in one step. */
function familyOf(layer: string): string {
  return layer.split('-', 1)[0] ?? layer
}

function surest(hits: readonly Hit[]): string {
  return (['proven', 'likely', 'possible'] as const).find((word) => hits.some((hit) => hit.certainty === word)) ?? ''
}

const isAnswer = ({ layer }: StepState) => layer === 'observability'

function whoAnswered(state: RunState): string | null {
  const role =
    state.call?.hops.find(({ remark }) => remark?.startsWith('answered'))?.role ?? state.diagnosis?.answeredBy.hop
  return role === undefined || role === 'unknown' ? null : (answerers[role] ?? role)
}

const answerers: Partial<Record<HopRole | AnsweredBy['hop'], string>> = {
  'client-proxy': "caller's proxy",
  'server-proxy': "server's proxy",
  'egress-gateway': 'egress gateway',
  'ztunnel-client': "caller's ztunnel",
  'ztunnel-server': "server's ztunnel",
  app: 'the application',
  external: 'the outside host',
}

/** A true finding about something else is `!`; what was looked at only in part is not fine. */
function verdictOf(state: RunState, step: StepState, commands: readonly CommandState[]): Mark {
  if (step.status === 'blind') return 'blind'
  // Nothing was asked, so nothing is known to be fine.
  if (commands.length === 0 && step.learned.length === 0) return 'open'
  const fired = firedHits(state)
  const isAside = fired.some(({ layer, hit }) => layer === step.layer && hit.about === 'aside')
  // What was found here about another layer stands in that one's row.
  const isToldElsewhere =
    step.learned.length > 0 && step.learned.every((text) => fired.some(({ hit }) => hit.title === text))
  if (step.status === 'problem' && !isToldElsewhere) return isAside ? 'aside' : 'bad'
  if (commands.some(couldNotLook)) return 'blind'
  return isAside ? 'aside' : 'ok'
}

/** That something is not there is an answer; everything else that is missing hides one. */
const answers: ReadonlySet<string | null> = new Set(['not-found', 'no-proxy', 'no-container'])

function couldNotLook({ entry }: CommandState): boolean {
  return (entry?.status === 'missing' && !answers.has(entry.reason)) || partsNotRead(entry).length > 0
}

function lookedAt(state: RunState, step: StepState | null, commands: readonly CommandState[]): string {
  const lost = commands.filter(couldNotLook)
  if (lost.length > 0)
    return lost.length === commands.length ? 'not seen' : `${lost.length} of ${commands.length} not seen`
  if (commands.length === 0) return 'no part in this'
  const mode = state.ground?.dataPlaneMode ?? 'unknown'
  if (step?.n === 1 && mode !== 'unknown') return `${mode} mesh`
  return [...new Set(commands.map(({ learned }) => shortVerdict(learned ?? 'read')))].join(', ')
}

/** The rail has room for a clause, not for a sentence. */
function shortVerdict(learned: string): string {
  const clause = (learned.split(/[:;.](?:\s|$)| because | which /)[0] ?? learned).replace(/ \(\d[^()]*\)$/, '')
  // `0 errors, 1 warning, 0 others`: what there is counts, unless nothing is all there is.
  const there = clause.split(', ').filter((part) => !/^0 /.test(part))
  return there.length > 0 ? there.join(', ') : clause
}

function labelWidthOf(rows: readonly RailRow[]): number {
  return Math.min(13, Math.max(6, ...rows.map(({ label }) => label.length)) + 1)
}

/** As wide as its remarks want, up to two fifths of the screen: the rest belongs to the step. */
export function railWidth(rows: readonly RailRow[], width: number): number {
  const wanted = Math.max(...rows.map(({ remark }) => widthOf(remark)), 0) + labelWidthOf(rows) + 3
  return Math.max(22, Math.min(wanted, Math.floor(width * 0.39), 40))
}

export function railLines(rows: readonly RailRow[], cursor: string | null, width: number): Line[] {
  const labelWidth = labelWidthOf(rows)
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
