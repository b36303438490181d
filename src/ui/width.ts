/** How many columns text takes in a terminal. Agrees with what Ink measures, so that lines cut here are never cut again there. */

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const ascii = /^[ -~]*$/
const invisible =
  /^[\p{Default_Ignorable_Code_Point}\p{Control}\p{Format}\p{Nonspacing_Mark}\p{Enclosing_Mark}\p{Surrogate}]+$/u
const emoji = /^\p{Emoji_Presentation}|\ufe0f|^\p{Regional_Indicator}{2}/u

// East Asian wide and fullwidth ranges that occur in names and messages; emoji are recognised by property.
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18aff],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
]

export function graphemes(text: string): string[] {
  if (ascii.test(text)) return [...text]
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

export function graphemeWidth(grapheme: string): number {
  if (grapheme.length === 1 && grapheme >= ' ' && grapheme <= '~') return 1
  if (invisible.test(grapheme)) return 0
  if (emoji.test(grapheme)) return 2
  const point = grapheme.codePointAt(0) ?? 0
  return wideRanges.some(([from, to]) => point >= from && point <= to) ? 2 : 1
}

export function widthOf(text: string): number {
  if (ascii.test(text)) return text.length
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment)
  return width
}

/** The longest beginning that fits. */
export function take(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let used = 0
  let out = ''
  for (const grapheme of graphemes(text)) {
    used += graphemeWidth(grapheme)
    if (used > width) break
    out += grapheme
  }
  return out
}

/** Cut at the end, with a sign that something is missing. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  return width < 1 ? '' : `${take(text, width - 1).trimEnd()}…`
}

/** Cut between phrases where that leaves one: half a phrase says less than none. */
export function clipPhrases(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  const fitting = take(text, width - 3)
  const whole = Math.max(fitting.lastIndexOf(', '), fitting.lastIndexOf(' · '))
  if (whole < 1) return clip(text, width)
  return `${fitting.slice(0, whole)}${fitting[whole] === ',' ? ', …' : ' · …'}`
}

/** Cut in the middle: of a long name, beginning and end tell most. */
export function clipMiddle(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  if (width < 5) return clip(text, width)
  const head = take(text, Math.ceil((width - 1) / 2))
  const tail = takeEnd(text, width - 1 - widthOf(head))
  return `${head}…${tail}`
}

function takeEnd(text: string, width: number): string {
  let used = 0
  let out = ''
  for (const grapheme of graphemes(text).reverse()) {
    used += graphemeWidth(grapheme)
    if (used > width) break
    out = grapheme + out
  }
  return out
}

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}
