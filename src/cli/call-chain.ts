import { objectText } from '../mesh/config-object.ts'
import { meshAlpn } from '../mesh/filter-chain.ts'
import { type Handshake, handshake } from '../mesh/handshake.ts'
import { serviceSni } from '../mesh/names.ts'
import { type Trace, trace } from '../mesh/trace.ts'
import { wireWords } from '../mesh/trace-words.ts'
import { objectName } from '../model/kube.ts'
import { decisionSummary, decisive, overall } from '../report/decision.ts'
import { modeWords } from '../report/mtls-words.ts'
import type { NotRead } from '../report/not-read.ts'
import type { ChainHop, ChainLink, ChainPart, PartState, TraceChain } from '../report/trace-chain.ts'
import { partsOf } from '../report/trace-chain-parts.ts'
import { type Transport, transportOf } from '../rules/lib/transport.ts'
import { type PodView, podLabel } from '../situation/pods.ts'
import type { Situation } from '../situation/situation.ts'
import { type TracedCall, type TracedRole, traceCall } from '../situation/tracing.ts'
import { type AccessQuestion, accessStages, passesWaypoint } from './access-stages.ts'
import { type AmbientStop, ambientStop } from './ambient-stop.ts'

type Wire = NonNullable<Transport['sends']>['sends']

interface Seen {
  readonly hops: ChainHop[]
  readonly links: ChainLink[]
  /** What ended the call early, when something did. */
  end: { readonly where: string; readonly trace: Trace | null; readonly why: string; readonly answered: boolean } | null
}

/** Joins what each proxy on the way would do with the call, and what the two ends of a connection make of each other. */
export function chainOf(situation: Situation, question: AccessQuestion, notRead: readonly NotRead[]): TraceChain {
  const seen: Seen = { hops: [], links: [], end: null }
  const { client, server, gateway, waypoint, given } = situation
  const transport = transportOf(situation, null)
  const traced = { front: null as TracedCall | null }
  if (gateway) traced.front = addProxy(situation, seen, 'gateway', question)
  else if (client.pod) traced.front = addClient(situation, seen, client.pod, transport, question)
  // A waypoint that is named and does not exist is passed by; one that exists and has no pod is not.
  const viaWaypoint =
    waypoint !== null && (waypoint.pods.length > 0 || waypoint.gateway !== null) && passesWaypoint(situation)
  const stopped = seen.end ? null : ambientStop(situation, viaWaypoint)
  if (stopped) addStop(seen, stopped)
  if (!seen.end && viaWaypoint) {
    if (seen.hops.length > 0) seen.links.push(tunnel(seen.hops.at(-1)?.role ?? 'client', 'waypoint'))
    addProxy(situation, seen, 'waypoint', question)
  }
  if (!seen.end) addServer(situation, seen, transport, traced.front, viaWaypoint, question)
  const open = seen.hops.some(({ state }) => state === 'open') || seen.links.some(({ state }) => state === 'open')
  const unknownCaller = !gateway && client.pod === null
  const outcome = seen.end
    ? seen.end.answered
      ? 'answered'
      : 'breaks'
    : open || unknownCaller || seen.hops.length === 0
      ? 'cannot-decide'
      : 'reaches-app'
  const protocol = server.port?.protocol === 'tcp' || server.port?.protocol === 'tls' ? 'tcp' : 'http'
  return {
    kind: 'CallTrace',
    schemaVersion: '1.0',
    outcome,
    summary: summaryOf(seen, outcome, situation),
    call: {
      from: client.label ?? given.from?.text ?? (gateway ? 'outside' : null),
      to: server.label === null || server.portNumber === null ? server.label : `${server.label}:${server.portNumber}`,
      method: given.method,
      path: given.path,
      host: given.host,
      protocol,
    },
    caller: seen.end?.trace
      ? { status: seen.end.trace.status, flags: seen.end.trace.flags.filter(Boolean), details: seen.end.trace.details }
      : null,
    hops: seen.hops,
    links: seen.links,
    assumptions: [
      ...situation.assumptions,
      ...(given.method === null && protocol === 'http' ? ['the request is a GET: no --method was given'] : []),
      ...(given.path === null && protocol === 'http' ? ['the path is /: no --path was given'] : []),
      ...(unknownCaller
        ? [
            given.from
              ? `no pod of ${given.from.text} was found, so only the destination's side is shown`
              : "who calls is not known (--from), so only the destination's side is shown",
          ]
        : []),
    ],
    notRead,
  }
}

function summaryOf(seen: Seen, outcome: TraceChain['outcome'], { server }: Situation): string {
  const to = server.label ?? 'the destination'
  switch (outcome) {
    case 'reaches-app':
      return server.external ? `Leaves the mesh towards ${to}` : `Reaches the application of ${to}`
    case 'breaks':
      return `Breaks ${seen.end?.where}: ${seen.end?.why}`
    case 'answered':
      return `Answered ${seen.end?.where}, and goes no further: ${seen.end?.why}`
    case 'cannot-decide': {
      const part = seen.hops.flatMap(({ parts }) => parts).find(({ state }) => state === 'open')
      const link = seen.links.find(({ state }) => state === 'open')
      const why = part ? `${part.text}${part.why ? `: ${part.why}` : ''}` : (link?.why ?? 'who calls is not known')
      return `Cannot be followed to the end: ${why}`
    }
  }
}

/** Nobody takes the connection any further: a hop of its own, and the end of the chain. */
function addStop(seen: Seen, { role, name, proxy, where, why }: AmbientStop): void {
  const part: ChainPart = { ...plainPart('proxy', why), state: 'broken' }
  const last = seen.hops.at(-1)
  if (last?.role === role) seen.hops.splice(-1, 1, { ...last, state: 'broken', parts: [part] })
  else seen.hops.push({ role, name, proxy, state: 'broken', parts: [part] })
  seen.end = { where, trace: null, why, answered: false }
}

function addClient(
  situation: Situation,
  seen: Seen,
  pod: PodView,
  transport: Transport | null,
  question: AccessQuestion,
): TracedCall | null {
  if (pod.hasEnvoy && !transport?.excluded) return addProxy(situation, seen, 'client', question)
  const words = transport?.excluded
    ? `past its proxy: annotation ${transport.excluded.annotation} takes this call out`
    : pod.proxy === 'ambient'
      ? 'ztunnel of its node takes the connection'
      : 'no proxy: the bytes go out as the application writes them'
  seen.hops.push({
    role: 'client',
    name: `${pod.name}.${pod.namespace}`,
    proxy: pod.hasEnvoy ? 'sidecar' : pod.proxy === 'ambient' ? 'ambient' : 'no proxy',
    state: 'ok',
    parts: [plainPart('proxy', words)],
  })
  return null
}

/** A proxy whose configuration can be followed. Where it ends the call, the chain ends. */
function addProxy(
  situation: Situation,
  seen: Seen,
  role: Exclude<TracedRole, 'server'>,
  question: AccessQuestion,
): TracedCall | null {
  const traced = traceCall(situation, role)
  const pods = { client: situation.client.pods, gateway: situation.gateway?.pods, waypoint: situation.waypoint?.pods }[
    role
  ]
  const pod = traced?.pod ?? (role === 'client' ? situation.client.pod : pods?.[0]) ?? null
  const name = pod ? `${pod.name}.${pod.namespace}` : role
  if (!traced) {
    const why = pod ? "the proxy's configuration could not be read" : `no pod of the ${role} was found`
    seen.hops.push({ role, name, proxy: proxyWords(pod), state: 'open', parts: [openPart('config', why)] })
    return null
  }
  const parts = partsOf(traced.trace)
  const denied = role === 'client' ? null : addAccess(situation, parts, role, question)
  seen.hops.push({ role, name, proxy: proxyWords(pod), state: stateOf(parts), parts })
  const where = `at the ${role === 'client' ? "caller's proxy" : role}`
  if (denied) seen.end = { where, trace: null, why: denied, answered: false }
  else endOf(seen, traced.trace, where)
  return traced
}

function endOf(seen: Seen, found: Trace, where: string): void {
  if (found.outcome === 'failed') seen.end = { where, trace: found, why: found.why, answered: false }
  if (found.outcome === 'answered') seen.end = { where, trace: found, why: found.why, answered: true }
}

function addServer(
  situation: Situation,
  seen: Seen,
  transport: Transport | null,
  front: TracedCall | null,
  viaWaypoint: boolean,
  question: AccessQuestion,
): void {
  const { server } = situation
  const before = seen.hops.at(-1)?.role
  if (server.external && server.pods.length === 0) {
    seen.hops.push({
      role: 'server',
      name: server.host ?? 'outside',
      proxy: 'outside the mesh',
      state: 'ok',
      parts: [],
    })
    return
  }
  const pod = transport?.target ?? server.pod
  if (!pod) {
    const why = server.service ? `no pod is behind ${server.label}` : `nothing named ${server.label ?? 'so'} was found`
    const known = server.namespace !== null && situation.store.readable('Pod', server.namespace) === 'yes'
    seen.hops.push({
      role: 'server',
      name: server.label ?? 'the destination',
      proxy: '',
      state: known ? 'broken' : 'open',
      parts: [known ? { ...plainPart('pods', why), state: 'broken' } : openPart('pods', 'they could not be read')],
    })
    if (known) seen.end = { where: 'at the destination', trace: null, why, answered: false }
    return
  }
  // Of an unknown caller nothing is known, least of all that it sends plaintext.
  const wire = viaWaypoint ? 'hbone' : before === undefined ? 'unknown' : wireOf(front, transport)
  const link = viaWaypoint ? tunnel('waypoint', 'server') : linkOf(before ?? 'client', transport, wire, front)
  if (before && link) seen.links.push(link)
  const { parts, found } = serverParts(situation, pod, wire)
  const isRefused = before !== undefined && link?.state === 'broken'
  const denied = isRefused ? null : addAccess(situation, parts, 'server', question)
  seen.hops.push({
    role: 'server',
    name: `${pod.name}.${pod.namespace}`,
    proxy: proxyWords(pod),
    state: isRefused ? 'broken' : stateOf(parts),
    parts,
  })
  const where = `at the ${pod.proxy === 'ambient' ? 'ztunnel' : 'proxy'} of ${podLabel(pod)}`
  if (isRefused) seen.end = { where: `between the two ends`, trace: null, why: link?.why ?? '', answered: false }
  else if (denied) seen.end = { where, trace: null, why: denied, answered: false }
  else if (found) endOf(seen, found, where)
  if (!seen.end) seen.hops.push(appHop(situation, pod))
}

function appHop({ server }: Situation, pod: PodView): ChainHop {
  const port = server.port?.containerPort ?? server.portNumber
  const containers = pod.ports.filter((one) => one.port === port).map(({ container }) => container)
  const words = `port ${port ?? 'not known'}${containers[0] ? ` of container ${containers[0]}` : ''}`
  const ready = pod.ready ? 'the pod is ready' : `the pod is not ready (${pod.phase})`
  return { role: 'app', name: podLabel(pod), proxy: '', state: 'ok', parts: [plainPart('app', `${words}, ${ready}`)] }
}

/** The inbound side, asked with what really arrives: plaintext finds another filter chain than mutual TLS. */
function serverParts(situation: Situation, pod: PodView, wire: Wire): { parts: ChainPart[]; found: Trace | null } {
  if (!pod.hasEnvoy) {
    const words =
      pod.proxy === 'ambient'
        ? 'ztunnel of its node hands it on'
        : 'no proxy: the bytes reach the application as they are'
    return { parts: [plainPart('proxy', words)], found: null }
  }
  const traced = traceCall(situation, 'server')
  if (!traced) return { parts: [openPart('config', "the proxy's configuration could not be read")], found: null }
  const asked = inboundQuestion(situation, pod, wire)
  const found = asked ? trace(traced.config, asked) : traced.trace
  return { parts: partsOf(found).map((part) => withMode(part, situation, pod)), found }
}

function inboundQuestion(situation: Situation, pod: PodView, wire: Wire): Parameters<typeof trace>[1] | null {
  const { server, given } = situation
  const port = server.port?.containerPort ?? server.portNumber
  if (
    port === null ||
    pod.ip === null ||
    (wire !== 'plaintext' && wire !== 'simple-tls' && wire !== 'mutual-tls' && wire !== 'istio-mtls')
  )
    return null
  const isTcp = server.port?.protocol === 'tcp' || server.port?.protocol === 'tls'
  const host = given.host ?? server.host ?? `${pod.ip}:${port}`
  const isMesh = wire === 'istio-mtls'
  return {
    direction: 'inbound',
    connection: {
      address: pod.ip,
      port,
      tls: wire !== 'plaintext',
      ...(isMesh && server.host && server.portNumber !== null
        ? { sni: serviceSni(server.portNumber, '', server.host) }
        : {}),
      alpn: isMesh ? [...meshAlpn[isTcp ? 'tcp' : 'http']] : wire === 'plaintext' && !isTcp ? ['http/1.1'] : [],
    },
    request: isTcp
      ? null
      : { method: given.method ?? 'GET', path: given.path ?? '/', authority: host, headers: given.headers },
    normalization: situation.mesh.pathNormalization,
  }
}

/** Which filter chains there are is what PeerAuthentication makes of a port. */
function withMode(part: ChainPart, situation: Situation, pod: PodView): ChainPart {
  if (part.kind !== 'chain' || part.from !== null) return part
  const accepts = transportOf(situation, null)?.accepts
  if (!accepts || situation.server.pod?.name !== pod.name) return part
  return {
    ...part,
    from: accepts.winner ? `${objectName(accepts.winner)} (${accepts.mode})` : `${accepts.mode}, the default`,
  }
}

/** What the proxy's own configuration says it sends; where that is open, what objects make it send. */
function wireOf(front: TracedCall | null, transport: Transport | null): Wire {
  const socket = front?.trace.steps.find(({ kind }) => kind === 'transport-socket')
  const sends = socket?.facts.sends
  if (typeof sends === 'string' && sends !== 'unknown') return sends as Wire // written by mesh/upstream
  return transport?.sends?.sends ?? 'unknown'
}

function linkOf(
  from: ChainHop['role'],
  transport: Transport | null,
  wire: Wire,
  front: TracedCall | null,
): ChainLink | null {
  if (!transport) return null
  const { sends, accepts } = transport
  const socket = front?.trace.steps.find(({ kind }) => kind === 'transport-socket')
  const differs = sends !== null && sends.sends !== wire && wire !== 'unknown'
  const outcome = differs ? recomputed(transport, wire) : transport.outcome
  return {
    from,
    to: 'server',
    sends:
      wire === 'unknown' && sends === null
        ? null
        : {
            what: wireWords[wire] ?? wire,
            why: differs
              ? 'its cluster is configured so, although the objects say otherwise'
              : (sends?.why ?? 'its cluster is configured so'),
            from: sends?.decidedBy
              ? objectName(sends.decidedBy.object)
              : socket?.object
                ? objectText(socket.object)
                : null,
          },
    accepts: accepts
      ? {
          mode: accepts.mode,
          why: modeWords(accepts),
          from: accepts.winner ? objectName(accepts.winner) : null,
        }
      : transport.target.proxy === 'none' || !transport.inbound.captured
        ? { mode: 'anything', why: 'anything: no proxy stands before the application', from: null }
        : null,
    ...verdictOf(outcome),
  }
}

function recomputed(transport: Transport, wire: Wire): Handshake | null {
  const { sends, accepts, target, inbound, callerProxy } = transport
  if (!sends || !accepts) return null
  return handshake(
    { tls: { ...sends, sends: wire }, proxy: callerProxy !== 'none', portKind: 'auto', protocol: 'http' },
    {
      kind: target.proxy === 'ambient' ? 'ambient' : target.hasEnvoy && inbound.captured ? 'sidecar' : 'none',
      mode: accepts.mode,
      portKind: 'auto',
    },
  )
}

function verdictOf(outcome: Handshake | null): { state: PartState; why: string } {
  if (!outcome) return { state: 'open', why: 'the objects that decide it could not all be read' }
  const state = ({ ok: 'ok', fails: 'broken', 'app-dependent': 'open', 'cannot-decide': 'open' } as const)[
    outcome.outcome
  ]
  return { state, why: outcome.why }
}

function tunnel(from: ChainHop['role'], to: ChainHop['role']): ChainLink {
  return {
    from,
    to,
    sends: { what: wireWords.hbone ?? 'HBONE', why: 'both ends are in the ambient mesh', from: null },
    accepts: {
      mode: 'HBONE',
      why: `HBONE: the ${to === 'waypoint' ? 'waypoint' : 'ztunnel of the destination'} takes it at port 15008`,
      from: null,
    },
    state: 'ok',
    why: 'ztunnel and waypoint speak the same',
  }
}

/** What two ends make of each other, from the objects alone. */
export function linkBetween(situation: Situation): ChainLink {
  const transport = transportOf(situation, null)
  const link = transport ? linkOf('client', transport, transport.sends?.sends ?? 'unknown', null) : null
  if (link && situation.client.pod) return link
  const missing = situation.client.pod
    ? 'no pod of the destination, or no port of it, is known'
    : 'no pod of the caller was found'
  return { from: 'client', to: 'server', sends: null, accepts: link?.accepts ?? null, state: 'open', why: missing }
}

/** Puts what the policies say where they are enforced: behind the filter chain, before the route. */
function addAccess(
  situation: Situation,
  parts: ChainPart[],
  point: 'gateway' | 'waypoint' | 'server',
  question: AccessQuestion,
): string | null {
  const points = accessStages(situation, question).filter((one) => one.point === point)
  if (points.length === 0) return null
  const decided = overall(points)
  const access = decisive(points)?.access ?? null
  const concerned = access?.authorization.considered.some(({ attaches }) => attaches !== false)
  const withToken = access?.authentication.considered.some(({ attaches }) => attaches !== false)
  if (access !== null && !concerned && !withToken && decided === 'allowed') return null
  const summary = decisionSummary(points)
  const state: PartState = decided === 'denied' ? 'broken' : decided === 'cannot-decide' ? 'open' : 'ok'
  const from = access?.authorization.by?.policy ? `AuthorizationPolicy ${access.authorization.by.policy}` : null
  const part: ChainPart = { kind: 'policies', text: summary, from, state, why: null, facts: { decision: decided } }
  const last = parts.findLastIndex(({ kind }) => kind === 'filter' || kind === 'chain' || kind === 'proxy')
  // What stands behind a refusal is never reached.
  parts.splice(last + 1, state === 'broken' ? parts.length : 0, part)
  return state === 'broken' ? summary.replace(/^Denied(?: at the \w+)?: /, '') : null
}

function proxyWords(pod: PodView | null): string {
  if (!pod) return ''
  return { 'native-sidecar': 'sidecar', none: 'no proxy', 'gateway-api': 'gateway' }[pod.proxy as string] ?? pod.proxy
}

function stateOf(parts: readonly ChainPart[]): PartState {
  if (parts.some(({ state }) => state === 'broken')) return 'broken'
  return parts.some(({ state }) => state === 'open') ? 'open' : 'ok'
}

function plainPart(kind: string, text: string): ChainPart {
  return { kind, text, from: null, state: 'ok', why: null, facts: {} }
}

function openPart(kind: string, text: string): ChainPart {
  return { ...plainPart(kind, text), state: 'open' }
}
