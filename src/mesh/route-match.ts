import type { EnvoyRoute, RouteConfiguration, VirtualHost } from '../../parsers/proxy-config-route.ts'
import { normalisePath } from './authorize/path-normalise.ts'
import { type ConfigObject, configObject } from './config-object.ts'
import { all, type HttpRequest, matchHeader, matchPath, matchQuery, type Verdict } from './envoy-matchers.ts'
import { matchDomain } from './hosts.ts'
import { objectsIn, textsIn } from './loose-lists.ts'
import type { PathNormalization } from './mesh-config.ts'
import { type RouteAction, routeAction } from './route-action.ts'

export type { HttpRequest } from './envoy-matchers.ts'

export interface RouteDecision {
  readonly outcome: 'cluster' | 'redirect' | 'direct-response' | 'no-route' | 'rejected' | 'cannot-decide'
  readonly virtualHost: string | null
  /** `null` for routes without a name. */
  readonly route: string | null
  /** The object that the route comes from. */
  readonly object: ConfigObject | null
  /** `null` unless a route was found. */
  readonly action: RouteAction | null
  /** Why nothing was found, or what cannot be told. */
  readonly why: string
  /** Routes of the virtual host that were looked at before the deciding one, with the condition that failed. */
  readonly passedOver: readonly { readonly route: string | null; readonly failed: string }[]
}

/** Envoy's choice in one route configuration: virtual host by Host header, then the first route whose conditions all hold. */
export function matchRoute(
  config: RouteConfiguration,
  request: HttpRequest,
  options: { readonly normalization?: PathNormalization; readonly listenerPort?: number } = {},
): RouteDecision {
  const normalised = normalisePath(request.path, options.normalization ?? 'BASE')
  if (normalised.kind !== 'path')
    return {
      ...nothing,
      outcome: normalised.kind === 'rejected' ? 'rejected' : 'cannot-decide',
      why: normalised.because,
    }
  const query = request.path.indexOf('?')
  const seen = { ...request, path: normalised.path + (query < 0 ? '' : request.path.slice(query)) }

  const host = findVirtualHost(config, seen.authority)
  if (!host)
    return { ...nothing, why: `no virtual host of route ${config.name ?? ''} has a domain for ${seen.authority}` }
  const found = { ...nothing, virtualHost: host.name ?? null }
  if (host.requireTls === 'ALL' || host.requireTls === 'EXTERNAL_ONLY') {
    if ((seen.scheme ?? 'http') !== 'https') return { ...found, ...httpsRedirect(seen) }
  }
  const passedOver: { route: string | null; failed: string }[] = []
  for (const route of objectsIn(host.routes) as EnvoyRoute[]) {
    const { verdict, because } = testRoute(route, seen)
    if (verdict === false) {
      passedOver.push({ route: route.name || null, failed: because })
      continue
    }
    const decided = { ...found, passedOver, route: route.name || null, object: configObject(route.metadata) }
    if (verdict === null) return { ...decided, outcome: 'cannot-decide', why: because }
    const action = routeAction(route, seen)
    return { ...decided, outcome: action.kind, action, why: '' }
  }
  return { ...found, passedOver, why: `no route of virtual host ${host.name ?? ''} matches` }
}

const nothing: RouteDecision = {
  outcome: 'no-route',
  virtualHost: null,
  route: null,
  object: null,
  action: null,
  why: '',
  passedOver: [],
}

export function findVirtualHost(config: RouteConfiguration, authority: string): VirtualHost | null {
  const hosts: VirtualHost[] = objectsIn(config.virtualHosts)
  const index = matchDomain(
    authority,
    hosts.map((host) => textsIn(host.domains)),
    config.ignorePortInHostMatching === true,
  )
  return hosts[index] ?? null
}

function httpsRedirect(request: HttpRequest): Partial<RouteDecision> {
  const redirect = { redirect: { httpsRedirect: true } }
  return {
    outcome: 'redirect',
    action: routeAction(redirect, request),
    why: 'the host takes only HTTPS (httpsRedirect)',
  }
}

function testRoute(route: EnvoyRoute, request: HttpRequest): { verdict: Verdict; because: string } {
  const match = route.match ?? {}
  const tests: { verdict: Verdict; because: string }[] = [
    { verdict: matchPath(match, request), because: `path ${pathText(match)}` },
    ...objectsIn(match.headers).map((matcher) => ({
      verdict: matchHeader(matcher, request),
      because: `header ${matcher.name}`,
    })),
    ...objectsIn(match.queryParameters).map((matcher) => ({
      verdict: matchQuery(matcher, request.path),
      because: `query parameter ${matcher.name}`,
    })),
  ]
  if (match.grpc) tests.push({ verdict: isGrpc(request), because: 'gRPC' })
  // A claim of a token, a share of traffic, a client certificate: the request alone does not tell.
  for (const key of ['dynamicMetadata', 'runtimeFraction', 'tlsContext', 'filterState', 'pathMatchPolicy'])
    if (match[key] !== undefined && !isWhole(key, match[key]))
      tests.push({ verdict: null, because: `condition ${key}` })
  const verdict = all(tests.map((test) => test.verdict))
  const deciding = tests.find((test) => test.verdict === verdict)
  return { verdict, because: verdict === true ? '' : (deciding?.because ?? '') }
}

function isWhole(key: string, value: unknown): boolean {
  return Array.isArray(value)
    ? value.length === 0
    : key === 'runtimeFraction' && JSON.stringify(value).includes('"numerator":100,"denominator":"HUNDRED"')
}

function isGrpc(request: HttpRequest): boolean {
  const type = (request.headers ?? []).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  return /^application\/grpc(?:$|[+;])/.test(type)
}

// biome-ignore lint/suspicious/noExplicitAny: a route's match block
function pathText(match: any): string {
  if (typeof match.path === 'string') return `= ${match.path}`
  if (typeof match.prefix === 'string') return `${match.prefix}*`
  if (typeof match.pathSeparatedPrefix === 'string') return `${match.pathSeparatedPrefix}[/*]`
  return match.safeRegex ? `~ ${match.safeRegex.regex ?? ''}` : 'of another kind'
}
