import { findIn, lookUp, type VocabularyEntry } from './vocabulary.ts'

/** Words that only announce what follows them: beside a more telling entry their advice is noise. */
const wrappers = new Set([
  'upstream_reset_before_response_started{…}',
  'upstream_reset_after_response_started{…}',
  'jwt_authn_access_denied{…}',
  'delayed_connect_error:…',
  'TLS_error:…',
])

export function tellingEntries(entries: readonly VocabularyEntry[]): readonly VocabularyEntry[] {
  const telling = entries.filter((entry) => !wrappers.has(entry.term))
  return telling.length > 0 ? telling : entries
}

/** What response code details say, the most telling entry first: the transport failure or reason in the braces before the word in front of them. */
export function detailEntries(
  details: string | null,
  transportFailure: string | null = null,
): readonly VocabularyEntry[] {
  const inner = /^[\w.]+\{(.*)\}$/s.exec(details ?? '')?.[1] ?? null
  // `,` parts reason and transport failure up to Envoy 1.30, `|` after.
  const [, reason = null, rest = null] = /^([^|,]*)(?:[|,](.*))?$/s.exec(inner ?? '') ?? []
  const transport = transportFailure ?? rest
  return [
    ...new Set([
      ...(transport ? findIn(transport, ['transport-failure']).slice(0, 2) : []),
      ...(inner ? lookUp(inner, ['jwt-text']) : []),
      ...(reason ? lookUp(reason, ['reset-reason']) : []),
      ...(details ? lookUp(details, ['response-detail', 'authz-text', 'jwt-text']) : []),
    ]),
  ]
}

/** The same for the body that a proxy sends: `… reset reason: connection termination, transport failure reason: TLS_error…`. */
export function resetBodyEntries(body: string): readonly VocabularyEntry[] {
  const match = /reset reason: ([^,]+?)(?:, transport failure reason: (.*))?\s*$/s.exec(body)
  if (!match) return []
  return [
    ...(match[2] ? findIn(match[2], ['transport-failure']).slice(0, 1) : []),
    ...lookUp(match[1] ?? '', ['reset-reason']),
  ]
}
