import type { Field } from '../field.ts'
import { type Line, span } from '../lines.ts'
import { graphemes, widthOf } from '../width.ts'
import { Lines } from './Lines.tsx'

interface Props {
  readonly label: string
  readonly field: Field
  readonly width: number
  /** Shown while nothing is written. */
  readonly hint?: string
}

/** A line to write in. The terminal's cursor is hidden, so the place is marked. */
export function TextField({ label, field, width, hint = '' }: Props) {
  return <Lines lines={[fieldLine(label, field, width, hint)]} width={width} />
}

export function fieldLine(label: string, field: Field, width: number, hint = ''): Line {
  const name = span(label === '' ? '' : `${label} `, 'accent')
  const room = Math.max(4, width - widthOf(name.text) - 1)
  const [under = ' ', ...after] = graphemes(field.after)
  // Of a long text the end is kept in view: that is where one writes.
  let before = field.before
  while (widthOf(before) > room - 1) before = graphemes(before).slice(1).join('')
  const empty = field.before === '' && field.after === ''
  return [
    name,
    span(before),
    under === ' ' ? span('▏', 'accent') : span(under, 'marked'),
    span(after.join('')),
    span(empty ? hint : '', 'dim'),
  ]
}
