/**
 * Reads the YAML that kubectl prints: no anchors, no tags, no flow collections but empty ones. A bug report holds
 * hundreds of megabytes of it, of which a walk needs a few objects, so the list is cut first and read where needed.
 */
import { closingQuote, indentOf, type Lines, plain, readScalar, YamlError } from './kubectl-yaml-scalar.ts'

/** The items of a `kind: List` as texts of their own, without reading them; a single object is a list of one. */
export function splitItems(text: string): string[] {
  const start = /^items:[ \t]*\r?\n/m.exec(text)
  if (!start) return /^kind: /m.test(text) && !/^items: \[\]/m.test(text) ? [text] : []
  const items: string[] = []
  let at = start.index + start[0].length
  while (text.startsWith('- ', at)) {
    let end = at
    do {
      const line = text.indexOf('\n', end)
      end = line === -1 ? text.length : line + 1
      // A blank line belongs to a block of text inside; a new item or the list's own fields end this one.
    } while (end < text.length && (text[end] === ' ' || text[end] === '\n' || text[end] === '\r'))
    items.push(text.slice(at, end))
    at = end
  }
  return items
}

export interface ItemHead {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
}

/** What an item is, from its outer lines. */
export function readHead(item: string): ItemHead {
  const isListItem = item.startsWith('- ')
  const outer = isListItem ? '(?:^- |^  )' : '^'
  const field = (name: string) => unquote(new RegExp(`${outer}${name}: (.*)$`, 'm').exec(item)?.[1])
  const metadata =
    new RegExp(`${outer}metadata:[ \\t]*\\r?\\n((?:${isListItem ? '    ' : '  '}.*\\n?)*)`, 'm').exec(item)?.[1] ?? ''
  const inner = (name: string) =>
    unquote(new RegExp(`^${isListItem ? '    ' : '  '}${name}: (.*)$`, 'm').exec(metadata)?.[1])
  return { apiVersion: field('apiVersion'), kind: field('kind'), name: inner('name'), namespace: inner('namespace') }
}

const unquote = (text = '') => text.trim().replace(/^(["'])(.*)\1$/, '$2')

/** Reads one object. */
export function readYaml(text: string): unknown {
  const all = text.split(/\r?\n/)
  // An item of a list stands two deep behind its dash: give it back the margin.
  if (all[0]?.startsWith('- ')) all[0] = `  ${all[0].slice(2)}`
  const lines = { all, at: 0 }
  skipBlank(lines)
  return lines.at >= all.length ? null : readNode(lines, indentOf(all[lines.at] as string))
}

const isBlank = (line: string | undefined) => line !== undefined && (line.trim() === '' || line === '---')

function skipBlank(lines: Lines): void {
  while (lines.at < lines.all.length && isBlank(lines.all[lines.at])) lines.at++
}

function readNode(lines: Lines, indent: number): unknown {
  const line = lines.all[lines.at] as string
  return isDash(line, indent) ? readSequence(lines, indent) : readMapping(lines, indent)
}

const isDash = (line: string, indent: number) =>
  line[indent] === '-' && (line.length === indent + 1 || line[indent + 1] === ' ')

function readSequence(lines: Lines, indent: number): unknown[] {
  const items: unknown[] = []
  for (skipBlank(lines); lines.at < lines.all.length; skipBlank(lines)) {
    const line = lines.all[lines.at] as string
    if (indentOf(line) !== indent || !isDash(line, indent)) break
    const rest = line.slice(indent + 2)
    const inner = indent + 2 + indentOf(rest)
    if (rest.trim() === '') {
      lines.at++
      skipBlank(lines)
      const next = lines.all[lines.at]
      items.push(next !== undefined && indentOf(next) > indent ? readNode(lines, indentOf(next)) : null)
    } else if (isDash(line, inner) || keyEnd(line, inner) !== undefined) {
      // `- key: value`: the mapping begins behind the dash.
      ;(lines.all as string[])[lines.at] = ' '.repeat(inner) + line.slice(inner)
      items.push(readNode(lines, inner))
    } else items.push(readScalar(lines, rest, indent))
  }
  return items
}

function readMapping(lines: Lines, indent: number): Record<string, unknown> {
  const entries: [string, unknown][] = []
  for (skipBlank(lines); lines.at < lines.all.length; skipBlank(lines)) {
    const line = lines.all[lines.at] as string
    if (indentOf(line) !== indent || isDash(line, indent)) break
    let key: string
    let rest: string
    if (line.startsWith('? ', indent)) {
      // A key of more than 128 characters stands on a line of its own.
      key = String(readScalar(lines, line.slice(indent + 2), indent))
      const value = lines.all[lines.at] ?? ''
      if (!value.startsWith(':', indent)) throw new YamlError(`no value for the key in line ${lines.at + 1}`)
      rest = value.slice(indent + 2)
    } else {
      const end = keyEnd(line, indent)
      if (end === undefined) throw new YamlError(`not a field: line ${lines.at + 1}`)
      key = String(plain(line.slice(indent, end)))
      rest = line.slice(end + 1).trimStart()
    }
    entries.push([key, readValue(lines, rest, indent)])
  }
  return Object.fromEntries(entries)
}

/** Where a line's key ends, undefined if there is none. */
function keyEnd(line: string, indent: number): number | undefined {
  const quote = line[indent]
  const start = quote === '"' || quote === "'" ? closingQuote(line, indent) + 1 : indent
  for (let at = line.indexOf(':', start); at !== -1; at = line.indexOf(':', at + 1)) {
    if (at + 1 === line.length || line[at + 1] === ' ') return start === indent || at === start ? at : undefined
  }
  return undefined
}

function readValue(lines: Lines, rest: string, indent: number): unknown {
  if (rest !== '') return readScalar(lines, rest, indent)
  lines.at++
  skipBlank(lines)
  const next = lines.all[lines.at]
  if (next === undefined) return null
  const nextIndent = indentOf(next)
  // A list stands under its key without being moved in.
  if (nextIndent > indent || (nextIndent === indent && isDash(next, indent))) return readNode(lines, nextIndent)
  return null
}
