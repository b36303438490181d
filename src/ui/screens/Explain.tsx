import { Box } from 'ink'
import { useEffect, useState } from 'react'
import { Frame } from '../components/Frame.tsx'
import { Lines } from '../components/Lines.tsx'
import { Scroll } from '../components/Scroll.tsx'
import { fieldLine } from '../components/TextField.tsx'
import { edit, emptyField, fieldOf, fieldText } from '../field.ts'
import { actionFor, explainKeys } from '../keys.ts'
import { blank, clipLine, type Line, line, span, wrap } from '../lines.ts'
import type { Explanation } from '../ports.ts'
import { usePresses } from '../press-source.ts'
import { useScreen } from '../screen.ts'
import { usePlaced } from '../use-placed.ts'
import { explanationLines } from '../view/explanation.ts'
import { windowAround } from '../view/windowed.ts'

/** One term, or all that can be explained on a screen. */
export type ExplainFrom = { readonly term: string } | { readonly screen: string; readonly here?: string } | null

interface Props {
  readonly isActive: boolean
  readonly from: ExplainFrom
  readonly explain: (text: string) => Promise<Explanation | null>
  readonly onClose: () => void
}

/** The words of the screen underneath on the left, what the marked one means on the right; anything else can be typed. */
export function Explain({ isActive, from, explain, onClose }: Props) {
  const terms = useTerms(from)
  const { width, rows } = useScreen()
  const [cursor, setCursor] = useState(0)
  const [field, setField] = useState(emptyField)
  const [found, setFound] = useState<{ term: string; explanation: Explanation | null } | null>(null)
  const typed = fieldText(field).trim()
  const term = typed === '' ? (terms[cursor] ?? '') : typed
  const [offset, setOffset] = usePlaced(term, 0)

  useEffect(() => {
    let isCurrent = true
    if (term === '') return
    explain(term).then(
      (explanation) => isCurrent && setFound({ term, explanation }),
      () => isCurrent && setFound({ term, explanation: null }),
    )
    return () => {
      isCurrent = false
    }
  }, [term, explain])

  usePresses((press) => {
    if (press.token === 'paste') return setField(fieldOf(press.text.replaceAll('\n', ' ')))
    switch (actionFor(explainKeys, press)) {
      case 'up':
        setField(emptyField)
        return setCursor(Math.max(0, cursor - 1))
      case 'down':
        setField(emptyField)
        return setCursor(typed === '' ? Math.min(Math.max(0, terms.length - 1), cursor + 1) : cursor)
      case 'pageUp':
        return setOffset(Math.max(0, offset - 5))
      case 'pageDown':
        return setOffset(offset + 5)
      case 'close':
        return typed === '' ? onClose() : setField(emptyField)
      case 'type':
      case null:
        break
    }
    const next = edit(field, press)
    if (next) setField(next)
  }, isActive)

  if (!isActive) return null
  const isNarrow = width < 60 || terms.length === 0
  const listWidth = isNarrow ? width : Math.min(34, Math.max(16, ...terms.map((each) => each.length + 4)))
  const textWidth = isNarrow ? width : width - listWidth - 3
  const text = textOf(term, found, textWidth)
  return (
    <Frame
      title={[clipLine(fieldLine('explain', field, width, 'a flag, a code, a detail, a whole log line'), width)]}
      keys={explainKeys}
      without={terms.length > 1 ? [] : ['down']}
    >
      {(bodyWidth, height) => {
        const listHeight = isNarrow ? Math.min(terms.length, Math.max(2, Math.floor(rows / 5))) : height
        const top = windowAround(terms.length, cursor, listHeight, 0)
        const list = terms.slice(top, top + listHeight).map((each, index): Line => {
          const isHere = typed === '' && top + index === cursor
          return [span(isHere ? '▸ ' : '  ', 'accent'), span(each, isHere ? 'accent' : 'plain')]
        })
        if (isNarrow)
          return (
            <Box flexDirection="column">
              <Lines
                lines={[...list, ...(list.length > 0 ? [blank] : [])]}
                width={bodyWidth}
                height={listHeight === 0 ? 0 : listHeight + 1}
              />
              <Scroll
                lines={text}
                width={bodyWidth}
                height={Math.max(1, height - listHeight - (listHeight > 0 ? 1 : 0))}
                offset={offset}
              />
            </Box>
          )
        return (
          <Box>
            <Lines lines={list} width={listWidth} height={height} />
            <Box width={3} flexShrink={0} />
            <Scroll lines={text} width={textWidth} height={height} offset={offset} />
          </Box>
        )
      }}
    </Frame>
  )
}

function useTerms(from: ExplainFrom): readonly string[] {
  const [terms, setTerms] = useState<readonly string[]>(from && 'term' in from ? [from.term] : [])
  const screen = from && 'screen' in from ? from.screen : null
  const here = (from && 'screen' in from ? from.here : undefined) ?? ''
  useEffect(() => {
    if (screen === null) return
    let isCurrent = true
    // Everything Envoy and istiod can print is a large table, and the first screen does not need it.
    import('../view/terms.ts').then(
      ({ termsFrom }) => isCurrent && setTerms(termsFrom(here, screen)),
      () => undefined,
    )
    return () => {
      isCurrent = false
    }
  }, [screen, here])
  return terms
}

function textOf(term: string, found: { term: string; explanation: Explanation | null } | null, width: number): Line[] {
  if (term === '') return [line(span('Type or paste a flag, a code, a detail, a whole log line.', 'dim'))]
  if (found?.term !== term) return []
  if (!found.explanation) return wrap(line(span(`Nothing is known here about "${term}".`, 'dim')), width)
  return explanationLines(found.explanation, width)
}
