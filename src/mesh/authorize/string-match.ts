/** The four kinds of values. The order of the tests matters: `*abc*` is a suffix match on the text `abc*`, and `a*b` is no wildcard. */
export type Pattern =
  | { readonly kind: 'present' }
  | { readonly kind: 'suffix' | 'prefix' | 'exact'; readonly text: string }

export function readPattern(value: string): Pattern {
  if (value === '*') return { kind: 'present' }
  if (value.startsWith('*')) return { kind: 'suffix', text: value.slice(1) }
  if (value.endsWith('*')) return { kind: 'prefix', text: value.slice(0, -1) }
  return { kind: 'exact', text: value }
}

/** `*` wants at least one character. Header fields differ there: see `matchesHeaderValue`. */
export function matchesValue(value: string, actual: string): boolean {
  const pattern = readPattern(value)
  return pattern.kind === 'present' ? actual !== '' : matchesText(pattern, actual)
}

/** For headers `*` only asks that the header exists, even if it is empty. */
export function matchesHeaderValue(value: string, actual: string): boolean {
  const pattern = readPattern(value)
  return pattern.kind === 'present' || matchesText(pattern, actual)
}

/** Hosts are compared without regard to case, and with the port that the caller wrote. */
export function matchesHost(value: string, actual: string): boolean {
  return matchesHeaderValue(lowerAscii(value), lowerAscii(actual))
}

function matchesText(pattern: { readonly kind: 'suffix' | 'prefix' | 'exact'; readonly text: string }, actual: string) {
  if (pattern.kind === 'suffix') return actual.endsWith(pattern.text)
  if (pattern.kind === 'prefix') return actual.startsWith(pattern.text)
  return actual === pattern.text
}

// Envoy folds ASCII only; toLowerCase() would also fold letters such as the Kelvin sign.
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
