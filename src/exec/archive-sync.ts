import type { ArchiveContents } from './archive-contents.ts'
import type { Answer, Flags } from './archive-kubectl.ts'

const flag = (flags: Flags, name: string) => flags.get(name)?.at(-1)
const printed = (stdout: string): Answer => ({ code: 0, stdout, stderr: '' })
const asJson = (value: unknown) => `${JSON.stringify(value, null, 4)}\n`

const types = {
  CDS: 'envoy.config.cluster.v3.Cluster',
  EDS: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  LDS: 'envoy.config.listener.v3.Listener',
  RDS: 'envoy.config.route.v3.RouteConfiguration',
  ECDS: 'envoy.config.core.v3.TypedExtensionConfig',
} as const
const stems = { CDS: 'cluster', EDS: 'endpoint', LDS: 'listener', RDS: 'route', ECDS: 'extensionconfig' } as const

interface SyncEntry {
  readonly proxy?: string
  readonly cluster_id?: string
  readonly istio_version?: string
  readonly resources?: Readonly<Record<string, { readonly lastError?: string; readonly sentTime?: string }>>
  readonly [stem: string]: unknown
}

/** `proxy-status`, from each istiod's syncz: the JSON of 1.30, or the table with states that older ones print. */
export async function answerProxyStatus(
  { syncz }: ArchiveContents,
  words: readonly string[],
  flags: Flags,
): Promise<Answer> {
  if (syncz.length === 0 || words.length > 0) return undefined
  const only = flag(flags, 'namespace')
  const documents = await Promise.all(
    syncz.map(async ({ istiod, read }) => {
      const entries = JSON.parse(await read()) as readonly SyncEntry[]
      return { istiod, entries: entries.filter(({ proxy = '' }) => !only || proxy.endsWith(`.${only}`)) }
    }),
  )
  if (flag(flags, 'output') === 'json')
    return printed(documents.map(({ istiod, entries }) => asJson(statusDocument(istiod, entries))).join(''))
  const columns = Object.keys(types) as (keyof typeof types)[]
  const order = flags.has('verbosity') ? [...columns].sort() : (['CDS', 'LDS', 'EDS', 'RDS', 'ECDS'] as const)
  const rows = documents.flatMap(({ istiod, entries }) =>
    entries.map((entry) => [
      entry.proxy ?? '',
      entry.cluster_id ?? '',
      ...order.map((type) => (stateOf(entry, type) ?? 'IGNORED').replace('_', ' ')),
      istiod,
      entry.istio_version ?? '',
    ]),
  )
  return printed(
    table([
      ['NAME', 'CLUSTER', ...order, 'ISTIOD', 'VERSION'],
      ...rows.sort(([left = ''], [right = '']) => (left < right ? -1 : 1)),
    ]),
  )
}

function stateOf(entry: SyncEntry, type: keyof typeof types): 'SYNCED' | 'STALE' | 'NOT_SENT' | 'ERROR' | undefined {
  const sent = entry[`${stems[type]}_sent`]
  const acked = entry[`${stems[type]}_acked`]
  const resource = entry.resources?.[`type.googleapis.com/${types[type]}`]
  if (resource?.lastError) return 'ERROR'
  if (!sent) return entry.resources && !resource ? undefined : 'NOT_SENT'
  return sent === acked ? 'SYNCED' : 'STALE'
}

function statusDocument(istiod: string, entries: readonly SyncEntry[]) {
  return {
    resources: entries.map((entry) => ({
      '@type': 'type.googleapis.com/envoy.service.status.v3.ClientConfig',
      node: {
        id: entry.proxy,
        metadata: {
          CLUSTER_ID: entry.cluster_id,
          ISTIO_VERSION: entry.istio_version,
          NAMESPACE: entry.proxy?.split('.').at(-1),
        },
      },
      genericXdsConfigs: (Object.keys(types) as (keyof typeof types)[]).flatMap((type) => {
        const configStatus = stateOf(entry, type)
        const { lastError, sentTime } = entry.resources?.[`type.googleapis.com/${types[type]}`] ?? {}
        if (!configStatus) return []
        return [
          {
            typeUrl: `type.googleapis.com/${types[type]}`,
            ...(sentTime && { lastUpdated: sentTime }),
            configStatus,
            ...(lastError && { errorState: { details: lastError } }),
          },
        ]
      }),
    })),
    controlPlane: { identifier: JSON.stringify({ Component: 'istiod', ID: istiod }) },
  }
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)) + 5)
  return rows
    .map(
      (row) =>
        `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('')}\n`,
    )
    .join('')
}
