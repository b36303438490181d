import { glossary } from '../../mesh/glossary.ts'
import { lookUp } from '../../mesh/vocabulary.ts'

/** What Envoy, istiod and istioctl print and people ask about. */
const codes: readonly RegExp[] = [
  /\bIST\d{4}\b/g,
  // Response flags, alone or in a comma list. Other capitals are somebody's name: the vocabulary decides.
  /\b[A-Z]{2,5}\b/g,
  // Response code details and the like: words joined by underscores; not a variable of curl's.
  /(?<!%\{)\b[a-z]+(?:_[a-z]+)+(?:\[[^\]\s]*\]|\{[^}\s]*\})?/g,
  /\b(?:outbound|inbound|inbound-vip)\|\d*\|[^|\s]*\|[^\s,;]*/g,
  /\b[A-Z]\w*Cluster\b/g,
  /\b[45]\d\d\b/g,
]

const words = new RegExp(
  `\\b(?:${glossary
    .map(({ term }) => term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .sort((a, b) => b.length - a.length)
    .join('|')})s?\\b`,
  'gi',
)

/** What can be explained on a screen, beginning with what stands in the marked line. */
export function termsFrom(here: string, screen: string): string[] {
  const first = termsIn(here)
  const seen = new Set(first.map(keyOf))
  return [...first, ...termsIn(screen).filter((term) => !seen.has(keyOf(term)))]
}

function keyOf(term: string): string {
  return term.toLowerCase().replace(/s$/, '')
}

/** What can be explained on a screen, each once: codes in the order in which they stand there, then words of the mesh. */
export function termsIn(text: string): string[] {
  const found = (pattern: RegExp) =>
    [...text.matchAll(pattern)]
      // Cut off by the edge of the screen: only half a word.
      .filter((match) => text[match.index + match[0].length] !== '…')
      .map((match) => ({ at: match.index, term: match[0].replace(/[.,:;)'"]+$/, '') }))
  const printed = codes
    .flatMap(found)
    .filter(({ term }) => /[|[{]/.test(term) || lookUp(term).length > 0)
    .sort((a, b) => a.at - b.at || b.term.length - a.term.length)
  const terms = new Map<string, string>()
  for (const { term } of [...printed, ...found(words)]) {
    const key = keyOf(term)
    if (!terms.has(key)) terms.set(key, term)
  }
  return [...terms.values()]
}
