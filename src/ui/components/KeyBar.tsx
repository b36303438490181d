import type { Binding } from '../keys.ts'
import { keyText } from '../keys.ts'
import { type Line, lineWidth, span } from '../lines.ts'
import { Lines } from './Lines.tsx'

interface Props {
  readonly table: readonly Binding[]
  readonly width: number
  /** Other words for a key where they say more: `{ next: 'go to route' }`. */
  readonly labels?: Readonly<Record<string, string>>
  /** Actions that make no sense right now. */
  readonly without?: readonly string[]
}

/** The keys, most important first. What does not fit goes; the list of keys and the way out stay. */
export function KeyBar({ table, width, labels = {}, without = [] }: Props) {
  const shown = table
    .map((binding) => ({ ...binding, label: labels[binding.does] ?? binding.label }))
    .filter(({ does, label }) => label !== '' && !without.includes(does))
  const last = shown.slice(-2)
  let first = shown.slice(0, -2)
  while (first.length > 0 && lineWidth(bar([...first, ...last])) > width) first = first.slice(0, -1)
  return <Lines lines={[bar([...first, ...last])]} width={width} />
}

function bar(bindings: readonly Binding[]): Line {
  return bindings.flatMap((binding, index) => [
    ...(index > 0 ? [span(' · ', 'dim')] : []),
    span(keyText(binding), 'strong'),
    span(` ${binding.label}`, 'dim'),
  ])
}
