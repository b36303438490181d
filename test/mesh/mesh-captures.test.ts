import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type AnsweredByInput, answeredBy } from '../../src/mesh/answered-by.ts'
import { explainText } from '../../src/mesh/explain.ts'
import { lineVerdict } from '../../src/mesh/line-writer.ts'
import type { AccessLogRecord, ZtunnelRecord } from '../../src/model/access-log.ts'
import { Layer } from '../../src/model/layer.ts'
import { captures, hasShared, meshesFolder, readJson, readMaybeGzipped } from '../helpers/shared.ts'
import { readAccessLine, readCurl, readZtunnelLine } from './read-lines.ts'

interface Pod {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly ip: string
  readonly hasProxy: boolean
  readonly records: readonly AccessLogRecord[]
}

describe.skipIf(!hasShared)('recorded meshes', () => {
  test('every access-log and ztunnel line gets an explanation with a layer', () => {
    let lines = 0
    for (const capture of captures) {
      for (const text of proxyLogs(capture)) {
        for (const line of text.split('\n')) {
          if (!readAccessLine(line) && !readZtunnelLine(line)) continue
          lines++
          const explained = explainText(line, { accessLog: readAccessLine, ztunnel: readZtunnelLine })
          expect(explained.recognised, line).toHaveLength(1)
          expect(Layer.safeParse(explained.layer).success, line).toBe(true)
          expect(explained.answer.length, line).toBeGreaterThan(40)
          expect(explained.unknown, line).toEqual([])
        }
      }
    }
    expect(lines).toBeGreaterThan(500)
  })

  test('who answered is found from the lines of both sides and what the caller saw', () => {
    const rows = captures
      .filter((capture) => existsSync(join(meshesFolder, capture, 'scenario.json')))
      .map((capture) => ({ capture, ...judge(capture) }))
      .filter((row) => row.expected !== undefined)
    console.table(
      rows.map(({ capture, expected, hop, certainty, supports }) => ({ capture, expected, hop, certainty, supports })),
    )
    const wrong = rows.filter((row) => !row.expected.split('|').includes(row.hop))
    expect(wrong).toEqual([])
    expect(rows.length).toBeGreaterThan(30)
  })
})

function judge(capture: string) {
  const scenario = readJson(join(meshesFolder, capture, 'scenario.json'))
  const input = inputOf(capture, scenario)
  const { hop, certainty, because, supports } = answeredBy(input)
  return { expected: scenario.expect?.answeredBy, hop, certainty, because, supports: supports.join(' ') }
}

/** Puts together what a walk would have found about the failing call. */
function inputOf(capture: string, scenario: any): AnsweredByInput {
  const { call } = scenario
  const pods = podsOf(capture)
  const services = objects(capture, 'services')
  const seen = readCurl(readMaybeGzipped(join(meshesFolder, capture, 'client/1.txt')))
  const fits = (record: AccessLogRecord) => aboutTheCall(record, call, seen)
  const client = call.from === 'unknown' ? null : podsNamed(pods, call.from)
  const server = podsBehind(pods, services, call.to)
  const gateways =
    client === null
      ? pods.filter(
          (pod) => pod.labels.istio === 'ingressgateway' || pod.labels['gateway.networking.k8s.io/gateway-name'],
        )
      : []
  const waypoints = pods.filter((pod) => pod.labels['gateway.istio.io/managed'] === 'istio.io-mesh-controller')
  const clientIps = (client ?? []).map((pod) => pod.ip)
  const clientLine = pairedFirst(client ?? [], server, fits)
  const near = (record: AccessLogRecord) =>
    fits(record) &&
    (clientLine?.requestId
      ? record.requestId === clientLine.requestId || sameConnection(clientLine, record)
      : clientIps.some((ip) => record.downstreamRemote?.startsWith(`${ip}:`)) || client === null)
  const serverLine = server.flatMap((pod) => pod.records).find(near)
  const tunnels = ztunnelRecords(capture).filter((line) =>
    clientIps.some((ip) => line.srcAddress?.startsWith(`${ip}:`)),
  )
  return {
    clientLine,
    gatewayLine: gateways.flatMap((pod) => pod.records).find(fits),
    waypointLine: waypoints.flatMap((pod) => pod.records).find(fits),
    serverLine,
    ztunnelLines: seen?.error ? tunnels.filter((line) => line.error !== null) : tunnels,
    response: seen?.status ? seen : undefined,
    curlError: seen?.error ?? undefined,
    clientHasProxy: client === null ? undefined : client.some((pod) => pod.hasProxy),
    serverHasProxy: server.length === 0 ? undefined : server.some((pod) => pod.hasProxy),
    throughGateway: client === null,
    serverLogReadable: server.some((pod) => pod.hasProxy),
  }
}

/** What the caller saw tells which lines are about another request: a 200 in the log is not the call that timed out. */
function aboutTheCall(record: AccessLogRecord, call: any, seen: ReturnType<typeof readCurl>): boolean {
  if (record.kind === 'tcp')
    return seen?.status === null && record.flags.every((flag) => flag !== 'NR' || record.details !== null)
  if (record.path?.split('?')[0] !== call.path || record.method !== call.method) return false
  return seen?.status === null || seen === null
    ? lineVerdict(record) !== 'passed-on'
    : record.code === seen.status || record.code === 0
}

function sameConnection(client: AccessLogRecord, server: AccessLogRecord): boolean {
  return client.upstreamLocal !== null && client.upstreamLocal === server.downstreamRemote
}

/** A client line whose request also has a server line, else any. */
function pairedFirst(
  client: readonly Pod[],
  server: readonly Pod[],
  fits: (record: AccessLogRecord) => boolean,
): AccessLogRecord | undefined {
  const lines = client.flatMap((pod) => pod.records).filter(fits)
  const theirs = server.flatMap((pod) => pod.records)
  return (
    lines.find((line) => line.requestId !== null && theirs.some((other) => other.requestId === line.requestId)) ??
    lines[0]
  )
}

function podsNamed(pods: readonly Pod[], target: string): Pod[] {
  const [, kind = '', name = '', namespace = ''] = /^(\w+)\/([^.]+)\.(.+)$/.exec(target) ?? []
  return pods.filter(
    (pod) => pod.namespace === namespace && (kind === 'pod' ? pod.name === name : pod.name.startsWith(`${name}-`)),
  )
}

function podsBehind(pods: readonly Pod[], services: readonly any[], target: string): Pod[] {
  const [, name = '', namespace = ''] = /^svc\/([^.]+)\.([^:]+)/.exec(target) ?? []
  const selector: Record<string, string> | undefined = services.find(
    (service) => service.metadata.name === name && service.metadata.namespace === namespace,
  )?.spec.selector
  if (!selector) return []
  return pods.filter(
    (pod) => pod.namespace === namespace && Object.entries(selector).every(([key, value]) => pod.labels[key] === value),
  )
}

function podsOf(capture: string): Pod[] {
  return objects(capture, 'pods').map((pod) => {
    const { name, namespace, labels = {} } = pod.metadata
    const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
    const log = join(meshesFolder, capture, 'logs', namespace, name, 'istio-proxy.log')
    const text = existsSync(log) || existsSync(`${log}.gz`) ? readMaybeGzipped(log) : ''
    return {
      name,
      namespace,
      labels,
      ip: pod.status?.podIP ?? 'none',
      hasProxy: containers.some((container: any) => container.name === 'istio-proxy'),
      records: text.split('\n').flatMap((line) => readAccessLine(line) ?? []),
    }
  })
}

function objects(capture: string, kind: string): any[] {
  return readJson(join(meshesFolder, capture, 'objects', `${kind}.json`)).items
}

function ztunnelRecords(capture: string): ZtunnelRecord[] {
  return proxyLogs(capture).flatMap((text) => text.split('\n').flatMap((line) => readZtunnelLine(line) ?? []))
}

function proxyLogs(capture: string): string[] {
  const folder = join(meshesFolder, capture, 'logs')
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((path) => /\/istio-proxy(\.previous)?\.log(\.gz)?$/.test(path))
    .map((path) => readMaybeGzipped(join(folder, path)))
}
