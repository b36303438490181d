import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ParseError } from '../../src/model/errors.ts'
import { loadParsers } from '../helpers/parsers.ts'

// One folder for each parser: VERSION--CASE.out as a tool printed it with VERSION--CASE.json, what it means, beside it;
// VERSION--CASE.refused is text that the parser must not take for an answer.

const folder = resolve(import.meta.dirname, '../../fixtures/outputs')
const parsers = await loadParsers()

for (const name of readdirSync(folder).sort()) {
  const files = readdirSync(join(folder, name)).sort()
  // A folder whose parser is not written yet has nothing to say.
  if (files.length === 0) continue
  describe(name, () => {
    const parser = parsers.get(name)
    const read = (file: string) => readFileSync(join(folder, name, file), 'utf8')

    test('has a parser of this name, recordings, and a text that it refuses', () => {
      expect(parser?.name).toBe(name)
      expect(files.filter((file) => file.endsWith('.out')).length).toBeGreaterThan(0)
      expect(files.filter((file) => file.endsWith('.refused')).length).toBeGreaterThan(0)
      for (const file of files) {
        expect(file).toMatch(/^[\w.]+(-[\w.]+)*--[\w.-]+\.(out|json|refused)$/)
        if (file.endsWith('.json'))
          expect(existsSync(join(folder, name, file.replace(/json$/, 'out'))), file).toBe(true)
      }
    })

    for (const file of files) {
      if (file.endsWith('.out'))
        test(file, () => {
          const data = parser!.parse(read(file))
          expect(parser!.schema.safeParse(data).error).toBeUndefined()
          // Through JSON, as the expectation was: what is undefined is not there.
          expect(JSON.parse(JSON.stringify(data))).toEqual(JSON.parse(read(file.replace(/out$/, 'json'))))
        })
      if (file.endsWith('.refused'))
        test(`refuses ${file}`, () => {
          expect(() => parser!.parse(read(file))).toThrow(ParseError)
        })
    }
  })
}
