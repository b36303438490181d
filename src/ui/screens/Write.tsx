import { useState } from 'react'
import { Frame } from '../components/Frame.tsx'
import { Lines } from '../components/Lines.tsx'
import { fieldLine } from '../components/TextField.tsx'
import { edit, emptyField, fieldText } from '../field.ts'
import { actionFor, fieldKeys } from '../keys.ts'
import { blank, type Line, line, span, wrap } from '../lines.ts'
import { usePresses } from '../press-source.ts'
import { useScreen } from '../screen.ts'

interface Props {
  readonly isActive: boolean
  readonly title: string
  readonly label: string
  readonly about: string
  readonly hint?: string
  /** What is there already, such as the lines of the note. */
  readonly before?: readonly string[]
  readonly flash?: string | null
  /** A pasted text goes here as it is, when it is more than the field holds. */
  readonly onPaste?: (text: string) => void
  readonly onDone: (text: string) => void
  readonly onClose: () => void
}

/** One line to write: into the note, a path, a text to be explained. */
export function Write({
  isActive,
  title,
  label,
  about,
  hint = '',
  before = [],
  flash = null,
  onPaste,
  onDone,
  onClose,
}: Props) {
  const { width } = useScreen()
  const [field, setField] = useState(emptyField)
  usePresses((press) => {
    if (press.token === 'paste' && onPaste) return onPaste(press.text)
    switch (actionFor(fieldKeys, press)) {
      case 'accept': {
        const text = fieldText(field).trim()
        return text === '' ? onClose() : onDone(text)
      }
      case 'close':
        return onClose()
      case null:
        break
    }
    const next = edit(field, press.token === 'paste' ? { ...press, text: press.text.replaceAll('\n', ' ') } : press)
    if (next) setField(next)
  }, isActive)
  if (!isActive) return null
  return (
    <Frame title={[line(span(title, 'accent'))]} flash={flash} keys={fieldKeys}>
      {(bodyWidth, height) => {
        const head: Line[] = [...wrap(line(span(about, 'dim')), width), blank]
        const room = Math.max(0, height - head.length - 2)
        const kept = before.flatMap((each) => wrap(line(span('· ', 'dim'), each), bodyWidth, 2)).slice(-room)
        return (
          <Lines
            lines={[...head, ...kept, fieldLine(label, field, bodyWidth, hint)]}
            width={bodyWidth}
            height={height}
          />
        )
      }}
    </Frame>
  )
}
