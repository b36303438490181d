import type { MeshConfig, PathNormalization } from '../mesh-config.ts'
import type { Workload } from '../workload.ts'
import { parseIp } from './ip-blocks.ts'
import type { Claims } from './jwt-claims.ts'
import { normalisePath } from './path-normalise.ts'
import { withScheme } from './source-identity.ts'
import type { Unknown } from './three-valued.ts'

/** What the server's proxy sees of a call. A missing attribute is unknown, `null` is known to be absent. */
export interface AuthzRequest {
  /** Which chain of the proxy handles it: the port's declared protocol decides, or detection on undeclared ports. */
  readonly protocol?: 'http' | 'tcp'
  readonly method?: string
  /** As sent, with query. */
  readonly path?: string
  /** Host header or `:authority`, with the port if the caller wrote one. */
  readonly host?: string
  /** In order, names may repeat. An empty list says that there are none. */
  readonly headers?: readonly (readonly [string, string])[]
  /** `named`: the list holds what somebody told us, and other headers may have been sent too. Default: `all`. */
  readonly headersKnown?: 'all' | 'named'
  /** With or without `spiffe://`. `null`: the connection was plaintext, or TLS without a client certificate. */
  readonly sourcePrincipal?: string | null
  readonly sourceIp?: string
  /** Only when it is known better than from headers: what a gateway made of X-Forwarded-For or PROXY protocol. */
  readonly remoteIp?: string
  readonly destinationIp?: string
  /** The port at which the enforcing proxy accepts: container port at a sidecar, Service port at a waypoint. */
  readonly destinationPort?: number
  readonly sni?: string | null
  /** Claims of a token that passed validation. */
  readonly jwt?: Claims | null
  /** For waypoints: the Service or ServiceEntry that was called; `null` when a pod was addressed. */
  readonly service?: {
    readonly kind: 'Service' | 'ServiceEntry'
    readonly namespace: string
    readonly name: string
  } | null
  /** What the external authorizer said, where a CUSTOM policy asks one. */
  readonly extAuthz?: 'allow' | 'deny'
  /** The request before the JWT filter changed it: CUSTOM rules are asked before that filter. Default: the request itself. */
  readonly asArrived?: AuthzRequest
}

export interface EvaluationContext {
  readonly request: AuthzRequest
  readonly workload: Workload
  readonly mesh: MeshConfig
  readonly policyNamespace: string
}

const settles: Readonly<Record<string, string>> = {
  protocol: "the port's name or appProtocol in the Service, or whether the server's log line is an HTTP one",
  method: "the request's method, in the access log or from the caller",
  path: "the request's path, in the access log or from the caller",
  host: "the request's authority, in the access log or from the caller",
  headers: "the request's headers, from the caller: access logs do not hold them",
  sourcePrincipal:
    "whether the call was mutual TLS (a server name in the server's log line) and the service account of the client pod",
  sourceIp: "the client's address, in the server's log line or of the client pod",
  remoteIp:
    'the address that the proxy takes for the original client: X-Forwarded-For and the number of trusted proxies',
  destinationIp: 'the address of the server pod',
  destinationPort: "the container port behind the Service's port",
  sni: "REQUESTED_SERVER_NAME in the server's log line",
  jwt: 'whether the request carried a token that passed validation, and its claims',
  service: 'which Service was addressed',
  extAuthz: "the external authorizer's answer: flag UAEX in the log line, or its own log",
  dynamicMetadata: 'what another filter wrote into dynamic metadata: not visible from outside',
  extensionProviders: 'extensionProviders in the mesh configuration (ConfigMap istio)',
}

export function missing(attribute: string): Unknown {
  return { attribute, wouldSettle: settles[attribute] ?? attribute }
}

export function sourceIdentity(request: AuthzRequest): string | null | undefined {
  const { sourcePrincipal } = request
  return sourcePrincipal === undefined || sourcePrincipal === null ? sourcePrincipal : withScheme(sourcePrincipal)
}

/** `host` as well as `:authority` read the same entry in Envoy. */
export function authority(request: AuthzRequest): string | undefined {
  return request.host ?? request.headers?.find(([name]) => /^(host|:authority)$/i.test(name))?.[1]
}

/**
 * Sidecars take the last entry of X-Forwarded-For for the client, and the direct peer if that entry is no address.
 * Gateways count trusted proxies and add entries themselves, so they need to be told.
 */
export function remoteAddress({ request, workload }: EvaluationContext): string | undefined {
  if (request.remoteIp !== undefined) return request.remoteIp
  const isSidecar = workload.proxy === 'sidecar' || workload.proxy === 'native-sidecar'
  if (!isSidecar) return undefined
  if (request.protocol === 'tcp') return request.sourceIp
  if (request.headers === undefined) return undefined
  const entries = request.headers
    .filter(([name]) => name.toLowerCase() === 'x-forwarded-for')
    .flatMap(([, value]) => value.split(','))
  if (entries.length === 0 && request.headersKnown === 'named') return undefined
  const last = entries[entries.length - 1]?.trim() ?? ''
  return parseIp(last) ? last : request.sourceIp
}

// Proxies on the way set, change or remove these, so what the caller sent does not say what the server's proxy compares.
const managedHeaders =
  /^(x-request-id|x-envoy-.*|x-forwarded-proto|x-forwarded-host|x-forwarded-port|x-forwarded-client-cert|x-b3-.*|b3|traceparent|tracestate|baggage|x-ot-span-context|connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|http2-settings|:scheme|content-length|grpc-.*)$/

/** Values of a header as the proxy compares them, one by one. `undefined`: unknown. */
export function headerValues(
  request: AuthzRequest,
  header: string,
  pathNormalization: PathNormalization,
): readonly string[] | undefined {
  const name = header.toLowerCase()
  if (name === 'host' || name === ':authority') return single(authority(request))
  if (name === ':method') return single(request.method)
  if (name === ':path') return forwardedPath(request, pathNormalization)
  if (request.headers === undefined || managedHeaders.test(name)) return undefined
  const values = request.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value.trim())
  if (values.length === 0 && request.headersKnown === 'named') return undefined
  if (values.length < 2 || isOwn(name)) return values
  // Envoy keeps one Authorization and joins repeated ones; what it does with other standard headers differs from header to header.
  return name === 'authorization' ? [values.join(',')] : undefined
}

function isOwn(name: string): boolean {
  return name.startsWith('x-') && name !== 'x-forwarded-for'
}

/** With a query it is open: filters may cut parameters from it. */
function forwardedPath({ path }: AuthzRequest, mode: PathNormalization): readonly string[] | undefined {
  if (path === undefined || path.includes('?')) return undefined
  const normalised = normalisePath(path, mode)
  return normalised.kind === 'path' ? [normalised.path] : undefined
}

function single(value: string | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : [value]
}
