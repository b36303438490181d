import { ParseError } from '../../src/model/errors.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/**
 * The one JSON object in what a tool printed. Credential plugins, deprecation warnings and Envoy's trailing newline
 * surround it at times, so reading starts at the first line that opens an object and ends with the last brace.
 */
export function readJsonObject(text: string, what: string): JsonObject {
  const start = jsonStart(text)
  if (start === undefined) throw new ParseError(`${what}: no JSON object in ${quoteStart(text)}`)
  const end = text.lastIndexOf('}')
  let value: unknown
  try {
    value = JSON.parse(text.slice(start, end + 1))
  } catch {
    throw new ParseError(`${what}: broken JSON, begins with ${quoteStart(text.slice(start))}`)
  }
  if (!isObject(value)) throw new ParseError(`${what}: not a JSON object: ${quoteStart(text)}`)
  return value
}

/** Where the first line begins that opens a JSON object. */
export function jsonStart(text: string): number | undefined {
  const match = /^[ \t\uFEFF]*\{/m.exec(text)
  return match ? match.index + match[0].length - 1 : undefined
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function objectIn(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

export function arrayIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

export function stringsIn(value: unknown): readonly string[] {
  return arrayIn(value).filter((entry) => typeof entry === 'string')
}

/** Protobuf's JSON prints 64-bit numbers as strings. */
export function numberOrNull(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'string' || value.trim() === '') return null
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}

/** The beginning of a text, for a message that says what was met instead. */
export function quoteStart(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? ''
  if (line === '') return 'an empty output'
  return `"${line.length > 120 ? `${line.slice(0, 120)}…` : line}"`
}
