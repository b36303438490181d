import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { asFields, asList, type Fields, reportedVersion, splitProxyName, textOf } from './lib/fields.ts'
import { readJsonDocuments } from './lib/json-stream.ts'
import { ProxyStatus, type ProxySync, type TypeSync } from './lib/sync-state.ts'
import { freeName, xdsTypeName } from './lib/xds-types.ts'

/**
 * `istioctl x internal-debug syncz`, of one istiod or of all: the only sync states in JSON before 1.30, and the only ones
 * that say what kind of proxy it is.
 */
export default defineParser<ProxyStatus>({
  name: 'syncz',
  schema: ProxyStatus,
  parse: (text) => {
    const { documents, logLines } = readJsonDocuments(text)
    const proxies = documents
      .flatMap((document) => perIstiod(document))
      .flatMap(([istiod, body]) => proxiesOf(body, istiod))
      .filter((proxy) => !isAsker(proxy))
    return { statesShown: true, proxies, logLines: [...logLines] }
  },
})

// The istioctl that asks is connected like a proxy (`test-1.default`), but names no cluster and wants no configuration.
function isAsker({ cluster, version, types }: ProxySync): boolean {
  return cluster === null && version === null && Object.keys(types).length === 0
}

/** With `--all`: an object istiod → body, where the body is JSON inside a string up to 1.27. */
function perIstiod(document: unknown): [string | null, unknown][] {
  if (Array.isArray(document)) return [[null, document]]
  return Object.entries(asFields(document, 'syncz')).map(([istiod, body]) => [istiod, bodyOf(body)])
}

function bodyOf(body: unknown): unknown {
  if (typeof body !== 'string') return body
  try {
    return JSON.parse(body)
  } catch {
    throw new ParseError(`an istiod answered "${body.slice(0, 80)}"`)
  }
}

function proxiesOf(body: unknown, istiod: string | null): ProxySync[] {
  if (!Array.isArray(body) && body !== null) throw new ParseError('no list of proxies')
  return asList(body, 'the proxies').map((entry) => proxyOf(asFields(entry, 'a proxy'), istiod))
}

const fieldPrefixes: Readonly<Record<string, string>> = {
  cluster: 'CDS',
  listener: 'LDS',
  route: 'RDS',
  endpoint: 'EDS',
  extensionconfig: 'ECDS',
}

function proxyOf(fields: Fields, istiod: string | null): ProxySync {
  const proxy = textOf(fields.proxy)
  if (proxy === null) throw new ParseError('an entry without the name of a proxy')
  const types: Record<string, TypeSync> = {}
  const resources =
    fields.resources === undefined || fields.resources === null ? {} : asFields(fields.resources, 'resources')
  for (const [typeUrl, value] of Object.entries(resources)) {
    const { sent, acked, sentTime, lastError } = asFields(value, 'a resource')
    types[freeName(xdsTypeName(typeUrl), types)] = stateOfNonces(
      textOf(sent),
      textOf(acked),
      textOf(sentTime),
      textOf(lastError),
    )
  }
  // Older istiods print the nonces only, newer ones both.
  if (Object.keys(types).length === 0)
    for (const [prefix, type] of Object.entries(fieldPrefixes)) {
      const sent = textOf(fields[`${prefix}_sent`])
      const acked = textOf(fields[`${prefix}_acked`])
      if (sent !== null || acked !== null) types[type] = stateOfNonces(sent, acked, null, null)
    }
  return {
    proxy,
    ...splitProxyName(proxy),
    cluster: textOf(fields.cluster_id),
    istiod,
    version: reportedVersion(fields.istio_version),
    proxyType: textOf(fields.proxy_type),
    types,
    subscribedTypes: Object.keys(types),
    statesShown: true,
    extra: {},
  }
}

function stateOfNonces(
  sent: string | null,
  acked: string | null,
  sentTime: string | null,
  lastError: string | null,
): TypeSync {
  const raw = `sent ${sent ?? '-'} acked ${acked ?? '-'}`
  const lastUpdated = sentTime === null || sentTime.startsWith('0001-01-01') ? {} : { lastUpdated: sentTime }
  if (lastError !== null) return { state: 'ERROR', detail: lastError, ...lastUpdated, raw }
  if (sent === null) return { state: 'NOT SENT', ...lastUpdated, raw }
  return { state: sent === acked ? 'SYNCED' : 'STALE', ...lastUpdated, raw }
}
