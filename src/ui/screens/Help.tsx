import { useState } from 'react'
import { Frame } from '../components/Frame.tsx'
import { Scroll } from '../components/Scroll.tsx'
import { actionFor, type Binding, helpKeys, keyText } from '../keys.ts'
import { blank, type Line, line, padLine, span, wrap } from '../lines.ts'
import { usePresses } from '../press-source.ts'
import { useScreen } from '../screen.ts'
import { symbols } from '../theme.ts'

interface Props {
  readonly isActive: boolean
  readonly table: readonly Binding[]
  readonly onClose: () => void
}

/** The keys of the screen it was opened from, and what the symbols say. */
export function Help({ isActive, table, onClose }: Props) {
  const { width } = useScreen()
  const [offset, setOffset] = useState(0)
  usePresses((press) => {
    switch (actionFor(helpKeys, press)) {
      case 'down':
        return setOffset(offset + 1)
      case 'up':
        return setOffset(Math.max(0, offset - 1))
      case 'close':
        return onClose()
      case null:
        return
    }
  }, isActive)
  if (!isActive) return null
  return (
    <Frame title={[line(span('Keys', 'accent'))]} keys={helpKeys}>
      {(bodyWidth, height) => (
        <Scroll lines={helpLines(table, width)} width={bodyWidth} height={height} offset={offset} />
      )}
    </Frame>
  )
}

/** Said below for all screens. */
const everywhere: ReadonlySet<string> = new Set(['ctrl-c', 'paste'])

function helpLines(table: readonly Binding[], width: number): Line[] {
  const keys = table
    .filter((binding) => binding.help !== '' && !everywhere.has(binding.keys.join()))
    .flatMap((binding) => entry(keyText(binding, 3), binding.help, width))
  return [
    ...keys,
    ...entry('ctrl-c', 'ends from anywhere: the note is written, the terminal is put back', width),
    ...entry('paste', 'a log line or curl -v output, anywhere: it is answered at once', width),
    blank,
    ...wrap(
      line(
        span(symbols.ok, 'good'),
        ' looked, fine   ',
        span(symbols.bad, 'bad'),
        ' broken here   ',
        span(symbols.aside, 'warn'),
        ' true, but not the cause   ',
        span(symbols.blind, 'blind'),
        ' could not look   ',
        span(symbols.now, 'accent'),
        ' now   ',
        span(symbols.open, 'dim'),
        ' not yet',
      ),
      width,
    ),
    ...wrap(line(span('meshtriage only reads. A command that changes the cluster is shown, never run.', 'dim')), width),
  ]
}

function entry(keys: string, help: string, width: number): Line[] {
  const column = width < 50 ? 12 : 16
  return wrap(line(...padLine([span(keys, 'strong')], column), help), width, column)
}
