import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import accessLog, { type AccessLogItem } from '../../parsers/access-log.ts'
import { isZtunnelRecord, parseZtunnelLine } from '../../parsers/ztunnel-log.ts'
import { decideAccess } from '../../src/mesh/access-decision.ts'
import { type AuthzRequest, authorize } from '../../src/mesh/authorize.ts'
import { type MeshConfig, readMeshConfig } from '../../src/mesh/mesh-config.ts'
import { peerAuth } from '../../src/mesh/peer-auth.ts'
import { classifyPod, identityOf, type Workload } from '../../src/mesh/workload.ts'
import type { AccessLogRecord, ZtunnelRecord } from '../../src/model/access-log.ts'
import type { KubeObject } from '../../src/model/kube.ts'
import { captures, hasShared, meshesFolder, readJson, readMaybeGzipped } from '../helpers/shared.ts'

interface Capture {
  readonly name: string
  readonly workloads: readonly Workload[]
  readonly services: readonly KubeObject[]
  readonly policies: readonly KubeObject[]
  readonly mesh: MeshConfig
}

function load(name: string): Capture {
  const objects = (plural: string): KubeObject[] => {
    const path = join(meshesFolder, name, 'objects', `${plural}.json`)
    return existsSync(path) || existsSync(`${path}.gz`) ? readJson(path).items : []
  }
  const config = objects('configmaps').find(({ metadata, data }) => metadata.name === 'istio' && data?.mesh)
  return {
    name,
    workloads: objects('pods').map((pod) => classifyPod(pod).workload),
    services: objects('services'),
    policies: ['authorizationpolicies', 'requestauthentications', 'peerauthentications'].flatMap((kind) =>
      objects(`${kind}.security.istio.io`),
    ),
    mesh: readMeshConfig(parseYaml(config?.data.mesh ?? ''), config?.metadata.namespace),
  }
}

function logOf(capture: string, workload: Workload): string {
  const path = join(meshesFolder, capture, 'logs', workload.namespace, workload.name, 'istio-proxy.log')
  return existsSync(path) || existsSync(`${path}.gz`) ? readMaybeGzipped(path) : ''
}

const loaded = hasShared ? captures.map(load) : []

describe.skipIf(!hasShared)('captured logs agree with what the captured objects say', () => {
  test('sidecars and waypoints', () => {
    const counts: Record<string, number> = {}
    const wrong: string[] = []
    for (const capture of loaded)
      for (const server of capture.workloads)
        for (const record of recordsOf(logOf(capture.name, server))) {
          const seen = whatWasSeen(record)
          if (seen === null || !record.upstreamCluster?.startsWith('inbound')) continue
          const request = requestFrom(record, server, capture)
          const now = Date.parse(record.time ?? '') / 1000
          const { decision: ours, details } = decideAccess(request, capture.policies, server, capture.mesh, now)
          const result = ours === 'cannot-decide' ? 'open' : ours === seen.decision ? 'agree' : 'wrong'
          const kind = `${server.proxy} ${seen.decision} ${result}`
          counts[kind] = (counts[kind] ?? 0) + 1
          if (result === 'wrong' || (details !== null && details !== seen.text))
            wrong.push(`${capture.name}: ${ours} ${details}, but ${record.raw}`)
        }
    console.log('lines of sidecars and waypoints', counts)
    expect(wrong).toEqual([])
  })

  test('ztunnels', () => {
    const counts: Record<string, number> = {}
    const wrong: string[] = []
    for (const capture of loaded)
      for (const node of capture.workloads.filter(({ proxy }) => proxy === 'ztunnel'))
        for (const line of logOf(capture.name, node).split('\n')) {
          const record = parseZtunnelLine(line)
          if (!record || !isZtunnelRecord(record) || record.direction !== 'inbound') continue
          const server = capture.workloads.find(
            ({ namespace, name }) => namespace === record.dstNamespace && name === record.dstWorkload,
          )
          if (server?.proxy !== 'ambient') continue
          const real = record.error?.includes('policy rejection') ? 'denied' : record.error ? null : 'allowed'
          if (real === null) continue
          const request = requestFromZtunnel(record)
          const { decision, ztunnelText } = authorize(request, capture.policies, server, capture.mesh)
          const peer = peerAuth(server, request.destinationPort ?? null, capture.policies, capture.mesh)
          const byPeer = request.sourcePrincipal === null && peer.ambient?.refusesPlaintext === true
          const ours = byPeer ? 'denied' : decision
          const text = byPeer
            ? `connection closed due to policy rejection: explicitly denied by: ${peer.ambient?.deniedBy[0]}`
            : ztunnelText
          const result = ours === 'cannot-decide' ? 'open' : ours === real ? 'agree' : 'wrong'
          counts[`${real} ${result}`] = (counts[`${real} ${result}`] ?? 0) + 1
          if (result === 'wrong' || (real === 'denied' && text !== null && text !== record.error))
            wrong.push(`${capture.name}: ${ours} ${text}, but ${record.raw}`)
        }
    console.log('lines of ztunnels', counts)
    expect(wrong).toEqual([])
  })
})

function recordsOf(text: string): AccessLogRecord[] {
  if (text === '') return []
  const parsed: any = accessLog.parse(text)
  const items: AccessLogItem[] = Array.isArray(parsed) ? parsed : (parsed.items ?? parsed.records ?? [])
  return items.flatMap((item: any) =>
    'raw' in item && 'upstreamCluster' in item ? [item] : item.record ? [item.record] : [],
  )
}

/** `null` for lines that say nothing about policies, such as a connection that no chain took. */
function whatWasSeen({
  details,
  termination,
  code,
  flags,
}: AccessLogRecord): { decision: 'allowed' | 'denied'; text: string | null } | null {
  const text = [details, termination].find((entry) => entry?.startsWith('rbac_access_denied_matched_policy['))
  if (text) return { decision: 'denied', text }
  if (details?.startsWith('jwt_authn_access_denied')) return { decision: 'denied', text: details }
  return flags.includes('NR') || (details !== null && code === 0) ? null : { decision: 'allowed', text: null }
}

function requestFrom(record: AccessLogRecord, server: Workload, { workloads, services, mesh }: Capture): AuthzRequest {
  const [remote, local] = [split(record.downstreamRemote), split(record.downstreamLocal)]
  const client = workloads.find(({ ip }) => ip !== null && ip === remote.host)
  const isWaypoint = server.proxy === 'waypoint'
  // A sidecar's server name proves mutual TLS; at a waypoint everything arrives over HBONE.
  const isMutual = isWaypoint ? client?.proxy === 'ambient' : record.sni !== null
  const service = isWaypoint ? services.find(({ spec }) => spec?.clusterIP === local.host) : undefined
  return {
    protocol: record.kind,
    ...(record.method ? { method: record.method } : {}),
    ...(record.path ? { path: record.path } : {}),
    ...(record.authority ? { host: record.authority } : {}),
    ...(isMutual
      ? client
        ? { sourcePrincipal: identityOf(client, mesh.trustDomain) }
        : {}
      : { sourcePrincipal: null }),
    ...(remote.port === 0 ? {} : { sourceIp: remote.host }),
    ...(local.port === 0 ? {} : { destinationPort: local.port }),
    sni: record.sni,
    ...(service
      ? { service: { kind: 'Service', namespace: service.metadata.namespace ?? '', name: service.metadata.name } }
      : {}),
  }
}

function requestFromZtunnel(record: ZtunnelRecord): AuthzRequest {
  const target = split(record.dstHboneAddress ?? record.dstAddress)
  return {
    protocol: 'tcp',
    sourcePrincipal: record.srcIdentity,
    sourceIp: split(record.srcAddress).host,
    destinationIp: target.host,
    destinationPort: target.port,
  }
}

function split(address: string | null): { host: string; port: number } {
  const colon = address?.lastIndexOf(':') ?? -1
  return { host: address?.slice(0, colon) ?? '', port: Number(address?.slice(colon + 1) ?? 0) }
}
