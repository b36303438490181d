import { Box } from 'ink'
import { useState } from 'react'
import type { RunState } from '../../model/run.ts'
import { Frame } from '../components/Frame.tsx'
import { Lines } from '../components/Lines.tsx'
import { fieldLine } from '../components/TextField.tsx'
import { edit, emptyField, fieldText } from '../field.ts'
import { actionFor, evidenceKeys, fieldKeys } from '../keys.ts'
import { blank, ends, line, lineText, span } from '../lines.ts'
import { usePresses } from '../press-source.ts'
import { useScreen } from '../screen.ts'
import { evidenceDetail, evidenceLine, evidenceRows } from '../view/evidence.ts'
import { windowAround } from '../view/windowed.ts'
import { count } from '../view/wording.ts'

interface Props {
  readonly isActive: boolean
  readonly state: RunState
  readonly flash: string | null
  readonly onRaw: (command: string) => void
  readonly onCopy: (text: string) => void
  readonly onExplain: (text: string, here: string) => void
  readonly onHelp: () => void
  readonly onClose: () => void
}

/** Everything that was looked at, and what could not be, each with the command that says so. */
export function Evidence({ isActive, state, flash, onRaw, onCopy, onExplain, onHelp, onClose }: Props) {
  const { width, rows: screenRows } = useScreen()
  const [field, setField] = useState(emptyField)
  const [isFiltering, setFiltering] = useState(false)
  const [cursor, setCursor] = useState(0)
  const rows = evidenceRows(state, fieldText(field))
  const here = Math.min(cursor, Math.max(0, rows.length - 1))
  const marked = rows[here]
  const detail = marked ? evidenceDetail(marked, state, width) : []
  const page = Math.max(3, screenRows - 12)

  const move = (to: number) => setCursor(Math.max(0, Math.min(to, rows.length - 1)))
  usePresses((press) => {
    if (isFiltering) {
      if (press.token === 'enter') return setFiltering(false)
      if (press.token === 'esc') {
        setField(emptyField)
        return setFiltering(false)
      }
      if (press.token === 'up') return move(here - 1)
      if (press.token === 'down') return move(here + 1)
      const next = edit(field, press)
      if (next) setField(next)
      return setCursor(0)
    }
    switch (actionFor(evidenceKeys, press)) {
      case 'open':
        return marked ? onRaw(marked.command.id) : undefined
      case 'filter':
        return setFiltering(true)
      case 'copy':
        return marked ? onCopy(marked.command.display) : undefined
      case 'up':
        return move(here - 1)
      case 'down':
        return move(here + 1)
      case 'pageUp':
        return move(here - page)
      case 'pageDown':
        return move(here + page)
      case 'top':
        return move(0)
      case 'bottom':
        return move(rows.length - 1)
      case 'explain':
        return onExplain(
          rows.map(({ text }) => text).join('\n'),
          [marked?.text ?? '', ...detail.map(lineText)].join('\n'),
        )
      case 'help':
        return onHelp()
      case 'close':
        if (fieldText(field) !== '' && press.token === 'esc') return setField(emptyField)
        return onClose()
      case null:
        return
    }
  }, isActive)

  if (!isActive) return null
  const blind = state.commands.filter(({ entry }) => entry?.status === 'missing').length
  const total = `${count(state.commands.length, 'command')}${blind > 0 ? ` · ${blind} could not be looked at` : ''}`
  const title = ends(
    [span('Evidence', 'accent'), span(isFiltering || fieldText(field) !== '' ? `  ${rows.length} shown` : '', 'dim')],
    [span(total, 'dim')],
    width,
  )
  return (
    <Frame title={[title]} flash={flash} keys={isFiltering ? fieldKeys : evidenceKeys}>
      {(bodyWidth, height) => {
        const filterLine = isFiltering || fieldText(field) !== '' ? [fieldLine('filter /', field, bodyWidth)] : []
        const detailHeight = Math.min(detail.length, Math.max(2, Math.floor(height / 2) - 2))
        const listHeight = Math.max(1, height - filterLine.length - detailHeight - 1)
        const from = windowAround(rows.length, here, listHeight, 0)
        const list = rows
          .slice(from, from + listHeight)
          .map((row, index) => evidenceLine(row, from + index === here, bodyWidth))
        const none =
          rows.length === 0
            ? [
                line(
                  span(
                    state.commands.length === 0 ? 'nothing has been looked at yet' : 'nothing matches the filter',
                    'dim',
                  ),
                ),
              ]
            : []
        return (
          <Box flexDirection="column">
            <Lines
              lines={[...filterLine, ...none, ...list]}
              width={bodyWidth}
              height={filterLine.length + listHeight}
            />
            <Lines lines={[blank, ...detail]} width={bodyWidth} height={detailHeight + 1} />
          </Box>
        )
      }}
    </Frame>
  )
}
