/** The top-level `{…}` in a text, and what is left when the last one never closes. Braces in strings do not count. */
export function splitObjects(text: string): { readonly objects: readonly string[]; readonly cut?: string } {
  const objects: string[] = []
  let depth = 0
  let start = -1
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === 0x5c) at++
      else if (code === 0x22) inString = false
    } else if (code === 0x22) {
      // Outside of an object a quote belongs to a log line, which may hold a single one.
      inString = depth > 0
    } else if (code === 0x7b) {
      if (depth === 0) start = at
      depth++
    } else if (code === 0x7d && depth > 0) {
      depth--
      if (depth === 0) objects.push(text.slice(start, at + 1))
    } else if (code === 0x5d && depth === 0) {
      // The end of the array whose elements were asked for.
      return { objects }
    }
  }
  return depth > 0 ? { objects, cut: text.slice(start) } : { objects }
}
