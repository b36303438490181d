import { ParseError } from '../../src/model/errors.ts'

export type Fields = Readonly<Record<string, unknown>>

export function asFields(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ParseError(`${what} is no object`)
  // Checked above: what is left of `object` has string keys.
  return value as Fields
}

export function asList(value: unknown, what: string): readonly unknown[] {
  // Go prints an empty slice as null.
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw new ParseError(`${what} is no list`)
  return value
}

export function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}

export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.flatMap((entry) => textOf(entry) ?? []) : []
}

/** Fields that a parser has no place for, so that a newer tool loses nothing. */
export function otherFields(fields: Fields, known: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !known.includes(key)))
}

/** `web-1.shop` → name and namespace. Pod names may hold dots, namespaces cannot. */
export function splitProxyName(proxy: string): { readonly name: string; readonly namespace: string | null } {
  const dot = proxy.lastIndexOf('.')
  return dot < 0 ? { name: proxy, namespace: null } : { name: proxy.slice(0, dot), namespace: proxy.slice(dot + 1) }
}

/** A version as istiod reports it. It says 65536.65536.65536 of a client that did not give one, such as another istioctl. */
export function reportedVersion(value: unknown): string | null {
  const version = textOf(value)
  return version === null || version === '65536.65536.65536' ? null : version
}
