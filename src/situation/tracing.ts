import type { EnvoyCluster } from '../../parsers/proxy-config-cluster.ts'
import type { ClusterEndpoints } from '../../parsers/proxy-config-endpoint.ts'
import type { EnvoyListener } from '../../parsers/proxy-config-listener.ts'
import type { RouteConfiguration } from '../../parsers/proxy-config-route.ts'
import { meshAlpn } from '../mesh/filter-chain.ts'
import { serviceSni } from '../mesh/names.ts'
import { type ProxyConfig, type Trace, type TraceQuestion, trace } from '../mesh/trace.ts'
import type { Line } from './exchanges.ts'
import { ipOf, portOf } from './hints.ts'
import type { PodView } from './pods.ts'
import type { Situation } from './situation.ts'

export type TracedRole = 'client' | 'gateway' | 'waypoint' | 'server'

/** What one proxy would do with this call, and which evidence each part of its configuration came from. */
export interface TracedCall {
  readonly pod: PodView
  readonly trace: Trace
  /** What was asked of it; null for a TCP connection. */
  readonly request: TraceQuestion['request']
  readonly config: ProxyConfig
  /** Entry ids, for quoting; null where that part was not read. */
  readonly entries: {
    readonly listeners: string | null
    readonly routes: string | null
    readonly clusters: string | null
    readonly endpoints: string | null
  }
}

/** Follows the call through the configuration of the role's proxy. Null when nothing of it was read. */
export function traceCall(situation: Situation, role: TracedRole): TracedCall | null {
  const pod = proxyOf(situation, role)
  return pod && traceCallAt(situation, role, pod)
}

/** As above, through the proxy of this replica. */
export function traceCallAt(situation: Situation, role: TracedRole, pod: PodView): TracedCall | null {
  const listeners = situation.of<readonly EnvoyListener[]>('listeners', pod)
  const routes = situation.of<readonly RouteConfiguration[]>('routes', pod)
  const clusters = situation.of<readonly EnvoyCluster[]>('clusters', pod)
  const endpoints = situation.of<readonly ClusterEndpoints[]>('endpoints', pod)
  if (!listeners && !routes && !clusters && !endpoints) return null
  const config: ProxyConfig = {
    listeners: listeners?.data ?? null,
    routes: routes?.data ?? null,
    clusters: clusters?.data ?? null,
    endpoints: endpoints?.data ?? null,
  }
  const question = questionOf(situation, role, pod)
  if (!question) return null
  return {
    pod,
    config,
    trace: trace(config, question),
    request: question.request,
    entries: {
      listeners: listeners?.entry ?? null,
      routes: routes?.entry ?? null,
      clusters: clusters?.entry ?? null,
      endpoints: endpoints?.entry ?? null,
    },
  }
}

function proxyOf(situation: Situation, role: TracedRole): PodView | null {
  const asked = (pods: readonly PodView[]) =>
    pods.find(
      (pod) => situation.of('listeners', pod) ?? situation.of('routes', pod) ?? situation.of('clusters', pod),
    ) ?? null
  switch (role) {
    case 'client':
      return asked(situation.client.pods)
    case 'server':
      return asked(situation.server.pods)
    case 'gateway': {
      // Replicas may hold different routes: the one that failed is meant.
      const failed = situation.sample?.gateway?.pod
      return asked([...(failed ? [failed] : []), ...(situation.gateway?.pods ?? [])])
    }
    case 'waypoint':
      return asked(situation.waypoint?.pods ?? [])
  }
}

function questionOf(situation: Situation, role: TracedRole, pod: PodView): TraceQuestion | null {
  const { given, hints, server, sample } = situation
  const line = lineAt(situation, role)
  const request = requestAt(situation)
  const isTcp = line ? line.record.kind === 'tcp' : server.port?.protocol === 'tcp' || server.port?.protocol === 'tls'
  const normalization = situation.mesh.pathNormalization
  if (role === 'server') {
    const port = server.port?.containerPort ?? portOf(line?.record.downstreamLocal ?? null) ?? server.portNumber
    if (port === null || pod.ip === null) return null
    const plaintext = line ? line.record.sni === null : situation.client.pod !== null && !situation.client.pod.hasEnvoy
    const mesh = server.host !== null && server.portNumber !== null && !plaintext
    const connection = mesh
      ? {
          address: pod.ip,
          port,
          tls: true,
          sni: serviceSni(server.portNumber ?? port, '', server.host ?? ''),
          alpn: [...meshAlpn[isTcp ? 'tcp' : 'http']],
        }
      : { address: pod.ip, port, tls: false, alpn: isTcp ? [] : ['http/1.1'] }
    return { direction: 'inbound', connection, request: isTcp ? null : request, normalization }
  }
  if (role === 'gateway') {
    // Only a connection with TLS carries a server name.
    const sni = line?.record.sni ?? null
    const tls = situation.symptom === 'tls' || sni !== null || (line === null && hints.port === 443)
    const local = line?.record.downstreamLocal ?? null
    const port = portOf(local) ?? gatewayPort(situation, tls)
    if (port === null) return null
    const name = sni ?? given.host ?? hints.authority
    return {
      direction: 'gateway',
      connection: {
        address: ipOf(local) ?? pod.ip ?? '0.0.0.0',
        port,
        tls,
        ...(tls && name ? { sni: name.replace(/:\d+$/, '') } : {}),
        alpn: tls ? ['h2', 'http/1.1'] : ['http/1.1'],
      },
      request: { ...request, scheme: tls ? 'https' : 'http' },
      normalization,
    }
  }
  if (role === 'waypoint') {
    const address = clusterIp(situation)
    if (address === null || server.portNumber === null) return null
    return {
      direction: 'inbound',
      connection: { address, port: server.portNumber, tls: false, alpn: isTcp ? [] : ['http/1.1'] },
      request: isTcp ? null : request,
      normalization,
    }
  }
  // What the line says was dialled wins; else the service's address.
  const local = sample?.client?.record.downstreamLocal ?? line?.record.downstreamLocal ?? null
  const address = ipOf(local) ?? clusterIp(situation)
  const port = portOf(local) ?? server.portNumber
  if (port === null) return null
  return {
    direction: 'outbound',
    // A host outside the mesh has no address here; HTTP listeners take any.
    connection: { address: address ?? '192.0.2.1', port, tls: false, alpn: isTcp ? [] : ['http/1.1'] },
    request: isTcp ? null : request,
    normalization,
  }
}

function lineAt(situation: Situation, role: TracedRole): Line | null {
  const { sample } = situation
  const failing = sample
    ? { client: sample.client, gateway: sample.gateway, waypoint: sample.waypoint, server: sample.server }[role]
    : null
  return failing ?? situation.linesAt(role).at(-1) ?? null
}

function requestAt(situation: Situation): NonNullable<TraceQuestion['request']> {
  const { given, hints, server, sample } = situation
  const record =
    sample?.client?.record ?? sample?.gateway?.record ?? sample?.waypoint?.record ?? sample?.server?.record ?? null
  const shortHost = server.host?.replace(/\.svc\.cluster\.local$/, '') ?? ''
  const host = record?.authority ?? given.host ?? hints.authority ?? shortHost
  return {
    method: given.method ?? hints.method ?? record?.method ?? 'GET',
    path: given.path ?? hints.path ?? record?.path ?? '/',
    authority:
      server.portNumber === null || server.portNumber === 80 || host.includes(':')
        ? host
        : `${host}:${server.portNumber}`,
    headers: given.headers,
  }
}

function clusterIp({ server }: Situation): string | null {
  const address: unknown = server.service?.object.spec?.clusterIP
  return typeof address === 'string' && address !== 'None' && address !== '' ? address : null
}

/** The port the gateway's pod listens on, for the port the caller dialled: its Service maps one to the other. */
function gatewayPort(situation: Situation, tls: boolean): number | null {
  const dialled = situation.hints.port ?? (tls ? 443 : 80)
  for (const { object } of situation.store.list('Service')) {
    const selector: Readonly<Record<string, string>> = object.spec?.selector ?? {}
    const entries = Object.entries(selector)
    if (
      entries.length === 0 ||
      !situation.gateway?.pods.some(
        (pod) =>
          pod.namespace === object.metadata.namespace && entries.every(([key, value]) => pod.labels[key] === value),
      )
    )
      continue
    const ports: readonly { port: number; targetPort?: number | string }[] = object.spec?.ports ?? []
    const match = ports.find(({ port }) => port === dialled)
    if (match)
      return typeof match.targetPort === 'number'
        ? match.targetPort
        : match.targetPort === undefined
          ? match.port
          : null
  }
  return null
}
