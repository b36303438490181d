import type { AnalyzeFinding } from '../../parsers/analyze.ts'
import type { KubeEvent } from '../../parsers/events.ts'
import type { IstioctlVersion } from '../../parsers/istioctl-version.ts'
import type { IstiodLogData } from '../../parsers/istiod-log.ts'
import type { ProxyStatus, ProxySync } from '../../parsers/lib/sync-state.ts'
import { defaultMeshConfig, type MeshConfig } from '../mesh/mesh-config.ts'
import type { Given, SymptomId } from '../model/call.ts'
import type { EvidenceEntry, EvidenceKey, Quote, Role } from '../model/evidence.ts'
import { epochsOf } from './earlier-failures.ts'
import { type End, type Ends, namespaceOfClient, namespaceOfServer, resolveEnds, type ServerEnd } from './ends.ts'
import {
  type Exchange,
  joinLines,
  type Line,
  type LinesInput,
  type LogData,
  type LogRole,
  linesOfCall,
  pathOnly,
  type ZtunnelLine,
  type ZtunnelLogData,
} from './exchanges.ts'
import { clusterInLogs, type GatewayView, gatewayOf } from './gateway.ts'
import { type Hints, ipOf, type Pasted, readHints } from './hints.ts'
import { lazy } from './lazy.ts'
import { callerInLog, destinationInLog, type LearnedEnd } from './learned-ends.ts'
import { createObjectStore, type ObjectStore, type Stored } from './objects.ts'
import { type PodView, podWithIp, viewPod } from './pods.ts'
import { outsideName } from './published.ts'
import { withoutAddresses } from './typed-addresses.ts'
import { type WaypointView, waypointOf } from './waypoint.ts'

export type DataPlaneMode = 'sidecar' | 'ambient' | 'mixed' | 'none' | 'unknown'

/** Something a command printed, and which one. */
export interface From<T> {
  readonly data: T
  readonly entry: string
}

/**
 * Everything the walk knows, joined to this one call. Parts are worked out when they are first read, so that a probe's plan
 * costs little. Rules read it; nothing in it is ever changed.
 */
export interface Situation {
  /** What was given, without ends that were typed as addresses: whose those are is looked up. */
  readonly given: Given
  /** As it was given. */
  readonly typed: Given
  readonly symptom: SymptomId
  readonly pasted: Pasted
  readonly hints: Hints
  readonly entries: readonly EvidenceEntry[]

  /** Data of all readable entries of a key, with the entry it came from. */
  readonly all: <T>(key: EvidenceKey) => readonly (From<T> & {
    readonly subject: string
    readonly name: string | null
    readonly namespace: string | null
  })[]
  /** Data of this key about one pod. */
  readonly of: <T>(probe: string, pod: PodView) => From<T> | null
  /** Whether anything of this key could be read. */
  readonly has: (key: EvidenceKey) => boolean
  /** Asked for and done with, whether anything came of it or not. */
  readonly isSettled: (key: EvidenceKey) => boolean
  readonly missing: (key: EvidenceKey) => readonly EvidenceEntry[]

  readonly store: ObjectStore
  readonly pods: readonly PodView[]
  readonly podByIp: (ip: string | null) => PodView | null
  readonly mesh: MeshConfig
  /** Null when the mesh configuration could not be read; `mesh` then holds Istio's defaults. */
  readonly meshEntry: string | null
  readonly rootNamespace: string
  readonly istioVersion: IstioctlVersion | null
  /** `1.30`, of the tool we run. */
  readonly istioctlMinor: { readonly major: number; readonly minor: number } | null

  readonly clientNamespace: string | null
  readonly serverNamespace: string | null
  readonly client: End
  readonly server: ServerEnd
  readonly assumptions: readonly string[]
  /** The gateway on the call's way, when it comes from outside. */
  readonly gateway: GatewayView | null
  /** The waypoint that the destination names, whether or not it exists. */
  readonly waypoint: WaypointView | null
  readonly ztunnels: readonly PodView[]
  readonly mode: DataPlaneMode

  /** Access-log lines of this call, and those of each role. */
  readonly lines: readonly Line[]
  readonly linesAt: (role: LogRole) => readonly Line[]
  readonly exchanges: readonly Exchange[]
  /** Those of now. */
  readonly failing: readonly Exchange[]
  /** Failures of another kind that were over before those of now began. */
  readonly earlier: readonly Exchange[]
  readonly passing: readonly Exchange[]
  /**
   * The failing exchange that was handed in, else the one most like the others; ties go to the latest. Of the same kind, one
   * between the pods whose configuration is read: what is quoted and what is shown are then of one call.
   */
  readonly sample: Exchange | null
  readonly ztunnelLines: readonly ZtunnelLine[]
  /** Whether a role's access log was readable and held any line at all, of this call or another. */
  readonly logState: (role: Exclude<LogRole, 'given'>) => 'lines' | 'empty' | 'unreadable' | 'not-asked'
  readonly istiodLog: readonly From<IstiodLogData>[]

  readonly analyze: readonly (AnalyzeFinding & { readonly entry: string })[]
  readonly sync: (pod: PodView) => (ProxySync & { readonly entry: string }) | null
  readonly proxyStatus: From<ProxyStatus> | null
  readonly events: readonly (KubeEvent & { readonly entry: string })[]
}

export function quote(entry: string, statement: string, excerpt: string | null = null, line?: number): Quote {
  const short = excerpt !== null && excerpt.length > 400 ? `${excerpt.slice(0, 400)}…` : excerpt
  return line === undefined ? { entry, statement, excerpt: short } : { entry, statement, excerpt: short, line }
}

/** Quotes an access-log line. */
export function quoteLine(line: Line, statement: string): Quote {
  return quote(line.entry, statement, line.record.raw, line.record.line)
}

/** Quotes an object: what it says at the path that matters. */
export function quoteObject(stored: Stored, statement: string, part?: unknown): Quote {
  return quote(stored.entry, statement, part === undefined ? null : JSON.stringify(part))
}

export function situate(
  entries: readonly EvidenceEntry[],
  given: Given,
  pasted: Pasted,
  settled: ReadonlySet<EvidenceKey> = new Set(entries.map(({ key }) => key)),
): Situation {
  const ok = entries.filter(({ status }) => status === 'ok')
  const byKey = new Map<string, EvidenceEntry[]>()
  for (const entry of ok) byKey.set(entry.key, [...(byKey.get(entry.key) ?? []), entry])
  const all = <T>(key: EvidenceKey) =>
    (byKey.get(key) ?? []).map((entry) => ({
      data: entry.data as T, // the probe of this key made it; keys and types are tied in src/probes
      entry: entry.id,
      subject: entry.subject,
      name: entry.name,
      namespace: entry.namespace,
    }))
  const ofProbe = <T>(probe: string) =>
    ok
      .filter((entry) => entry.probe === probe)
      .map((entry) => ({ data: entry.data as T, entry: entry.id, name: entry.name, namespace: entry.namespace })) // as above

  const store = lazy(() => createObjectStore(entries))
  const pods = lazy(() => store().list('Pod').map(viewPod))
  const named = lazy(() => withoutAddresses(given, (ip) => isNobodys(ip, entries, store(), settled)))
  const hintsGiven = lazy(() => readHints(given, pasted))
  /** Where the gateways' own lines say that a host from outside leads. */
  const seen = (of: Hints) => {
    const path = given.path ?? of.path
    return clusterInLogs(gatewayLogs(), outsideName(named(), of), path === null ? null : pathOnly(path))
  }
  const endsGiven = lazy((): Ends => resolveEnds(named(), hintsGiven(), store(), seen(hintsGiven())))
  /** An end that nobody named is who stands in the other end's log. */
  const learned = lazy((): LearnedEnd | null => {
    const { from, to } = named()
    const { client, server } = endsGiven()
    if (from !== null && to === null && server.host === null && server.pods.length === 0) {
      if (!settled.has('client.accessLog')) return null
      const records = logs(pods()).flatMap(({ role, data }) => (role === 'client' ? data.records : []))
      return destinationInLog(records, given.symptom)
    }
    if (from !== null || client.label !== null || hintsGiven().clientIp !== null || !settled.has('server.accessLog'))
      return null
    const view = { hints: hintsGiven(), ends: endsGiven() }
    const waypoint = waypointOf({ store: store(), pods: pods(), server })
    if (gatewayOf({ given: named(), store: store(), pods: pods(), logs: gatewayLogs(), ...view }) !== null) return null
    return callerInLog(
      linesFor(view.ends, view.hints, null, waypoint),
      given.symptom,
      addressesOf(waypoint?.pods ?? []),
    )
  })
  const hints = lazy(() => ({ ...hintsGiven(), ...learned()?.hints }))
  const ends = lazy((): Ends => {
    const found = learned()
    if (found === null) return endsGiven()
    const resolved = resolveEnds(named(), hints(), store(), seen(hints()))
    return { ...resolved, assumptions: [found.assumption, ...resolved.assumptions] }
  })
  const meshRead = lazy(() => ofProbe<MeshConfig>('meshConfig')[0] ?? null)
  const version = lazy(
    () => ofProbe<IstioctlVersion>('version')[0]?.data ?? ofProbe<IstioctlVersion>('clientVersion')[0]?.data ?? null,
  )
  const status = lazy(() => ofProbe<ProxyStatus>('proxyStatus')[0] ?? null)
  const gateway = lazy(() =>
    gatewayOf({
      given: named(),
      hints: hints(),
      store: store(),
      pods: pods(),
      ends: ends(),
      logs: gatewayLogs(),
    }),
  )
  const waypoint = lazy(() => waypointOf({ store: store(), pods: pods(), server: ends().server }))
  const podByIp = (ip: string | null) => podWithIp(pods(), ip)

  const logs = (known: readonly PodView[]): LinesInput['logs'] => {
    const roles = ['client', 'server', 'gateway', 'waypoint'] as const
    return roles.flatMap((role) =>
      (byKey.get(`${role}.accessLog`) ?? []).map((entry) => ({
        role,
        entry,
        pod: known.find((pod) => pod.name === entry.name && pod.namespace === entry.namespace) ?? null,
        data: entry.data as LogData, // made by the accessLog probe
      })),
    )
  }
  const gatewayLogs = () => logs(pods()).filter(({ role }) => role === 'gateway')
  const linesFor = (
    { client, server }: Ends,
    hintsFor: Hints,
    gatewayFor: GatewayView | null,
    waypointFor: WaypointView | null,
  ) => {
    const service = server.service?.object
    const addresses = [
      service?.spec?.clusterIP,
      ...(service?.spec?.clusterIPs ?? []),
      ...server.pods.map(({ ip }) => ip),
    ]
    return linesOfCall({
      given: named(),
      hints: hintsFor,
      client,
      server,
      serverAddresses: new Set(
        addresses.filter((address): address is string => typeof address === 'string' && address !== 'None'),
      ),
      meshAddresses: new Set([
        ...store()
          .list('Service')
          .flatMap(({ object }) => [object.spec?.clusterIP, ...(object.spec?.clusterIPs ?? [])]),
        ...pods().flatMap(({ ip }) => (ip ? [ip] : [])),
      ]),
      relayAddresses: addressesOf([...(waypointFor?.pods ?? []), ...(gatewayFor?.pods ?? [])]),
      gatewayAddresses: addressesOf(gatewayFor?.pods ?? []),
      hasGateway: gatewayFor !== null,
      hasWaypoint: waypointFor !== null,
      logs: logs(pods()),
      pasted: pasted.records,
    })
  }
  const lines = lazy(() => linesFor(ends(), hints(), gateway(), waypoint()))
  const exchanges = lazy(() => {
    const joined = joinLines(lines(), given.symptom)
    // Whoever stands before a proxy that waited in vain may have got 504 of it; its own line says 503.
    return given.symptom === '504' && !joined.some(({ showsSymptom }) => showsSymptom)
      ? joinLines(lines(), 'timeout')
      : joined
  })
  const isOfAsked = (exchange: Exchange) => {
    const { client, server } = ends()
    const [caller, replica] = [exchange.client?.pod ?? null, serverPodOf(exchange, server.pods)]
    return (caller === null || isSamePod(caller, client.pod)) && (replica === null || isSamePod(replica, server.pod))
  }
  const epochs = lazy(() => epochsOf(exchanges(), isMeant))
  const failing = lazy(() => epochs().present)
  const ztunnels = lazy(() => {
    const nodes = new Set(
      [...ends().client.pods, ...ends().server.pods, ...(waypoint()?.pods ?? [])].flatMap(({ node }) =>
        node ? [node] : [],
      ),
    )
    const every = pods().filter(({ proxy }) => proxy === 'ztunnel')
    // Nobody knows on which node an unknown caller is: in a small cluster all can be asked.
    const anywhere = ends().client.pods.length === 0 && gateway() === null && every.length <= 8
    return nodes.size === 0 || anywhere ? every : every.filter(({ node }) => node !== null && nodes.has(node))
  })
  const mode = lazy(() => modeOf(ends(), store()))
  const events = lazy(() =>
    (['mesh.events', 'server.events', 'client.events'] as const).flatMap((key) =>
      all<readonly KubeEvent[]>(key).flatMap(({ data, entry }) => data.map((event) => ({ ...event, entry }))),
    ),
  )

  return {
    get given() {
      return named()
    },
    typed: given,
    symptom: given.symptom,
    pasted,
    get hints() {
      return hints()
    },
    entries,
    all,
    of: <T>(probe: string, pod: PodView) =>
      ofProbe<T>(probe).find(({ name, namespace }) => name === pod.name && namespace === pod.namespace) ?? null,
    has: (key) => byKey.has(key),
    isSettled: (key) => settled.has(key),
    missing: (key) => entries.filter((entry) => entry.key === key && entry.status === 'missing'),
    get store() {
      return store()
    },
    get pods() {
      return pods()
    },
    podByIp,
    get mesh() {
      return meshRead()?.data ?? { ...defaultMeshConfig, rootNamespace: given.istioNamespace }
    },
    get meshEntry() {
      return meshRead()?.entry ?? null
    },
    get rootNamespace() {
      return meshRead()?.data.rootNamespace ?? given.istioNamespace
    },
    get istioVersion() {
      return version()
    },
    get istioctlMinor() {
      return minorOf(version()?.client ?? null)
    },
    get clientNamespace() {
      return namespaceOfClient(named(), hints(), store())
    },
    get serverNamespace() {
      return namespaceOfServer(named(), hints(), store())
    },
    get client() {
      return ends().client
    },
    get server() {
      return ends().server
    },
    get assumptions() {
      return ends().assumptions
    },
    get gateway() {
      return gateway()
    },
    get waypoint() {
      return waypoint()
    },
    get ztunnels() {
      return ztunnels()
    },
    get mode() {
      return mode()
    },
    get lines() {
      return lines()
    },
    linesAt: (role) => lines().filter((line) => line.role === role),
    get exchanges() {
      return exchanges()
    },
    get failing() {
      return failing()
    },
    get earlier() {
      return epochs().earlier
    },
    get passing() {
      return exchanges().filter(({ showsSymptom, code }) => !showsSymptom && code !== null && code < 400)
    },
    get sample() {
      const meant = failing().filter(isMeant)
      return mostTypical(meant.length > 0 ? meant : failing(), isOfAsked)
    },
    get ztunnelLines() {
      return (byKey.get('ztunnel.ztunnelLog') ?? [])
        .flatMap((entry) => {
          const data = entry.data as ZtunnelLogData // made by the ztunnelLog probe
          const pod = pods().find(({ name, namespace }) => name === entry.name && namespace === entry.namespace) ?? null
          return data.records.map((record) => ({ record, pod, entry: entry.id }))
        })
        .concat(pasted.ztunnel.map((record) => ({ record, pod: null, entry: 'given' })))
    },
    logState(role) {
      const read = logs(pods()).filter((log) => log.role === role)
      if (read.length > 0) return read.some(({ data }) => data.records.length > 0) ? 'lines' : 'empty'
      return entries.some((entry) => entry.key === `${role}.accessLog`) ? 'unreadable' : 'not-asked'
    },
    get istiodLog() {
      return all<IstiodLogData>('mesh.istiodLog')
    },
    get analyze() {
      return (['mesh.analyze', 'server.analyze', 'client.analyze', 'gateway.analyze'] as const).flatMap((key) =>
        all<readonly AnalyzeFinding[]>(key).flatMap(({ data, entry }) =>
          data.map((finding) => ({ ...finding, entry })),
        ),
      )
    },
    sync(pod) {
      const found = status()?.data.proxies.find(
        ({ name, namespace }) => name === pod.name && (namespace === null || namespace === pod.namespace),
      )
      return found ? { ...found, entry: status()?.entry ?? '' } : null
    },
    get proxyStatus() {
      return status()
    },
    get events() {
      return events()
    },
  }
}

function addressesOf(pods: readonly PodView[]): ReadonlySet<string> {
  return new Set(pods.flatMap(({ ip }) => (ip ? [ip] : [])))
}

/** It was looked up, and nobody in the cluster has it. */
function isNobodys(
  ip: string,
  entries: readonly EvidenceEntry[],
  store: ObjectStore,
  settled: ReadonlySet<EvidenceKey>,
): boolean {
  const own = entries.filter(({ key, subject }) => key === 'mesh.podsByIp' && subject.endsWith(`address ${ip}`))
  return (
    settled.has('mesh.podsByIp') &&
    own.some(({ subject }) => subject.startsWith('service ')) &&
    own.every(({ status }) => status === 'ok') &&
    !store.list('Pod').some(({ object }) => object.status?.podIP === ip) &&
    !store.list('Service').some(({ object }) => object.spec?.clusterIP === ip || object.spec?.clusterIPs?.includes(ip))
  )
}

function minorOf(version: string | null): { major: number; minor: number } | null {
  const match = version === null ? null : /^v?(\d+)\.(\d+)/.exec(version)
  return match ? { major: Number(match[1]), minor: Number(match[2]) } : null
}

function modeOf({ client, server }: Ends, store: ObjectStore): DataPlaneMode {
  const kinds = new Set<'sidecar' | 'ambient' | 'none'>()
  for (const end of [client, server]) {
    for (const { proxy } of end.pods) {
      if (proxy === 'sidecar' || proxy === 'native-sidecar') kinds.add('sidecar')
      else if (proxy === 'ambient') kinds.add('ambient')
      else if (proxy === 'none') kinds.add(isAmbientNamespace(store, end.namespace) ? 'ambient' : 'none')
    }
  }
  if (kinds.has('sidecar') && kinds.has('ambient')) return 'mixed'
  if (kinds.has('ambient')) return 'ambient'
  if (kinds.has('sidecar')) return 'sidecar'
  return kinds.has('none') ? 'none' : 'unknown'
}

function isAmbientNamespace(store: ObjectStore, namespace: string | null): boolean {
  if (namespace === null) return false
  return store.get('Namespace', null, namespace)?.object.metadata.labels?.['istio.io/dataplane-mode'] === 'ambient'
}

/** Holds a line that the person handed in. */
function isMeant({ client, gateway, waypoint, server }: Exchange): boolean {
  return [client, gateway, waypoint, server].some((line) => line?.isMeant)
}

function isSamePod(one: PodView, other: PodView | null): boolean {
  return one.name === other?.name && one.namespace === other.namespace
}

/** The replica that this exchange reached or was to reach. */
export function serverPodOf({ client, gateway, waypoint, server }: Exchange, pods: readonly PodView[]): PodView | null {
  if (server?.pod) return server.pod
  const dialled = [waypoint, gateway, client].map((line) => ipOf(line?.record.upstreamHost ?? null))
  return pods.find(({ ip }) => ip !== null && dialled.includes(ip)) ?? null
}

function mostTypical(exchanges: readonly Exchange[], isPreferred: (exchange: Exchange) => boolean): Exchange | null {
  const counts = new Map<string, { exchange: Exchange; count: number }>()
  for (const exchange of exchanges) {
    const sides = [exchange.client, exchange.gateway, exchange.waypoint, exchange.server]
    const key = sides
      .map((line) =>
        line ? `${line.record.code}${line.record.flags}${line.record.details}${line.record.termination}` : '-',
      )
      .join('|')
    const known = counts.get(key)
    const stays = known !== undefined && isPreferred(known.exchange) && !isPreferred(exchange)
    counts.set(key, { exchange: stays ? known.exchange : exchange, count: (known?.count ?? 0) + 1 })
  }
  return (
    [...counts.values()].reduce<{ exchange: Exchange; count: number } | null>(
      (best, one) => (best === null || one.count >= best.count ? one : best),
      null,
    )?.exchange ?? null
  )
}

export function rolesWithPods(situation: Situation, role: Role): readonly PodView[] {
  switch (role) {
    case 'client':
      return situation.client.pods
    case 'server':
      return situation.server.pods
    case 'gateway':
      return situation.gateway?.pods ?? []
    case 'waypoint':
      return situation.waypoint?.pods ?? []
    case 'ztunnel':
      return situation.ztunnels
    case 'mesh':
      return []
  }
}
