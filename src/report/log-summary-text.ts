import { explainAccessLogLine } from '../mesh/explain-access-log.ts'
import { lookUp } from '../mesh/vocabulary.ts'
import { forLine } from './escape.ts'
import type { LogSummary, Offender } from './log-summary.ts'
import type { Tally } from './log-summary-counter.ts'
import type { WhoAnswered } from './log-summary-outcome.ts'
import { between, lines, number, percent, table, withoutSuffix } from './log-summary-table.ts'
import { newPage, type Page, type PageOptions, type PageStyle } from './page.ts'
import { hopWords } from './words.ts'
import { truncate } from './wrap.ts'

/** How the reading itself went. */
export interface LogReading {
  readonly sources: readonly string[]
  readonly lines: number
  readonly unreadable: number
  /** Lines of agent, Envoy or ztunnel that are no access log. */
  readonly other: number
  readonly unreadableExample: { readonly line: number; readonly text: string; readonly why: string } | null
  /** What could not be read at all, in words. */
  readonly gaps: readonly string[]
}

export const whoWords: Readonly<Record<WhoAnswered, string>> = {
  app: 'the application',
  'server-proxy': "the server's proxy",
  'client-proxy': "the client's proxy",
  gateway: 'the gateway',
  'egress-gateway': 'the egress gateway',
  waypoint: 'the waypoint',
  ztunnel: 'ztunnel',
  external: hopWords.external,
  nobody: 'nobody: the caller left',
  'next-hop': 'the next hop (*)',
  'this-proxy': 'the proxy of this log',
}

const mostOffenders = 5
const mostRows = 5

/** The summary for a terminal: how much failed, who said so, what they said, and then the numbers. */
export function logSummaryText(summary: LogSummary, reading: LogReading, options: PageOptions = {}): string {
  const page = newPage(options)
  // Paths stay whole, so that they can be copied.
  if (reading.sources.length > 0) page.link(reading.sources.join(', '))
  if (summary.count === 0 && summary.tunnel.connections === 0) writeNothing(page, summary, reading)
  if (summary.count > 0) writeAccess(page, summary)
  if (summary.tunnel.connections > 0) writeTunnel(page, summary)
  writeRest(page, summary, reading)
  return page.done()
}

function writeAccess(page: Page, summary: LogSummary): void {
  const { count, failed } = summary
  const tone: PageStyle = failed === 0 ? 'good' : 'bad'
  const what =
    failed === 0
      ? `✓ ${lines(count)}, none of them failed`
      : `✗ ${number(failed)} of ${lines(count)} failed (${percent(failed, count)})`
  page.para(`${what}${between(summary)}`, '', '  ', tone)
  table(
    page,
    'Who answered',
    summary.who.map((group) => ({ name: whoWords[group.who], span: group, failed: group.failed })),
    count,
  )
  if (summary.who.some(({ who }) => who === 'next-hop'))
    page.para(
      '(*) passed on: whether its proxy or the application answered stands in the log of the next hop.',
      '  ',
      '      ',
      'dim',
    )
  if (summary.offenders.length > 0) {
    page.heading('What failed, most frequent first')
    for (const offender of summary.offenders.slice(0, mostOffenders)) writeOffender(page, offender)
    moreThan(page, summary.offenders.length, mostOffenders, 'kind of failure', 'kinds of failure')
  }
  const { codes, flags, details, clusters, routes, peers, failedPaths } = summary
  const tables: readonly (readonly [string, Tally])[] = [
    ['Codes', codes],
    ['Flags', flags],
    ['Details', details],
    ['Destinations', clusters],
    ['Routes', routes],
    ['Callers', peers],
  ]
  for (const [title, tally] of tables) if (!isUniform(tally)) writeTally(page, title, tally, count)
  if (failedPaths.entries.length > 0) writeTally(page, 'Failing paths', failedPaths, count)
  const same = tables.filter(([, tally]) => isUniform(tally) && tally.entries[0]?.key !== '-')
  if (same.length > 0) {
    page.blank()
    const said = same.map(([title, { entries }]) => `${title.toLowerCase()} ${withoutSuffix(entries[0]?.key ?? '')}`)
    page.para(`The same in all lines: ${said.join(', ')}.`, '', '  ', 'dim')
  }
}

/** A table in which every line is alike is one sentence. */
function isUniform({ entries, others }: Tally): boolean {
  return entries.length <= 1 && others === 0
}

function writeOffender(page: Page, offender: Offender): void {
  const { code, flags, details, termination, destinations } = offender
  const said = [offender.kind === 'tcp' ? 'TCP' : String(code ?? 0), flags.join(','), details ?? termination ?? '']
  page.item(`${said.filter((part) => part !== '').join(' ')}`, `${number(offender.count)} ×`, 'bold')
  page.para(
    `${whoWords[offender.who].replace(' (*)', '')}${destinationWords(destinations)}${between(offender)}`,
    '      ',
  )
  const meaning = meaningOf(offender)
  if (meaning !== null) page.para(meaning, '      ', '      ', 'dim')
}

function destinationWords([first, ...more]: readonly string[]): string {
  if (first === undefined || first === '-') return ''
  return ` → ${withoutSuffix(first)}${more.length > 0 ? ` and ${number(more.length)} more` : ''}`
}

/** What the deciding word means, in a sentence. */
function meaningOf({ example, who }: Offender): string | null {
  const { entries, layer } = explainAccessLogLine(example)
  const [first] = entries
  if (!first) return null
  const [sentence = ''] = /^.*?[.](?=\s|$)/.exec(first.meaning) ?? [first.meaning]
  // Behind the next hop the layer would be a guess.
  return who === 'next-hop' ? sentence : `${sentence} (${layer})`
}

function writeTunnel(page: Page, { tunnel }: LogSummary): void {
  const { connections, failed, errors } = tunnel
  page.blank()
  page.para(
    failed === 0
      ? `✓ ${number(connections)} ztunnel connections, none of them failed`
      : `✗ ${number(failed)} of ${number(connections)} ztunnel connections failed (${percent(failed, connections)})`,
    '',
    '  ',
    failed === 0 ? 'good' : 'bad',
  )
  for (const error of errors.slice(0, mostOffenders)) {
    page.item(error.error, `${number(error.count)} ×`, 'bold')
    page.para(`${error.from} → ${error.to}${error.direction ? `, ${error.direction}` : ''}${between(error)}`, '      ')
    const [entry] = lookUp(error.error, ['ztunnel-error'])
    if (entry) page.para(`${entry.meaning} (${entry.layer})`, '      ', '      ', 'dim')
  }
  moreThan(page, errors.length, mostOffenders, 'kind of failure', 'kinds of failure')
}

function writeNothing(page: Page, summary: LogSummary, reading: LogReading): void {
  if (reading.lines === 0) {
    page.para(reading.gaps.length > 0 ? '? nothing could be read' : '? the log is empty', '', '  ', 'doubt')
    if (reading.gaps.length > 0) return
    page.para(
      'Either no traffic reaches this proxy, or access logging is off: meshtriage doctor tells which of the two the configuration says.',
      '  ',
    )
    return
  }
  page.para(
    summary.skipped > 0
      ? `? none of ${lines(summary.skipped)} fits the filter`
      : `? no access-log line in ${number(reading.lines)} lines`,
    '',
    '  ',
    'doubt',
  )
}

function writeRest(page: Page, { skipped, count }: LogSummary, reading: LogReading): void {
  const said: string[] = []
  if (skipped > 0 && count > 0) said.push(`${lines(skipped)} left out by the filter`)
  if (reading.other > 0) said.push(`${number(reading.other)} other lines (agent, Envoy)`)
  if (reading.unreadable > 0) said.push(`${number(reading.unreadable)} unreadable`)
  if (said.length > 0) {
    page.blank()
    page.para(`Beside these: ${said.join(', ')}.`, '', '  ', 'dim')
  }
  const example = reading.unreadableExample
  if (example !== null) {
    page.para(`line ${example.line}: ${example.why}`, '  ')
    const text = forLine(example.text)
    // Bytes that are no text help nobody.
    if ((text.match(/\ufffd/g)?.length ?? 0) < text.length / 10) page.quote(truncate(text, 160))
  }
  for (const gap of reading.gaps) page.item(`not read: ${gap}`, '?', 'doubt')
}

function writeTally(page: Page, title: string, { entries, others }: Tally, total: number): void {
  const rows = entries.slice(0, mostRows).map((entry) => ({ name: entry.key, span: entry, failed: entry.failed }))
  table(page, title, rows, total)
  if (others > 0) page.para(`… and ${lines(others)} with more different values than are kept apart`, '  ')
  else moreThan(page, entries.length, mostRows, 'value', 'values')
}

function moreThan(page: Page, count: number, shown: number, one: string, many: string): void {
  const left = count - shown
  if (left > 0) page.para(`… and ${number(left)} more ${left === 1 ? one : many}: -o json has all`, '  ', '    ', 'dim')
}
