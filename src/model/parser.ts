import type { z } from 'zod'
import { ParseError } from './errors.ts'

export interface Parser<T> {
  /** Also the folder of its fixtures: fixtures/outputs/NAME. */
  readonly name: string
  readonly schema: z.ZodType<T>
  /** Text of one tool in, data out. Throws ParseError and nothing else. */
  readonly parse: (text: string) => T
}

/** Declares a parser. The schema documents and tests check the shape; `parse` itself stays as fast as its code. */
export function defineParser<T>(parser: Parser<T>): Parser<T> {
  return {
    ...parser,
    parse(text) {
      try {
        return parser.parse(text)
      } catch (error) {
        if (error instanceof ParseError) throw error
        // A mutated or hostile text may break any assumption in a parser; callers rely on one kind of failure.
        throw new ParseError(`${parser.name}: ${error instanceof Error ? error.message : String(error)}`)
      }
    },
  }
}
