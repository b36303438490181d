import { strip } from './strip.ts'
import type { Tone } from './theme.ts'
import { clip, graphemes, take, widthOf } from './width.ts'

declare const stripped: unique symbol

/** A piece of a line. Made by `span` only, which strips: no text of a tool or a cluster reaches the terminal as it was. */
export interface Span {
  readonly text: string
  readonly tone: Tone
  readonly [stripped]: true
}

export type Line = readonly Span[]

export function span(text: string, tone: Tone = 'plain'): Span {
  // The brand exists for the compiler only.
  return { text: strip(text), tone } as Span
}

export function line(...parts: readonly (string | Span)[]): Line {
  return parts.map((part) => (typeof part === 'string' ? span(part) : part))
}

export const blank: Line = []

export function lineText(of: Line): string {
  return of.map(({ text }) => text).join('')
}

export function lineWidth(of: Line): number {
  return of.reduce((sum, { text }) => sum + widthOf(text), 0)
}

/** Cut to a width, with `…` where something is missing. */
export function clipLine(of: Line, width: number): Line {
  if (lineWidth(of) <= width) return of
  const out: Span[] = []
  let left = Math.max(0, width)
  for (const part of of) {
    const partWidth = widthOf(part.text)
    if (partWidth < left) {
      out.push(part)
      left -= partWidth
      continue
    }
    out.push({ ...part, text: clip(`${part.text}…`, left) })
    break
  }
  return out
}

export function padLine(of: Line, width: number): Line {
  const missing = width - lineWidth(of)
  return missing > 0 ? [...of, span(' '.repeat(missing))] : of
}

/** Two columns on one line: what does not fit is cut on the left, because the right one was chosen for its shortness. */
export function ends(left: Line, right: Line, width: number): Line {
  const room = width - lineWidth(right)
  if (room < 8) return clipLine(left, width)
  return [...padLine(clipLine(left, lineWidth(right) > 0 ? room - 1 : room), room), ...right]
}

/** Wraps at blanks, keeps the tones; `hanging` indents every line but the first. */
export function wrap(of: Line, width: number, hanging = 0): Line[] {
  const room = Math.max(4, width)
  const lines: Span[][] = []
  let current: Span[] = []
  let used = 0
  const flush = () => {
    lines.push(trimEnd(current))
    current = hanging > 0 ? [span(' '.repeat(Math.min(hanging, room - 4)))] : []
    used = hanging > 0 ? Math.min(hanging, room - 4) : 0
  }
  const start = () => (lines.length > 0 ? Math.min(hanging, room - 4) : 0)
  for (const part of of) {
    for (const word of part.text.split(/(?<= )(?=[^ ])/)) {
      let rest = word
      const solid = widthOf(rest.trimEnd())
      if (used + solid > room && used > start()) {
        flush()
        rest = rest.trimStart()
      }
      while (used + widthOf(rest.trimEnd()) > room) {
        const head = breakAt(rest, room - used)
        if (head === '') break
        current.push({ ...part, text: head })
        rest = rest.slice(head.length)
        flush()
      }
      // Blanks that do not fit any more would only make the line too long.
      const fitting = take(rest, room - used)
      if (fitting !== '') current.push({ ...part, text: fitting })
      used += widthOf(fitting)
    }
  }
  if (current.length > 0 || lines.length === 0) lines.push(trimEnd(current))
  return lines.map(merge)
}

/** What has no blanks (JSON, a list of kinds, a cluster name) is cut behind a sign that separates, if one is near. */
function breakAt(text: string, room: number): string {
  const head = take(text, room)
  const separated = /^.*[,;{}|&/]/s.exec(head)?.[0] ?? ''
  return separated.length * 2 > head.length ? separated : head
}

function trimEnd(of: Span[]): Span[] {
  const last = of.at(-1)
  if (!last) return of
  return [...of.slice(0, -1), { ...last, text: last.text.trimEnd() }]
}

function merge(of: readonly Span[]): Line {
  const out: Span[] = []
  for (const part of of) {
    const last = out.at(-1)
    if (last && last.tone === part.tone) out[out.length - 1] = { ...last, text: last.text + part.text }
    else if (part.text !== '') out.push(part)
  }
  return out
}

/** A label in a column of its own, the text wrapped beside it; under it where the screen is narrow. */
export function labelled(label: Span, text: readonly Line[], width: number, column: number, hanging = 0): Line[] {
  if (width < 50) {
    const under = text.flatMap((each) => wrap(each, width - 2, hanging).map((part) => line('  ', ...part)))
    return label.text === '' ? under : [[label], ...under]
  }
  const beside = text.flatMap((each) => wrap(each, width - column, hanging))
  return beside.map((each, index) => [...padLine(index === 0 ? [label] : [], column), ...each])
}

/** The first lines, and a sign that there are more. */
export function atMost(lines: readonly Line[], most: number, width: number): readonly Line[] {
  const last = lines[most - 1]
  if (lines.length <= most || !last) return lines.slice(0, most)
  return [...lines.slice(0, most - 1), clipLine([...last, span(' …', 'dim')], width)]
}

/** Two columns of text with a line between them. */
export function beside(left: readonly Line[], right: readonly Line[], half: number): Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, row) => [
    ...padLine(left[row] ?? blank, half),
    span(' │ ', 'dim'),
    ...(right[row] ?? blank),
  ])
}

/** Marks what a filter or a search matched. */
export function highlight(text: string, positions: ReadonlySet<number>, tone: Tone, matched: Tone): Line {
  const clean = strip(text)
  if (positions.size === 0) return [span(clean, tone)]
  return merge(graphemes(clean).map((char, index) => span(char, positions.has(index) ? matched : tone)))
}
