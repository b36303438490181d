import { ParseError } from '../../src/model/errors.ts'
import { readJsonDocument } from './json-stream.ts'

/** The JSON document of `istioctl proxy-config … -o json`, with or without log lines around it. */
export function readProxyConfigJson(text: string): unknown {
  // Dumps of tens of megabytes are normal and mostly clean: one JSON.parse, and the careful reading only if that fails.
  if (text[0] === '{' || text[0] === '[') {
    try {
      return JSON.parse(text)
    } catch {
      // The careful reader below says what is wrong.
    }
  }
  return readJsonDocument(text)
}

export type JsonObject = { readonly [key: string]: unknown }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What was printed, or what stands for it: the same part of a whole dump. */
export function readSource(source: unknown): unknown {
  return typeof source === 'string' ? readProxyConfigJson(source) : source
}

/** The list that a kind prints. `belongs` looks at one entry, only as deep as needed to tell another kind's output. */
export function readEntries<T>(source: unknown, what: string, belongs: (entry: JsonObject) => boolean): T[] {
  const value = readSource(source)
  // Go prints a nil slice as null.
  if (value === null) return []
  if (!Array.isArray(value)) throw new ParseError(`a list of ${what} was expected, got ${kindOf(value)}`)
  for (const entry of value as unknown[])
    if (!isObject(entry) || !belongs(entry))
      throw new ParseError(`an entry of the list is no ${what}: ${keysOf(entry)}`)
  return value as T[]
}

export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return isObject(value) ? `an object with ${keysOf(value)}` : typeof value
}

function keysOf(value: unknown): string {
  if (!isObject(value)) return value === null ? 'null' : typeof value
  const keys = Object.keys(value)
  return keys.length === 0 ? 'no keys' : keys.slice(0, 6).join(', ')
}
