/** `*`, `*.example.com`, `ns/host`, against one name. */
export function hostMatches(pattern: string, host: string): boolean {
  const bare = (pattern.includes('/') ? pattern.slice(pattern.indexOf('/') + 1) : pattern).toLowerCase()
  const name = host.toLowerCase()
  if (bare === '*' || bare === name) return true
  return bare.startsWith('*.') && name.endsWith(bare.slice(1))
}
