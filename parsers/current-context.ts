import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { quoteStart } from './lib/kubectl-json.ts'

/** `kubectl config current-context`: one line. Names are free text (`user@cluster`, ARNs), but never an error message. */
export default defineParser({
  name: 'current-context',
  schema: z.object({ context: z.string() }),
  parse(text) {
    const lines = text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
    const [context] = lines
    if (context === undefined || lines.length > 1 || /^error:/i.test(context))
      throw new ParseError(`current-context: not the name of a context: ${quoteStart(text)}`)
    return { context }
  },
})
