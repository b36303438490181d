import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { clientTls, type MtlsMode, type TlsEndpoint } from '../../src/mesh/client-tls.ts'
import { type ExpectedLine, handshake, type PortKind } from '../../src/mesh/handshake.ts'
import { domainsOf, matchDomain, serviceHost } from '../../src/mesh/hosts.ts'
import { outboundCapture } from '../../src/mesh/traffic-capture.ts'
import { hasShared, readJson, sharedFolder } from '../helpers/shared.ts'

const folder = join(sharedFolder, 'oracle/handshake')
const files = hasShared ? readdirSync(folder).filter((file) => file.endsWith('.json')) : []

/** Agreement by area: `p`, `n`, `d`, `m` as the oracle names its sets. */
const counts: Record<string, { agree: number; undecided: number; wrong: number; lines: number; lineChecks: number }> =
  {}
afterAll(() => {
  if (hasShared) console.log(`oracle handshake: ${JSON.stringify(counts)}`)
})

describe.skipIf(!hasShared)('a real mesh agrees about handshakes', () => {
  test.each(files)('%s', (file) => {
    const set = readJson(join(folder, file))
    for (const entry of set.cases) {
      // A DestinationRule of mode MUTUAL with missing files acts on what the proxy had before: not for objects alone.
      const { prediction, cluster } = predict(set, entry)
      counts[file[0]!] ??= { agree: 0, undecided: 0, wrong: 0, lines: 0, lineChecks: 0 }
      const area = counts[file[0]!]!
      if (prediction.outcome === 'cannot-decide') {
        expect(file[0], `${entry.id}: only mode MUTUAL may stay open`).toBe('m')
        area.undecided += 1
        continue
      }
      const { observed } = entry
      const seen = JSON.stringify({ id: entry.id, prediction, observed })
      if ((prediction.outcome === 'ok') === observed.ok) area.agree += 1
      else area.wrong += 1
      expect(prediction.outcome, seen).toBe(observed.ok ? 'ok' : 'fails')
      if (observed.ok && observed.wire !== 'unknown') expect(wireNames[prediction.wire!], seen).toBe(observed.wire)
      if (!observed.ok) {
        area.lineChecks += 2
        area.lines += compare(prediction.clientLine, observed.client ?? null, `client of ${seen}`)
        area.lines += compare(prediction.serverLine, observed.server ?? null, `server of ${seen}`)
      }
      // TCP to a pod behind several headless services: the listener of the oldest answers, and the objects do not tell its age.
      if (entry.request.destination.headless && entry.request.protocol === 'tcp') continue
      if (observed.client && cluster) expect(observed.client.cluster, seen).toBe(cluster)
    }
  })
})

const wireNames: Record<string, string> = {
  'istio-mtls': 'istio-mtls',
  plaintext: 'plaintext',
  'tls-to-app': 'tls-to-app',
  'app-tls-inside-istio-mtls': 'istio-mtls, inside it TLS of the app',
}

function compare(expected: ExpectedLine | null | undefined, line: any, where: string): number {
  if (expected === undefined) return 0
  if (expected === null) {
    expect(line, where).toBeNull()
    return 1
  }
  expect(line, where).not.toBeNull()
  const dash = (value: unknown) => (value === '-' || value === undefined ? null : value)
  expect(line.flags === '-' ? [] : line.flags.split(','), where).toEqual(expected.flags)
  expect(Number(line.code), where).toBe(expected.code)
  if (expected.details === null) expect(dash(line.details), where).toBeNull()
  else expect(line.details, where).toContain(expected.details)
  if (expected.transportFailure === null) expect(dash(line.transportFailure), where).toBeNull()
  else expect(line.transportFailure, where).toContain(expected.transportFailure)
  return 1
}

function predict(set: any, entry: any) {
  const { request } = entry
  const { pods, services } = set.workloads
  const clientPod = pods[entry.client]
  const { destination } = request
  const selected = services.find((one: any) => serviceHost(one.name, one.namespace) === destination.service)
  const serverName = entry.server ?? Object.keys(pods).find((name) => pods[name].labels.app === selected.selector.app)!
  const serverPod = pods[serverName]
  const proxy =
    clientPod.sidecar && outboundCapture(clientPod.annotations ?? {}, destination.port, destination.ip).captured
  const mode = (set.effectiveModes?.[destination.targetPort] ?? set.effectiveModes?.['*'] ?? 'PERMISSIVE') as MtlsMode
  const endpoint: TlsEndpoint = {
    labels: serverPod.labels,
    effectiveMode: serverPod.sidecar ? mode : 'PERMISSIVE',
  }
  // A sidecar finds HTTP services by Host, TCP services by address.
  const known =
    request.protocol === 'tcp' ||
    matchDomain(
      request.host,
      [domainsOf(destination.service, clientPod.namespace, [selected.clusterIP], { headless: destination.headless })],
      true,
    ) >= 0
  const virtual = set.objects.find(
    (object: any) => object.kind === 'VirtualService' && object.spec.hosts.includes(destination.service),
  )
  const subset = virtual ? subsetFor(virtual.spec, request.protocol, destination.port) : ''
  const tls = clientTls({
    rules: set.objects.filter((object: any) => object.kind === 'DestinationRule'),
    mesh: set.mesh,
    client: { namespace: clientPod.namespace, labels: clientPod.labels, proxy: proxy ? 'sidecar' : 'none' },
    service: known
      ? {
          host: destination.service,
          namespace: selected.namespace,
          headless: destination.headless === true,
          namespaceMode: namespaceMode(set, selected.namespace),
        }
      : null,
    port: destination.port,
    subset,
    endpoint,
  })
  const portKind = kindOf(destination.portName)
  const prediction = handshake(
    {
      tls,
      proxy,
      portKind,
      protocol: request.protocol,
      ...(request.appTls ? { appTls: request.appTls } : {}),
      ...(tls.mode === 'MUTUAL' ? { ownCertificate: 'unreadable' as const } : {}),
    },
    {
      kind: serverPod.sidecar ? 'sidecar' : 'none',
      mode,
      portKind,
      identities: [`spiffe://${set.mesh.trustDomain}/ns/${serverPod.namespace}/sa/${serverPod.serviceAccount}`],
      // The oracle's servers answer TLS on every port with a certificate of their own.
      app: { tls: true, trusted: false },
    },
  )
  const bypass = request.appTls && portKind === 'http'
  const cluster =
    !known || bypass ? 'PassthroughCluster' : `outbound|${destination.port}|${subset}|${destination.service}`
  return { prediction, cluster: proxy ? cluster : null }
}

function kindOf(portName: string): PortKind {
  if (portName.startsWith('http')) return 'http'
  return portName.startsWith('tcp') ? 'tcp' : 'auto'
}

function subsetFor(spec: any, protocol: string, port: number): string {
  const routes = (protocol === 'tcp' ? spec.tcp : spec.http) ?? []
  const hit = routes.find(
    (route: any) => !route.match || route.match.some((match: any) => !match.port || match.port === port),
  )
  return hit?.route?.[0]?.destination?.subset ?? ''
}

/** Namespace over mesh, workload and port policies left out: what the client's side can see. */
function namespaceMode(set: any, namespace: string): MtlsMode {
  const level = (where: string) =>
    set.objects.find(
      (object: any) =>
        object.kind === 'PeerAuthentication' &&
        object.metadata.namespace === where &&
        Object.keys(object.spec.selector?.matchLabels ?? {}).length === 0,
    )?.spec.mtls?.mode
  const said = [level(namespace), level(set.mesh.rootNamespace)].find((mode) => mode && mode !== 'UNSET')
  return said ?? 'PERMISSIVE'
}
