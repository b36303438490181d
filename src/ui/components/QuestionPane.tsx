import type { Question } from '../../model/run.ts'
import { blank, type Line, line, span, wrap } from '../lines.ts'
import { windowAround } from '../view/windowed.ts'
import { Lines } from './Lines.tsx'

interface Props {
  readonly question: Question
  readonly cursor: number
  readonly width: number
  readonly height: number
}

/** A question of the walk, and why it is asked. */
export function QuestionPane({ question, cursor, width, height }: Props) {
  const head: Line[] = [
    ...wrap(line(span('? ', 'accent'), span(question.text, 'strong')), width, 2),
    ...wrap(line(span(`  why: ${question.why}`, 'dim')), width, 7),
    blank,
  ]
  const choices = question.choices.map(
    ({ label }, index): Line => [
      span(index === cursor ? '▸ ' : '  ', 'accent'),
      span(`${index + 1}  `, 'dim'),
      span(label, index === cursor ? 'accent' : 'plain'),
    ],
  )
  const room = Math.max(1, height - head.length)
  const from = windowAround(choices.length, cursor, room, 0)
  return <Lines lines={[...head, ...choices.slice(from, from + room)]} width={width} height={height} />
}
