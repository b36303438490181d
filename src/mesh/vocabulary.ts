import { authzTexts } from './authz-texts.ts'
import { callerErrors } from './caller-errors.ts'
import { curlErrors } from './curl-errors.ts'
import { clusterNames, glossary } from './glossary.ts'
import { headerWords, portWords, settingWords } from './glossary-settings.ts'
import { grpcStatuses, http2Errors, httpStatuses } from './http-statuses.ts'
import { istCodes } from './ist-codes.ts'
import { agentTexts, istiodTexts, responseBodies } from './istiod-texts.ts'
import { jwtTexts } from './jwt-texts.ts'
import { protocolDetails } from './protocol-details.ts'
import { resetReasons } from './reset-reasons.ts'
import { limitDetails, routingDetails } from './response-details.ts'
import { responseFlags } from './response-flags.ts'
import { terminationDetails } from './termination-details.ts'
import { transportFailures } from './tls-errors.ts'
import type { EntryKind, VocabularyEntry } from './vocabulary-entry.ts'
import { xdsStates } from './xds-states.ts'
import { ztunnelErrors } from './ztunnel-errors.ts'

export type { EntryKind, VocabularyEntry } from './vocabulary-entry.ts'

/** Every term we can explain offline. */
export const entries: readonly VocabularyEntry[] = [
  ...responseFlags,
  ...routingDetails,
  ...limitDetails,
  ...protocolDetails,
  ...resetReasons,
  ...terminationDetails,
  ...transportFailures,
  ...authzTexts,
  ...jwtTexts,
  ...istCodes,
  ...xdsStates,
  ...ztunnelErrors,
  ...curlErrors,
  ...callerErrors,
  ...httpStatuses,
  ...grpcStatuses,
  ...http2Errors,
  ...istiodTexts,
  ...agentTexts,
  ...responseBodies,
  ...clusterNames,
  ...glossary,
  ...settingWords,
  ...portWords,
  ...headerWords,
]

interface Pattern {
  readonly regex: RegExp
  /** How much of the pattern is fixed: the longer, the more it says. */
  readonly fixed: number
  readonly entry: VocabularyEntry
}

const exact = new Map<string, VocabularyEntry[]>()
const patterns: Pattern[] = []
for (const entry of entries)
  for (const term of [entry.term, ...entry.aliases]) {
    if (term.includes('…')) patterns.push(patternOf(term, entry))
    else {
      const key = normalise(term)
      const known = exact.get(key)
      if (!known) exact.set(key, [entry])
      else if (!known.includes(entry)) known.push(entry)
    }
  }
patterns.sort((a, b) => b.fixed - a.fixed)

/** Terms that can be found inside prose: two or three letters occur in any. The longest first. */
const phrases = entries
  .flatMap((entry) => [entry.term, ...entry.aliases].map((term) => phraseOf(term, entry)))
  .filter(({ fixed }) => fixed >= 8)
  .sort((a, b) => b.fixed - a.fixed)

/** All entries for a term, exact spellings before patterns and, among patterns, the most specific one. Empty when unknown. */
export function lookUp(term: string, kinds?: readonly EntryKind[]): readonly VocabularyEntry[] {
  const key = normalise(term)
  const wanted = (entry: VocabularyEntry) => !kinds || kinds.includes(entry.kind)
  const found = (exact.get(key) ?? []).filter(wanted)
  if (found.length > 0) return found
  const pattern = patterns.find(({ regex, entry }) => wanted(entry) && regex.test(key))
  return pattern ? [pattern.entry] : []
}

/** Entries of the given kinds whose text occurs anywhere in a longer line, the most specific first. */
export function findIn(line: string, kinds: readonly EntryKind[]): readonly VocabularyEntry[] {
  const text = normalise(line)
  const found = phrases.filter(({ entry, parts }) => kinds.includes(entry.kind) && occursInOrder(text, parts))
  return [...new Set(found.map(({ entry }) => entry))]
}

/** Known terms that are spelled most like an unknown one. */
export function nearest(term: string, count = 3): readonly string[] {
  const key = normalise(term)
  const limit = Math.max(1, Math.floor(key.length / 3))
  const scored: { term: string; distance: number }[] = []
  for (const entry of entries)
    for (const candidate of [entry.term, ...entry.aliases]) {
      const other = normalise(candidate)
      if (Math.abs(other.length - key.length) > limit) continue
      const distance = editDistance(key, other, limit)
      if (distance <= limit) scored.push({ term: candidate, distance })
    }
  scored.sort((a, b) => a.distance - b.distance || (a.term < b.term ? -1 : 1))
  return [...new Set(scored.map((candidate) => candidate.term))].slice(0, count)
}

/** Logs write `_` for blanks, people write either, and case means nothing. */
export function normalise(term: string): string {
  return term
    .trim()
    .replace(/[\s_]+/g, ' ')
    .replace(/’/g, "'")
    .replace(/[;.]+$/, '')
    .toLowerCase()
}

function patternOf(term: string, entry: VocabularyEntry): Pattern {
  const parts = normalise(term).split('…')
  const escaped = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return { regex: new RegExp(`^${escaped.join('.*')}$`, 's'), fixed: parts.join('').length, entry }
}

function phraseOf(term: string, entry: VocabularyEntry) {
  const parts = normalise(term).split('…').filter(Boolean)
  return { entry, parts, fixed: parts.join('').length }
}

function occursInOrder(text: string, parts: readonly string[]): boolean {
  let from = 0
  for (const part of parts) {
    const at = text.indexOf(part, from)
    if (at < 0) return false
    from = at + part.length
  }
  return true
}

/** Levenshtein distance, given up (as `limit + 1`) once it cannot stay within the limit. */
export function editDistance(a: string, b: string, limit: number): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let best = i
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const value = Math.min(change, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
      row.push(value)
      if (value < best) best = value
    }
    if (best > limit) return limit + 1
    previous = row
  }
  return previous[b.length] ?? limit + 1
}
