import type { Hit } from '../../model/finding.ts'

/** Replicas that fail in the same way are one finding: the first one tells it, the others stand in its statement. */
export function mergeHits(hits: readonly Hit[], alike: (hit: Hit) => string = () => ''): readonly Hit[] {
  const groups = new Map<string, Hit[]>()
  for (const hit of hits) groups.set(alike(hit), [...(groups.get(alike(hit)) ?? []), hit])
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (!first || others.length === 0) return first ?? []
    const shown = others.slice(0, 5).map(({ title }) => title)
    const rest = others.length - shown.length
    return {
      ...first,
      statement: `${first.statement} Likewise: ${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}.`,
      supporting: [...first.supporting, ...others.slice(0, 5).flatMap(({ supporting }) => supporting.slice(0, 1))],
    }
  })
}
