import type { EnvoyRoute } from '../../parsers/proxy-config-route.ts'
import { type HttpRequest, headerValue, pathOnly } from './envoy-matchers.ts'
import { splitAuthority } from './hosts.ts'
import { objectsIn } from './loose-lists.ts'
import { replaceAllMatches } from './regular-expression.ts'

export interface Fault {
  readonly abort: { readonly status: number | null; readonly percent: number } | null
  readonly delay: { readonly ms: number; readonly percent: number } | null
}

/** What a route does with a request. */
export interface RouteAction {
  readonly kind: 'cluster' | 'redirect' | 'direct-response' | 'cannot-decide'
  /** Where to, with the share of each; one entry of 100 % when nothing is split. Weight 0 is left out. */
  readonly clusters: readonly { readonly name: string; readonly percent: number }[]
  readonly status: number | null
  readonly location: string | null
  readonly body: string | null
  /** Path and host as the server gets them; `null` when unchanged or, for `path`, not known. */
  readonly rewrittenPath: string | null
  readonly rewrittenHost: string | null
  readonly fault: Fault | null
  /** `null`: no limit. Envoy's own default is 15 s, istiod always writes one. */
  readonly timeoutMs: number | null
  readonly retries: { readonly on: string; readonly attempts: number; readonly perTryMs: number | null } | null
  readonly mirrors: readonly string[]
  /** Status when the cluster does not exist; Gateway API routes say 500. */
  readonly clusterNotFoundStatus: number
}

// biome-ignore lint/suspicious/noExplicitAny: parts of Envoy's configuration, read field by field
type Config = any

export function routeAction(route: EnvoyRoute, request: HttpRequest): RouteAction {
  const fault = faultOf(route.typedPerFilterConfig?.['envoy.filters.http.fault'])
  if (route.redirect) {
    const status = redirectCodes[String(route.redirect.responseCode ?? 'MOVED_PERMANENTLY')] ?? null
    return { ...none, kind: 'redirect', fault, status, location: locationOf(route, request) }
  }
  if (route.directResponse) {
    const { status, body } = route.directResponse
    const text: unknown = body?.inlineString
    return {
      ...none,
      kind: 'direct-response',
      fault,
      status: typeof status === 'number' ? status : null,
      body: typeof text === 'string' ? text : null,
    }
  }
  const target: Config = route.route
  if (!target) return { ...none, kind: 'cannot-decide', fault }
  const clusters = clustersOf(target, request)
  return {
    ...none,
    kind: clusters === null ? 'cannot-decide' : 'cluster',
    clusters: clusters ?? [],
    fault,
    rewrittenPath: rewritePath(route.match ?? {}, target, request.path),
    rewrittenHost: typeof target.hostRewriteLiteral === 'string' ? target.hostRewriteLiteral : null,
    timeoutMs: timeoutOf(target),
    retries: retriesOf(target.retryPolicy),
    mirrors: objectsIn(target.requestMirrorPolicies).map((policy) => String(policy.cluster ?? '')),
    clusterNotFoundStatus: notFoundCodes[String(target.clusterNotFoundResponseCode ?? 'SERVICE_UNAVAILABLE')] ?? 503,
  }
}

const none: RouteAction = {
  kind: 'cluster',
  clusters: [],
  status: null,
  location: null,
  body: null,
  rewrittenPath: null,
  rewrittenHost: null,
  fault: null,
  timeoutMs: null,
  retries: null,
  mirrors: [],
  clusterNotFoundStatus: 503,
}

const redirectCodes: Readonly<Record<string, number>> = {
  MOVED_PERMANENTLY: 301,
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
}

const notFoundCodes: Readonly<Record<string, number>> = {
  SERVICE_UNAVAILABLE: 503,
  NOT_FOUND: 404,
  INTERNAL_SERVER_ERROR: 500,
}

function clustersOf(target: Config, request: HttpRequest): RouteAction['clusters'] | null {
  if (typeof target.cluster === 'string') return [{ name: target.cluster, percent: 100 }]
  if (typeof target.clusterHeader === 'string') {
    const name = headerValue(request, target.clusterHeader)
    return name === null ? null : [{ name, percent: 100 }]
  }
  if (!target.weightedClusters) return null
  const entries = objectsIn(target.weightedClusters.clusters).map((entry) => ({
    name: String(entry.name ?? ''),
    weight: Number(entry.weight ?? 0),
  }))
  const total = entries.reduce((sum, { weight }) => sum + weight, 0)
  if (total === 0) return null
  return entries
    .filter(({ weight }) => weight > 0)
    .map(({ name, weight }) => ({ name, percent: (100 * weight) / total }))
}

/** Rules out of Envoy's redirect code: an own port, or a change of scheme, drops the port of the Host header. */
function locationOf({ match, redirect }: Config, request: HttpRequest): string {
  const before = request.scheme ?? 'http'
  const scheme = redirect.httpsRedirect === true ? 'https' : String(redirect.schemeRedirect || before)
  const port = Number(redirect.portRedirect ?? 0)
  let host = String(redirect.hostRedirect || '')
  if (host === '') {
    const own = splitAuthority(request.authority)
    const isDefault = own.port === (before === 'http' ? 80 : 443)
    host = port > 0 || (scheme !== before && isDefault) ? own.host : request.authority
  }
  return `${scheme}://${host}${port > 0 ? `:${port}` : ''}${redirectPath(match ?? {}, redirect, request.path)}`
}

function redirectPath(match: Config, redirect: Config, path: string): string {
  const query = redirect.stripQuery === true ? '' : path.slice(pathOnly(path).length)
  // Prefix and expression are replaced as in a rewrite.
  if (redirect.prefixRewrite || redirect.regexRewrite)
    return (rewritePath(match, redirect, pathOnly(path)) ?? pathOnly(path)) + query
  if (redirect.pathRedirect) {
    const target = String(redirect.pathRedirect)
    return target.includes('?') ? target : target + query
  }
  return pathOnly(path) + query
}

function rewritePath(match: Config, target: Config, path: string): string | null {
  const plain = pathOnly(path)
  const query = path.slice(plain.length)
  if (typeof target.prefixRewrite === 'string' && target.prefixRewrite !== '') {
    // An exact path or an expression is replaced as a whole.
    const matched: string = match.prefix ?? match.pathSeparatedPrefix ?? plain
    return target.prefixRewrite + plain.slice(matched.length) + query
  }
  if (target.regexRewrite) {
    const pattern = String(target.regexRewrite.pattern?.regex ?? '')
    const rewritten = replaceAllMatches(pattern, String(target.regexRewrite.substitution ?? ''), plain)
    return rewritten === null || rewritten === plain ? null : rewritten + query
  }
  return null
}

function timeoutOf(target: Config): number | null {
  if (target.timeout === undefined) return 15_000
  const ms = durationMs(target.timeout)
  return ms === 0 ? null : ms
}

function retriesOf(policy: Config): RouteAction['retries'] {
  if (!policy) return null
  return {
    on: String(policy.retryOn ?? ''),
    attempts: Number(policy.numRetries ?? 1),
    perTryMs: policy.perTryTimeout === undefined ? null : durationMs(policy.perTryTimeout),
  }
}

function faultOf(config: Config): Fault | null {
  if (!config) return null
  const { abort, delay } = config
  const found = {
    abort: abort
      ? {
          status: typeof abort.httpStatus === 'number' ? abort.httpStatus : null,
          percent: percentOf(abort.percentage),
        }
      : null,
    delay: delay ? { ms: durationMs(delay.fixedDelay) ?? 0, percent: percentOf(delay.percentage) } : null,
  }
  return found.abort || found.delay ? found : null
}

const denominators: Readonly<Record<string, number>> = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 }

function percentOf(percentage: Config): number {
  if (!percentage) return 0
  return (100 * Number(percentage.numerator ?? 0)) / (denominators[String(percentage.denominator ?? 'HUNDRED')] ?? 100)
}

/** `1.500s`, as protobuf prints durations. */
export function durationMs(text: unknown): number | null {
  const match = /^(-?\d+(?:\.\d+)?)s$/.exec(String(text))
  return match ? Math.round(Number(match[1]) * 1000) : null
}
