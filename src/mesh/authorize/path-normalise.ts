import type { PathNormalization } from '../mesh-config.ts'

/** `rejected`: the proxy answers 400 by itself before any policy is asked. `uncertain`: releases differ in what they make of it. */
export type NormalisedPath =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'rejected'; readonly because: string }
  | { readonly kind: 'uncertain'; readonly because: string }

/** What the `paths` field is compared with: normalised as the mesh is told to, without query. */
export function normalisePath(raw: string, mode: PathNormalization): NormalisedPath {
  if (raw.includes('#')) return { kind: 'rejected', because: 'a path with # is refused with 400' }
  const query = raw.indexOf('?')
  const path = query < 0 ? raw : raw.slice(0, query)
  // `OPTIONS *` and authorities of CONNECT are no paths, and nothing normalises them.
  if (!path.startsWith('/')) return { kind: 'path', path }
  if (mode === 'NONE') return { kind: 'path', path }
  if (/[\x00-\x20\x7f]/.test(path)) return { kind: 'uncertain', because: 'blanks and control characters in a path' }
  const unescaped = mode === 'DECODE_AND_MERGE_SLASHES' ? path.replace(/%2f/gi, '/').replace(/%5c/gi, '\\') : path
  if (/%00/.test(unescaped)) return { kind: 'rejected', because: '%00 in a path is refused with 400' }
  if (unescaped.includes('^')) return { kind: 'uncertain', because: 'releases differ in whether ^ is escaped' }
  const canonical = removeDotSegments(escapeRest(decodeUnreserved(unescaped.replaceAll('\\', '/'))))
  return { kind: 'path', path: mode === 'BASE' ? canonical : canonical.replace(/\/{2,}/g, '/') }
}

// Only letters, digits and -._~ are decoded: %25, %2F and %5C stay as they are.
function decodeUnreserved(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (escaped, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16))
    return /[A-Za-z0-9\-._~]/.test(char) ? char : escaped
  })
}

function escapeRest(path: string): string {
  return path.replace(/["<>`{}]|[^\x00-\x7f]+/g, (chars) =>
    chars.length === 1 && chars < '\x7f' ? `%${chars.charCodeAt(0).toString(16).toUpperCase()}` : encodeUtf8(chars),
  )
}

function encodeUtf8(chars: string): string {
  // A lone surrogate cannot be encoded; Envoy never sees one, since header values are bytes.
  return encodeURIComponent(chars.replace(/[\ud800-\udfff](?![\udc00-\udfff])/g, '\ufffd'))
}

function removeDotSegments(path: string): string {
  const kept: string[] = []
  const segments = path.slice(1).split('/')
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1
    if (segment === '..') kept.pop()
    if (segment !== '.' && segment !== '..') kept.push(segment)
    else if (isLast) kept.push('')
  }
  return `/${kept.join('/')}`
}
