import { useState } from 'react'
import { Frame } from '../components/Frame.tsx'
import { Scroll } from '../components/Scroll.tsx'
import { actionFor, pasteKeys } from '../keys.ts'
import { line, lineText, span } from '../lines.ts'
import type { Paste } from '../ports.ts'
import { usePresses } from '../press-source.ts'
import { useScreen } from '../screen.ts'
import { pasteLines } from '../view/explanation.ts'
import { knownTexts } from '../view/intake.ts'
import { clampScroll } from '../view/windowed.ts'

const kinds: Readonly<Record<string, string>> = {
  'access-log': 'access log of a proxy',
  'ztunnel-log': 'log of a ztunnel',
  curl: 'what curl -v printed',
  text: '',
}

interface Props {
  readonly isActive: boolean
  readonly paste: Paste
  readonly text: string
  /** What enter does: walk on, or just close when a walk is under way. */
  readonly goes: string
  readonly onGo: () => void
  readonly onExplain: (text: string) => void
  readonly onClose: () => void
}

/** A pasted line is answered before anything is asked. */
export function PasteAnswer({ isActive, paste, text, goes, onGo, onExplain, onClose }: Props) {
  const { width, rows } = useScreen()
  const [offset, setOffset] = useState(0)
  const lines = pasteLines(paste, text, knownTexts(paste.given), width)
  const height = rows - 4
  usePresses((press) => {
    switch (actionFor(pasteKeys, press)) {
      case 'go':
        return onGo()
      case 'explain':
        return onExplain([text, ...lines.map(lineText)].join('\n'))
      case 'down':
        return setOffset(clampScroll(offset + 3, lines.length, height))
      case 'up':
        return setOffset(clampScroll(offset - 3, lines.length, height))
      case 'close':
        return onClose()
      case null:
        return
    }
  }, isActive)
  if (!isActive) return null
  return (
    <Frame
      title={[line(span('This says', 'accent'), span(`  ${kinds[paste.kind] ?? paste.kind}`, 'dim'))]}
      keys={pasteKeys}
      labels={{ go: goes }}
    >
      {(bodyWidth, bodyHeight) => <Scroll lines={lines} width={bodyWidth} height={bodyHeight} offset={offset} />}
    </Frame>
  )
}
