import type { Press } from './keys.ts'
import { strip } from './strip.ts'
import { graphemes } from './width.ts'

/** A line that is being written. The cursor stands behind what `before` holds. */
export interface Field {
  readonly before: string
  readonly after: string
}

export const emptyField: Field = { before: '', after: '' }

export function fieldText(field: Field): string {
  return field.before + field.after
}

export function fieldOf(text: string): Field {
  return { before: text, after: '' }
}

/** The field after a key, or `null` when the key means nothing to a field. */
export function edit(field: Field, press: Press): Field | null {
  const { before, after } = field
  switch (press.token) {
    case 'backspace':
    case 'ctrl-h':
      return { before: graphemes(before).slice(0, -1).join(''), after }
    case 'ctrl-u':
      return { before: '', after }
    case 'ctrl-w':
      return { before: before.replace(/\S*\s*$/, ''), after }
    case 'left':
    case 'ctrl-b':
      return { before: graphemes(before).slice(0, -1).join(''), after: (graphemes(before).at(-1) ?? '') + after }
    case 'right':
    case 'ctrl-f':
      return { before: before + (graphemes(after)[0] ?? ''), after: graphemes(after).slice(1).join('') }
    case 'home':
    case 'ctrl-a':
      return { before: '', after: before + after }
    case 'end':
    case 'ctrl-e':
      return { before: before + after, after: '' }
  }
  if (press.text === '') return null
  return { before: before + strip(press.text), after }
}
