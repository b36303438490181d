/** One line as istiod, the proxy's agent, Envoy and ztunnel print it: columns, or JSON with `logAsJson`. */
export interface LogLine {
  readonly time: string | null
  readonly level: string | null
  readonly scope: string | null
  readonly message: string
  /** `key=value` columns, or what else the JSON object held. */
  readonly fields: Readonly<Record<string, unknown>>
}

const levels = 'trace|debug|info|warn|warning|error|critical|fatal'
// Copies in issues and terminals have blanks where the tabs were.
const beginning = new RegExp(
  `^(\\d{4}-\\d\\d-\\d\\dT[\\d:.]+(?:Z|[+-]\\d\\d:?\\d\\d))[\\t ]+(${levels})(?:[\\t ]+|$)`,
  'i',
)
const scopeName = /^[A-Za-z][\w.:/-]*$/

/** Null for what is no beginning of such a line: a continuation, or another tool's text. */
export function readLogLine(line: string): LogLine | null {
  if (line.startsWith('{')) return readJsonLogLine(line)
  const head = beginning.exec(line)
  if (!head) return null
  const columns = line.slice(head[0].length).split('\t')
  const [first = '', second] = columns
  // Scope and message are both optional words; a scope is a name followed by a message that is not a field list.
  const hasScope = second !== undefined && isScope(first) && (columns.length > 2 || !isFieldList(second))
  const rest = hasScope ? columns.slice(1) : columns
  const fieldColumns = rest.length > 1 && isFieldList(rest.at(-1) ?? '') ? rest.slice(1) : []
  const message = fieldColumns.length > 0 ? rest[0] : rest.join('\t')
  return {
    time: head[1] ?? null,
    level: (head[2] ?? '').toLowerCase(),
    scope: hasScope ? first : null,
    message: message ?? '',
    fields: readFields(fieldColumns.join(' ')),
  }
}

const isScope = (text: string) => scopeName.test(text) || text.startsWith('envoy ')
const isFieldList = (text: string) => /^[A-Za-z_][\w.-]*=/.test(text)

/** `a=b c="d e" f=two words`: Go prints values with blanks as they are, so words without `=` belong to the value before. */
export function readFields(text: string): Readonly<Record<string, unknown>> {
  const fields: [string, string][] = []
  const word = /([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*"|\S*)|\S+/g
  for (let match = word.exec(text); match; match = word.exec(text)) {
    const [whole, key, value] = match
    const last = fields.at(-1)
    if (key !== undefined) fields.push([key, unquote(value ?? '')])
    else if (last) last[1] += ` ${whole}`
  }
  return Object.fromEntries(fields)
}

/** `"…"` as Go and Rust quote; anything else stays as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text
  return text
    .slice(1, -1)
    .replace(
      /\\(u\{[\da-f]+\}|.)/gi,
      (_, escaped: string) => (escaped.length > 1 ? codePoint(escaped) : escapes[escaped]) ?? escaped,
    )
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' }

function codePoint(escaped: string): string | undefined {
  const code = Number.parseInt(escaped.slice(2, -1), 16)
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}

function readJsonLogLine(line: string): LogLine | null {
  const object = parseObject(line)
  if (!object) return null
  const { time, level, scope, msg, message, ...fields } = object
  const text = typeof msg === 'string' ? msg : message
  if (typeof text !== 'string' || typeof level !== 'string') return null
  return {
    time: typeof time === 'string' ? time : null,
    level: level.toLowerCase(),
    scope: typeof scope === 'string' ? scope : null,
    message: text,
    fields,
  }
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line)
    // Checked: a JSON object has string keys.
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    // Half lines are an ordinary part of logs.
    return null
  }
}

export interface LogEntry extends LogLine {
  /** The whole entry with its continuation lines, at most 64 KiB of it. */
  readonly raw: string
  /** 1-based line of its beginning. */
  readonly line: number
}

export interface LogEntries {
  readonly entries: readonly LogEntry[]
  /** Lines before the first entry that belong to nothing known. */
  readonly unparsed: readonly { readonly text: string; readonly line: number }[]
  readonly lines: number
}

const longestEntry = 65536

/** Joins lines that belong together: istiod and Envoy print messages of several lines. */
export function readLogEntries(text: string): LogEntries {
  const entries: LogEntry[] = []
  const unparsed: { text: string; line: number }[] = []
  const lines = splitLines(text)
  let current: { line: number; parts: string[]; length: number } | undefined
  const flush = () => {
    if (!current) return
    const whole = current.parts.join('\n').slice(0, longestEntry)
    const firstBreak = whole.indexOf('\n')
    const head = readLogLine(firstBreak < 0 ? whole : whole.slice(0, firstBreak))
    if (head) {
      const message = firstBreak < 0 ? head.message : `${head.message}${whole.slice(firstBreak).trimEnd()}`
      entries.push({ ...head, message, raw: whole, line: current.line })
    }
    current = undefined
  }
  lines.forEach((original, index) => {
    const line = withoutPrefix(original)
    const isBeginning = line.startsWith('{"') ? readLogLine(line) !== null : beginning.test(line)
    if (isBeginning) {
      flush()
      current = { line: index + 1, parts: [line], length: line.length }
    } else if (current) {
      if (current.length < longestEntry) current.parts.push(line)
      current.length += line.length
    } else if (line.trim() !== '') unparsed.push({ text: original.slice(0, 4096), line: index + 1 })
  })
  flush()
  return { entries, unparsed, lines: lines.length }
}

export function splitLines(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

const timestampPrefix = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?=\d{4}-\d\d-\d\dT|\{")/

/** `kubectl logs --prefix` and `--timestamps` put their columns before the line's own. */
export function withoutPrefix(line: string): string {
  return line
    .replace(/^\0+/, '')
    .replace(/^\[[\w./-]+\] /, '')
    .replace(timestampPrefix, '')
}
