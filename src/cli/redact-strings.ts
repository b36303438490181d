import type { Redact } from '../exec/redact.ts'

/** Redacts the texts in a result one by one. A rendered page would read to the rules like headers and files, which it is not. */
export function redactStrings<T>(value: T, redact: Redact): T {
  if (typeof value === 'string') return redact(value).text as T & string
  if (Array.isArray(value)) return value.map((item) => redactStrings(item, redact)) as T & unknown[]
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactStrings(item, redact)])) as T // same keys
}
