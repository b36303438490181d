import type { EnvoyRoute } from '../../parsers/proxy-config-route.ts'
import type { CompleteVirtualService, HttpRoute, Written } from './delegates.ts'
import { resolveHost } from './hosts.ts'
import { objectsIn, textsIn } from './loose-lists.ts'
import { outboundClusterName } from './names.ts'
import type { RegistryService } from './service-registry.ts'

export interface RouteContext {
  /** `mesh` for sidecars, `namespace/name` of its Gateways for a gateway. */
  readonly gateways: readonly string[]
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly port: number
  /** Services of this port, by lower-case host. */
  readonly services: ReadonlyMap<string, RegistryService>
  readonly domain?: string
}

/** The routes of a VirtualService on one port for one proxy, in Envoy's form. Empty when none of them is for this proxy. */
export function virtualServiceRoutes(service: CompleteVirtualService, context: RouteContext): EnvoyRoute[] {
  const routes: EnvoyRoute[] = []
  for (const http of service.http) {
    const matches = objectsIn(http.spec?.match)
    if (matches.length === 0) {
      routes.push(translate(http, null, service, context))
      break
    }
    for (const match of matches) if (isForProxy(match, context)) routes.push(translate(http, match, service, context))
  }
  return routes
}

/** Conditions about the caller and the port are settled here: a proxy only gets the routes that can concern it. */
function isForProxy(match: Written, context: RouteContext): boolean {
  if (match.port && match.port !== context.port) return false
  const gateways = textsIn(match.gateways)
  // Naming gateways switches the tests of labels and namespace off.
  if (gateways.length > 0) return gateways.some((gateway) => context.gateways.includes(gateway))
  const labels: Readonly<Record<string, unknown>> = match.sourceLabels ?? {}
  if (!Object.entries(labels).every(([key, value]) => context.labels[key] === value)) return false
  return !match.sourceNamespace || match.sourceNamespace === context.namespace
}

function translate(
  http: HttpRoute,
  match: Written | null,
  service: CompleteVirtualService,
  context: RouteContext,
): EnvoyRoute {
  const { spec } = http
  const { metadata } = service.object
  return {
    name: (spec.name ?? '') + (match?.name ? `.${match.name}` : ''),
    match: translateMatch(match),
    metadata: {
      filterMetadata: {
        istio: {
          config: `/apis/networking.istio.io/v1/namespaces/${metadata.namespace}/virtual-service/${metadata.name}`,
        },
      },
    },
    ...translateAction(http, context),
    ...(spec.fault ? { typedPerFilterConfig: { 'envoy.filters.http.fault': translateFault(spec.fault) } } : {}),
  }
}

function translateMatch(match: Written | null): Written {
  if (!match) return { prefix: '/' }
  const out: Written = { prefix: '/', caseSensitive: match.ignoreUriCase !== true, headers: [], queryParameters: [] }
  if (match.uri?.exact !== undefined || match.uri?.regex !== undefined || match.uri?.prefix !== undefined) {
    delete out.prefix
    if (match.uri.exact !== undefined) out.path = match.uri.exact
    else if (match.uri.regex !== undefined) out.safeRegex = { regex: match.uri.regex }
    else out.prefix = match.uri.prefix
  }
  for (const [name, matcher] of Object.entries(match.headers ?? {})) {
    if (name.startsWith('@request.auth')) out.dynamicMetadata = [{ name }]
    else out.headers.push({ name, ...condition(matcher) })
  }
  for (const [name, matcher] of Object.entries(match.withoutHeaders ?? {})) {
    if (name.startsWith('@request.auth')) out.dynamicMetadata = [{ name }]
    else {
      const test = condition(matcher)
      const missing = 'presentMatch' in test ? {} : { treatMissingHeaderAsEmpty: true }
      out.headers.push({ name, ...test, ...missing, invertMatch: true })
    }
  }
  for (const [name, field] of [
    [':method', match.method],
    [':authority', match.authority],
    [':scheme', match.scheme],
  ])
    if (field) out.headers.push({ name, ...condition(field) })
  for (const [name, matcher] of Object.entries(match.queryParams ?? {}))
    out.queryParameters.push({ name, ...condition(matcher) })
  return out
}

/** An empty matcher asks for presence; so does the regex `*`, which is no expression. */
function condition(matcher: Written): Written {
  if (matcher?.exact !== undefined) return { stringMatch: { exact: matcher.exact } }
  if (matcher?.prefix !== undefined) return { stringMatch: { prefix: matcher.prefix } }
  if (matcher?.regex !== undefined && matcher.regex !== '*')
    return { stringMatch: { safeRegex: { regex: matcher.regex } } }
  return { presentMatch: true }
}

const redirectNames: Readonly<Record<number, string>> = {
  302: 'FOUND',
  303: 'SEE_OTHER',
  307: 'TEMPORARY_REDIRECT',
  308: 'PERMANENT_REDIRECT',
}

function translateAction(http: HttpRoute, context: RouteContext): Written {
  const { spec } = http
  if (spec.redirect) return { redirect: translateRedirect(spec.redirect, context.port) }
  if (spec.directResponse)
    return {
      directResponse: {
        status: spec.directResponse.status,
        ...(spec.directResponse.body?.string ? { body: { inlineString: spec.directResponse.body.string } } : {}),
      },
    }
  const rewrite = spec.rewrite ?? {}
  const authority = rewrite.authority || authorityOf(spec.headers)
  const destinations = objectsIn(spec.route)
  const route: Written = {
    timeout: spec.timeout ? seconds(spec.timeout) : '0s',
    retryPolicy: translateRetries(spec.retries),
    ...(rewrite.uriRegexRewrite
      ? {
          regexRewrite: {
            pattern: { regex: rewrite.uriRegexRewrite.match },
            substitution: rewrite.uriRegexRewrite.rewrite,
          },
        }
      : rewrite.uri
        ? { prefixRewrite: rewrite.uri }
        : {}),
    ...(authority ? { hostRewriteLiteral: authority } : {}),
    requestMirrorPolicies: [spec.mirror, ...objectsIn(spec.mirrors).map((entry) => entry?.destination)]
      .filter(Boolean)
      .map((destination) => ({ cluster: clusterOf(destination, http, context) })),
  }
  if (destinations.length === 1) {
    route.cluster = clusterOf(destinations[0]?.destination, http, context)
    const ownAuthority = authorityOf(destinations[0]?.headers)
    if (ownAuthority && !route.hostRewriteLiteral) route.hostRewriteLiteral = ownAuthority
  } else
    route.weightedClusters = {
      clusters: destinations
        .filter((entry) => Number(entry?.weight ?? 0) > 0)
        .map((entry) => ({ name: clusterOf(entry.destination, http, context), weight: entry.weight })),
    }
  return { route }
}

/** istiod turns an own Host header in `headers` into a rewrite. */
function authorityOf(headers: Written): string {
  for (const operation of ['set', 'add'])
    for (const [name, value] of Object.entries(headers?.request?.[operation] ?? {}))
      if (/^(:authority|host)$/i.test(name)) return String(value)
  return ''
}

function translateRedirect(redirect: Written, listenerPort: number): Written {
  const wanted = redirect.port ?? (redirect.derivePort === 'FROM_REQUEST_PORT' ? listenerPort : 0)
  const scheme = redirect.scheme || 'http'
  const isDefault = (wanted === 80 && scheme === 'http') || (wanted === 443 && scheme === 'https')
  return {
    ...(redirect.prefixRewrite ? { prefixRewrite: redirect.prefixRewrite } : { pathRedirect: redirect.uri ?? '' }),
    hostRedirect: redirect.authority ?? '',
    schemeRedirect: redirect.scheme ?? '',
    portRedirect: isDefault ? 0 : wanted,
    responseCode: redirectNames[Number(redirect.redirectCode)] ?? 'MOVED_PERMANENTLY',
  }
}

/** Nobody checks whether the cluster exists: a route to nowhere is 503 NC at the moment of the request. */
function clusterOf(destination: Written, http: HttpRoute, context: RouteContext): string {
  const host = resolveHost(String(destination?.host ?? ''), http.from.metadata.namespace ?? '', context.domain)
  if (host === '') return 'UnknownService'
  const service = context.services.get(host.toLowerCase())
  const only = service?.ports.length === 1 ? service.ports[0]?.port : undefined
  const port = destination?.port?.number ?? only ?? context.port
  return outboundClusterName(port, String(destination?.subset ?? ''), host)
}

function translateRetries(retries: Written): Written {
  if (!retries)
    return { retryOn: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes', numRetries: 2 }
  if (Number(retries.attempts ?? 0) === 0 && retries.attempts !== undefined) return undefined
  return {
    retryOn: retries.retryOn ?? 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes',
    numRetries: retries.attempts ?? 2,
    ...(retries.perTryTimeout ? { perTryTimeout: seconds(retries.perTryTimeout) } : {}),
  }
}

function translateFault(fault: Written): Written {
  return {
    ...(fault.abort
      ? { abort: { httpStatus: fault.abort.httpStatus, percentage: millionths(fault.abort.percentage) } }
      : {}),
    ...(fault.delay
      ? {
          delay: {
            fixedDelay: seconds(fault.delay.fixedDelay ?? '0s'),
            percentage: millionths(fault.delay.percentage ?? { value: fault.delay.percent ?? 0 }),
          },
        }
      : {}),
  }
}

function millionths(percentage: Written): Written {
  return { numerator: Math.round(Number(percentage?.value ?? 0) * 10_000), denominator: 'MILLION' }
}

const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001, us: 1e-6, ns: 1e-9 }

/** Go durations (`1m30s`, `100ms`) as protobuf prints them. */
function seconds(duration: unknown): string {
  let total = 0
  for (const [, amount, unit] of String(duration).matchAll(/(\d+(?:\.\d+)?)(h|ms|m|us|ns|s)/g))
    total += Number(amount) * (units[unit ?? 's'] ?? 1)
  return `${total}s`
}
