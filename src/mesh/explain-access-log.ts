import type { AccessLogRecord } from '../model/access-log.ts'
import type { Layer } from '../model/layer.ts'
import { detailEntries, tellingEntries } from './detail-entries.ts'
import { type Recognised, shorten, unique } from './explanation.ts'
import { type LineVerdict, type LineWriter, lineVerdict, lineWriter } from './line-writer.ts'
import { parseClusterName, parsePolicyId, parseSni } from './names.ts'
import { readTlsErrorNumber, tlsErrorSentence } from './tls-errors.ts'
import { lookUp, type VocabularyEntry } from './vocabulary.ts'

const writers: Readonly<Record<LineWriter['role'], string>> = {
  'client-proxy': 'the caller’s own proxy (client side)',
  'server-proxy': 'the server’s proxy (server side)',
  gateway: 'a gateway',
  'egress-gateway': 'a gateway inside the mesh (egress or east-west)',
  waypoint: 'a waypoint (or the tunnelling part of a proxy)',
  unknown: 'a proxy',
}

/** What one access-log line says: who wrote it, whether that proxy decided, why, and what people get wrong about it. */
export function explainAccessLogLine(record: AccessLogRecord): Recognised {
  const writer = lineWriter(record)
  const verdict = lineVerdict(record)
  const entries = entriesOf(record)
  const telling = tellingEntries(entries).slice(0, 2)
  const first = telling[0]
  const written =
    writer.role === 'unknown'
      ? `Which proxy wrote this line does not show in it: ${writer.because}.`
      : `This line was written by ${writers[writer.role]}: ${writer.because}.`
  const sentences = [written, outcome(record, verdict, writer, first), ...remarks(record, writer, verdict)]
  return {
    what: 'access-log line',
    text: shorten(record.raw),
    sentence: sentences.filter(Boolean).join(' '),
    entries,
    layer: layerOf(record, writer, verdict, first),
    next: unique(telling.map((entry) => filled(entry.next, record))),
    mistakes: unique(telling.map((entry) => entry.mistake)),
  }
}

/** Entries that apply to the line, the one that decides first. */
export function entriesOf(record: AccessLogRecord): readonly VocabularyEntry[] {
  const { details, termination, transportFailure } = record
  const flagsOf = (flag: string) => lookUp(flag, ['response-flag'])
  const cluster = record.upstreamCluster === null ? [] : lookUp(record.upstreamCluster, ['cluster-name'])
  const route = record.routeName === null ? [] : lookUp(record.routeName, ['cluster-name'])
  return unique([
    ...(record.routeName === 'block_all' ? route : []),
    ...(cluster[0]?.term === 'BlackHoleCluster' ? cluster : []),
    ...detailEntries(details, transportFailure),
    ...(termination ? lookUp(termination, ['authz-text', 'termination-detail']) : []),
    // URX never is the reason.
    ...record.flags.filter((flag) => flag !== 'URX').flatMap(flagsOf),
    ...record.flags.filter((flag) => flag === 'URX').flatMap(flagsOf),
    ...(record.code !== null && record.code >= 400 ? lookUp(String(record.code), ['http-status']) : []),
    ...cluster,
    ...(record.code === 0 && record.flags.length === 0 && !details && !termination ? lookUp('0', ['http-status']) : []),
  ])
}

function outcome(
  record: AccessLogRecord,
  verdict: LineVerdict,
  writer: LineWriter,
  first: VocabularyEntry | undefined,
): string {
  const request =
    record.method && record.method !== 'CONNECT' ? `${record.method} ${shorten(record.path ?? '-', 80)}` : null
  const target = record.upstreamHost ?? 'the next hop'
  const failed = (record.code ?? 0) >= 400
  switch (verdict) {
    case 'passed-on':
      if (record.kind === 'tcp')
        return `It carried a TCP connection to ${target} (${record.bytesReceived ?? '?'} bytes in, ${record.bytesSent ?? '?'} out) and did not end it itself.`
      if (!failed) return `${request ?? 'The request'} was passed to ${target}, which answered ${record.code ?? 'it'}.`
      if (writer.role === 'server-proxy')
        return `It passed on ${record.code} from the application at ${target}: the application itself answered that.`
      return `It only passed on ${record.code} from ${target}; that may be the server’s proxy or the application.`
    case 'cut-by-next':
      return `The connection to ${target} was ended from the other side${record.kind === 'http' ? ' after the response had begun' : ''}.`
    case 'caller-left':
      return `The one who called it left before there was an answer${record.durationMs === null ? '' : `, after ${record.durationMs} ms`}.`
    case 'own':
      return ownOutcome(record, writer, first)
  }
}

function ownOutcome(record: AccessLogRecord, writer: LineWriter, first: VocabularyEntry | undefined): string {
  const did = record.code ? `It answered ${record.code} itself.` : 'It ended the connection itself.'
  if (/\{connection_termination/.test(record.details ?? '')) {
    const cut = `It reached ${record.upstreamHost ?? 'the next hop'} and the connection was cut before a response.`
    return writer.role === 'server-proxy'
      ? `${cut} Behind it is the application: the usual causes, in order: it closes idle connections sooner than the proxy, it is being stopped or restarted, it closes on purpose or crashes.`
      : `${cut} The usual causes, in order: plaintext sent into a server that insists on mutual TLS, an idle connection that the other end had just closed, a pod going away, an application that closes.`
  }
  const policy = parsePolicyId(record.details ?? record.termination ?? '')
  if (policy)
    return `${did} AuthorizationPolicy ${policy.namespace}/${policy.name}, rule ${policy.rule} (counted from 0), decided.`
  const tried =
    record.upstreamHost !== null && record.flags.includes('UF')
      ? ` It tried ${record.upstreamHost} and got no connection.`
      : ''
  return `${did}${tried}${first ? ` ${first.meaning}` : ''}`
}

function remarks(record: AccessLogRecord, writer: LineWriter, verdict: LineVerdict): string[] {
  const said: string[] = []
  const number = /TLS_error:?\|?_?(\d{9})/.exec(record.transportFailure ?? record.details ?? '')?.[1]
  const tls = number === undefined ? null : readTlsErrorNumber(Number(number))
  if (tls) said.push(tlsErrorSentence(tls))
  if (record.flags.includes('URX')) said.push('All retries were used up; this is the last attempt.')
  if (record.kind === 'http' && record.code === 200 && record.flags.length > 0 && verdict !== 'passed-on')
    said.push('Status 200 with a flag is a failed gRPC call: its outcome is in grpc-status.')
  const cluster = record.upstreamCluster === null ? null : parseClusterName(record.upstreamCluster)
  if (cluster?.role === 'outbound' && cluster.host)
    said.push(
      `The destination is ${cluster.host} port ${cluster.port}${cluster.subset ? `, subset ${cluster.subset}` : ''}.`,
    )
  if (writer.role === 'server-proxy' && cluster?.role === 'inbound') {
    const mesh = record.sni !== null && parseSni(record.sni) !== null
    said.push(
      mesh
        ? 'The caller came with mutual TLS (mesh SNI).'
        : 'There is no mesh SNI: the caller came in plaintext (or through an ambient tunnel).',
    )
  }
  const unknown = record.flags.filter((flag) => lookUp(flag, ['response-flag']).length === 0)
  if (unknown.length > 0) said.push(`Flag ${unknown.join(', ')} is not one we know.`)
  return said
}

function layerOf(
  record: AccessLogRecord,
  writer: LineWriter,
  verdict: LineVerdict,
  first: VocabularyEntry | undefined,
): Layer {
  if (verdict === 'caller-left') return 'client'
  if (verdict === 'passed-on') {
    if (writer.role === 'server-proxy' || (record.code ?? 0) < 400) return 'app'
    return lookUp(String(record.code), ['http-status'])[0]?.layer ?? 'app'
  }
  if (record.details === 'route_not_found') {
    if (writer.role === 'gateway') return 'gateway-routing'
    return writer.role === 'waypoint' ? 'ambient-waypoint' : 'client-sidecar-routing'
  }
  if (record.details === 'filter_chain_not_found' && writer.role === 'gateway') return 'gateway-tls'
  if (first?.term.startsWith('delayed_connect_error:_Connection_refused'))
    return writer.role === 'server-proxy' ? 'app' : 'network'
  return first?.layer ?? (record.code === 0 ? 'network' : 'app')
}

/** Puts what the line knows into a command's placeholders. */
function filled(text: string, record: AccessLogRecord): string {
  const cluster = record.upstreamCluster === null ? null : parseClusterName(record.upstreamCluster)
  let result = text
  if (cluster && cluster.role !== 'other') result = result.replaceAll('<cluster>', cluster.raw)
  if (cluster?.host) result = result.replaceAll('<host>', cluster.host)
  const policy = parsePolicyId(record.details ?? record.termination ?? '')
  if (policy && result.includes('authorizationpolicy <name>'))
    result = result.replace('<name>', policy.name).replace('<ns>', policy.namespace)
  return result
}
