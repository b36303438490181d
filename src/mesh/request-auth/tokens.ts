import type { Claims } from '../authorize/jwt-claims.ts'
import type { JwtRule, TokenLocation } from './jwt-rule.ts'

/** A token at the place where a rule looks for it. */
export interface FoundToken {
  readonly location: TokenLocation
  /** `null` for a token of which only the parts are known. */
  readonly text: string | null
  readonly known: KnownToken | null
}

/** A caller's token as people describe it: claims, perhaps the header, seldom the text. */
export interface KnownToken {
  readonly claims: Claims
  readonly header?: Claims
  /** Default: `Authorization: Bearer`. */
  readonly location?: TokenLocation
}

export interface TokenCarrier {
  readonly headers?: readonly (readonly [string, string])[]
  /** `named`: other headers may have been sent too. Default: `all`. */
  readonly headersKnown?: 'all' | 'named'
  readonly path?: string
  readonly known?: readonly KnownToken[]
}

const usualLocation: TokenLocation = { kind: 'header', name: 'authorization', prefix: 'Bearer ' }

/** In Envoy's order: headers sorted by name and prefix, then parameters, then cookies. */
export function tokensFor(rule: JwtRule, carrier: TokenCarrier): readonly FoundToken[] {
  const rank = { header: 0, param: 1, cookie: 2 }
  const key = (location: TokenLocation) => location.name + (location.kind === 'header' ? location.prefix : '')
  const locations = [...rule.locations].sort(
    (a, b) => rank[a.kind] - rank[b.kind] || (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0),
  )
  return locations.flatMap((location) => [
    ...textsAt(location, carrier).map((text) => ({ location, text, known: null })),
    ...(carrier.known ?? [])
      .filter((token) => isAt(token.location ?? usualLocation, location))
      .map((known) => ({ location, text: null, known })),
  ])
}

function isAt(actual: TokenLocation, looked: TokenLocation): boolean {
  if (actual.kind !== looked.kind) return false
  if (actual.kind !== 'header' || looked.kind !== 'header') return actual.name === looked.name
  return (
    actual.name.toLowerCase() === looked.name &&
    (looked.prefix === '' ? actual.prefix === '' : actual.prefix.includes(looked.prefix))
  )
}

function textsAt(location: TokenLocation, { headers = [], path = '' }: TokenCarrier): readonly string[] {
  const values = (name: string) =>
    headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value.trim())
  switch (location.kind) {
    case 'header': {
      const all = values(location.name)
      // Envoy keeps one Authorization: two of them become one text, which is no token any more.
      const seen = location.name === 'authorization' && all.length > 1 ? [all.join(',')] : all
      return location.prefix === '' ? seen : seen.flatMap((value) => afterPrefix(value, location.prefix))
    }
    case 'param': {
      const value = firstParam(path, location.name)
      return value === null ? [] : [value]
    }
    case 'cookie': {
      const pairs = values('cookie')
        .flatMap((value) => value.split(';'))
        .map((pair) => pair.trim())
      const found = pairs.find((pair) => pair.startsWith(`${location.name}=`))
      return found === undefined ? [] : [found.slice(location.name.length + 1).replace(/^"(.*)"$/, '$1')]
    }
  }
}

/** The prefix is searched anywhere, with regard to case; what is no token character after it is skipped. */
function afterPrefix(value: string, prefix: string): readonly string[] {
  const at = value.indexOf(prefix)
  if (at < 0) return []
  const rest = value.slice(at + prefix.length)
  const start = rest.search(/[A-Za-z0-9\-_.]/)
  return [start < 0 ? value : rest.slice(start)]
}

function firstParam(path: string, name: string): string | null {
  const query = path.indexOf('?')
  if (query < 0) return null
  for (const pair of path.slice(query + 1).split('&')) {
    const equals = pair.indexOf('=')
    if (percentDecode(equals < 0 ? pair : pair.slice(0, equals)) === name)
      return equals < 0 ? '' : percentDecode(pair.slice(equals + 1))
  }
  return null
}

function percentDecode(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
