/** Lists from clusters and proxies may hold anything; what is not of the expected kind is left out, so that readers need no guards. */

// biome-ignore lint/suspicious/noExplicitAny: entries of any shape, read field by field
export function objectsIn(value: unknown): any[] {
  if (!Array.isArray(value)) return []
  return value.every(isObject) ? value : value.filter(isObject)
}

export function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
