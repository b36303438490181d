import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ParseError } from '../../src/model/errors.ts'
import { loadParsers } from '../helpers/parsers.ts'

const folder = resolve(import.meta.dirname, '../../fixtures/outputs')
const parsers = await loadParsers()

/** Recordings, and those of other tools: what a parser is given by mistake is not random. */
const recordings = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(out|refused)$/.test(entry.name))
  .map((entry) => ({ parser: entry.parentPath.split(/[\\/]/).at(-1)!, path: join(entry.parentPath, entry.name) }))
  .sort((a, b) => (a.path < b.path ? -1 : 1))
  .map(({ parser, path }) => ({ parser, text: readFileSync(path, 'utf8') }))

type Change = (text: string, other: string) => string

/** Positions are fractions of the text, so that a failing case shrinks to a readable one. */
const fraction = fc.double({ min: 0, max: 1, noNaN: true })
const at = (text: string, where: number) => Math.floor(text.length * where)

const junk = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '\u001b[31m',
    '\u0000',
    '\r\n',
    '\n',
    '\t',
    '{',
    ']',
    '"',
    '\\',
    '-',
    '1e999',
    'null',
    '__proto__',
    '😀',
  ),
  fc.constantFrom(
    '2026-01-31T10:00:00.123456Z\terror\tklog\twatch error in cluster\n',
    'Error: pods "x" is forbidden\n',
  ),
)

const change: fc.Arbitrary<Change> = fc.oneof(
  fraction.map((end) => (text: string) => text.slice(0, at(text, end))),
  fraction.map((start) => (text: string) => text.slice(at(text, start))),
  fc.tuple(fraction, fraction).map(([a, b]) => (text: string) => {
    const [from, to] = [at(text, Math.min(a, b)), at(text, Math.max(a, b))]
    return text.slice(0, from) + text.slice(to)
  }),
  fc.tuple(fraction, fraction).map(([here, there]) => (text: string, other: string) => {
    return text.slice(0, at(text, here)) + other.slice(at(other, there))
  }),
  fc.tuple(fraction, fraction).map(([a, b]) => (text: string) => {
    const [from, to] = [at(text, Math.min(a, b)), at(text, Math.max(a, b))]
    return text.slice(0, to) + text.slice(from)
  }),
  fc.tuple(fraction, junk).map(([where, bytes]) => (text: string) => {
    return text.slice(0, at(text, where)) + bytes + text.slice(at(text, where))
  }),
  fraction.map((where) => (text: string) => {
    const lines = text.split('\n')
    const index = Math.floor((lines.length - 1) * where)
    return [...lines.slice(0, index), ...lines.slice(index + 1), lines[index]].join('\n')
  }),
  fc.constant((text: string) => text.replaceAll('\n', '\r\n')),
)

describe('mutated recordings', () => {
  for (const [name, parser] of parsers) {
    const own = recordings.filter((recording) => recording.parser === name)
    if (own.length === 0) continue

    test(`${name} fails with a ParseError or not at all`, () => {
      const property = fc.property(
        fc.constantFrom(...own),
        fc.constantFrom(...recordings),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        (recording, other, changes) => {
          const text = changes.reduce((changed, apply) => apply(changed, other.text), recording.text)
          const data = parseOrRefuse(parser.parse, text)
          if (data === undefined) return
          // What is let through keeps its shape, whatever the text was.
          const problem = parser.schema.safeParse(data).error
          if (problem) throw new Error(`off its schema: ${problem.message}`)
        },
      )
      // On failure fast-check prints the seed and the shrunken case.
      fc.assert(property, { numRuns: 150, verbose: fc.VerbosityLevel.Verbose })
    })

    test(`${name} takes time in proportion to the text`, () => {
      const largest = own.reduce((a, b) => (b.text.length > a.text.length ? b : a)).text
      for (const grow of growths) {
        const [small, large] = [grow(largest, 64 * 1024), grow(largest, 512 * 1024)]
        const [quick, slow] = [milliseconds(parser.parse, small), milliseconds(parser.parse, large)]
        // Eight times the text: quadratic work would take sixty-four times as long. Short times are noise.
        if (slow > 150)
          expect(slow / Math.max(quick, 1), `${slow.toFixed(0)} ms against ${quick.toFixed(0)} ms`).toBeLessThan(30)
      }
    })
  }
})

const repeated = (text: string, length: number) =>
  text.repeat(Math.max(1, Math.ceil(length / Math.max(1, text.length))))

/** Ways to make a text long: as a stream of documents, one line many times, one endless line, nested JSON. */
const growths: readonly ((text: string, length: number) => string)[] = [
  repeated,
  (text, length) => {
    const lines = text.split('\n')
    const middle = Math.floor(lines.length / 2)
    const long = repeated(`${lines[middle]}\n`, length)
    return [...lines.slice(0, middle), long, ...lines.slice(middle)].join('\n')
  },
  (text, length) => text + repeated('a b(c "d" [e] ', length),
  (text, length) => `${text.split('\n', 1)[0]}\n${' '.repeat(length)}x`,
  (_, length) => '['.repeat(length / 8),
]

function parseOrRefuse(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof ParseError) return undefined
    throw error
  }
}

function milliseconds(parse: (text: string) => unknown, text: string): number {
  let best = Number.POSITIVE_INFINITY
  // Time on the processor and the best of several: the machine may be busy with something else.
  for (let run = 0; run < 3; run += 1) {
    const started = process.cpuUsage()
    parseOrRefuse(parse, text)
    const { user, system } = process.cpuUsage(started)
    best = Math.min(best, (user + system) / 1000)
    if (best < 20) break
  }
  return best
}
