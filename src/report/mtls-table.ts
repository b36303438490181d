import type { PortMtls, SentGroup, WorkloadMtls } from '../mesh/effective-mtls.ts'
import type { StrictFinding, StrictReadiness } from '../mesh/strict-readiness.ts'
import { wireWords } from '../mesh/trace-words.ts'
import { writeNotRead } from './decision.ts'
import type { NotRead } from './not-read.ts'
import { newPage, type Page, type PageOptions, type PageStyle } from './page.ts'
import { columns } from './table-columns.ts'
import type { ChainLink } from './trace-chain.ts'

export interface MtlsReport {
  readonly kind: 'MtlsReport'
  readonly schemaVersion: '1.0'
  /** `ledger.pay`, `namespace pay`, `the mesh`. */
  readonly scope: string
  /** Whether each port is told with all its callers, or the scope is too wide for that. */
  readonly detailed: boolean
  readonly summary: string
  readonly workloads: readonly WorkloadMtls[]
  readonly readiness: ReadinessView | null
  readonly assumptions: readonly string[]
  readonly notRead: readonly NotRead[]
}

/** Who would break under STRICT, by workload instead of by pod. */
export interface ReadinessView {
  readonly ready: StrictReadiness['ready']
  readonly breaks: readonly ReadinessEntry[]
  readonly mightBreak: readonly ReadinessEntry[]
  readonly staysOpen: readonly ReadinessEntry[]
  /** Servers in scope of which no log line was read. */
  readonly notObserved: readonly string[]
}

export interface ReadinessEntry {
  readonly subject: string
  readonly kind: StrictFinding['kind']
  readonly certainty: StrictFinding['certainty']
  readonly why: string
  readonly evidence: readonly string[]
}

export function readinessView(readiness: StrictReadiness, labelOf: (subject: string) => string): ReadinessView {
  const of = (wanted: (finding: StrictFinding) => boolean) => {
    const entries = new Map<string, ReadinessEntry>()
    for (const finding of readiness.findings.filter(wanted)) {
      const { kind, certainty, why, evidence } = finding
      const entry = { subject: labelOf(finding.subject), kind, certainty, why, evidence }
      const key = `${entry.subject} ${kind} ${why}`
      if (!entries.has(key)) entries.set(key, entry)
    }
    return [...entries.values()]
  }
  const breaks = of(({ effect, certainty }) => effect === 'breaks' && certainty !== 'possible')
  const known = new Set(breaks.map(({ subject }) => subject))
  return {
    ready: readiness.ready,
    breaks,
    // Who is known to break need not be suspected as well.
    mightBreak: of(({ effect, certainty }) => effect === 'breaks' && certainty === 'possible').filter(
      ({ subject }) => !known.has(subject),
    ),
    staysOpen: of(({ effect }) => effect === 'stays-open'),
    notObserved: [...new Set(readiness.notObserved.map(labelOf))],
  }
}

/** The sentence that answers: who would break, or what holds now. */
export function mtlsSummary(
  scope: string,
  workloads: readonly WorkloadMtls[],
  readiness: ReadinessView | null,
): string {
  const ports = workloads.flatMap(({ ports: own }) => own)
  const failing = ports.flatMap(({ sent }) => sent.filter(({ outcome }) => outcome === 'fails'))
  const broken = readiness ? [...new Set(readiness.breaks.map(({ subject }) => subject))] : []
  const modes = [...new Set(ports.map(modeOf))].sort()
  const now = modes.length === 0 ? `${scope} has no workload that accepts calls` : `${scope} is ${modes.join(' and ')}`
  if (readiness && broken.length > 0) return `${now}; STRICT would break ${some(broken, 4)}`
  if (readiness && readiness.ready === 'unknown') return `${now}; who would break under STRICT is not settled`
  if (readiness) return `${now}; nothing speaks against STRICT`
  const names = [...new Set(failing.flatMap(({ callers }) => callers))]
  return names.length > 0 ? `${now}; calls of ${some(names, 4)} fail, if they are made` : now
}

function modeOf({ accepts, known }: PortMtls): string {
  return known ? accepts.mode : 'of unknown mode'
}

export function mtlsText(report: MtlsReport, options: PageOptions = {}): string {
  const page = newPage(options)
  const tone = toneOf(report)
  page.para(`${symbolOf(report)} ${report.summary}`, '', '  ', tone)
  if (report.workloads.length > 0) {
    page.blank()
    for (const row of columns(tableRows(report.workloads), page.width)) page.row(row)
  }
  if (report.detailed) for (const alike of sentAlike(report.workloads)) writeSent(page, alike)
  else writeFailing(page, report.workloads)
  writeIgnored(page, report.workloads)
  if (report.readiness) writeReadiness(page, report.readiness)
  if (report.assumptions.length > 0) page.heading('Assumed')
  for (const assumption of report.assumptions) page.item(assumption)
  writeNotRead(page, report.notRead)
  return page.done()
}

function symbolOf({ readiness, notRead, workloads }: MtlsReport): string {
  if (workloads.length === 0) return '?'
  if (readiness?.ready === false) return '✗'
  return readiness?.ready === 'unknown' || notRead.length > 0 ? '?' : '✓'
}

function toneOf(report: MtlsReport): PageStyle {
  return { '✗': 'bad', '?': 'doubt', '✓': 'good' }[symbolOf(report)] as PageStyle // the three symbols above
}

function tableRows(workloads: readonly WorkloadMtls[]): readonly (readonly string[])[] {
  const rows = workloads.flatMap(({ workload, ports }) =>
    ports.map((port) => [
      workload.label,
      proxyWords(workload.proxy),
      port.port === null ? 'any' : String(port.port),
      port.bypassedBy ? 'bypassed' : workload.proxy === 'none' ? 'no proxy' : modeOf(port),
      setBy(port),
      sentCounts(port.sent),
    ]),
  )
  return [['WORKLOAD', 'PROXY', 'PORT', 'ACCEPTS', 'SET BY', 'CALLERS'], ...rows]
}

function proxyWords(proxy: string): string {
  return proxy === 'native-sidecar' ? 'sidecar' : proxy
}

function setBy({ accepts, bypassedBy }: PortMtls): string {
  if (bypassedBy) return bypassedBy.replace('traffic.sidecar.istio.io/', '')
  const { winner, level } = accepts
  return winner
    ? `${winner.metadata.namespace}/${winner.metadata.name} (${level === 'namespace' ? 'ns' : level})`
    : 'nobody (default)'
}

const short: Readonly<Record<SentGroup['sends'], string>> = {
  'istio-mtls': 'mTLS',
  plaintext: 'plaintext',
  'simple-tls': 'one-way TLS',
  'mutual-tls': 'own TLS',
  hbone: 'HBONE',
  unknown: 'unknown',
}

function sentCounts(sent: readonly SentGroup[]): string {
  const counts = new Map<string, number>()
  for (const { sends, callers, outcome } of sent) {
    const words = `${short[sends]}${outcome === 'fails' ? ' ✗' : ''}`
    counts.set(words, (counts.get(words) ?? 0) + callers.length)
  }
  return [...counts].map(([words, count]) => `${count} ${words}`).join(', ')
}

interface SentAlike {
  readonly labels: string[]
  readonly port: PortMtls
}

/** Workloads behind one Service mostly get the same from everybody: that is told once. */
function sentAlike(workloads: readonly WorkloadMtls[]): readonly SentAlike[] {
  const groups = new Map<string, SentAlike>()
  for (const { workload, ports } of workloads)
    for (const port of ports) {
      if (port.sent.length === 0) continue
      const key = JSON.stringify([port.port, port.services, port.sent, port.accepts.beaten])
      const known = groups.get(key)
      if (known) known.labels.push(workload.label)
      else groups.set(key, { labels: [workload.label], port })
    }
  return [...groups.values()]
}

function writeSent(page: Page, { labels, port }: SentAlike): void {
  page.heading(`What callers would send to port ${port.port} of ${some(labels, 3)} (${port.services.join(', ')})`)
  for (const { policy, why } of port.accepts.beaten) page.item(`PeerAuthentication ${policy} does not count: ${why}`)
  for (const group of port.sent) writeGroup(page, group)
}

function writeGroup(page: Page, group: SentGroup): void {
  const mark = { ok: '✓', fails: '✗', 'app-dependent': '?', 'cannot-decide': '?' }[group.outcome]
  page.item(
    `${wireWords[group.sends] ?? group.sends}: ${some(group.callers, 8)}`,
    mark,
    group.outcome === 'fails' ? 'bad' : undefined,
  )
  page.para(`because ${group.why}`, '    ', '      ')
  if (group.outcome !== 'ok')
    page.para(`${group.outcome === 'fails' ? 'fails' : 'open'}: ${group.outcomeWhy}`, '    ', '      ')
}

function writeFailing(page: Page, workloads: readonly WorkloadMtls[]): void {
  const groups = new Map<string, { readonly group: SentGroup; readonly targets: string[] }>()
  for (const { workload, ports } of workloads)
    for (const { port, sent } of ports)
      for (const group of sent.filter(({ outcome }) => outcome === 'fails')) {
        const key = JSON.stringify([group.callers, group.sends, group.outcomeWhy])
        const known = groups.get(key) ?? { group, targets: [] }
        known.targets.push(`${workload.label}:${port}`)
        groups.set(key, known)
      }
  if (groups.size === 0) return
  page.heading('Fails now, if such calls are made')
  for (const { group, targets } of [...groups.values()].slice(0, mostEntries))
    page.item(
      `${some(group.callers, 4)} → ${some(targets, 4)}: ${wireWords[group.sends] ?? group.sends}: ${group.outcomeWhy}`,
      '✗',
    )
  if (groups.size > mostEntries) page.item(`and ${groups.size - mostEntries} more (all in -o json)`)
}

function writeIgnored(page: Page, workloads: readonly WorkloadMtls[]): void {
  const ignored = new Map<string, string>()
  for (const { ports } of workloads)
    for (const { accepts } of ports)
      for (const { policy, why } of accepts.ignored)
        ignored.set(`${policy} ${why}`, `PeerAuthentication ${policy}: ${why}`)
  if (ignored.size === 0) return
  page.heading('Looks effective and is not')
  for (const text of ignored.values()) page.item(text, '!')
}

const mostEntries = 15

function writeReadiness(page: Page, { ready, breaks, mightBreak, staysOpen, notObserved }: ReadinessView): void {
  page.heading('Under STRICT')
  if (breaks.length === 0)
    page.item(ready === true ? 'nobody would break' : 'nobody is known to break', ready === true ? '✓' : '?')
  entries(
    page,
    breaks,
    '✗',
    ({ subject, why, certainty }) =>
      `${subject} would break: ${why}${certainty === 'seen' ? ' [seen in the log]' : ''}`,
  )
  entries(page, mightBreak, '?', ({ subject, why }) => `${subject} might break: ${why}`)
  entries(page, staysOpen, '·', ({ subject, why }) => `${subject} stays open: ${why}`)
  if (notObserved.length > 0)
    page.item(`no log line was read of ${some(notObserved, 6)}: who calls there in plaintext is not known`, '?')
}

function entries(
  page: Page,
  list: readonly ReadinessEntry[],
  mark: string,
  words: (entry: ReadinessEntry) => string,
): void {
  for (const entry of list.slice(0, mostEntries)) page.item(words(entry), mark, mark === '✗' ? 'bad' : undefined)
  if (list.length > mostEntries) page.item(`and ${list.length - mostEntries} more (all in -o json)`, mark)
}

function some(names: readonly string[], most: number): string {
  const unique = [...new Set(names)]
  const shown = unique.slice(0, most).join(', ')
  return unique.length > most ? `${shown} and ${unique.length - most} more` : shown || 'nobody'
}

/** Two ends of one connection. */
export interface PairReport {
  readonly kind: 'MtlsPair'
  readonly schemaVersion: '1.0'
  readonly from: string
  readonly to: string
  readonly link: ChainLink
  readonly summary: string
  readonly assumptions: readonly string[]
  readonly notRead: readonly NotRead[]
}

export function pairText(report: PairReport, options: PageOptions = {}): string {
  const page = newPage(options)
  const { link } = report
  const [mark, tone] = ({ ok: ['✓', 'good'], broken: ['✗', 'bad'], open: ['?', 'doubt'] } as const)[link.state]
  page.para(`${mark} ${report.summary}`, '', '  ', tone)
  page.blank()
  page.field(
    report.from.length > 24 ? 'caller' : report.from,
    link.sends ? `sends ${link.sends.what}` : 'what it sends could not be read',
    27,
  )
  if (link.sends) page.field('', `because ${link.sends.why}`, 27)
  page.field(
    report.to.length > 24 ? 'destination' : report.to,
    link.accepts ? `accepts ${link.accepts.why}` : 'what it accepts could not be read',
    27,
  )
  page.field('', `${{ ok: 'fits', broken: 'fails', open: 'not decided' }[link.state]}: ${link.why}`, 27)
  if (report.assumptions.length > 0) page.heading('Assumed')
  for (const assumption of report.assumptions) page.item(assumption)
  writeNotRead(page, report.notRead)
  return page.done()
}
