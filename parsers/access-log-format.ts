import { ParseError } from '../src/model/errors.ts'
import { type FieldName, fieldOfJsonKey } from './access-log/fields.ts'

/**
 * How a printed value is told from what follows it. `number` and `time` are known by their characters, `word` has no blank,
 * `text` is chosen by the mesh and ends at the first following literal, `header` likewise but comes from outside and is
 * checked for quotes; `free` may hold anything a client likes, forged fields included.
 */
export type ValueShape = 'number' | 'time' | 'word' | 'text' | 'header' | 'free'

export interface Operator {
  /** As written between the percent signs: `REQ(X-FOO)`. Names the value in `extra`. */
  readonly name: string
  readonly field: FieldName | null
  readonly shape: ValueShape
}

/** `literals[0] operators[0] literals[1] … operators[n-1] literals[n]`. */
export interface Template {
  readonly literals: readonly string[]
  readonly operators: readonly Operator[]
}

export type CompiledFormat =
  | { readonly kind: 'text'; readonly template: Template; readonly isDefault: boolean }
  | {
      readonly kind: 'json'
      readonly leaves: readonly { readonly path: readonly string[]; readonly template: Template }[]
      readonly isDefault: boolean
    }

/**
 * Compiles `meshConfig.accessLogFormat`, a Telemetry provider's `logFormat.text` or `.labels`, or Envoy's own text and
 * JSON formats. Throws ParseError for what cannot be read back from single lines.
 */
export function compileAccessLogFormat(format: string | Readonly<Record<string, unknown>>): CompiledFormat {
  if (typeof format !== 'string') return compileJson(format)
  const text = format.replace(/\r?\n$/, '')
  if (text.trimStart().startsWith('{')) {
    const labels = readLabels(text)
    if (labels) return compileJson(labels)
  }
  const template = compileTemplate(text)
  if (template.operators.length === 0) throw new ParseError('access-log format: no %OPERATOR% in it')
  if (template.literals.some((literal) => literal.includes('\n')))
    throw new ParseError('access-log format: it prints several lines for one request')
  return { kind: 'text', template, isDefault: isIstioDefault(text) }
}

/** The format of one entry of `accessLog` in a listener dump; null when it names none (then Envoy's own default holds). */
export function formatOfEnvoyAccessLog(config: unknown): CompiledFormat | null {
  const typed = objectOf(objectOf(config)?.typedConfig ?? objectOf(config)?.typed_config) ?? objectOf(config)
  const logFormat = objectOf(typed?.logFormat ?? typed?.log_format)
  const inline = objectOf(logFormat?.textFormatSource ?? logFormat?.text_format_source)
  const text = inline?.inlineString ?? inline?.inline_string ?? logFormat?.textFormat ?? logFormat?.text_format
  if (typeof text === 'string') return compileAccessLogFormat(text)
  const json = objectOf(logFormat?.jsonFormat ?? logFormat?.json_format)
  if (json) return compileAccessLogFormat(json)
  return typeof typed?.format === 'string' ? compileAccessLogFormat(typed.format) : null
}

function compileJson(labels: Readonly<Record<string, unknown>>): CompiledFormat {
  const leaves: { path: string[]; template: Template }[] = []
  const walk = (value: unknown, path: string[]): void => {
    if (typeof value === 'string') {
      const template = compileTemplate(value)
      if (template.operators.length > 0) leaves.push({ path, template })
    } else if (objectOf(value) && path.length < 16)
      for (const [key, inner] of Object.entries(objectOf(value) ?? {})) walk(inner, [...path, key])
  }
  walk(labels, [])
  if (leaves.length === 0) throw new ParseError('access-log format: no %OPERATOR% in it')
  const isDefault =
    leaves.length === 24 &&
    leaves.every(({ path, template }) => path.length === 1 && template.operators[0]?.field === fieldOfKey(path[0]))
  return { kind: 'json', leaves, isDefault }
}

function compileTemplate(text: string): Template {
  const literals: string[] = []
  const operators: Operator[] = []
  let literal = ''
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '%') literal += text[at++]
    else if (text[at + 1] === '%') {
      literal += '%'
      at += 2
    } else {
      const end = endOfOperator(text, at + 1)
      literals.push(literal)
      literal = ''
      operators.push(operator(text.slice(at + 1, end)))
      at = end + 1
    }
  }
  return { literals: [...literals, literal], operators }
}

/** `%NAME(argument):length%`; the argument may hold percent signs: `%START_TIME(%s)%`. */
function endOfOperator(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (char === '(') depth++
    else if (char === ')') depth--
    else if (char === '%' && depth <= 0) return at
  }
  throw new ParseError(`access-log format: %${text.slice(start, start + 40)} is not closed`)
}

function operator(name: string): Operator {
  const parts = /^([A-Z0-9_]+)(?:\((.*)\))?(?::\d+)?$/s.exec(name)
  if (!parts) return { name, field: null, shape: 'free' }
  const [, command = '', argument] = parts
  if (command === 'REQ' || command === 'RESP') return headerOperator(name, command, argument ?? '')
  if (command === 'START_TIME') return { name, field: 'time', shape: argument ? 'text' : 'time' }
  const known = commands[command]
  if (known) return { name, field: known[0], shape: known[1] }
  return { name, field: null, shape: 'free' }
}

function headerOperator(name: string, command: 'REQ' | 'RESP', argument: string): Operator {
  const headers = argument.toLowerCase().split('?')
  if (command === 'RESP') {
    const isUpstreamTime = headers[0] === 'x-envoy-upstream-service-time'
    return { name, field: isUpstreamTime ? 'upstreamTimeMs' : null, shape: isUpstreamTime ? 'word' : 'free' }
  }
  const known = headers.map((header) => requestHeaders[header]).find((entry) => entry !== undefined)
  return known ? { name, field: known[0], shape: known[1] } : { name, field: null, shape: 'free' }
}

const requestHeaders: Readonly<Record<string, readonly [FieldName, ValueShape]>> = {
  ':method': ['method', 'word'],
  ':path': ['path', 'free'],
  ':authority': ['authority', 'header'],
  host: ['authority', 'header'],
  'user-agent': ['userAgent', 'free'],
  'x-forwarded-for': ['forwardedFor', 'free'],
  'x-request-id': ['requestId', 'header'],
}

const commands: Readonly<Record<string, readonly [FieldName | null, ValueShape]>> = {
  PATH: ['path', 'free'],
  PROTOCOL: ['protocol', 'word'],
  RESPONSE_CODE: ['code', 'number'],
  RESPONSE_FLAGS: ['flags', 'word'],
  RESPONSE_FLAGS_LONG: [null, 'word'],
  RESPONSE_CODE_DETAILS: ['details', 'word'],
  CONNECTION_TERMINATION_DETAILS: ['termination', 'text'],
  UPSTREAM_TRANSPORT_FAILURE_REASON: ['transportFailure', 'text'],
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: [null, 'text'],
  BYTES_RECEIVED: ['bytesReceived', 'number'],
  BYTES_SENT: ['bytesSent', 'number'],
  DURATION: ['durationMs', 'number'],
  REQUEST_DURATION: [null, 'number'],
  RESPONSE_DURATION: [null, 'number'],
  RESPONSE_TX_DURATION: [null, 'number'],
  UPSTREAM_HOST: ['upstreamHost', 'word'],
  UPSTREAM_REMOTE_ADDRESS: ['upstreamHost', 'word'],
  UPSTREAM_CLUSTER: ['upstreamCluster', 'word'],
  UPSTREAM_CLUSTER_RAW: ['upstreamCluster', 'word'],
  UPSTREAM_LOCAL_ADDRESS: ['upstreamLocal', 'word'],
  DOWNSTREAM_LOCAL_ADDRESS: ['downstreamLocal', 'word'],
  DOWNSTREAM_REMOTE_ADDRESS: ['downstreamRemote', 'word'],
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: ['downstreamRemote', 'word'],
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: [null, 'word'],
  DOWNSTREAM_LOCAL_PORT: [null, 'number'],
  REQUESTED_SERVER_NAME: ['sni', 'word'],
  ROUTE_NAME: ['routeName', 'text'],
  VIRTUAL_CLUSTER_NAME: [null, 'text'],
  CONNECTION_ID: [null, 'number'],
  HOSTNAME: [null, 'word'],
  GRPC_STATUS: [null, 'word'],
  GRPC_STATUS_NUMBER: [null, 'number'],
  UPSTREAM_REQUEST_ATTEMPT_COUNT: [null, 'number'],
  UPSTREAM_PROTOCOL: [null, 'word'],
  STREAM_ID: [null, 'word'],
  UNIQUE_ID: [null, 'word'],
  DOWNSTREAM_TLS_VERSION: [null, 'word'],
  DOWNSTREAM_TLS_CIPHER: [null, 'word'],
  DOWNSTREAM_PEER_URI_SAN: [null, 'word'],
  TRACE_ID: [null, 'word'],
}

function readLabels(text: string): Record<string, unknown> | undefined {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    // A text format may begin with a brace as well.
    return undefined
  }
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  // Checked: a non-null object that is no list has string keys.
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

const fieldOfKey = (key: string | undefined): FieldName | undefined => (key ? fieldOfJsonKey.get(key) : undefined)

const defaultFormat =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ' +
  '%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%'

/** Istio 1.23 changed the cluster's operator and nothing else. */
function isIstioDefault(text: string): boolean {
  return text.replace('%UPSTREAM_CLUSTER%', '%UPSTREAM_CLUSTER_RAW%') === defaultFormat
}

export { defaultFormat as istioDefaultFormat }
