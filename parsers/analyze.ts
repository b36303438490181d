import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { argumentsOf } from './lib/analyze-arguments.ts'
import { asFields, asList, otherFields, textOf } from './lib/fields.ts'
import { readJsonDocuments, startsLikeJson } from './lib/json-stream.ts'
import { readToolText, shorten } from './lib/tool-text.ts'

const Origin = z.object({
  kind: z.string(),
  /** Null for objects of the whole cluster. */
  namespace: z.string().nullable(),
  name: z.string().nullable(),
})

const AnalyzeFinding = z.object({
  code: z.string(),
  /** Info, Warning or Error; whatever else a later version prints is kept. */
  level: z.string(),
  message: z.string(),
  origin: Origin.nullable(),
  /** `file:line` of an object that came from a file. */
  reference: z.string().nullable(),
  documentationUrl: z.string().nullable(),
  /** Where several clusters were analyzed. */
  cluster: z.string().nullable(),
  /** What the message is about, by name, where its wording is known: `{ reftype: 'host', refval: 'nosuch' }`. */
  args: z.record(z.string(), z.string()),
  extra: z.record(z.string(), z.unknown()),
})
export type AnalyzeFinding = z.infer<typeof AnalyzeFinding>

/**
 * `istioctl analyze`, log format or JSON. No finding is `[]` or one empty line; no output at all means that nothing was
 * analyzed (a namespace that does not exist, with exit 0), and is refused.
 */
export default defineParser<AnalyzeFinding[]>({
  name: 'analyze',
  schema: z.array(AnalyzeFinding),
  parse: (text) => (startsLikeJson(text) ? fromJson(text) : fromLog(text)),
})

function fromJson(text: string): AnalyzeFinding[] {
  return readJsonDocuments(text).documents.flatMap((document) => {
    if (!Array.isArray(document)) throw new ParseError('JSON that is no list of messages')
    return asList(document, 'the messages').map(findingOf)
  })
}

const jsonKeys = ['code', 'level', 'message', 'origin', 'reference', 'documentationUrl', 'cluster']

function findingOf(entry: unknown): AnalyzeFinding {
  const fields = asFields(entry, 'a message')
  const code = textOf(fields.code)
  const level = textOf(fields.level)
  if (code === null || level === null) throw new ParseError('a message without code or level')
  const message = textOf(fields.message) ?? ''
  return {
    code,
    level,
    message,
    origin: originOf(textOf(fields.origin)).origin,
    reference: textOf(fields.reference),
    documentationUrl: textOf(fields.documentationUrl),
    cluster: textOf(fields.cluster),
    args: argumentsOf(code, message),
    extra: otherFields(fields, jsonKeys),
  }
}

const messageStart = /^([A-Z][a-z]+) \[([A-Za-z0-9_-]+)\] (?:\[(?:cluster-)?([^\]\s]+)\] )?/
// What istioctl itself adds on stderr, for people who paste both streams.
const summaries = /^(?:✔ No validation issues found|✔ No issues found|Error: Analyzers found issues|See https?:\/\/)/

function fromLog(text: string): AnalyzeFinding[] {
  if (text === '') throw new ParseError('nothing was printed, so nothing was analyzed')
  const messages: { level: string; code: string; cluster: string | null; lines: string[] }[] = []
  for (const line of readToolText(text).body.split('\n')) {
    const start = messageStart.exec(line)
    if (start) {
      const [whole, level = '', code = '', cluster = null] = start
      messages.push({ level, code, cluster, lines: [line.slice(whole.length)] })
    } else if (line.trim() !== '' && !summaries.test(line)) {
      const last = messages.at(-1)
      if (!last || line.startsWith('Error')) throw new ParseError(`no message of analyze: "${shorten(line)}"`)
      last.lines.push(line)
    }
  }
  return messages.map(({ level, code, cluster, lines }) => {
    const body = lines.join('\n')
    const resource = leadingParenthesis(body)
    const message = resource === null ? body : body.slice(resource.length + 3)
    return {
      code,
      level,
      message,
      ...originOf(resource),
      documentationUrl: null,
      cluster,
      args: argumentsOf(code, message),
      extra: {},
    }
  })
}

/** The text inside the first pair of parentheses, if the body starts with one. File names may hold more of them. */
function leadingParenthesis(body: string): string | null {
  if (!body.startsWith('(')) return null
  let depth = 0
  for (let at = 0; at < body.length; at += 1) {
    if (body[at] === '(') depth += 1
    if (body[at] === ')') depth -= 1
    if (depth === 0) return body.slice(1, at)
  }
  return null
}

/** `Gateway default/gw file.yaml:9`, `Namespace default`, or a kind alone. */
function originOf(text: string | null): Pick<AnalyzeFinding, 'origin' | 'reference'> {
  if (text === null) return { origin: null, reference: null }
  const [kind = '', object = '', ...rest] = text.split(' ')
  const slash = object.indexOf('/')
  const origin = {
    kind,
    namespace: slash > 0 ? object.slice(0, slash) : null,
    name: object.slice(slash + 1) || null,
  }
  return { origin, reference: rest.length === 0 ? null : rest.join(' ') }
}
