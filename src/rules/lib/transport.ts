import { type ClientTls, clientTls, type TlsQuestion } from '../../mesh/client-tls.ts'
import { type Handshake, type HandshakeServer, handshake, type PortKind } from '../../mesh/handshake.ts'
import { type ClusterName, parseClusterName } from '../../mesh/names.ts'
import { type PeerAuth, peerAuth } from '../../mesh/peer-auth.ts'
import { type CaptureVerdict, inboundCapture, outboundCapture } from '../../mesh/traffic-capture.ts'
import type { Quote } from '../../model/evidence.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Exchange, Line } from '../../situation/exchanges.ts'
import { ipOf, portOf } from '../../situation/hints.ts'
import type { PodView } from '../../situation/pods.ts'
import { mtlsOf, workloadOf } from '../../situation/security.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'

/** Both ends' part in one connection: what the caller's side sends, what the destination's side accepts, what comes of it. */
export interface Transport {
  readonly caller: PodView | null
  /** `none`: the caller's bytes go out as they are. */
  readonly callerProxy: TlsQuestion['client']['proxy']
  /** Why a caller with a proxy is not captured for this address and port. */
  readonly excluded: CaptureVerdict | null
  readonly target: PodView
  /** The container's port. */
  readonly port: number
  readonly inbound: CaptureVerdict
  /** Null when the policies could not all be read. */
  readonly accepts: PeerAuth | null
  /** Null when the rules that decide it could not all be read. */
  readonly sends: ClientTls | null
  readonly outcome: Handshake | null
}

/** Null when an end is not known. `exchange` says which pods and which cluster took part, where lines were read. */
export function transportOf(situation: Situation, exchange: Exchange | null): Transport | null {
  const target = targetOf(situation, exchange)
  const port = portOfCall(situation, exchange)
  if (!target || port === null) return null
  const caller = callerOf(situation, exchange)
  const { callerProxy, excluded } = callerSide(situation, caller)
  const accepts = acceptsOf(situation, target, port)
  const inbound = inboundCapture(target.annotations, port)
  const cluster = clusterOf(exchange)
  const sends = sendsOf(situation, { caller, callerProxy, target, cluster, accepts })
  const server: HandshakeServer = {
    kind: target.proxy === 'ambient' ? 'ambient' : target.hasEnvoy && inbound.captured ? 'sidecar' : 'none',
    mode: accepts?.mode ?? 'PERMISSIVE',
    portKind: portKindOf(situation),
  }
  const isTcp = portKindOf(situation) === 'tcp'
  const outcome =
    sends && (accepts || server.kind === 'none')
      ? handshake(
          { tls: sends, proxy: callerProxy !== 'none', portKind: server.portKind, protocol: isTcp ? 'tcp' : 'http' },
          server,
        )
      : null
  return { caller, callerProxy, excluded, target, port, inbound, accepts, sends, outcome }
}

/** A policy of the pod's own namespace beats the mesh's: then the root namespace need not have been read. */
export function acceptsOf(situation: Situation, target: PodView, port: number): PeerAuth | null {
  const whole = mtlsOf(situation, target, port)
  if (whole || situation.store.readable('PeerAuthentication', target.namespace) !== 'yes') return whole
  const own = peerAuth(workloadOf(target), port, situation.store.objects('PeerAuthentication'), situation.mesh)
  return own.level === 'mesh' || own.level === 'default' ? null : own
}

function targetOf(situation: Situation, exchange: Exchange | null): PodView | null {
  const upstream = situation.podByIp(ipOf(exchange?.client?.record.upstreamHost ?? null))
  const gatewayUpstream = situation.podByIp(ipOf(exchange?.gateway?.record.upstreamHost ?? null))
  const seen = exchange?.server?.pod ?? upstream ?? gatewayUpstream
  return seen ?? situation.server.pod ?? situation.server.meant
}

function portOfCall({ server }: Situation, exchange: Exchange | null): number | null {
  const front = exchange?.client ?? exchange?.gateway ?? null
  return (
    portOf(exchange?.server?.record.downstreamLocal ?? null) ??
    portOf(front?.record.upstreamHost ?? null) ??
    server.port?.containerPort ??
    server.portNumber
  )
}

/** The pod that opened the connection: by the address in the destination's line before by name. */
export function callerOf(situation: Situation, exchange: Exchange | null): PodView | null {
  const seen = situation.podByIp(ipOf(exchange?.server?.record.downstreamRemote ?? null))
  const gateway = exchange?.gateway?.pod ?? (situation.gateway?.pods[0] || null)
  return seen ?? exchange?.client?.pod ?? situation.client.pod ?? gateway
}

function callerSide(
  situation: Situation,
  caller: PodView | null,
): { callerProxy: Transport['callerProxy']; excluded: CaptureVerdict | null } {
  if (!caller) return { callerProxy: situation.gateway ? 'gateway' : 'none', excluded: null }
  switch (caller.proxy) {
    case 'none':
      return { callerProxy: 'none', excluded: null }
    case 'ambient':
    case 'ztunnel':
      return { callerProxy: 'ztunnel', excluded: null }
    case 'waypoint':
      return { callerProxy: 'waypoint', excluded: null }
    case 'gateway':
    case 'gateway-api':
      return { callerProxy: 'gateway', excluded: null }
    default: {
      const excluded = exclusionOf(situation, caller)
      return { callerProxy: excluded ? 'none' : 'sidecar', excluded }
    }
  }
}

/** The annotation that keeps this call away from the caller's own proxy: it dials the Service's address and port. */
export function exclusionOf(situation: Situation, caller: PodView): CaptureVerdict | null {
  const { server } = situation
  if (server.portNumber === null) return null
  const address: unknown = server.service?.object.spec?.clusterIP
  const dialled = typeof address === 'string' && address !== 'None' ? address : (server.pod?.ip ?? null)
  if (dialled === null) return null
  const verdict = outboundCapture(caller.annotations, server.portNumber, dialled)
  return verdict.captured ? null : verdict
}

export function clusterOf(exchange: Exchange | null): ClusterName | null {
  const line = exchange?.client ?? exchange?.gateway ?? exchange?.waypoint ?? null
  return line?.record.upstreamCluster ? parseClusterName(line.record.upstreamCluster) : null
}

/** The proxy knew no service for what was dialled. */
export function isPassedThrough({ record }: Line): boolean {
  return record.upstreamCluster !== null && parseClusterName(record.upstreamCluster).role === 'passthrough'
}

/** The address of the Service itself was dialled, not that of a pod. */
export function dialsService({ server }: Situation, { record }: Line): boolean {
  const spec = server.service?.object.spec
  const own: readonly unknown[] = [spec?.clusterIP, ...(spec?.clusterIPs ?? [])]
  const dialled = ipOf(record.upstreamHost) ?? ipOf(record.downstreamLocal)
  return dialled !== null && own.includes(dialled)
}

function portKindOf({ server }: Situation): PortKind {
  switch (server.port?.protocol) {
    case 'http':
      return 'http'
    case 'tcp':
    case 'tls':
      return 'tcp'
    default:
      return 'auto'
  }
}

interface SendsInput {
  readonly caller: PodView | null
  readonly callerProxy: Transport['callerProxy']
  readonly target: PodView
  readonly cluster: ClusterName | null
  readonly accepts: PeerAuth | null
}

function sendsOf(situation: Situation, input: SendsInput): ClientTls | null {
  const { caller, callerProxy, target, cluster, accepts } = input
  const { server, store, mesh } = situation
  const host = cluster?.role === 'outbound' && cluster.host !== '' ? cluster.host : server.host
  const port = cluster?.port ?? server.portNumber
  if (port === null) return null
  const spec = server.service?.object.spec
  const isPassthrough = cluster?.role === 'passthrough'
  // A DestinationRule says what is sent whatever the destination accepts; auto mTLS needs the mode.
  const endpoint = {
    labels: target.labels,
    effectiveMode: accepts?.mode ?? ('PERMISSIVE' as const),
    hbone: target.proxy === 'ambient' || target.labels['networking.istio.io/tunnel'] === 'http',
  }
  const sends = clientTls({
    rules: store.objects('DestinationRule'),
    mesh,
    client: {
      namespace: caller?.namespace ?? situation.rootNamespace,
      labels: caller?.labels ?? {},
      gateway: callerProxy === 'gateway' || callerProxy === 'waypoint',
      proxy: callerProxy,
    },
    service:
      isPassthrough || host === null
        ? null
        : {
            host,
            namespace: host.split('.')[1] ?? server.namespace ?? target.namespace,
            headless: spec?.clusterIP === 'None',
            ...(accepts ? { namespaceMode: namespaceMode(situation, target) } : {}),
          },
    port,
    ...(cluster?.subset ? { subset: cluster.subset } : {}),
    endpoint,
    endpoints: server.pods.map((pod) => ({ ...endpoint, labels: pod.labels })),
  })
  const isCertain = callerProxy === 'none' || rulesReadable(situation, caller?.namespace ?? null, sends)
  return isCertain ? sends : null
}

function namespaceMode(situation: Situation, target: PodView) {
  const anybody = { ...workloadOf(target), labels: {} }
  return peerAuth(anybody, null, situation.store.objects('PeerAuthentication'), situation.mesh).mode
}

/** The caller's namespace is asked first, then the destination's, then the root: one unread before the winner makes it a guess. */
function rulesReadable(situation: Situation, callerNamespace: string | null, { rule }: ClientTls): boolean {
  const { store, server, rootNamespace } = situation
  const tiers = [callerNamespace, server.namespace, rootNamespace]
  const winner = rule?.objects[0]?.metadata.namespace ?? null
  const asked = winner === null ? tiers : tiers.slice(0, tiers.indexOf(winner) + 1)
  return asked.every((name) => name === null || store.readable('DestinationRule', name) === 'yes')
}

/** The destination's proxy had no filter chain for what arrived, and no SNI was offered: plaintext at a port that wants mTLS. */
export function refusedPlaintext(line: Line | null): boolean {
  if (line === null || line.record.sni !== null) return false
  const { details, flags, method, code, upstreamCluster } = line.record
  // Up to 1.20 such a line has the flag alone.
  const bare =
    details === null && flags.includes('NR') && method === null && (code ?? 0) === 0 && upstreamCluster === null
  return details === 'filter_chain_not_found' || bare
}

/** Exchanges of this call that ended so, the latest last. Symptoms that no line can show count all of them. */
export function plaintextRefusals(situation: Situation): readonly Exchange[] {
  const pool = situation.failing.length > 0 ? situation.failing : situation.exchanges
  return pool.filter(({ server }) => refusedPlaintext(server))
}

export function modeText(accepts: PeerAuth): string {
  const { winner, mode } = accepts
  return winner ? `PeerAuthentication ${nameOf(winner)} sets ${mode}` : `no PeerAuthentication sets a mode, so ${mode}`
}

/** What the destination accepts: the policy that says so, or the pod that no policy names. */
export function quoteMode({ store }: Situation, { accepts, target }: Pick<Transport, 'accepts' | 'target'>): Quote {
  const winner = accepts?.winner ?? null
  const stored = winner
    ? store.get('PeerAuthentication', winner.metadata.namespace ?? null, winner.metadata.name)
    : null
  const words = accepts ? modeText(accepts) : 'the mode was not read'
  return stored ? quoteObject(stored, words, stored.object.spec) : quote(target.entry, words)
}

/** What decided the caller's side, when an object did. */
export function quoteRule({ store }: Situation, rule: KubeObject): Quote | null {
  const stored = store.get('DestinationRule', rule.metadata.namespace ?? null, rule.metadata.name)
  return stored ? quoteObject(stored, `what ${nameOf(rule)} says`, stored.object.spec) : null
}

export function nameOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}
