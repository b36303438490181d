import { Box } from 'ink'
import { useState } from 'react'
import { Frame } from '../components/Frame.tsx'
import { Lines } from '../components/Lines.tsx'
import { filtered, PickList, type PickRow, roomAbovePinned } from '../components/PickList.tsx'
import { fieldLine } from '../components/TextField.tsx'
import { edit, emptyField, fieldText } from '../field.ts'
import { actionFor, firstKeys, type Press, pickKeys } from '../keys.ts'
import { blank, clipLine, ends, type Line, lineWidth, span, wrap } from '../lines.ts'
import { usePresses } from '../press-source.ts'
import { useScreen } from '../screen.ts'
import { windowAround } from '../view/windowed.ts'

interface Props<Value> {
  readonly isActive: boolean
  readonly title: readonly Line[]
  readonly question: string
  /** Why it is asked. */
  readonly why: string
  /** Above the list: what could not be read, what is still being read. */
  readonly notices?: readonly Line[]
  /** Below the list. */
  readonly hints?: readonly string[]
  readonly rows: readonly PickRow<Value>[]
  /** Rows for what was typed itself, such as a name that no list has. */
  readonly typed?: (text: string) => readonly PickRow<Value>[]
  readonly flash?: string | null
  /** Nothing to go back to: `q` leaves, as no answer here begins with it. */
  readonly isFirst?: boolean
  readonly onChoose: (value: Value) => void
  readonly onBack: () => void
  readonly onPaste: (text: string) => void
  readonly onHelp: () => void
  readonly onQuit: () => void
}

/** One question with a list: letters narrow it, arrows choose, a pasted line is answered at once. */
export function Pick<Value>(props: Props<Value>) {
  const { isActive, title, question, why, notices = [], hints = [], flash = null, onChoose, onBack } = props
  const { width, rows: screenRows } = useScreen()
  const [field, setField] = useState(emptyField)
  const [cursor, setCursor] = useState(0)
  const [offset, setOffset] = useState(0)
  const filter = fieldText(field)
  const narrowed = filtered(props.rows, filter)
  const rows = filter.trim() === '' || !props.typed ? narrowed : withTyped(narrowed, props.typed(filter.trim()))
  const here = Math.min(cursor, Math.max(0, rows.length - 1))

  const above = [...notices.flatMap((each) => wrap(each, width, 2)), ...(notices.length > 0 ? [blank] : [])]
  const body = screenRows - title.length - 3
  const below = body > 12 ? hints : []
  const tail = below.flatMap((each) => wrap([span(each, 'dim')], width, 0))
  // A narrow screen has no room for both; that letters narrow the list stands under `?` as well.
  const whole = lineWidth([span(question)])
  const asked: readonly Line[] =
    filter !== ''
      ? [ends([span(question, 'strong')], fieldLine('', field, Math.min(30, Math.floor(width / 2))), width)]
      : whole + 16 <= width
        ? [ends([span(question, 'strong')], [span('type to filter', 'dim')], width)]
        : wrap([span(question, 'strong')], width)
  const listHeight = Math.max(
    1,
    body - above.length - asked.length - 1 - tail.length - (tail.length > 0 ? 1 : 0) - (width < 60 ? 0 : 1),
  )
  const room = roomAbovePinned(rows, listHeight)
  // What stands below a short list stays near it, and does not move while the filter narrows.
  const drawn = Math.min(listHeight, Math.max(rows.length, props.rows.length + (props.typed ? 1 : 0)))
  const free = rows.filter(({ pinned }) => !pinned).length
  const from = windowAround(free, Math.min(here, Math.max(0, free - 1)), room, offset)

  const move = (to: number) => {
    const next = Math.max(0, Math.min(to, rows.length - 1))
    setCursor(next)
    setOffset(windowAround(free, Math.min(next, Math.max(0, free - 1)), room, from))
  }
  usePresses((press: Press) => {
    const isEmpty = filter === ''
    if (press.token === '?' && isEmpty) return props.onHelp()
    if (press.token === 'q' && isEmpty && props.isFirst) return props.onQuit()
    // A blank at the beginning would only hide that the field is empty.
    if (press.token === ' ' && isEmpty) return
    switch (actionFor(pickKeys, press)) {
      case 'choose': {
        const row = rows[here]
        if (!row) return
        // Whoever comes back finds the whole list.
        setField(emptyField)
        return onChoose(row.value)
      }
      case 'up':
        return move(here - 1)
      case 'down':
        return move(here + 1)
      case 'pageUp':
        return move(here - listHeight)
      case 'pageDown':
        return move(here + listHeight)
      case 'back':
        if (isEmpty) return onBack()
        setField(emptyField)
        return move(0)
      case 'paste':
        return props.onPaste(press.text)
      case 'help':
      case 'quit':
      case 'filter':
      case null:
        break
    }
    if (press.token === 'home') return move(0)
    if (press.token === 'end') return move(rows.length - 1)
    const next = edit(field, press)
    if (!next) return
    setField(next)
    setCursor(0)
    setOffset(0)
  }, isActive)

  if (!isActive) return null
  const found = narrowed.filter(({ pinned }) => !pinned).length
  const counted =
    filter === ''
      ? free > room
        ? `${from + 1}–${from + room} of ${free}`
        : ''
      : `${found} of ${props.rows.length}${found === 0 ? ' · esc clears' : ''}`
  return (
    <Frame
      title={title}
      flash={flash}
      keys={props.isFirst && filter === '' ? firstKeys : pickKeys}
      without={props.isFirst && filter === '' ? ['back'] : []}
    >
      {(bodyWidth, height) => (
        <Box flexDirection="column" height={height}>
          <Lines lines={[...above, ...asked]} width={bodyWidth} />
          {bodyWidth >= 58 && (
            <Lines
              lines={[clipLine(ends([span(why, 'dim')], [span(counted, 'dim')], bodyWidth), bodyWidth)]}
              width={bodyWidth}
            />
          )}
          <Lines lines={[blank]} width={bodyWidth} />
          {rows.length === 0 && filter !== '' ? (
            <Lines
              lines={[[span('nothing fits · esc clears what was typed', 'dim')]]}
              width={bodyWidth}
              height={drawn}
            />
          ) : (
            <PickList rows={rows} filter={filter} cursor={here} offset={from} width={bodyWidth} height={drawn} />
          )}
          {tail.length > 0 && <Lines lines={[blank, ...tail]} width={bodyWidth} />}
        </Box>
      )}
    </Frame>
  )
}

/** What was typed stands with the rows that are always there. */
function withTyped<Value>(rows: readonly PickRow<Value>[], typed: readonly PickRow<Value>[]): PickRow<Value>[] {
  const always = typed.map((row) => ({ ...row, pinned: true }))
  return [...rows.filter(({ pinned }) => !pinned), ...always, ...rows.filter(({ pinned }) => pinned)]
}
