import type { Layer } from '../model/layer.ts'
import { type IstCode, istCode } from './ist-codes.ts'
import type { VocabularyEntry } from './vocabulary.ts'

/** One thing that was recognised in what the person gave us. */
export interface Recognised {
  /** What kind of thing, in words: `access-log line`, `response flag`. */
  readonly what: string
  /** The text it was found in, shortened. */
  readonly text: string
  readonly sentence: string
  readonly entries: readonly VocabularyEntry[]
  readonly layer: Layer
  readonly next: readonly string[]
  readonly mistakes: readonly string[]
}

const kindWords: Readonly<Record<VocabularyEntry['kind'], string>> = {
  'response-flag': 'response flag',
  'response-detail': 'response code detail',
  'reset-reason': 'reset reason',
  'termination-detail': 'connection termination detail',
  'transport-failure': 'transport failure',
  'ist-code': 'analyzer code',
  'xds-state': 'sync state',
  'jwt-text': 'JWT refusal',
  'authz-text': 'authorization result',
  'ztunnel-error': 'ztunnel error',
  'curl-error': 'curl error',
  'caller-error': 'error of the caller’s HTTP library',
  'http-status': 'status code',
  'grpc-status': 'gRPC status',
  'http2-error': 'HTTP/2 error',
  'istiod-text': 'control plane or agent message',
  'response-body': 'response body',
  'cluster-name': 'cluster name',
  glossary: 'term',
}

/** An entry as an answer. `sentence` replaces the entry's own words where the text said more than the term. */
export function recognisedEntry(entry: VocabularyEntry, text: string, sentence = entrySentence(entry)): Recognised {
  return {
    what: kindWords[entry.kind],
    text: shorten(text),
    sentence,
    entries: [entry],
    layer: entry.layer,
    next: [entry.next],
    mistakes: [entry.mistake],
  }
}

export function entrySentence(entry: VocabularyEntry): string {
  // What every release has needs no version.
  const since = entry.since && !entry.since.endsWith('older') ? ` Since ${entry.since}.` : ''
  return `${entryTitle(entry)}: ${entry.meaning}${since}`
}

function entryTitle(entry: VocabularyEntry): string {
  const ist: IstCode | undefined = entry.kind === 'ist-code' ? istCode(entry.term) : undefined
  if (ist) return `${ist.term} ${ist.name} (${ist.level}${ist.removedIn ? `, gone since ${ist.removedIn}` : ''})`
  const long = entry.kind === 'response-flag' ? entry.aliases[0] : undefined
  return long ? `${entry.term} (${long})` : entry.term.replace(/^…|…$/g, '').replace(/[:\s]+$/, '')
}

export function shorten(text: string, length = 240): string {
  const clean = text.trim()
  return clean.length > length ? `${clean.slice(0, length - 1)}…` : clean
}

export function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
