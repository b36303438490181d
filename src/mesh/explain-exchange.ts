import type { CurlTransfer } from '../../parsers/curl.ts'
import type { SeenResponse } from './answered-by.ts'
import { resetBodyEntries } from './detail-entries.ts'
import { type Recognised, recognisedEntry } from './explanation.ts'
import { lookUp, type VocabularyEntry } from './vocabulary.ts'

/** What `curl -v` showed. */
export interface SeenExchange extends SeenResponse {
  /** `curl: (56) …`, or the message that stands for it. */
  readonly error: string | null
}

/** What the caller's side of one call says: the error, else the body, else the status. */
export function explainExchange(exchange: SeenExchange): Recognised[] {
  const { body, error, status } = exchange
  const found: Recognised[] = []
  if (error) for (const entry of errorEntries(error)) found.push(recognisedEntry(entry, error))
  // Envoy's own bodies are one short line; an application's body may be anything and long.
  if (body && body.length < 600) for (const entry of bodyEntries(body)) found.push(recognisedEntry(entry, body))
  const empty = emptyBodyEntry(exchange)
  if (empty)
    found.push(
      recognisedEntry(
        empty,
        `${status} with an empty body`,
        `A proxy’s own ${status} without any body is usually ${empty.term}: ${empty.meaning}`,
      ),
    )
  if (status !== null)
    for (const entry of lookUp(String(status), ['http-status'])) found.push(recognisedEntry(entry, String(status)))
  return found
}

function bodyEntries(body: string): readonly VocabularyEntry[] {
  return [...resetBodyEntries(body), ...lookUp(body.trim(), ['response-body', 'jwt-text', 'authz-text'])]
}

function errorEntries(error: string): readonly VocabularyEntry[] {
  const number = /curl:?\s*\(?(\d+)\)?/i.exec(error)?.[1]
  const byNumber = number === undefined ? [] : lookUp(`curl: (${number})`, ['curl-error'])
  return byNumber.length > 0 ? byNumber : lookUp(error, ['curl-error'])
}

/** Most answers that Envoy makes itself carry a text; a missing route and a missing cluster do not. */
function emptyBodyEntry(exchange: SeenExchange): VocabularyEntry | undefined {
  const { headers, status } = exchange
  const isEmpty = exchange.body === null && (headers['content-length'] ?? '0') === '0'
  const fromProxy = /^(istio-)?envoy$/.test(headers.server ?? '') && !('x-envoy-upstream-service-time' in headers)
  if (!isEmpty || !fromProxy) return undefined
  const term = status === 503 ? 'cluster_not_found' : status === 404 ? 'route_not_found' : null
  return term === null ? undefined : lookUp(term, ['response-detail'])[0]
}

/** What the curl parser read, as far as it tells who answered. */
export function seenExchange(transfer: CurlTransfer): SeenExchange | null {
  const { status, errorCode, errorText } = transfer
  if (status === null && errorCode === null && errorText === null) return null
  return {
    status,
    headers: Object.fromEntries(transfer.responseHeaders),
    body: transfer.body,
    error: errorCode === null ? errorText : `curl: (${errorCode}) ${errorText ?? ''}`.trim(),
  }
}
