import type { ProxyStatus, ProxySync, TypeSync } from '../../parsers/lib/sync-state.ts'
import { writeNotRead } from './decision.ts'
import { forLine } from './escape.ts'
import type { NotRead } from './not-read.ts'
import { newPage, type Page, type PageOptions, type PageStyle } from './page.ts'
import { columns } from './table-columns.ts'
import { displayWidth } from './wrap.ts'

export interface SyncRow {
  readonly proxy: string
  readonly namespace: string | null
  readonly cluster: string | null
  readonly istiod: string | null
  readonly version: string | null
  readonly controlPlaneVersion: string | null
  /** `null`: one of the two versions is not known. */
  readonly skew: 'none' | 'one-minor' | 'too-old' | 'too-new' | null
  /** The worst of its types; `unknown` where no state was shown, which says nothing good. */
  readonly worst: 'ERROR' | 'STALE' | 'unknown' | 'ok'
  readonly types: Readonly<Record<string, TypeSync>>
  readonly subscribedTypes: readonly string[] | null
}

export interface SyncReport {
  readonly kind: 'ProxySyncReport'
  readonly schemaVersion: '1.0'
  readonly summary: string
  readonly statesShown: boolean
  readonly istioctl: string | null
  readonly proxies: readonly SyncRow[]
  /** Pods with a proxy that no istiod knows; `null`: the pods could not be listed, so nobody knows. */
  readonly notConnected: readonly string[] | null
  readonly notRead: readonly NotRead[]
}

export interface SyncInput {
  readonly status: ProxyStatus
  readonly nowMs: number
  readonly istioctl: string | null
  /** Version by the name of an istiod's pod. */
  readonly controlPlanes: ReadonlyMap<string, string>
  /** `name.namespace` of pods with a proxy that runs. */
  readonly expected: readonly string[] | null
  readonly namespace: string | null
  readonly notRead: readonly NotRead[]
}

export function syncReport(input: SyncInput): SyncReport {
  const { status, namespace, expected } = input
  const proxies = status.proxies
    .filter((proxy) => namespace === null || proxy.namespace === namespace)
    .map((proxy) => rowOf(proxy, input))
    .sort((a, b) => rank[a.worst] - rank[b.worst] || (a.proxy < b.proxy ? -1 : a.proxy > b.proxy ? 1 : 0))
  const seen = new Set(status.proxies.map(({ proxy }) => proxy))
  const notConnected = expected === null ? null : expected.filter((pod) => !seen.has(pod)).sort()
  const report = {
    kind: 'ProxySyncReport' as const,
    schemaVersion: '1.0' as const,
    statesShown: status.statesShown,
    istioctl: input.istioctl,
    proxies,
    notConnected,
    notRead: input.notRead,
  }
  return { ...report, summary: summaryOf(report) }
}

const rank: Readonly<Record<SyncRow['worst'], number>> = { ERROR: 0, STALE: 1, unknown: 2, ok: 3 }

function rowOf(proxy: ProxySync, { nowMs, controlPlanes }: SyncInput): SyncRow {
  const controlPlaneVersion =
    (proxy.istiod === null ? undefined : controlPlanes.get(proxy.istiod)) ?? onlyVersion(controlPlanes)
  const types = Object.fromEntries(Object.entries(proxy.types).map(([type, sync]) => [type, withAge(sync, nowMs)]))
  return {
    proxy: proxy.proxy,
    namespace: proxy.namespace,
    cluster: proxy.cluster,
    istiod: proxy.istiod,
    version: proxy.version,
    controlPlaneVersion,
    skew: skewOf(proxy.version, controlPlaneVersion),
    worst: worstOf(proxy),
    types,
    subscribedTypes: proxy.subscribedTypes,
  }
}

/** JSON carries times instead of ages. */
function withAge(sync: TypeSync, nowMs: number): TypeSync {
  if (sync.ageSeconds !== undefined || sync.lastUpdated === undefined) return sync
  const at = Date.parse(sync.lastUpdated)
  if (Number.isNaN(at) || at > nowMs) return sync
  const ageSeconds = Math.floor((nowMs - at) / 1000)
  return { ...sync, ageSeconds, age: ageText(ageSeconds) }
}

export function ageText(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  if (days > 0) return hours > 0 && days < 10 ? `${days}d${hours}h` : `${days}d`
  if (hours > 0) return minutes > 0 ? `${hours}h${minutes}m` : `${hours}h`
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`
}

function worstOf({ types, statesShown }: ProxySync): SyncRow['worst'] {
  const states = Object.values(types).map(({ state }) => state)
  if (states.includes('ERROR')) return 'ERROR'
  if (states.includes('STALE')) return 'STALE'
  return !statesShown || states.length === 0 || states.includes('unknown') ? 'unknown' : 'ok'
}

function onlyVersion(versions: ReadonlyMap<string, string>): string | null {
  const distinct = [...new Set(versions.values())]
  return distinct.length === 1 ? (distinct[0] ?? null) : null
}

/** Istio supports proxies that are one minor version behind their control plane; newer ones are not supported at all. */
function skewOf(proxy: string | null, control: string | null): SyncRow['skew'] {
  const [left, right] = [minorOf(proxy), minorOf(control)]
  if (left === null || right === null) return null
  const behind = right - left
  if (behind < 0) return 'too-new'
  return behind === 0 ? 'none' : behind === 1 ? 'one-minor' : 'too-old'
}

function minorOf(version: string | null): number | null {
  const match = version === null ? null : /^v?(\d+)\.(\d+)/.exec(version)
  return match ? Number(match[1]) * 1000 + Number(match[2]) : null
}

function summaryOf({ proxies, notConnected, statesShown, istioctl, notRead }: Omit<SyncReport, 'summary'>): string {
  const of = (worst: SyncRow['worst']) => proxies.filter((row) => row.worst === worst).length
  const skewed = proxies.filter(({ skew }) => skew === 'too-old' || skew === 'too-new').length
  const parts = [
    ...(of('ERROR') > 0 ? [`${of('ERROR')} rejected a push (ERROR)`] : []),
    ...(of('STALE') > 0 ? [`${of('STALE')} did not answer a push (STALE)`] : []),
    ...(notConnected && notConnected.length > 0 ? [`${notConnected.length} not connected`] : []),
    ...(skewed > 0 ? [`${skewed} of a version that does not go with its control plane`] : []),
    ...(of('unknown') > 0 ? [`${of('unknown')} in a state that was not shown`] : []),
  ]
  if (proxies.length === 0 && notRead.some(({ what }) => what.startsWith('sync state')))
    return 'The sync state of the proxies could not be read'
  const all = `${proxies.length} ${proxies.length === 1 ? 'proxy' : 'proxies'}`
  if (proxies.length === 0 && parts.length === 0) return 'No proxy is connected'
  if (!statesShown)
    return `${all} connected; istioctl ${istioctl ?? 'of this version'} shows no states, so whether they are in sync is not known`
  return parts.length === 0 ? `${all}, all in sync` : `${all}: ${parts.join(', ')}`
}

export function syncText(report: SyncReport, options: PageOptions & { readonly onlyProblems?: boolean } = {}): string {
  const page = newPage(options)
  const tone = toneOf(report)
  page.para(`${{ good: '✓', bad: '✗', doubt: '?' }[tone]} ${report.summary}`, '', '  ', tone)
  const rows = options.onlyProblems ? report.proxies.filter(isProblem) : report.proxies
  if (rows.length > 0) {
    page.blank()
    writeTable(page, rows)
  }
  if (report.notConnected && report.notConnected.length > 0) {
    page.heading('Not connected to any istiod', 'bad')
    for (const pod of report.notConnected.slice(0, mostNames)) page.item(pod, '✗')
    if (report.notConnected.length > mostNames)
      page.item(`and ${report.notConnected.length - mostNames} more (all in -o json)`)
    page.para(
      'They keep what they had, or have nothing. Look at: kubectl logs POD -c istio-proxy, and whether istiod can be reached on port 15012.',
      '    ',
    )
  }
  if (report.notConnected === null) page.para('Whether pods are missing here is not known.', '', '  ', 'doubt')
  writeAdvice(page, report)
  writeNotRead(page, report.notRead)
  return page.done()
}

const mostNames = 20

function isProblem({ worst, skew }: SyncRow): boolean {
  return worst !== 'ok' || skew === 'too-old' || skew === 'too-new'
}

function toneOf(report: SyncReport): 'good' | 'bad' | 'doubt' {
  if (hasProblem(report)) return 'bad'
  return isOpen(report) ? 'doubt' : 'good'
}

/** Something is wrong, for the exit code as well. */
export function hasProblem({ proxies, notConnected }: SyncReport): boolean {
  return (
    proxies.some(
      ({ worst, skew }) => worst === 'ERROR' || worst === 'STALE' || skew === 'too-old' || skew === 'too-new',
    ) ||
    (notConnected !== null && notConnected.length > 0)
  )
}

/** Something that had to be known is not. */
export function isOpen({ proxies, statesShown }: SyncReport): boolean {
  return !statesShown || proxies.length === 0 || proxies.some(({ worst }) => worst === 'unknown')
}

function writeTable(page: Page, rows: readonly SyncRow[]): void {
  const types = typesOf(rows)
  const full = [
    ['PROXY', 'VERSION', ...types],
    ...rows.map((row) => [row.proxy, versionText(row), ...types.map((type) => cell(row, type))]),
  ]
  // On a narrow screen the types of a proxy that agree are told in one word.
  const table =
    tableWidth(full) <= page.width
      ? full
      : [['PROXY', 'VERSION', 'STATE'], ...rows.map((row) => [row.proxy, versionText(row), stateText(row)])]
  for (const [index, line] of columns(table, page.width).entries()) {
    const row = index === 0 ? undefined : rows[index - 1]
    page.row(line, row && styles[row.worst])
  }
}

const styles: Readonly<Record<SyncRow['worst'], PageStyle | undefined>> = {
  ERROR: 'bad',
  STALE: 'bad',
  unknown: 'doubt',
  ok: undefined,
}
const usual = ['CDS', 'LDS', 'EDS', 'RDS', 'ECDS', 'SDS', 'NDS', 'PCDS']

function typesOf(rows: readonly SyncRow[]): readonly string[] {
  const found = new Set(rows.flatMap(({ types }) => Object.keys(types)))
  // A type that no proxy asks for is only noise; one with an unknown state is not.
  const told = [...found].filter((type) =>
    rows.some(({ types }) => types[type] !== undefined && types[type].state !== 'IGNORED'),
  )
  return told.sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
}

function place(type: string): number {
  const index = usual.indexOf(type)
  return index < 0 ? usual.length : index
}

function tableWidth(rows: readonly (readonly string[])[]): number {
  const widths: number[] = []
  for (const row of rows)
    for (const [at, text] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, displayWidth(text))
  return widths.reduce((sum, one) => sum + one + 2, -2)
}

function cell({ types }: SyncRow, type: string): string {
  const sync = types[type]
  if (!sync) return '-'
  return `${sync.state}${sync.age ? ` ${sync.age}` : ''}`
}

function versionText({ version, skew }: SyncRow): string {
  return `${version ?? 'unknown'}${skew === 'too-old' || skew === 'too-new' ? ' !' : ''}`
}

function stateText(row: SyncRow): string {
  const groups = new Map<string, string[]>()
  for (const type of typesOf([row])) {
    const text = cell(row, type)
    groups.set(text, [...(groups.get(text) ?? []), type])
  }
  if (groups.size === 0) return 'not shown'
  return [...groups].map(([text, types]) => `${types.join(',')} ${text}`).join('; ')
}

function writeAdvice(page: Page, { proxies, statesShown, istioctl }: SyncReport): void {
  const has = (worst: SyncRow['worst']) => proxies.some((row) => row.worst === worst)
  if (has('ERROR')) advice(page, 'ERROR', 'ERROR: the proxy rejected what istiod sent')
  if (has('STALE')) advice(page, 'STALE', 'STALE: the proxy has not answered')
  for (const row of proxies.filter(({ worst }) => worst === 'ERROR').slice(0, 3)) {
    const details = [
      ...new Set(
        Object.entries(row.types).flatMap(([type, { state, detail }]) =>
          state === 'ERROR' && detail ? [`${type}: ${detail}`] : [],
        ),
      ),
    ]
    for (const detail of details) page.quote(`${row.proxy} ${forLine(detail)}`)
  }
  if (has('unknown') && statesShown)
    page.item('A state that was not shown is not a good one: ask again with istioctl proxy-status POD.NAMESPACE', '?')
  if (!statesShown && proxies.length > 0) {
    page.heading('No states', 'doubt')
    page.para(
      `istioctl ${istioctl ?? 'of this version'} printed who is connected and nothing about who is in sync. 1.27 and later tell with: istioctl proxy-status -v 1`,
      '  ',
    )
  }
  const skewed = proxies.filter(({ skew }) => skew === 'too-old' || skew === 'too-new')
  if (skewed.length > 0) {
    page.heading('Versions that do not go together (!)', 'bad')
    for (const { proxy, version, controlPlaneVersion, skew } of skewed.slice(0, 10))
      page.item(
        `${proxy} has ${version}, its control plane ${controlPlaneVersion}: ${skew === 'too-old' ? 'more than one minor version behind' : 'newer than its control plane'}`,
        '!',
      )
    if (skewed.length > 10) page.item(`and ${skewed.length - 10} more`)
  }
}

/** The two states look alike and want opposite things. */
const advices: Readonly<Record<'ERROR' | 'STALE', readonly string[]>> = {
  ERROR: [
    'It goes on with the configuration before that, so nothing newer of this type arrives, whoever changed it.',
    'Do not restart these pods: a restart loses the last good configuration, and the proxy then has none.',
    'Find what was rejected and undo it; istiod has the reason: kubectl logs -n istio-system deploy/istiod | grep "ACK ERROR"',
  ],
  STALE: [
    'Nothing was rejected, so there is nothing to undo; the stream is broken or one side is overloaded. For a few seconds during a push it is normal.',
    "Look at the pod's CPU and at its log: kubectl logs POD -c istio-proxy; is istiod overloaded or unreachable?",
    'Where the stream is broken, a restart of the pod helps. For ERROR the same would make things worse.',
  ],
}

function advice(page: Page, state: 'ERROR' | 'STALE', title: string): void {
  page.heading(title, 'bad')
  for (const line of advices[state]) page.item(line)
}
