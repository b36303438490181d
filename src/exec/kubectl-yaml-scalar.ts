export class YamlError extends Error {
  override readonly name = 'YamlError'
}

/** The lines of a document, and how far it was read. */
export interface Lines {
  readonly all: readonly string[]
  at: number
}

export const indentOf = (line: string) => line.search(/[^ ]|$/)

export function closingQuote(text: string, start: number): number {
  const quote = text[start]
  for (let at = start + 1; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++
    else if (text[at] === quote) {
      if (quote === "'" && text[at + 1] === "'") at++
      else return at
    }
  }
  return -1
}

/** A value from where it begins on its line; it may go on over the next lines. Leaves `lines` behind it. */
export function readScalar(lines: Lines, first: string, indent: number): unknown {
  const block = /^([|>])(?:(\d)([+-])?|([+-])?(\d)?)\s*$/.exec(first)
  if (block)
    return readBlock(lines, {
      isFolded: block[1] === '>',
      given: block[2] ?? block[5],
      chomp: block[3] ?? block[4],
      indent,
    })
  if (first.startsWith('"') || first.startsWith("'")) return readQuoted(lines, first)
  const parts = [first.trimEnd()]
  for (lines.at++; lines.at < lines.all.length; lines.at++) {
    const line = lines.all[lines.at] as string
    if (line.trim() !== '' && indentOf(line) <= indent) break
    parts.push(line.trim())
  }
  while (parts.at(-1) === '') {
    parts.pop()
    lines.at--
  }
  return parts.length === 1 ? plain(parts[0] as string) : fold(parts)
}

/** Long lines are broken at blanks; an empty line stands for a line break. */
function fold(parts: readonly string[]): string {
  let text = parts[0] ?? ''
  let empty = 0
  for (const part of parts.slice(1)) {
    if (part === '') empty++
    else {
      text += empty > 0 ? '\n'.repeat(empty) + part : ` ${part}`
      empty = 0
    }
  }
  return text + '\n'.repeat(empty)
}

function readQuoted(lines: Lines, first: string): string {
  let text = first
  let end = closingQuote(text, 0)
  const quote = first[0]
  while (end === -1) {
    const line = lines.all[++lines.at]
    if (line === undefined) throw new YamlError('a quoted text does not end')
    if (line.trim() === '') text += '\n'
    // In double quotes a backslash at the end of a line joins it to the next.
    else if (quote === '"' && /(^|[^\\])(\\\\)*\\$/.test(text)) text = text.slice(0, -1) + line.trimStart()
    else text = text.endsWith('\n') ? text + line.trimStart() : `${text.trimEnd()} ${line.trimStart()}`
    end = closingQuote(text, 0)
  }
  lines.at++
  return unquoted(text.slice(0, end + 1))
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  e: '\x1b',
  '0': '\0',
  _: '\u00a0',
  N: '\u0085',
  L: '\u2028',
  P: '\u2029',
}

function unquoted(quoted: string): string {
  const inner = quoted.slice(1, -1)
  if (quoted.startsWith("'")) return inner.replaceAll("''", "'")
  return inner.replace(/\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|([\s\S]))/gi, (_, two, four, eight, one) => {
    const code = two ?? four ?? eight
    return code ? String.fromCodePoint(Number.parseInt(code, 16)) : (escapes[one] ?? one)
  })
}

function readBlock(
  lines: Lines,
  {
    isFolded,
    given,
    chomp,
    indent,
  }: { isFolded: boolean; given: string | undefined; chomp: string | undefined; indent: number },
): string {
  const taken: string[] = []
  let margin = given === undefined ? undefined : indent + Number(given)
  for (lines.at++; lines.at < lines.all.length; lines.at++) {
    const line = lines.all[lines.at] as string
    if (line.trim() !== '') {
      margin ??= indentOf(line)
      if (indentOf(line) < margin || margin <= indent) break
    }
    taken.push(line.slice(margin ?? line.length))
  }
  let trailing = 0
  while (taken.at(-1) === '') {
    taken.pop()
    trailing++
  }
  const body = isFolded ? fold(taken) : taken.join('\n')
  if (chomp === '-') return body
  return body + (chomp === '+' ? '\n'.repeat(trailing + (taken.length > 0 ? 1 : 0)) : taken.length > 0 ? '\n' : '')
}

/** A value without quotes around it means what it looks like. */
export function plain(text: string): unknown {
  if (text.startsWith('"') || text.startsWith("'")) return unquoted(text)
  if (text === '{}') return {}
  if (text === '[]') return []
  if (text === 'null' || text === '~' || text === '') return null
  if (text === 'true' || text === 'false') return text === 'true'
  if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text)
  return text
}
