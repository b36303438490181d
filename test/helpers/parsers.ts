import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Parser } from '../../src/model/parser.ts'

const folder = resolve(import.meta.dirname, '../../parsers')

/** Every file of parsers/ whose default export parses, by file name. Files without one are shared pieces. */
export async function loadParsers(): Promise<ReadonlyMap<string, Parser<unknown>>> {
  const parsers = new Map<string, Parser<unknown>>()
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.ts')) continue
    const { default: parser } = await import(join(folder, file))
    if (typeof parser?.parse === 'function') parsers.set(file.slice(0, -'.ts'.length), parser)
  }
  return parsers
}
