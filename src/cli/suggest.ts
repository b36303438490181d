import { editDistance } from '../mesh/vocabulary.ts'

/** `did you mean …?`, or nothing of the kind when nothing is near. */
export function nearest(word: string, known: readonly string[]): string {
  const [best] = [...known]
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate, 8) }))
    .sort((a, b) => a.distance - b.distance)
  return best && best.distance <= Math.max(2, Math.floor(word.length / 3))
    ? `did you mean ${best.candidate}?`
    : 'nothing known is near'
}
