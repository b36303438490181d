/** Routes that were passed over, as conditions: `path = /api, path /v2*`. */
export function routesInWords(passedOver: readonly { readonly failed: string }[]): string {
  const wanted = [...new Set(passedOver.map(({ failed }) => failed))]
  const shown = wanted.slice(0, 4).join(', ')
  return wanted.length > 4 ? `${shown} and ${wanted.length - 4} more` : shown
}

const pathCondition = /^path (?:= (?<exact>\S+)|(?<prefix>\S+)\*|(?<segment>\S+)\[\/\*\])$/

/** How nearly a route took the path: upper and lower case, or a slash at the end. Null when none is near. */
export function nearMiss(path: string, passedOver: readonly { readonly failed: string }[]): string | null {
  const bare = path.split(/[?#]/, 1)[0] ?? path
  for (const { failed } of passedOver) {
    const groups = pathCondition.exec(failed)?.groups
    const wanted = groups?.exact ?? groups?.prefix ?? groups?.segment
    if (wanted === undefined) continue
    const isExact = groups?.exact !== undefined
    const fits = (a: string, b: string) => (isExact ? a === b : a.startsWith(b))
    if (!fits(bare, wanted) && fits(bare.toLowerCase(), wanted.toLowerCase()))
      return `${bare} differs from ${wanted} only in upper and lower case, which count.`
    if (isExact && bare.replace(/\/$/, '') === wanted.replace(/\/$/, ''))
      return `${bare} differs from ${wanted} only in the slash at its end, which counts for an exact match.`
    if (isExact && bare.startsWith(`${wanted.replace(/\/$/, '')}/`))
      return `${wanted} is an exact match: it does not take ${bare}, which lies below it.`
  }
  return null
}
