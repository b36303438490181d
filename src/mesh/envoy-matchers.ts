import { matchesWhole } from './regular-expression.ts'

/** A request as far as routing looks at it. Headers in the order in which they were sent. */
export interface HttpRequest {
  readonly method: string
  /** With query, as the proxy sees it. */
  readonly path: string
  readonly authority: string
  readonly scheme?: 'http' | 'https'
  readonly headers?: readonly (readonly [string, string])[]
}

/** `null`: cannot be told from what is known. */
export type Verdict = boolean | null

// biome-ignore lint/suspicious/noExplicitAny: parts of Envoy's configuration, read field by field
type Config = any

export function all(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes(false)) return false
  return verdicts.includes(null) ? null : true
}

export function not(verdict: Verdict): Verdict {
  return verdict === null ? null : !verdict
}

export function matchString(matcher: Config, value: string): Verdict {
  if (matcher === null || typeof matcher !== 'object') return null
  const fold = (text: string) => (matcher.ignoreCase === true ? text.toLowerCase() : text)
  const actual = fold(value)
  if (typeof matcher.exact === 'string') return actual === fold(matcher.exact)
  if (typeof matcher.prefix === 'string') return actual.startsWith(fold(matcher.prefix))
  if (typeof matcher.suffix === 'string') return actual.endsWith(fold(matcher.suffix))
  if (typeof matcher.contains === 'string') return actual.includes(fold(matcher.contains))
  if (matcher.safeRegex) return matchesWhole(String(matcher.safeRegex.regex ?? ''), value)
  return null
}

/** All values of a header in one text. Pseudo-headers come from the request line; Host is the authority. */
export function headerValue(request: HttpRequest, header: string): string | null {
  const name = header.toLowerCase()
  if (name === ':method') return request.method
  if (name === ':path') return request.path
  if (name === ':authority' || name === 'host') return request.authority
  if (name === ':scheme') return request.scheme ?? 'http'
  const values = (request.headers ?? []).filter(([key]) => key.toLowerCase() === name).map(([, value]) => value.trim())
  if (values.length === 0) return null
  return values.join(name === 'cookie' ? '; ' : ',')
}

export function matchHeader(matcher: Config, request: HttpRequest): Verdict {
  const value = headerValue(request, String(matcher.name ?? ''))
  const invert = matcher.invertMatch === true
  const presence = presenceOf(matcher)
  if (value === null && matcher.treatMissingHeaderAsEmpty !== true) {
    // A missing header fails every test of its value, inverted or not. Only presence itself can be inverted.
    if (presence === null) return false
    return invert ? presence : !presence
  }
  const plain = presence !== null ? presence : matchValue(matcher, value ?? '')
  return invert ? not(plain) : plain
}

function presenceOf(matcher: Config): boolean | null {
  if (typeof matcher.presentMatch === 'boolean') return matcher.presentMatch
  // Without any specifier the matcher asks for presence.
  const specifiers = [
    'stringMatch',
    'exactMatch',
    'prefixMatch',
    'suffixMatch',
    'containsMatch',
    'safeRegexMatch',
    'rangeMatch',
  ]
  return specifiers.some((key) => matcher[key] !== undefined) ? null : true
}

function matchValue(matcher: Config, value: string): Verdict {
  if (matcher.stringMatch !== undefined) return matchString(matcher.stringMatch, value)
  if (typeof matcher.exactMatch === 'string') return value === matcher.exactMatch
  if (typeof matcher.prefixMatch === 'string') return value.startsWith(matcher.prefixMatch)
  if (typeof matcher.suffixMatch === 'string') return value.endsWith(matcher.suffixMatch)
  if (typeof matcher.containsMatch === 'string') return value.includes(matcher.containsMatch)
  if (matcher.safeRegexMatch) return matchesWhole(String(matcher.safeRegexMatch.regex ?? ''), value)
  if (matcher.rangeMatch) {
    if (!/^[+-]?\d+$/.test(value)) return false
    const number = Number(value)
    return number >= Number(matcher.rangeMatch.start ?? 0) && number < Number(matcher.rangeMatch.end ?? 0)
  }
  return null
}

export function matchQuery(matcher: Config, path: string): Verdict {
  const value = queryValue(path, String(matcher.name ?? ''))
  if (matcher.stringMatch !== undefined) return value === null ? false : matchString(matcher.stringMatch, value)
  const wanted = matcher.presentMatch !== false
  return (value !== null) === wanted
}

/** The first value of a parameter, as written: nothing is decoded. */
function queryValue(path: string, name: string): string | null {
  const start = path.indexOf('?')
  if (start < 0) return null
  const query = path.slice(start + 1).split('#', 1)[0] ?? ''
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=')
    if ((equals < 0 ? pair : pair.slice(0, equals)) === name) return equals < 0 ? '' : pair.slice(equals + 1)
  }
  return null
}

export function pathOnly(path: string): string {
  return path.split(/[?#]/, 1)[0] ?? ''
}

/** The path condition of a route. Query and fragment never take part. */
export function matchPath(match: Config, request: HttpRequest): Verdict {
  const sensitive = match.caseSensitive !== false
  const fold = (text: string) => (sensitive ? text : text.toLowerCase())
  const path = fold(pathOnly(request.path))
  if (typeof match.prefix === 'string') return path.startsWith(fold(match.prefix))
  if (typeof match.path === 'string') return path === fold(match.path)
  if (match.safeRegex) return matchesWhole(String(match.safeRegex.regex ?? ''), pathOnly(request.path))
  if (typeof match.pathSeparatedPrefix === 'string') {
    const prefix = fold(match.pathSeparatedPrefix)
    return path === prefix || path.startsWith(`${prefix}/`)
  }
  if (match.connectMatcher) return request.method === 'CONNECT'
  return null
}
