import { type Line, labelled, span } from '../lines.ts'

export const sectionColumn = 11

/** Lines behind a word that says what they are; nothing where there is nothing to say. */
export function section(label: string, lines: readonly Line[], width: number, hanging = 0): Line[] {
  return lines.length === 0 ? [] : labelled(span(label, 'accent'), lines, width, sectionColumn, hanging)
}
