import type { CommandState, RunState } from '../../model/run.ts'
import { matches } from '../fuzzy.ts'
import { clipLine, type Line, line, padLine, span, wrap } from '../lines.ts'
import { symbols } from '../theme.ts'
import { clipMiddle } from '../width.ts'
import { lastRuns, shortIds } from './ids.ts'
import { entryMark, partsNotRead, reasonText, took, unlockText } from './wording.ts'

export interface EvidenceRow {
  readonly command: CommandState
  readonly text: string
  /** As it is written on the screen: `C7`. */
  readonly id: string
}

export function evidenceRows(state: RunState, filter: string): EvidenceRow[] {
  const labels = new Map(state.steps.map(({ id, label }) => [id, label]))
  const idOf = shortIds(state)
  const rows = lastRuns(state).map((command) => ({
    command,
    id: idOf(command.id),
    text: `${idOf(command.id)} ${rowText(command)} ${labels.get(command.step) ?? ''}`,
  }))
  return filter.trim() === '' ? rows : rows.filter(({ text }) => matches(filter, text) !== null)
}

function rowText({ key, subject, learned, display, entry }: CommandState): string {
  const missing = entry?.status === 'missing' ? `could not look ${reasonText(entry.reason)} ${entry.detail ?? ''}` : ''
  return [key, subject, learned ?? '', missing, display].join(' ')
}

export function evidenceLine({ command, id }: EvidenceRow, isHere: boolean, width: number): Line {
  const { mark, tone } = entryMark(command.entry)
  const said =
    command.entry?.status === 'missing'
      ? `could not look: ${reasonText(command.entry.reason)}`
      : (command.learned ?? (command.entry ? 'read' : 'running'))
  const gaps = partsNotRead(command.entry)
    .map(({ resource }) => resource)
    .join(', ')
  const room = Math.floor(width * 0.42)
  const about = width < 60 ? '' : shortSubject(command.subject)
  const left = room - command.key.length - 2
  const what = about === '' || left < 6 ? command.key : `${command.key}  ${clipMiddle(about, left)}`
  return clipLine(
    [
      span(isHere ? '▸ ' : '  ', 'accent'),
      ...padLine([span(id, isHere ? 'accent' : 'dim')], 4),
      span(`${symbols[mark]} `, tone),
      ...padLine([span(clipMiddle(what, room), isHere ? 'strong' : 'plain')], room + 1),
      // What is missing in it comes first: the rest of a list is cut at the edge.
      span(gaps === '' ? '' : `not readable: ${gaps} · `, 'blind'),
      span(said.replace(/; not readable: .*/, ''), command.entry?.status === 'missing' ? 'blind' : 'plain'),
    ],
    width,
  )
}

/** `pod web-1.shop` → `web-1`: the kind is clear from the key, the whole command stands below. */
function shortSubject(subject: string): string {
  const [, kind, name = ''] = /^(\w+) (.+)$/.exec(subject) ?? []
  if (kind === undefined) return subject === 'mesh' ? '' : subject
  return kind === 'pod' ? (name.split('.', 1)[0] ?? name) : name
}

/** What is known of the marked one: the whole command, the whole sentence, and what would unlock it. */
export function evidenceDetail({ command }: EvidenceRow, state: RunState, width: number): Line[] {
  const { entry } = command
  const quotes = quotesOf(state, command.id)
  return [
    ...wrap(
      line(
        span('$ ', 'dim'),
        span(command.display, 'command'),
        span(entry && entry.durationMs >= 10 ? `  ${took(entry.durationMs)}` : '', 'dim'),
      ),
      width,
      2,
    ),
    ...(command.learned ? wrap(line(command.learned), width) : []),
    ...(entry?.status === 'missing'
      ? [
          ...wrap(
            line(span('? ', 'blind'), `${reasonText(entry.reason)}${entry.detail ? `: ${entry.detail}` : ''}`),
            width,
            2,
          ),
          ...(entry.unlock ? wrap(line(span(`  ${unlockText(entry)}`, 'dim')), width, 2) : []),
        ]
      : []),
    ...partsNotRead(entry).flatMap(({ resource, detail }) =>
      wrap(line(span('? ', 'blind'), `${resource}: ${detail}`), width, 2),
    ),
    ...quotes.flatMap((text) => wrap(line(span('│ ', 'dim'), span(text, 'quote')), width, 2)),
  ]
}

function quotesOf(state: RunState, id: string): string[] {
  const hits = Object.values(state.outcomes).flatMap(({ outcome }) => (outcome.status === 'fired' ? outcome.hits : []))
  const quotes = hits.flatMap(({ supporting, contradicting }) => [...supporting, ...contradicting])
  return [...new Set(quotes.filter(({ entry }) => entry === id).map(({ excerpt, statement }) => excerpt ?? statement))]
}
