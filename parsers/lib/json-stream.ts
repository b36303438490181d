import { ParseError } from '../../src/model/errors.ts'
import { readToolText, refuseErrorText, shorten } from './tool-text.ts'

export interface JsonDocuments {
  readonly documents: readonly unknown[]
  readonly logLines: readonly string[]
}

/**
 * All JSON documents of a text, which may follow each other without a separator (proxy-status prints one per istiod),
 * with istioctl's log lines before, between or after them. Any other text is refused.
 */
export function readJsonDocuments(text: string): JsonDocuments {
  const { body, logLines } = readToolText(text)
  const whole = body.trim()
  if (whole === '') throw new ParseError('nothing was printed')
  if (whole[0] !== '{' && whole[0] !== '[') {
    refuseErrorText(body, 'an error where JSON was expected')
    throw new ParseError(`not JSON: "${shorten(whole.split('\n', 1)[0] ?? '')}"`)
  }
  const single = tryParse(whole)
  if (single) return { documents: [single.value], logLines }
  return { documents: splitDocuments(whole).map(parseDocument), logLines }
}

/** The one document of a text. */
export function readJsonDocument(text: string): unknown {
  const { documents } = readJsonDocuments(text)
  if (documents.length !== 1) throw new ParseError(`${documents.length} JSON documents where one was expected`)
  return documents[0]
}

export function startsLikeJson(text: string): boolean {
  return /^\s*[{[]/.test(readToolText(text).body)
}

function tryParse(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return null
  }
}

function parseDocument(text: string): unknown {
  const parsed = tryParse(text)
  if (!parsed) throw new ParseError(`broken JSON: "${shorten(text.trimStart(), 80)}"`)
  return parsed.value
}

function splitDocuments(text: string): string[] {
  const documents: string[] = []
  const marks = /["{}[\]]/g
  let start = -1
  let end = 0
  let depth = 0
  for (let mark = marks.exec(text); mark; mark = marks.exec(text)) {
    if (mark[0] === '"') {
      marks.lastIndex = endOfString(text, mark.index)
    } else if (mark[0] === '{' || mark[0] === '[') {
      if (depth === 0) {
        refuseBetween(text.slice(end, mark.index))
        start = mark.index
      }
      depth += 1
    } else {
      depth -= 1
      if (depth < 0) throw new ParseError('broken JSON: a bracket closes nothing')
      if (depth === 0) {
        end = mark.index + 1
        documents.push(text.slice(start, end))
      }
    }
  }
  if (depth > 0) throw new ParseError('the JSON ends in the middle')
  refuseBetween(text.slice(end))
  return documents
}

function endOfString(text: string, quote: number): number {
  for (let at = quote + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') return at + 1
  }
  throw new ParseError('the JSON ends in the middle of a string')
}

function refuseBetween(text: string): void {
  if (text.trim() !== '') throw new ParseError(`text beside the JSON: "${shorten(text.trim(), 80)}"`)
}
