import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import type { Parser } from '../../src/model/parser.ts'

const folder = resolve(import.meta.dirname, '../../parsers')

/** Every file of parsers/ whose default export parses, by file name. Files without one are shared pieces. */
export async function loadParsers(): Promise<ReadonlyMap<string, Parser<unknown>>> {
  const parsers = new Map<string, Parser<unknown>>()
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.ts')) continue
    const name = file.slice(0, -'.ts'.length)
    const { default: parser } = await import(join(folder, file)).catch((error: unknown) => ({
      default: brokenParser(name, error),
    }))
    if (typeof parser?.parse === 'function') parsers.set(name, parser)
  }
  return parsers
}

/** A file that cannot be loaded fails its own tests, not those of every parser. */
function brokenParser(name: string, error: unknown): Parser<unknown> {
  return {
    name,
    schema: z.never(),
    parse: () => {
      throw error
    },
  }
}
