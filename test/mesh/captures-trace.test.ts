import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import accessLog from '../../parsers/access-log.ts'
import cluster from '../../parsers/proxy-config-cluster.ts'
import endpoint from '../../parsers/proxy-config-endpoint.ts'
import listener from '../../parsers/proxy-config-listener.ts'
import route from '../../parsers/proxy-config-route.ts'
import { meshAlpn } from '../../src/mesh/filter-chain.ts'
import { type ProxyConfig, type Trace, type TraceQuestion, trace } from '../../src/mesh/trace.ts'
import type { AccessLogRecord } from '../../src/model/access-log.ts'
import { captures, hasShared, meshesFolder, readJson, readMaybeGzipped } from '../helpers/shared.ts'

const counts: Record<string, number> = {}
afterAll(() => {
  if (hasShared) console.log(`captures: ${JSON.stringify(counts)}`)
})
const count = (key: string) => {
  counts[key] = (counts[key] ?? 0) + 1
}

describe.skipIf(!hasShared)('the trace agrees with what proxies logged', () => {
  test.each(captures)('%s', (capture) => {
    const root = join(meshesFolder, capture)
    const ips = addresses(root)
    for (const { config, records, pod } of proxies(root)) {
      for (const record of records) {
        const question = questionOf(record, ips.get(pod) ?? null, config)
        if (!question) {
          count('no question')
          continue
        }
        const traced = trace(config, question)
        const difference = disagreement(traced, record)
        const where = question.direction
        count(`${where} ${difference === null ? 'agrees' : 'WRONG'}`)
        const short = traced.steps.map(({ kind, name, broken }) => [kind, name, broken?.why])
        expect(difference, `${capture} ${pod}\n${record.raw}\n${JSON.stringify(short)}`).toBeNull()
      }
    }
  })
})

/** What the newest istioctl printed about every proxy, with the lines that the proxy wrote. Versions share equal answers. */
function* proxies(root: string): Generator<{ config: ProxyConfig; records: readonly AccessLogRecord[]; pod: string }> {
  const tools = join(root, 'istioctl')
  const answers = readJson(join(tools, readdirSync(tools).sort().at(-1)!, 'answers.json'))
  for (const question of Object.keys(answers)) {
    const pod = /^proxy-config listener (\S+) -o json$/.exec(question)?.[1]
    if (!pod || !answers[question].file) continue
    const at = pod.lastIndexOf('.')
    const log = join(root, 'logs', pod.slice(at + 1), pod.slice(0, at), 'istio-proxy.log')
    if (!existsSync(log) && !existsSync(`${log}.gz`)) continue
    const read = <T>(parser: { parse: (text: string) => T }, kind: string): T | null => {
      const file = answers[`proxy-config ${kind} ${pod} -o json`]?.file
      return file ? parser.parse(readMaybeGzipped(join(tools, file))) : null
    }
    const config = {
      listeners: read(listener, 'listener'),
      routes: read(route, 'route'),
      clusters: read(cluster, 'cluster'),
      endpoints: read(endpoint, 'endpoint'),
      eds: read(endpoint, 'eds'),
    }
    yield { config, records: recordsOf(readMaybeGzipped(log)), pod }
  }
}

function recordsOf(text: string): readonly AccessLogRecord[] {
  const parsed: any = accessLog.parse(text)
  return parsed.records ?? parsed
}

function split(address: string | null): { address: string; port: number } | null {
  const match = /^(.*):(\d+)$/.exec(address ?? '')
  return match ? { address: match[1]!, port: Number(match[2]) } : null
}

/** What the line says about the connection and the request. Lines of refused requests (`DPE`, no chain) do not say enough. */
function questionOf(record: AccessLogRecord, ip: string | null, config: ProxyConfig): TraceQuestion | null {
  const local = split(record.downstreamLocal)
  if (!local || !config.listeners) return null
  const isHttp = record.kind === 'http'
  if (isHttp && (record.method === null || record.authority === null)) return null
  const has = (name: string) => config.listeners!.some((one) => one.name === name)
  const sidecar = has('virtualOutbound')
  const role = record.upstreamCluster?.split('|')[0] ?? ''
  const inbound =
    role.startsWith('inbound') || role.startsWith('Inbound') || (record.sni?.startsWith('outbound_') ?? false)
  const toOwn = local.address === ip
  const direction = sidecar ? (inbound || toOwn ? 'inbound' : 'outbound') : has('main_internal') ? 'inbound' : 'gateway'
  const mesh = record.sni?.startsWith('outbound_') ?? false
  const tls = record.sni !== null
  return {
    direction,
    connection: {
      ...local,
      tls,
      ...(record.sni === null ? {} : { sni: record.sni }),
      alpn: mesh
        ? meshAlpn[isHttp ? 'http' : 'tcp']
        : isHttp
          ? [record.protocol === 'HTTP/2' ? (tls ? 'h2' : 'h2c') : 'http/1.1']
          : [],
    },
    request: isHttp
      ? {
          method: record.method!,
          path: record.path ?? '/',
          authority: record.authority!,
          scheme: tls && !mesh ? 'https' : 'http',
          headers: record.userAgent ? [['user-agent', record.userAgent]] : [],
        }
      : null,
  }
}

/** `pod.namespace` → IP, from the capture's pods. */
function addresses(root: string): ReadonlyMap<string, string> {
  const pods: any[] = readJson(join(root, 'objects/pods.json')).items
  return new Map(pods.map(({ metadata, status }) => [`${metadata.name}.${metadata.namespace}`, status?.podIP]))
}

function disagreement(traced: Trace, record: AccessLogRecord): string | null {
  if (traced.outcome === 'cannot-decide') return `cannot decide: ${traced.why}`
  const clusters = traced.clusters.map(({ name }) => name)
  const logged = record.upstreamCluster
  if (traced.outcome === 'forwarded') {
    if (logged === null || !clusters.includes(logged)) return `cluster ${clusters.join(',')} / ${logged}`
    // A route that the object did not name is logged as nothing.
    if (record.kind === 'http' && traced.route !== record.routeName)
      return `route ${traced.route} / ${record.routeName}`
    if (['NC', 'NR', 'UH'].some((flag) => record.flags.includes(flag))) return `forwarded / ${record.flags.join(',')}`
    return null
  }
  if (record.kind === 'http' && traced.status !== null && traced.status !== record.code)
    return `status ${traced.status} / ${record.code}`
  const missing = traced.flags.find((flag) => !record.flags.includes(flag))
  if (missing) return `flag ${missing} / ${record.flags.join(',')}`
  if (traced.details !== null && traced.details !== record.details)
    return `details ${traced.details} / ${record.details}`
  return null
}
