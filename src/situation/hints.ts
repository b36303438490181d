import { answeredStatus } from '../mesh/answered-status.ts'
import { parseClusterName, parseSni } from '../mesh/names.ts'
import type { AccessLogRecord, ZtunnelRecord } from '../model/access-log.ts'
import type { Given } from '../model/call.ts'
import { addressOf } from './typed-addresses.ts'

/** What a curl -v transcript said, as far as the walk uses it. */
export interface CurlFacts {
  readonly url: string | null
  readonly host: string | null
  readonly port: number | null
  /** The address it reached, or tried first. */
  readonly address: string | null
  readonly method: string | null
  readonly path: string | null
  readonly status: number | null
  readonly responseHeaders: readonly (readonly [string, string])[]
  readonly body: string | null
  readonly errorCode: number | null
  readonly errorText: string | null
  readonly sni: string | null
}

/** Lines and transcripts the person handed us, already parsed. */
export interface Pasted {
  readonly records: readonly AccessLogRecord[]
  readonly ztunnel: readonly ZtunnelRecord[]
  readonly curl: CurlFacts | null
}

export const nothingPasted: Pasted = { records: [], ztunnel: [], curl: null }

/** What pasted lines say about who calls whom, before anything was looked up. */
export interface Hints {
  readonly clientIp: string | null
  readonly serverIp: string | null
  readonly serviceIp: string | null
  readonly host: string | null
  readonly port: number | null
  readonly method: string | null
  readonly path: string | null
  readonly authority: string | null
  readonly clientNamespace: string | null
  readonly clientPod: string | null
  readonly serverNamespace: string | null
  readonly serverPod: string | null
  /** The lines were written by a gateway: the caller is outside. */
  readonly byGateway: boolean
}

const noHints: Hints = {
  clientIp: null,
  serverIp: null,
  serviceIp: null,
  host: null,
  port: null,
  method: null,
  path: null,
  authority: null,
  clientNamespace: null,
  clientPod: null,
  serverNamespace: null,
  serverPod: null,
  byGateway: false,
}

export function readHints(given: Given, pasted: Pasted): Hints {
  let hints: Hints = { ...noHints, method: given.method, path: given.path }
  // A file may hold many calls: the first line that shows the symptom is the one that is meant.
  const record =
    pasted.records.find((line) => String(answeredStatus(line)) === given.symptom) ??
    pasted.records.find((line) => line.flags.length > 0) ??
    pasted.records[0]
  if (record)
    hints = {
      ...hints,
      ...fromRecord(record),
      method: hints.method ?? record.method,
      path: hints.path ?? record.path,
    }
  const connection = pasted.ztunnel.find(({ error }) => error !== null) ?? pasted.ztunnel[0]
  if (connection) hints = fillNulls(hints, fromZtunnel(connection))
  if (pasted.curl) {
    const { host, port, address, method, path } = pasted.curl
    // A bare name says nothing of its namespace; the Service that has the address does.
    const serviceIp = given.from === null && isBareName(host) ? ipOf(address) : null
    hints = fillNulls(hints, { authority: host, port, method, path, serviceIp })
  }
  const [from, to] = [addressOf(given.from), addressOf(given.to)]
  return {
    ...hints,
    ...(from === null ? {} : { clientIp: from }),
    ...(to === null
      ? {}
      : { serverIp: to, serviceIp: to, port: given.to?.port ?? hints.port, authority: hints.authority ?? to }),
  }
}

/** What one line says about its two ends. */
export function fromRecord(record: AccessLogRecord): Partial<Hints> {
  const cluster = record.upstreamCluster === null ? null : parseClusterName(record.upstreamCluster)
  const remote = ipOf(record.downstreamRemote)
  const own = ipOf(record.upstreamLocal)
  const authority = record.authority
  if (cluster?.role === 'inbound' || cluster?.role === 'inbound-passthrough') {
    return {
      serverIp: ipOf(record.downstreamLocal) ?? ipOf(record.upstreamHost),
      clientIp: remote,
      port: cluster.port,
      authority,
    }
  }
  if (cluster?.role === 'inbound-vip') return { host: cluster.host, port: cluster.port, clientIp: remote, authority }
  if (cluster?.role === 'outbound') {
    // A sidecar sees its own pod's address as the downstream; a gateway sees somebody else's.
    const byGateway = own !== null && remote !== null && own !== remote
    const serverIp = ipOf(record.upstreamHost)
    return {
      host: cluster.host,
      port: cluster.port,
      clientIp: byGateway ? null : remote,
      serverIp,
      authority,
      byGateway,
    }
  }
  const sni = record.sni === null ? null : parseSni(record.sni)
  if (record.details === 'filter_chain_not_found' || (record.kind === 'tcp' && cluster === null)) {
    const dialled = ipOf(record.downstreamLocal)
    return {
      serverIp: dialled,
      // Only an inbound listener has filter chains to miss; any other connection may have been meant for a Service.
      serviceIp: record.details === 'filter_chain_not_found' ? null : dialled,
      clientIp: remote,
      port: sni?.port ?? portOf(record.downstreamLocal),
      host: sni?.host ?? null,
      authority,
    }
  }
  return { clientIp: remote, serviceIp: ipOf(record.downstreamLocal), port: portOf(record.downstreamLocal), authority }
}

function fromZtunnel(record: ZtunnelRecord): Partial<Hints> {
  // Refused before ztunnel had chosen a pod: what was dialled may be a Service.
  const early = record.dstWorkload === null && record.dstService === null
  return {
    clientIp: ipOf(record.srcAddress),
    ...(early && record.direction !== 'inbound' ? { serviceIp: ipOf(record.dstAddress) } : {}),
    clientNamespace: record.srcNamespace,
    clientPod: record.srcWorkload,
    serverIp: ipOf(record.dstAddress),
    serverNamespace: record.dstNamespace,
    serverPod: record.dstWorkload,
    host: record.dstService,
    port: portOf(record.dstHboneAddress ?? record.dstAddress),
  }
}

/** A name without dots: looked up in the caller's own namespace. */
export function isBareName(host: string | null): boolean {
  return host !== null && /^[a-z][a-z0-9-]*(?::\d+)?$/i.test(host)
}

function fillNulls(hints: Hints, more: Partial<Hints>): Hints {
  const merged: Record<string, unknown> = { ...hints }
  for (const [key, value] of Object.entries(more)) if (merged[key] === null && value !== undefined) merged[key] = value
  return merged as unknown as Hints // same keys, nulls filled from values of the same keys
}

/** `10.1.0.5:8080` and `[fd00::5]:8080` to the address alone, also behind a tunnel. Envoy's other internal addresses have none. */
export function ipOf(written: string | null): string | null {
  if (written === null) return null
  const address = written.replace(/^envoy:\/\/[^/]+\//, '')
  const six = /^\[([0-9a-fA-F:.]+)\](?::\d+)?$/.exec(address)
  if (six?.[1]) return six[1]
  const four = /^(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/.exec(address)
  return four?.[1] ?? null
}

export function portOf(address: string | null): number | null {
  const match = address === null ? null : /:(\d+)$/.exec(address)
  return match?.[1] === undefined ? null : Number(match[1])
}
