import type { Hit } from '../../model/finding.ts'
import type { CommandState, NextHint, PlanEntry, StepState } from '../../model/run.ts'
import { atMost, blank, type Line, line, span, wrap } from '../lines.ts'
import type { WalkSnapshot } from '../walk-session.ts'
import { lastRuns, shortIds } from './ids.ts'
import { commandsOf, foundWhere } from './rail.ts'
import { partsNotRead, reasonText, seconds, shortCommand, took, unlockText } from './wording.ts'

/** After this long a running command counts its seconds and says what it waits for. */
const slowMs = 2000

/** One step: the question, each command with what came back, what it means. What was found stands first. */
export function stepLines(walk: WalkSnapshot, step: StepState, n: number, width: number, now: number): Line[] {
  const { state } = walk
  const idOf = shortIds(state)
  const isRunning = step.status === 'running'
  // What a later step waits for may belong to an earlier one: it is shown where one looks.
  const own = new Set(commandsOf(state, step.id))
  // What runs is what one waits for: it stands first, where no scrolling hides it.
  const latest = lastRuns(state)
    .filter((command) => own.has(command) || (isRunning && command.entry === null))
    .sort((a, b) => Number(a.entry !== null) - Number(b.entry !== null))
  const hits = hitsOf(walk, step)
  const found = hits.filter(({ about }) => about === 'call').flatMap((hit) => findingLines(hit, idOf, width))
  return [
    ...headLines(step, n, width),
    // What it proves is said while one waits; afterwards what it proved is.
    ...(isRunning && found.length === 0 ? wrap(line(span(step.proves, 'dim')), width) : []),
    ...block(found),
    ...block(
      latest.flatMap((command, at) =>
        commandLines(command, idOf(command.id), walk.since[command.id] ?? null, width, now, isSameAnswer(latest, at)),
      ),
    ),
    ...block(isRunning ? [] : learnedLines(step, hits, width)),
    ...block(isRunning ? [] : ruledOutLines(walk, step, idOf, width)),
    ...block(
      !isRunning && step.status !== 'skipped' && latest.length === 0
        ? wrap(line(span('Nothing to ask here: this call has no part in it.', 'dim')), width)
        : [],
    ),
  ]
}

/** A layer that the walk has not been to: what is known of it all the same. */
export function notWalkedLines(walk: WalkSnapshot, entry: PlanEntry, n: number, width: number, now: number): Line[] {
  const { state } = walk
  const idOf = shortIds(state)
  const hits = foundWhere(state).get(entry.id) ?? []
  const asked = commandsOf(state, entry.id)
  return [
    ...headLines(entry, n, width),
    line(span(asked.length === 0 ? 'not looked at yet' : 'not walked yet; some of it was asked on the way', 'dim')),
    ...block(hits.flatMap((hit) => findingLines(hit, idOf, width))),
    ...block(
      asked.flatMap((command, at) =>
        commandLines(command, idOf(command.id), walk.since[command.id] ?? null, width, now, isSameAnswer(asked, at)),
      ),
    ),
  ]
}

function headLines({ label, title }: PlanEntry, n: number, width: number): Line[] {
  return wrap(line(span(`${n} · ${label.toUpperCase()}  `, 'accent'), span(title, 'strong')), width, 4)
}

function block(lines: readonly Line[]): Line[] {
  return lines.length > 0 ? [blank, ...lines] : []
}

/** One answer is read for several things: its command stands once. */
function isSameAnswer(commands: readonly CommandState[], at: number): boolean {
  const [before, command] = [commands[at - 1], commands[at]]
  return before?.entry?.status === 'ok' && command?.entry?.status === 'ok' && before.display === command.display
}

function commandLines(
  command: CommandState,
  id: string,
  startedAt: number | null,
  width: number,
  now: number,
  isToldAbove: boolean,
): Line[] {
  const { entry } = command
  const running = entry || startedAt === null ? null : now - startedAt
  const isSlow = running !== null && running >= slowMs
  const head = commandLine(command.display, entry ? tookText(entry.durationMs) : isSlow ? seconds(running) : '…', width)
  if (!entry) {
    const waiting = line(span(`  waiting for ${waitsFor(command)} · esc gives it up`, 'warn'))
    return isSlow ? [...head, ...wrap(waiting, width, 2)] : head
  }
  if (entry.status === 'ok') {
    const learned = command.learned ?? 'read'
    const gaps = partsNotRead(entry)
    const gap = line(
      span('  ? ', 'blind'),
      `not readable: ${gaps.map(({ resource }) => resource).join(', ')}`,
      span(gaps[0] ? ` · ${gaps[0].detail}` : '', 'dim'),
    )
    return [
      ...(isToldAbove ? [] : head),
      ...wrap(line('  ', learned.replace(/; not readable: .*/, ''), span(` [${id}]`, 'dim')), width, 2),
      ...(gaps.length > 0 ? wrap(gap, width, 4) : []),
    ]
  }
  const why = [reasonText(entry.reason), entry.detail].filter(Boolean).join(': ')
  const lost = wrap(line(span('  ? ', 'blind'), `could not look, ${why}`, span(` [${id}]`, 'dim')), width, 4)
  const unlock = entry.unlock ? wrap(line(span(`    ${unlockText(entry)}`, 'dim')), width, 4) : []
  return [...head, ...lost, ...unlock]
}

/** Two lines of it at most: the whole one is a key away. */
function commandLine(display: string, right: string, width: number): Line[] {
  const shown = shortCommand(display, width * 2 - 8 - right.length)
  return wrap(line(span('$ ', 'dim'), span(shown, 'command'), span(right === '' ? '' : `  ${right}`, 'dim')), width, 2)
}

/** A recording answers at once: nothing is said about that. */
function tookText(durationMs: number): string {
  return durationMs < 10 ? '' : took(durationMs)
}

export function waitsFor(command: Pick<CommandState, 'display' | 'subject'>): string {
  const tool = command.display.split(' ')[0] ?? ''
  if (/ logs /.test(command.display)) return `the logs of ${command.subject}`
  if (tool === 'istioctl' && / proxy-(config|status)/.test(command.display))
    return `the proxy's answer, ${command.subject}`
  if (tool === 'istioctl' && / analyze/.test(command.display)) return 'istioctl analyze, which reads every Istio object'
  if (tool === 'kubectl') return `the API server, ${command.subject}`
  return command.subject === '' ? tool : command.subject
}

/** What the step taught. Its short verdict stands in the rail already, where there is more to say. */
function learnedLines(step: StepState, hits: readonly Hit[], width: number): Line[] {
  if (step.status === 'skipped') return [line(span('skipped: not looked at', 'dim'))]
  // Findings say the same with their proof, and the short verdict stands in the rail.
  const titles = new Set(hits.map(({ title }) => title))
  const rest = step.learned.filter((text) => !titles.has(text))
  const told = rest.length > 1 ? rest.slice(1) : rest
  const asides = hits.filter(({ about, title }) => about === 'aside' && !told.some((text) => text.includes(title)))
  return [
    ...told.flatMap((text) => wrap(line(span('· ', 'dim'), text), width, 2)),
    ...asides.flatMap(({ title }) =>
      wrap(line(span('! ', 'warn'), title, span('  true, but not about this call', 'dim')), width, 2),
    ),
  ]
}

/** Findings about this layer, and those that settled while this step ran. */
function hitsOf(walk: WalkSnapshot, step: StepState): Hit[] {
  const settled = Object.entries(walk.state.outcomes).flatMap(([code, { outcome }]) =>
    outcome.status === 'fired' && walk.settledIn[code] === step.id ? [...outcome.hits] : [],
  )
  return [...new Set([...(foundWhere(walk.state).get(step.id) ?? []), ...settled])]
}

/** More than these are read in the diagnosis. */
const mostRuledOut = 6

/** What this step's answers eliminate: as good to know as what they find. */
function ruledOutLines(walk: WalkSnapshot, step: StepState, idOf: (entry: string) => string, width: number): Line[] {
  const because = new Map<string, { codes: string[]; entries: string[]; isOwn: boolean }>()
  for (const [code, { layer, outcome }] of Object.entries(walk.state.outcomes)) {
    if (outcome.status !== 'ruled-out' || walk.settledIn[code] !== step.id) continue
    const { codes, entries, isOwn } = because.get(outcome.because) ?? { codes: [], entries: [], isOwn: false }
    because.set(outcome.because, {
      codes: [...codes, code],
      entries: [...entries, ...outcome.evidence.map(({ entry }) => entry)],
      isOwn: isOwn || layer === step.layer,
    })
  }
  // What the step is about comes first.
  const reasons = [...because].sort(([, a], [, b]) => Number(b.isOwn) - Number(a.isOwn))
  const told = reasons.map(([text, { codes, entries }]) => {
    const ids = [...new Set(entries.map(idOf))].join(' ')
    return line(span('· ', 'dim'), `${codes.join(', ')}: `, text, span(ids === '' ? '' : ` [${ids}]`, 'dim'))
  })
  if (told.length === 0) return []
  const more = told.length - mostRuledOut
  return [
    line(span('Ruled out', 'accent')),
    ...told.slice(0, mostRuledOut).flatMap((each) => wrap(each, width, 2)),
    ...(more > 0 ? [line(span(`  and ${more} more: the diagnosis lists them`, 'dim'))] : []),
  ]
}

function findingLines(hit: Hit, idOf: (entry: string) => string, width: number): Line[] {
  const title = line(span('✗ ', 'bad'), span(hit.title, 'strong'), span(`  ${hit.certainty}`, 'dim'))
  const quotes = hit.supporting.flatMap((quote) =>
    quoteLines(quote.statement, quote.excerpt, idOf(quote.entry), width, 2),
  )
  return [...wrap(title, width, 2), ...(quotes.length > 0 ? quotes : wrap(line('  ', hit.statement), width, 2))]
}

/** A statement, and the words of the tool under it, marked as quoted. */
export function quoteLines(
  statement: string,
  excerpt: string | null,
  entry: string,
  width: number,
  indent: number,
): Line[] {
  const margin = ' '.repeat(indent)
  const said = wrap(line(`${margin}${statement} `, span(`[${entry}]`, 'dim')), width, indent)
  if (!excerpt || statement.includes(excerpt)) return said
  return [...said, ...excerptLines(excerpt, margin, width)]
}

/** Characters: of a log line, what comes behind flag and detail is seldom needed. */
const quoted = 200

/** The words of the tool. What an access log says by its flag stands behind time and path: not all of it fits one line. */
export function excerptLines(excerpt: string, margin: string, width: number, most = quoted): Line[] {
  const bar = span(`${margin}│ `, 'dim')
  const room = width - margin.length - 2
  const whole = wrap(line(span(excerpt.replace(/\s+/g, ' '), 'quote')), room)
  return atMost(whole, Math.max(2, Math.ceil(most / room)), room).map((part) => [bar, ...part])
}

/** What comes next and why, with the command as it will be run. */
export function nextLines(next: NextHint | null, plan: readonly PlanEntry[], width: number): Line[] {
  if (!next || next.step === 'diagnosis') {
    const why = next?.because ? `: ${next.because}` : ''
    return wrap(line(span('Next ▸ ', 'accent'), span('diagnosis', 'strong'), why), width, 2)
  }
  const label = plan.find(({ id }) => id === next.step)?.label ?? next.title
  const why = next.because ? `: ${next.because}` : ''
  const command = next.command ? commandLine(next.command, '', width) : []
  return [...wrap(line(span('Next ▸ ', 'accent'), span(label, 'strong'), why), width, 2), ...command]
}
