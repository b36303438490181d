import type { AccessLogRecord } from '../model/access-log.ts'
import type { SymptomId } from '../model/call.ts'
import { type Line, showsSymptom } from './exchanges.ts'
import { fromRecord, type Hints, ipOf } from './hints.ts'

/** An end that nobody named, as the other end's log shows it. */
export interface LearnedEnd {
  readonly hints: Partial<Hints>
  /** How it was chosen, for the person to object to. */
  readonly assumption: string
}

/** What a destination that refuses a connection makes of a call: no answer of HTTP comes from there. */
const connectionSymptoms: ReadonlySet<SymptomId> = new Set([
  '502',
  '503',
  '504',
  'reset',
  'tls',
  'timeout',
  'not-injected',
  'unknown',
])

/** Who sent most of the requests that fail at the destination. Relays send on what others asked for. */
export function callerInLog(
  lines: readonly Line[],
  symptom: SymptomId,
  relayAddresses: ReadonlySet<string>,
): LearnedEnd | null {
  const own = lines.filter(({ role }) => role === 'server').map(({ record }) => record)
  const failing = own.filter((record) => showsSymptom(record, symptom))
  // Connections that the destination refused are nobody's HTTP error there, and may be one at the caller.
  const refused = connectionSymptoms.has(symptom)
    ? own.filter(({ details }) => details === 'filter_chain_not_found')
    : []
  const shown = failing.length > 0 ? failing : refused
  const most = mostOf(shown, ({ downstreamRemote }) => {
    const ip = ipOf(downstreamRemote)
    return ip === null || relayAddresses.has(ip) ? null : ip
  })
  if (!most) return null
  return {
    hints: { clientIp: most.key },
    assumption: `caller: nobody was named; ${most.key} sent ${most.count} of the ${shown.length} requests that fail in the destination's log${others(most.kinds)}`,
  }
}

/** Where most of the caller's failing requests went. */
export function destinationInLog(records: readonly AccessLogRecord[], symptom: SymptomId): LearnedEnd | null {
  const shown = records.filter((record) => showsSymptom(record, symptom))
  const most = mostOf(shown, (record) => {
    const { host, port, authority, serviceIp } = fromRecord(record)
    const name = host ?? authority ?? serviceIp ?? null
    return name === null ? null : JSON.stringify([name, port ?? null])
  })
  if (!most) return null
  const { host, port, authority, serverIp, serviceIp } = fromRecord(most.latest)
  const given = Object.entries({ host, port, authority, serverIp, serviceIp }).filter(([, value]) => value != null)
  const name = (host ?? authority ?? serviceIp ?? '').replace(/:\d+$/, '')
  return {
    hints: Object.fromEntries(given),
    assumption: `destination: nobody was named; ${most.count} of the ${shown.length} failing requests in the caller's log went to ${name}${port ? `:${port}` : ''}${others(most.kinds)}`,
  }
}

function others(kinds: number): string {
  return kinds > 1 ? `, the others to or from ${kinds - 1} more` : ''
}

/** The most frequent key; of equally frequent ones the one seen last. */
function mostOf(records: readonly AccessLogRecord[], keyOf: (record: AccessLogRecord) => string | null) {
  const groups = new Map<string, { count: number; latest: AccessLogRecord }>()
  for (const record of records) {
    const key = keyOf(record)
    if (key === null) continue
    const group = groups.get(key)
    const isLater = group === undefined || (record.time ?? '') >= (group.latest.time ?? '')
    groups.set(key, { count: (group?.count ?? 0) + 1, latest: isLater ? record : group.latest })
  }
  const sorted = [...groups].sort(
    ([, a], [, b]) => b.count - a.count || ((a.latest.time ?? '') < (b.latest.time ?? '') ? 1 : -1),
  )
  const [first] = sorted
  return first ? { key: first[0], ...first[1], kinds: sorted.length } : null
}
