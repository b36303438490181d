import { graphemes } from './width.ts'

export interface Match {
  readonly score: number
  /** Indices of the matched graphemes. */
  readonly positions: ReadonlySet<number>
}

const nothing: Match = { score: 0, positions: new Set() }

/** Every word of the query must occur in order, letter by letter; beginnings of words and runs count more. `null`: no match. */
export function fuzzy(query: string, text: string): Match | null {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return nothing
  const letters = graphemes(text.toLowerCase())
  let score = 0
  const positions = new Set<number>()
  for (const word of words) {
    const match = matchWord(graphemes(word), letters)
    if (!match) return null
    score += match.score
    for (const at of match.positions) positions.add(at)
  }
  return { score: score - letters.length / 100, positions }
}

function matchWord(word: readonly string[], letters: readonly string[]): Match | null {
  let best: Match | null = null
  for (let start = 0; start < letters.length; start++) {
    if (letters[start] !== word[0]) continue
    const match = matchFrom(word, letters, start)
    if (!match) break
    if (!best || match.score > best.score) best = match
  }
  return best
}

function matchFrom(word: readonly string[], letters: readonly string[], start: number): Match | null {
  const positions = new Set<number>()
  let at = start
  let score = 0
  let last = -2
  for (const letter of word) {
    while (at < letters.length && letters[at] !== letter) at++
    if (at >= letters.length) return null
    const beginsWord = at === 0 || !/[\p{L}\p{N}]/u.test(letters[at - 1] ?? '')
    score += at === last + 1 ? 6 : beginsWord ? 5 : 1
    // Letters far apart are a coincidence more often than an abbreviation.
    if (last >= 0) score -= Math.min(3, (at - last - 1) / 4)
    positions.add(at)
    last = at
    at++
  }
  if (start === 0) score += 3
  // The word as it is beats any abbreviation.
  if (last === start + word.length - 1) score += 2 * word.length
  return { score, positions }
}

/** A match worth showing: single letters scattered over a sentence are not. */
export function matches(query: string, text: string): Match | null {
  const match = fuzzy(query, text)
  if (!match) return null
  const letters = query.replace(/\s+/g, '').length
  return match.score < letters * 3 ? null : match
}
