import type { Hit } from '../../model/finding.ts'
import type { CommandState, NextHint, StepState } from '../../model/run.ts'
import { blank, clipLine, type Line, line, span, wrap } from '../lines.ts'
import type { WalkSnapshot } from '../walk-session.ts'
import { clipMiddle } from '../width.ts'
import { reasonText, seconds, took } from './wording.ts'

/** After this long a running command counts its seconds and says what it waits for. */
const slowMs = 2000

/** One step: the question, each command with what came back, what it means. */
export function stepLines(walk: WalkSnapshot, step: StepState, n: number, width: number, now: number): Line[] {
  const { state } = walk
  const commands = state.commands.filter((command) => command.step === step.id)
  const latest = commands.filter(
    (command, index) => !commands.slice(index + 1).some(({ display }) => display === command.display),
  )
  return [
    ...wrap(line(span(`${n} · ${step.label.toUpperCase()}  `, 'accent'), span(step.title, 'strong')), width, 4),
    ...wrap(line(span(step.proves, 'dim')), width, 0),
    ...(latest.length > 0 ? [blank] : []),
    ...latest.flatMap((command) => commandLines(command, walk.since[command.id] ?? null, width, now)),
    ...meaningLines(walk, step, width),
  ]
}

function commandLines(command: CommandState, startedAt: number | null, width: number, now: number): Line[] {
  const { entry } = command
  const running = entry || startedAt === null ? null : now - startedAt
  const right = entry ? took(entry.durationMs) : running !== null && running >= slowMs ? seconds(running) : '…'
  const head = line(
    span('$ ', 'dim'),
    span(clipMiddle(command.display, width - 4 - right.length), 'command'),
    span(`  ${right}`, 'dim'),
  )
  if (!entry) {
    if (running === null || running < slowMs) return [head]
    return [head, ...wrap(line(span(`  waiting for ${waitsFor(command)} · esc gives it up`, 'warn')), width, 2)]
  }
  if (entry.status === 'ok') {
    const learned = command.learned ?? 'read'
    return [head, ...wrap(line('  ', learned, span(`  [${entry.id}]`, 'dim')), width, 2)]
  }
  const why = [reasonText(entry.reason), entry.detail].filter(Boolean).join(': ')
  const lost = wrap(line(span('  ? ', 'blind'), `could not look, ${why}`, span(`  [${entry.id}]`, 'dim')), width, 4)
  const unlock = entry.unlock ? wrap(line(span(`    ask for: ${entry.unlock}`, 'dim')), width, 4) : []
  return [head, ...lost, ...unlock]
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

function meaningLines(walk: WalkSnapshot, step: StepState, width: number): Line[] {
  const hits = hitsOf(walk, step)
  const findings = hits.flatMap((hit) => hitLines(hit, width))
  if (step.status === 'running') return findings.length > 0 ? [blank, ...findings] : []
  const learned = step.learned.flatMap((text) => wrap(line(span('· ', 'dim'), text), width, 2))
  const skipped = step.status === 'skipped' ? [line(span('skipped: not looked at', 'dim'))] : []
  const all = [...learned, ...findings, ...skipped]
  return all.length > 0 ? [blank, ...all] : []
}

/** Findings that settled while this step ran. */
function hitsOf(walk: WalkSnapshot, step: StepState): Hit[] {
  return Object.entries(walk.state.outcomes).flatMap(([code, { outcome }]) =>
    outcome.status === 'fired' && walk.settledIn[code] === step.id ? [...outcome.hits] : [],
  )
}

function hitLines(hit: Hit, width: number): Line[] {
  const aside = hit.about === 'aside'
  const title = line(
    span(aside ? '! ' : '✗ ', aside ? 'warn' : 'bad'),
    span(hit.title, aside ? 'plain' : 'strong'),
    span(aside ? '  true, but not about this call' : `  ${hit.certainty}`, 'dim'),
  )
  if (aside) return wrap(title, width, 2)
  const quotes = hit.supporting.flatMap((quote) => quoteLines(quote.statement, quote.excerpt, quote.entry, width, 2))
  return [...wrap(title, width, 2), ...wrap(line('  ', hit.statement), width, 2), ...quotes]
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
  return [...said, clipLine(line(span(`${margin}│ `, 'dim'), span(excerpt, 'quote')), width)]
}

/** What comes next and why, with the command as it will be run. */
export function nextLines(next: NextHint | null, diagnosed: boolean, width: number): Line[] {
  if (diagnosed) return wrap(line(span('Next ▸ ', 'accent'), 'the diagnosis (d)'), width, 7)
  if (!next) return wrap(line(span('Next ▸ ', 'accent'), 'diagnosis'), width, 7)
  const why = next.because ? `, ${next.because}` : ''
  const where = next.step === 'diagnosis' ? 'diagnosis' : next.title || next.step
  const command = next.command ? [line(span('$ ', 'dim'), span(clipMiddle(next.command, width - 2), 'command'))] : []
  return [...wrap(line(span('Next ▸ ', 'accent'), span(where, 'strong'), why), width, 7), ...command]
}
