/** A regular expression from a cluster, as an anchored pattern. What is no expression, or asks for a lot of time, fits nothing. */
export function bounded(pattern: string): RegExp {
  // Quantified groups can take time that grows without end; version patterns need none.
  if (pattern.length > 200 || /\)[*+{]/.test(pattern)) return /$^/
  try {
    return new RegExp(`^(?:${pattern})$`)
  } catch {
    return /$^/
  }
}
