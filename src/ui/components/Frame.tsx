import { Box } from 'ink'
import type { ReactNode } from 'react'
import type { Binding } from '../keys.ts'
import { clipLine, type Line, span, wrap } from '../lines.ts'
import { useScreen } from '../screen.ts'
import { symbols } from '../theme.ts'
import { clampScroll } from '../view/windowed.ts'
import { widthOf } from '../width.ts'
import { KeyBar } from './KeyBar.tsx'
import { Lines } from './Lines.tsx'

interface Props {
  readonly title: readonly Line[]
  /** Between title and body: the picture of the call. */
  readonly top?: readonly Line[]
  /** Said above the keys, until the next key. */
  readonly flash?: string | null
  readonly keys: readonly Binding[]
  readonly labels?: Readonly<Record<string, string>>
  readonly without?: readonly string[]
  readonly children: (width: number, height: number) => ReactNode
}

/** Every screen: what it is about, a rule, the body, a rule, the keys. Always exactly as high as the terminal. */
export function Frame({ title, top = [], flash = null, keys, labels = {}, without = [], children }: Props) {
  const { columns, rows, width } = useScreen()
  // On a very low screen the picture goes first: the step says the same in words.
  const picture = top.length > 0 && rows >= 14 ? aroundBreak(top, Math.floor(rows / 4)) : []
  const said = flashLines(flash, width, Math.max(1, Math.floor(rows / 4)))
  const height = Math.max(1, rows - title.length - 2 - said.length - (picture.length > 0 ? picture.length + 1 : 0))
  return (
    <Box flexDirection="column" height={rows} width={columns} paddingX={columns < 60 ? 0 : 1}>
      <Lines lines={title} width={width} />
      <Lines lines={[rule(width)]} width={width} />
      {picture.length > 0 && <Lines lines={[...picture, rule(width)]} width={width} />}
      <Box height={height} width={width} flexShrink={0} overflow="hidden">
        {children(width, height)}
      </Box>
      <Lines lines={said} width={width} />
      <KeyBar table={keys} width={width} labels={labels} without={without} />
    </Box>
  )
}

function rule(width: number, text: string | null = null): Line {
  if (!text) return [span('─'.repeat(width), 'dim')]
  const said = clipLine([span(` ${text} `, 'accent')], width - 4)
  const used = said.reduce((sum, part) => sum + widthOf(part.text), 0)
  return [span('──', 'dim'), ...said, span('─'.repeat(Math.max(0, width - 2 - used)), 'dim')]
}

/** In the rule, where it fits; a copied text is there to be marked by hand as well, so it goes on below. */
function flashLines(flash: string | null, width: number, most: number): Line[] {
  if (!flash || widthOf(flash) <= width - 6) return [rule(width, flash)]
  return [rule(width), ...wrap([span(flash, 'accent')], width).slice(0, most)]
}

/** Of a picture that is too high, the part where it breaks. */
function aroundBreak(picture: readonly Line[], height: number): readonly Line[] {
  const at = picture.findIndex((of) => of.some(({ text }) => text.includes(symbols.bad)))
  const from = clampScroll(at - 1, picture.length, height)
  return picture.slice(from, from + height)
}
