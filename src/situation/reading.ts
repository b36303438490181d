import type { KubeVersion } from '../../parsers/kube-version.ts'
import { answeredBy } from '../mesh/answered-by.ts'
import { type CallSummary, type Hop, type SymptomId, SymptomId as SymptomIds } from '../model/call.ts'
import type { AnsweredBy, NotChecked } from '../model/diagnosis.ts'
import type { EvidenceEntry, EvidenceKey, Quote } from '../model/evidence.ts'
import type { GroundFacts } from '../model/run.ts'
import type { End } from './ends.ts'
import { type Exchange, showsSymptom, type ZtunnelLine } from './exchanges.ts'
import { meanings } from './meanings.ts'
import { type NextLook, nextLookOf } from './next-look.ts'
import type { KubeRead } from './objects.ts'
import { type PodView, podLabel } from './pods.ts'
import { hostsPublishing, isRouted, outsideName } from './published.ts'
import { requestOfQuote } from './quoted-request.ts'
import { quote, quoteLine, type Situation, serverPodOf } from './situation.ts'
import { symptomGaps } from './symptom-gaps.ts'
import { traceCall } from './tracing.ts'
import { isToWaypoint, ztunnelOfCall } from './ztunnel-lines.ts'

export interface SituationReading {
  readonly call: CallSummary
  readonly ground: GroundFacts
  readonly answeredBy: AnsweredBy
  readonly observed: readonly Quote[]
  readonly symptomSeen: boolean
  /** The symptom as given; where nobody named one, those that the lines of the call show. */
  readonly symptoms: readonly SymptomId[]
  readonly unresolved: readonly NotChecked[]
  readonly nextLook: NextLook
  readonly requestOf: (quote: Quote) => string | null
  readonly handedIn: readonly EvidenceKey[]
  /** What an answer means for this call; null where it is only what it is. */
  readonly meaningOf: (entry: EvidenceEntry) => string | null
  readonly endsAreRead: boolean
}

/** What the engine tells views and the note about the call, whatever rules find. */
export function readSituation(situation: Situation): SituationReading {
  const answered = whoAnswered(situation)
  return {
    call: summariseCall(situation, answered),
    ground: groundOf(situation),
    answeredBy: answered,
    observed: observedOf(situation),
    symptomSeen: situation.failing.length > 0 || curlShowsSymptom(situation) || ztunnelShowsSymptom(situation),
    unresolved: unresolvedOf(situation),
    nextLook: nextLookOf(situation),
    requestOf: requestOfQuote(situation),
    handedIn: handedInBy(situation),
    meaningOf: meanings(situation),
    symptoms: symptomsOf(situation),
    endsAreRead: endsAreRead(situation),
  }
}

/** Whether the pods of both ends could be looked at: only then "nothing to ask" means that there is nothing. */
function endsAreRead({ client, server, gateway, store }: Situation): boolean {
  const isRead = (end: End) =>
    end.external || end.pods.length > 0 || (end.namespace !== null && store.readable('Pod', end.namespace) === 'yes')
  return (isRead(client) || (gateway?.pods.length ?? 0) > 0) && isRead(server)
}

function symptomsOf(situation: Situation): readonly SymptomId[] {
  if (situation.symptom !== 'unknown') return [situation.symptom]
  const shown = situation.exchanges.flatMap((exchange) =>
    [exchange.client, exchange.gateway, exchange.waypoint, exchange.server].flatMap((line) =>
      line ? [line.record] : [],
    ),
  )
  // Callers behind ztunnel see no status: whatever it says, to them a connection ended.
  const ended = failedTunnels(situation).map(({ record }) => (isTimeout(record.error) ? 'timeout' : 'reset'))
  const seen = SymptomIds.options.filter(
    (symptom) =>
      symptom !== 'unknown' &&
      (shown.some((record) => showsSymptom(record, symptom)) || ended.some((one) => one === symptom)),
  )
  return seen.length > 0 ? seen : ['unknown']
}

function isTimeout(error: string | null): boolean {
  return /timed out|deadline has elapsed/.test(error ?? '')
}

/** Whose log a pasted line comes from: rules that need that log have what they need. */
function handedInBy({ pasted, lines, gateway }: Situation): EvidenceKey[] {
  const keys = new Set<EvidenceKey>()
  for (const { role, entry } of lines) {
    if (entry !== 'given') continue
    keys.add(role === 'given' ? (gateway ? 'gateway.accessLog' : 'client.accessLog') : `${role}.accessLog`)
  }
  if (pasted.ztunnel.length > 0) keys.add('ztunnel.ztunnelLog')
  return [...keys]
}

export function curlShowsSymptom({ pasted, symptom }: Situation): boolean {
  const { curl } = pasted
  if (!curl) return false
  if (curl.status !== null && String(curl.status) === symptom) return true
  if (symptom === 'reset') return curl.errorCode === 52 || curl.errorCode === 56 || curl.errorCode === 35
  if (symptom === 'tls') return curl.errorCode === 35 || curl.errorCode === 60
  return symptom === 'timeout' && curl.errorCode === 28
}

const brokenConnections: ReadonlySet<string> = new Set(['reset', 'timeout', 'tls', '502', '503', '504', 'unknown'])

/** Where no proxy of the call reads HTTP, a connection that ztunnel ended is all there is to see. */
export function ztunnelShowsSymptom(situation: Situation): boolean {
  return brokenConnections.has(situation.symptom) && failedTunnels(situation).length > 0
}

/** Connections of this call that ztunnel ended, unless requests logged after the last of them say more. */
function failedTunnels(situation: Situation): readonly ZtunnelLine[] {
  const failed = ztunnelOfCall(situation).filter(({ record }) => record.error !== null)
  const last = failed.at(-1)?.record.time ?? null
  const newest = situation.exchanges.at(-1)?.time ?? null
  return newest !== null && (last === null || newest > last) ? [] : failed
}

/** Of the failing exchange where there is one, else of what passes: then everything arrives where it should. */
export function whoAnswered(situation: Situation): AnsweredBy {
  const silent = silentCaller(situation)
  if (silent)
    return {
      hop: 'unknown',
      certainty: 'possible',
      because: 'the caller’s proxy does not answer any more, so its log says only what was before',
      evidence: [quote(silent.id, 'the caller’s proxy was asked and did not answer in time', silent.detail)],
    }
  const exchange = situation.sample ?? complained(situation) ?? passedInFull(situation)
  const { client, server, pasted } = situation
  // What reached a waypoint without error says nothing about the application behind it.
  const ztunnel = ztunnelOfCall(situation).filter(
    ({ record }) => record.error !== null || !isToWaypoint(situation, record),
  )
  const answer = answeredBy({
    clientLine: exchange?.client?.record,
    gatewayLine: exchange?.gateway?.record,
    waypointLine: exchange?.waypoint?.record,
    serverLine: exchange?.server?.record,
    ...(ztunnel.length > 0 ? { ztunnelLines: ztunnel.map(({ record }) => record) } : {}),
    ...(pasted.curl
      ? {
          response: {
            status: pasted.curl.status,
            headers: Object.fromEntries(
              pasted.curl.responseHeaders.map(([name, value]) => [name.toLowerCase(), value]),
            ),
            body: pasted.curl.body,
          },
          ...(pasted.curl.errorCode === null ? {} : { curlError: pasted.curl.errorCode }),
        }
      : {}),
    ...(client.pods.length > 0 ? { clientHasProxy: client.pods.some(({ hasEnvoy }) => hasEnvoy) } : {}),
    ...(server.pods.length > 0 ? { serverHasProxy: server.pods.some(({ hasEnvoy }) => hasEnvoy) } : {}),
    throughGateway: situation.gateway !== null,
    serverIsExternal: server.external,
    serverLogReadable: situation.logState('server') === 'lines',
    callerGot: /^\d+$/.test(situation.symptom) ? Number(situation.symptom) : null,
  })
  const evidence = exchange
    ? quotesOf(exchange)
    : ztunnel.slice(-2).map(({ record, entry }) => quote(entry, 'what ztunnel logged', record.raw, record.line))
  if (answer.hop === 'unknown' && !exchange) return atTheGateway(situation) ?? { ...plain(answer), evidence }
  return { ...plain(answer), evidence }
}

function plain({ hop, certainty, because }: Omit<AnsweredBy, 'evidence'>): Omit<AnsweredBy, 'evidence'> {
  return { hop, certainty, because }
}

/** A handshake that fails for want of a certificate leaves no line anywhere: the gateway's configuration has to tell. */
function atTheGateway(situation: Situation): AnsweredBy | null {
  if (situation.symptom !== 'tls' || !situation.gateway) return null
  const traced = traceCall(situation, 'gateway')
  const chain = traced?.trace.steps.find(({ kind }) => kind === 'filter-chain')
  const closed = traced?.trace.steps.find(({ kind, broken }) => kind === 'listener' && broken !== undefined)
  if (traced && closed)
    return {
      hop: 'gateway',
      certainty: 'likely',
      because: `the gateway takes no connection here: ${closed.broken?.why ?? 'no listener for it'}`,
      evidence: traced.entries.listeners
        ? [quote(traced.entries.listeners, `${traced.pod.name} has no listener for it`, closed.broken?.why ?? '')]
        : [],
    }
  if (!traced || !chain) return null
  const ends = chain.broken === undefined && chain.facts.tls !== 'none'
  return {
    hop: 'gateway',
    certainty: 'likely',
    because: ends
      ? 'the gateway ends TLS for this name, and handshakes that fail there leave no line'
      : chain.broken
        ? `the gateway takes no handshake for this name: ${chain.broken.why}`
        : 'the gateway passes this connection on without ending TLS',
    evidence: traced.entries.listeners
      ? [
          quote(
            traced.entries.listeners,
            `what ${traced.pod.name} has for this name`,
            JSON.stringify(chain.facts.match ?? null),
          ),
        ]
      : [],
  }
}

/** A proxy that hangs: every question to its admin interface ran out of time, and no line shows the symptom. */
function silentCaller({ entries, client, sample }: Situation) {
  if (sample !== null || client.pod === null) return null
  const asked = entries.filter(
    ({ role, probe, name }) =>
      role === 'client' &&
      name === client.pod?.name &&
      ['listeners', 'routes', 'clusters', 'endpoints'].includes(probe),
  )
  return asked.length > 0 && asked.every(({ reason }) => reason === 'timed-out') ? (asked[0] ?? null) : null
}

/** Who says that a change has no effect sees requests go through as before; a refusal beside them is somebody's other test. */
function complained(situation: Situation): Exchange | null {
  const { symptom, passing, pasted } = situation
  const { status = null, errorCode = null } = pasted.curl ?? {}
  const gotThrough = errorCode === null && (status === null || status < 400) && !callerIsOpen(situation)
  return symptom === 'not-applied' && gotThrough ? (passing.at(-1) ?? null) : null
}

/** Where nothing fails, what passes shows who answers; but only seen from the front: what a proxy there refuses never gets further. */
function passedInFull(situation: Situation): Exchange | null {
  const { exchanges, pasted, symptom, gateway } = situation
  const last = exchanges.at(-1) ?? null
  const status = pasted.curl?.status ?? null
  // The caller's own transcript shows another outcome: then it is not the same request.
  if (last && status !== null && last.code !== status) return null
  // A handshake that fails at the gateway leaves no line: those that are there are of handshakes that did not fail.
  if (symptom === 'tls' && gateway !== null) return null
  return last === null || curlShowsSymptom(situation) || !isSeenFromFront(situation) ? null : last
}

/** Whether the first proxy of the call was seen to pass something on, or there is none. */
export function isSeenFromFront({ client, gateway, exchanges }: Situation): boolean {
  if (gateway !== null) return exchanges.some((exchange) => exchange.gateway !== null)
  if (client.pods.length === 0) return client.external
  return !client.pods.some(({ hasEnvoy }) => hasEnvoy) || exchanges.some((exchange) => exchange.client !== null)
}

/** Nobody said who calls, and no log told. */
function callerIsOpen({ given, client, gateway }: Situation): boolean {
  return !given.from && client.pods.length === 0 && !client.external && gateway === null
}

function quotesOf(exchange: Exchange): Quote[] {
  const said = [
    [exchange.client, "the caller's proxy logged"],
    [exchange.gateway, 'the gateway logged'],
    [exchange.waypoint, 'the waypoint logged'],
    [exchange.server, "the destination's proxy logged"],
  ] as const
  return said.flatMap(([line, words]) =>
    line
      ? [
          quoteLine(
            line,
            `${words} ${line.record.code ?? 0} ${line.record.flags.join(',') || '-'} ${line.record.details ?? '-'}`,
          ),
        ]
      : [],
  )
}

function observedOf(situation: Situation): Quote[] {
  const { failing, sample, exchanges } = situation
  if (sample) {
    const [first] = quotesOf(sample)
    return first
      ? [
          { ...first, statement: `${failing.length} of ${exchanges.length} logged requests of this call show it` },
          ...earlierOf(situation),
        ]
      : []
  }
  const last = exchanges.at(-1)
  const [first] = last ? quotesOf(last) : []
  return first ? [{ ...first, statement: `${exchanges.length} logged requests of this call, none shows it` }] : []
}

/** Old failures are told, so that nobody takes them for those of now. */
function earlierOf({ earlier }: Situation): Quote[] {
  const last = earlier.at(-1)
  const said = last ? quotesOf(last).at(-1) : undefined
  const count = `${earlier.length} earlier ${earlier.length === 1 ? 'request' : 'requests'} failed in another way`
  return said ? [{ ...said, statement: `${count}, the last at ${last?.time}; that was over before these began` }] : []
}

function workloadWithoutPods({ given, serverNamespace, store }: Situation): string | null {
  const found = given.to && serverNamespace !== null ? store.get('Deployment', serverNamespace, given.to.name) : null
  return found ? `Deployment ${serverNamespace}/${found.object.metadata.name} is there and has no pod` : null
}

function unresolvedOf(situation: Situation): NotChecked[] {
  const { given, typed, server, client } = situation
  const list: NotChecked[] = []
  if (typed.from && client.pods.length === 0) {
    list.push({
      what: `the caller ${typed.from.text}`,
      layer: 'client',
      reason: given.from
        ? whyNotFound(situation, 'Pod', situation.clientNamespace, 'no pod of that name was found')
        : whyNobodys(situation, typed.from.name),
      unlock: `kubectl get pods ${situation.clientNamespace ? `-n ${situation.clientNamespace}` : '-A -o wide'}`,
    })
  }
  list.push(...refusedKinds(situation))
  if (typed.to && server.service === null && server.pods.length === 0 && !server.external) {
    list.push({
      what: `the destination ${typed.to.text}`,
      layer: 'kubernetes-endpoints',
      reason: given.to
        ? whyNotFound(
            situation,
            'Service',
            situation.serverNamespace,
            workloadWithoutPods(situation) ?? 'no service, workload or pod of that name was found',
          )
        : whyNobodys(situation, typed.to.name),
      unlock: `kubectl get services ${situation.serverNamespace ? `-n ${situation.serverNamespace}` : '-A'}`,
    })
  }
  // What the caller's proxy does by itself never reaches the destination: passing lines there say nothing about it.
  const isCallersSymptom = situation.symptom !== 'not-injected'
  const isOpen = callerIsOpen(situation) && typed.from === null
  if (isOpen && isCallersSymptom && situation.failing.length === 0 && server.host !== null) {
    list.push({
      what: 'the caller',
      layer: 'client',
      reason: "nobody said who calls, and the destination's side shows no request that fails so",
      unlock: `name the caller with --from NAME.NAMESPACE, or give a line of its proxy's log with --log${hostHint(situation)}`,
    })
  }
  if (situation.gateway !== null && isNobodysName(situation)) {
    list.push({
      what: `the way to ${situation.gateway.host}`,
      layer: 'gateway-edge',
      reason: situation.has('gateway.published')
        ? 'no gateway logged this host, and no route is for it: whether a gateway is on the way is not known'
        : 'the routes of all namespaces could not be read, so where this host leads is not known',
      unlock: situation.has('gateway.published')
        ? 'if a pod of the mesh calls it, name that pod with --from NAME.NAMESPACE; if the call comes from outside, give a line of the gateway with --log or what curl -v printed with --curl'
        : 'name the destination with --to svc/NAME.NAMESPACE, in a namespace that you may read',
    })
  }
  const isNowhere = !typed.to && server.host === null && server.pods.length === 0
  if (isNowhere && isOpen) {
    list.push({
      what: 'who calls whom',
      layer: 'client',
      reason: 'neither end was named and no line says it',
      unlock: 'give --from and --to, or a line of the access log with --log',
    })
  } else if (isNowhere && isCallersSymptom && situation.gateway === null) {
    list.push({
      what: 'what is called',
      layer: 'client',
      reason: "nobody said it, and the caller's log shows no request that fails so",
      unlock: "name the destination with --to svc/NAME.NAMESPACE:PORT, or give a line of the caller's log with --log",
    })
  }
  // Who calls whom comes first: without that, a line that is missing says little.
  list.push(...symptomGaps(situation))
  return list
}

/** Only a name was given, nobody publishes it, and no line has it: it may as well be a host outside that a pod calls. */
function isNobodysName({ given, hints, server, exchanges, store, gateway }: Situation): boolean {
  if (outsideName(given, hints) === null || server.service !== null || exchanges.length > 0) return false
  return !isRouted(store, gateway?.host ?? '') && gateway?.namesHost !== true
}

/** Under which names from outside the destination is reached, as far as its routes were read. */
function hostHint({ store, server }: Situation): string {
  const hosts = server.service ? hostsPublishing(store, server.service) : []
  return hosts.length === 0
    ? ''
    : `; if the call comes from outside, name the host it used: --host ${hosts.slice(0, 3).join(', --host ')}`
}

/** Kinds that one command could not list while it listed others: their absence is not known. */
function refusedKinds(situation: Situation): NotChecked[] {
  return situation.entries.flatMap((entry) => {
    if (entry.status !== 'ok' || (entry.probe !== 'config' && entry.probe !== 'published')) return []
    const { unreadable } = entry.data as KubeRead // made by these probes
    return unreadable.map(({ resource, detail }) => ({
      what: `${resource} in ${entry.namespace ?? 'all namespaces'}`,
      layer: 'control-plane' as const,
      reason: detail,
      unlock: `kubectl auth can-i list ${resource} ${entry.namespace === null ? '-A' : `-n ${entry.namespace}`}`,
    }))
  })
}

function whyNobodys({ entries }: Situation, ip: string): string {
  const gap = entries.find(
    ({ key, status, subject }) => key === 'mesh.podsByIp' && status === 'missing' && subject.endsWith(`address ${ip}`),
  )
  return gap ? `whose address it is could not be read: ${gap.detail}` : 'no pod or service has this address'
}

/** That nothing was found is a fact only where we could look. */
function whyNotFound(situation: Situation, kind: string, namespace: string | null, absent: string): string {
  if (namespace !== null && situation.store.readable(kind, namespace) === 'yes') return absent
  const gap = situation.entries.find(
    (entry) => entry.status === 'missing' && entry.probe === 'config' && entry.namespace === namespace,
  )
  return `namespace ${namespace ?? 'unknown'} could not be read${gap?.detail ? `: ${gap.detail}` : ''}`
}

function groundOf(situation: Situation): GroundFacts {
  const [kube] = situation.all<KubeVersion>('mesh.kubeVersion')
  const version = situation.istioVersion
  const proxies = situation.proxyStatus?.data.proxies ?? []
  const fromProxies = [...new Set(proxies.flatMap(({ version: one }) => (one ? [one] : [])))].sort()
  const mode = situation.mode
  return {
    context: situation.all<{ readonly context: string }>('mesh.context')[0]?.data.context ?? null,
    kubernetesVersion: kube?.data.server?.version ?? null,
    istioClient: version?.client ?? null,
    controlPlane: version?.controlPlane?.map((one) => one.version) ?? istiodVersions(situation),
    dataPlane: version?.dataPlane?.map((one) => one.version) ?? fromProxies,
    dataPlaneMode: mode === 'none' ? 'unknown' : mode,
  }
}

/** By the images istiod runs: known without asking istiod anything. */
function istiodVersions(situation: Situation): string[] {
  const images = situation.pods
    .filter(({ labels }) => labels.app === 'istiod')
    .flatMap(({ object }) => {
      const containers: readonly { readonly image?: string }[] = object.spec?.containers ?? []
      return containers.flatMap(({ image }) => /:v?(\d+\.\d+[\w.-]*)(?:@|$)/.exec(image ?? '')?.[1] ?? [])
    })
  return [...new Set(images)].sort()
}

function summariseCall(situation: Situation, answered: AnsweredBy): CallSummary {
  const { given, client, server, hints, sample } = situation
  const record = sample?.client?.record ?? sample?.gateway?.record ?? sample?.server?.record ?? null
  return {
    from:
      client.label ??
      situation.typed.from?.text ??
      (situation.gateway || client.external ? 'outside the cluster' : null),
    to:
      server.label === null
        ? null
        : server.portNumber === null || server.label.endsWith(`:${server.portNumber}`)
          ? server.label
          : `${server.label}:${server.portNumber}`,
    host: given.host ?? hints.authority ?? server.host,
    port: server.portNumber,
    method: given.method ?? hints.method ?? record?.method ?? null,
    path: given.path ?? hints.path ?? record?.path ?? null,
    protocol: server.port?.protocol ?? null,
    hops: hopsOf(situation, answered),
    assumptions: situation.assumptions,
  }
}

/** The call as a picture: who stands on its way, in order. */
function hopsOf(situation: Situation, answered: AnsweredBy): Hop[] {
  const { gateway, waypoint, ztunnels, sample } = situation
  const client = { ...situation.client, pod: sample?.client?.pod ?? situation.client.pod }
  const server = {
    ...situation.server,
    pod: (sample && serverPodOf(sample, situation.server.pods)) ?? situation.server.pod,
  }
  const gatewayPod = sample?.gateway?.pod ?? gateway?.pods[0] ?? null
  const hops: Hop[] = []
  const add = (
    role: Hop['role'],
    label: string,
    pod: PodView | null,
    proxy: string | null,
    state: Hop['state'] = 'unknown',
    remark: string | null = null,
  ) =>
    hops.push({
      role,
      label,
      workload: pod?.workload?.name ?? null,
      pod: pod ? `${pod.name}.${pod.namespace}` : null,
      proxy,
      state,
      remark,
    })
  const ambientAt = (pod: PodView | null) =>
    pod?.proxy === 'ambient' ? (ztunnels.find(({ node }) => node === pod.node) ?? null) : null
  const clientLabel = client.label ?? (gateway || client.external ? 'outside the cluster' : 'unknown caller')
  add('client', clientLabel, client.pod, null)
  if (client.pod?.hasEnvoy) add('client-proxy', `${client.pod.name}'s proxy`, client.pod, client.pod.proxy)
  if (client.pod?.proxy === 'ambient')
    add('ztunnel-client', `ztunnel on ${client.pod.node ?? 'its node'}`, ambientAt(client.pod), 'ztunnel')
  if (gateway) add('gateway', gatewayPod ? podLabel(gatewayPod) : 'gateway (not found)', gatewayPod, 'gateway')
  if (waypoint) add('waypoint', `waypoint ${waypoint.name}`, waypoint.pods[0] ?? null, 'waypoint')
  if (server.external) add('external', server.label ?? 'outside the mesh', null, null)
  else {
    if (server.pod?.proxy === 'ambient')
      add('ztunnel-server', `ztunnel on ${server.pod.node ?? 'its node'}`, ambientAt(server.pod), 'ztunnel')
    if (server.pod?.hasEnvoy) add('server-proxy', `${server.pod.name}'s proxy`, server.pod, server.pod.proxy)
    add('app', server.label ?? 'unknown destination', server.pod, null)
  }
  return markStates(hops, situation, answered)
}

function markStates(hops: readonly Hop[], situation: Situation, answered: AnsweredBy): Hop[] {
  const failing = situation.sample !== null || curlShowsSymptom(situation)
  const roles: Partial<Record<AnsweredBy['hop'], readonly Hop['role'][]>> = {
    'client-proxy': ['client-proxy'],
    'server-proxy': ['server-proxy'],
    gateway: ['gateway'],
    waypoint: ['waypoint'],
    ztunnel: ['ztunnel-server', 'ztunnel-client'],
    app: ['app'],
    external: ['external'],
  }
  const where = roles[answered.hop] ?? []
  const stop = hops.findIndex(({ role }) => where.includes(role))
  return hops.map((hop, index) => {
    const blind =
      hop.pod !== null &&
      situation.entries.some(
        (entry) =>
          entry.status === 'missing' && entry.probe === 'accessLog' && `${entry.name}.${entry.namespace}` === hop.pod,
      ) &&
      hop.proxy !== null
    if (blind) return { ...hop, state: 'blind' as const, remark: 'its log could not be read' }
    if (hop.role === 'waypoint' && answered.hop === 'app' && !situation.exchanges.some(({ waypoint }) => waypoint))
      return { ...hop, remark: 'no line of this call' }
    if (stop < 0) return hop
    if (!failing) return { ...hop, state: 'ok' as const }
    if (index < stop) return { ...hop, state: 'ok' as const }
    return index === stop ? { ...hop, state: 'broken' as const, remark: 'answered here' } : hop
  })
}
