import { addCounts, type Redact } from '../exec/redact.ts'
import type { Given, Target } from '../model/call.ts'

/** Headers of the call whose value is nobody's business, by their name; more generous than for text that was found somewhere. */
const secretHeader = /auth|cookie|token|secret|passw|credential|session|signature|(?:^|[-_])(?:api-?)?keys?$/i
const scheme = /^(?:(?:Bearer|Basic|Digest|Negotiate|Token|ApiKey|AWS4-HMAC-SHA256)\s+)?/i
const dealtWith = /REDACTED|^$/

/**
 * What the person typed or pasted, without secrets. The walk starts from this and not from what was typed: then it is the
 * same walk when it is replayed from the disk.
 */
export function redactGiven(
  given: Given,
  redact: Redact,
): { readonly given: Given; readonly counts: Readonly<Record<string, number>> } {
  let counts: Readonly<Record<string, number>> = {}
  const text = <T extends string | null>(value: T): T => {
    if (value === null) return value
    const redacted = redact(value)
    counts = addCounts(counts, redacted.counts)
    return redacted.text as T // a text for a text
  }
  const header = ([name, value]: readonly [string, string]): [string, string] => {
    const line = text(`${name}: ${value}`)
    const shown = line.startsWith(`${name}: `) ? line.slice(name.length + 2) : text(value)
    if (shown !== value || dealtWith.test(shown) || !secretHeader.test(name)) return [name, shown]
    counts = addCounts(counts, { header: 1 })
    return [name, `${scheme.exec(value)?.[0] ?? ''}REDACTED`]
  }
  const target = (one: Target | null): Target | null => one && { ...one, name: text(one.name), text: text(one.text) }
  const redacted: Given = {
    ...given,
    from: target(given.from),
    to: target(given.to),
    host: text(given.host),
    path: text(given.path),
    headers: given.headers.map(header),
    jwtClaims: given.jwtClaims && (JSON.parse(text(JSON.stringify(given.jwtClaims))) as Given['jwtClaims']), // redaction keeps JSON what it is
    logText: text(given.logText),
    curlText: text(given.curlText),
  }
  return { given: redacted, counts }
}
