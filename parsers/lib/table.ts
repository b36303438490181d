import { ParseError } from '../../src/model/errors.ts'
import { readToolText, refuseErrorText, shorten } from './tool-text.ts'

export type Row<Required extends string = string> = Readonly<Record<Required, string>> &
  Readonly<Record<string, string | undefined>>

export interface Table<Required extends string = string> {
  /** As printed, unknown ones included. A name that occurs twice gets ` (2)`. */
  readonly columns: readonly string[]
  readonly rows: readonly Row<Required>[]
  /** Log lines, and whatever else stood above the header: a plugin's greeting, the command that was pasted along. */
  readonly logLines: readonly string[]
}

export interface TableOptions {
  /** Columns that some versions print, where a name of several words must not be taken for two columns. */
  readonly optional?: readonly string[]
  /** Columns are one blank apart (listeners, most of ztunnel-config): only known names tell where one ends. */
  readonly tight?: boolean
}

interface Column {
  readonly name: string
  readonly start: number
}

/**
 * Reads a table of Go's tabwriter by the offsets of its header, since cells may hold blanks or be empty.
 * The header need not be the first line. Text without it is refused, and so is a line that does not fit under it.
 */
export function readTable<Required extends string>(
  text: string,
  required: readonly Required[],
  options: TableOptions = {},
): Table<Required> {
  const { body, logLines } = readToolText(text)
  refuseErrorText(body, 'an error where a table was expected')
  const lines = body.split('\n')
  const known = new Set<string>([...required, ...(options.optional ?? [])])
  for (const [at, line] of lines.entries()) {
    let columns = findHeader(line, required, known, options.tight ?? false)
    if (!columns) continue
    const rows: Row<Required>[] = []
    for (const [below, candidate] of lines.slice(at + 1).entries()) {
      if (candidate.trim() === '') continue
      // A command that prints again and again repeats the header, with other widths if the cells have changed.
      const repeated = findHeader(candidate, required, known, options.tight ?? false)
      if (repeated) columns = repeated
      else rows.push(cutRow<Required>(candidate, columns, options.tight ?? false, at + below + 2))
    }
    const above = lines.slice(0, at).filter((text) => text.trim() !== '')
    return { columns: columns.map((column) => column.name), rows, logLines: [...logLines, ...above] }
  }
  const first = lines.find((line) => line.trim() !== '')
  throw new ParseError(
    first === undefined ? 'nothing was printed' : `no columns ${required.join(', ')} in "${shorten(first)}"`,
  )
}

function findHeader(line: string, required: readonly string[], known: Set<string>, tight: boolean): Column[] | null {
  // Cheap test first: most lines that come here are no header at all.
  if (!required.every((name) => line.includes(name))) return null
  const split = tight ? null : columnsBetweenGaps(line)
  const columns = split && hasAll(split, required) ? split : columnsOfWords(line, known)
  return hasAll(columns, required) ? numberDuplicates(columns) : null
}

function hasAll(columns: readonly Column[], required: readonly string[]): boolean {
  return required.every((name) => columns.some((column) => column.name === name))
}

function columnsBetweenGaps(line: string): Column[] {
  return [...line.matchAll(/\S+(?: \S+)*/g)].map((match) => ({ name: match[0], start: runes(line, match.index) }))
}

function columnsOfWords(line: string, known: Set<string>): Column[] {
  const words = [...line.matchAll(/\S+/g)]
  const longest = Math.max(...[...known].map((name) => name.split(' ').length))
  const columns: Column[] = []
  for (let at = 0; at < words.length; ) {
    let length = Math.min(longest, words.length - at)
    while (length > 1 && !known.has(joinWords(line, words, at, length))) length -= 1
    columns.push({ name: joinWords(line, words, at, length), start: runes(line, words[at]!.index) })
    at += length
  }
  return columns
}

function joinWords(line: string, words: readonly RegExpExecArray[], from: number, count: number): string {
  const last = words[from + count - 1]!
  return line.slice(words[from]!.index, last.index + last[0].length)
}

// istio.workload.Address and istio.workload.Workload are both printed as WDS.
function numberDuplicates(columns: readonly Column[]): Column[] {
  const seen = new Map<string, number>()
  return columns.map((column) => {
    const count = (seen.get(column.name) ?? 0) + 1
    seen.set(column.name, count)
    return count === 1 ? column : { ...column, name: `${column.name} (${count})` }
  })
}

function cutRow<Required extends string>(
  line: string,
  columns: readonly Column[],
  tight: boolean,
  number: number,
): Row<Required> {
  const cells = tight ? cellsAtOffsets(line, columns) : (wholeCells(line, columns) ?? cellsBetweenGaps(line, columns))
  if (!cells) throw new ParseError(`line ${number} does not fit the header: "${shorten(line)}"`)
  // Every required name is among the columns: readTable looked for them before it cut a row.
  return Object.fromEntries(columns.map((column, at) => [column.name, cells[at] ?? ''])) as Row<Required>
}

function cellsAtOffsets(line: string, columns: readonly Column[]): string[] | null {
  // tabwriter counts runes; only text outside the basic plane makes them differ from JavaScript's indices.
  const characters: string | string[] = /[\ud800-\udfff]/.test(line) ? Array.from(line) : line
  const cells: string[] = []
  for (const [at, { start }] of columns.entries()) {
    const before = characters[start - 1]
    if (start > 0 && before !== undefined && before !== ' ') return null
    const cell = characters.slice(start, columns[at + 1]?.start)
    cells.push((typeof cell === 'string' ? cell : cell.join('')).trim())
  }
  return cells
}

// Cells that hold two blanks in a row are cells of another column: the line has moved under its header.
function wholeCells(line: string, columns: readonly Column[]): string[] | null {
  const cells = cellsAtOffsets(line, columns)
  return cells?.some((cell) => cell.includes('  ')) ? null : cells
}

// Redaction or an editor may have changed a cell's width. Without empty cells the gaps still tell the columns apart.
function cellsBetweenGaps(line: string, columns: readonly Column[]): string[] | null {
  const cells = line.trim().split(/ {2,}/)
  return cells.length === columns.length ? cells : null
}

function runes(line: string, index: number): number {
  const before = line.slice(0, index)
  return /[\ud800-\udfff]/.test(before) ? Array.from(before).length : index
}
