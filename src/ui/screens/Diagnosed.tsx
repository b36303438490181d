import { Box } from 'ink'
import { useState } from 'react'
import type { Diagnosis } from '../../model/diagnosis.ts'
import type { RunState } from '../../model/run.ts'
import { Frame } from '../components/Frame.tsx'
import { Lines } from '../components/Lines.tsx'
import { Scroll } from '../components/Scroll.tsx'
import { actionFor, diagnosisKeys } from '../keys.ts'
import { atMost, beside, blank, line, lineText, span } from '../lines.ts'
import { usePresses } from '../press-source.ts'
import { useScreen } from '../screen.ts'
import type { SavedNote } from '../use-saved-note.ts'
import { otherLines, reasonLines, retestLines, summaryText, titleLines } from '../view/diagnosis.ts'
import { decidingCommand, moveLines, shortMoveLines } from '../view/moves.ts'
import { section } from '../view/section.ts'
import { clampScroll } from '../view/windowed.ts'
import type { WalkSession, WalkSnapshot } from '../walk-session.ts'
import { clipMiddle } from '../width.ts'
import type { WalkRequest } from './Walk.tsx'

/** From here on two columns of text fit side by side. */
const wide = 140

interface Props {
  readonly isActive: boolean
  readonly walk: WalkSnapshot
  readonly diagnosis: Diagnosis
  readonly session: WalkSession
  readonly saved: SavedNote
  readonly flash: string | null
  readonly onRequest: (request: WalkRequest | { readonly open: 'markdown' | 'steps' }) => void
  readonly onFlash: (text: string) => void
}

/** The answer first, the proof next to it, then what it is not, then the smallest move. */
export function Diagnosed({ isActive, walk, diagnosis, session, saved, flash, onRequest, onFlash }: Props) {
  const { width, rows } = useScreen()
  const [offset, setOffset] = useState(0)
  const [pair, setPair] = useState(0)
  const { state } = walk
  const isRetesting = !walk.over && walk.paused === null && walk.question === null
  const title = [
    ...titleLines(diagnosis, width),
    ...retestLines(state, width),
    ...(isRetesting ? [line(span('retesting: the deciding command runs again …', 'accent'))] : []),
  ]
  // Where not everything fits, what to do stays in view and the rest scrolls.
  const whole = Math.max(1, rows - title.length - 3)
  const { lines, move } = layOut({ state, diagnosis, saved, width, pair, height: whole })
  const moveHeight = move.length === 0 ? 0 : move.length + 1
  const height = Math.max(1, whole - moveHeight)

  usePresses((press) => {
    if (press.token === 'paste') return onRequest({ open: 'paste', text: press.text })
    switch (actionFor(diagnosisKeys, press)) {
      case 'retest':
        if (session.proceed({ do: 'retest' })) return
        return onFlash(walk.over ? 'the walk is over: start meshtriage again to retest' : 'still running')
      case 'markdown':
        return onRequest({ open: 'markdown' })
      case 'copy':
        return onRequest({ open: 'copy', text: summaryText(diagnosis) })
      case 'copyCommand': {
        const command = decidingCommand(diagnosis)
        return command ? onRequest({ open: 'copy', text: command }) : onFlash('no command to copy')
      }
      case 'evidence':
        return onRequest({ open: 'evidence' })
      case 'explain':
        return onRequest({
          open: 'explain',
          text: [...title, ...lines.slice(offset, offset + height), ...move].map(lineText).join('\n'),
        })
      case 'note':
        return onRequest({ open: 'note' })
      case 'raw':
        return onRequest({ open: 'raw', command: diagnosis.causes[0]?.supporting[0]?.entry ?? null })
      case 'back':
        return onRequest({ open: 'steps' })
      case 'other':
        setPair(pair + 1)
        return setOffset(0)
      case 'down':
        return setOffset(
          clampScroll(offset + (press.token === 'down' || press.token === 'j' ? 1 : height - 2), lines.length, height),
        )
      case 'up':
        return setOffset(
          clampScroll(offset - (press.token === 'up' || press.token === 'k' ? 1 : height - 2), lines.length, height),
        )
      case 'help':
        return onRequest({ open: 'help' })
      case 'quit':
        return onRequest({ open: 'quit' })
      case null:
        return
    }
  }, isActive)

  if (!isActive) return null
  return (
    <Frame title={title} flash={flash ?? savedText(saved, width)} keys={diagnosisKeys}>
      {(bodyWidth, bodyHeight) => (
        <Box flexDirection="column">
          <Scroll
            lines={lines}
            width={bodyWidth}
            height={Math.max(1, Math.min(bodyHeight - moveHeight, lines.length))}
            offset={offset}
          />
          {moveHeight > 0 && <Lines lines={[blank, ...move]} width={bodyWidth} height={moveHeight} />}
        </Box>
      )}
    </Frame>
  )
}

interface Layout {
  readonly state: RunState
  readonly diagnosis: Diagnosis
  readonly saved: SavedNote
  readonly width: number
  readonly height: number
  readonly pair: number
}

/** What scrolls, and what stays below it: the move, whole or in short. A wide screen has it beside the reasons. */
function layOut({ state, diagnosis, saved, width, height, pair }: Layout) {
  const note = (room: number) =>
    saved && 'notePath' in saved
      ? section('Note', [line(saved.notePath, span('  m shows it as Markdown', 'dim'))], room)
      : []
  // Two suspects take both columns for themselves.
  if (width >= wide && !(diagnosis.verdict === 'suspects' && diagnosis.causes.length > 1)) {
    const half = Math.floor((width - 3) / 2)
    const left = [...reasonLines(state, diagnosis, half, pair), ...otherLines(state, diagnosis, half)]
    const right = [...moveLines(diagnosis, half), ...note(half)]
    return { lines: beside(left, right, half), move: [] }
  }
  const reasons = reasonLines(state, diagnosis, width, pair)
  const others = otherLines(state, diagnosis, width)
  const all = moveLines(diagnosis, width)
  if (all.length <= Math.floor(height / 2)) return { lines: [...reasons, ...others, ...note(width)], move: all }
  const short = atMost(shortMoveLines(diagnosis, width), Math.floor(height / 3), width)
  return { lines: [...reasons, ...all, ...others, ...note(width)], move: short }
}

export function savedText(saved: SavedNote, width: number): string {
  if (!saved) return 'saving the note …'
  if ('failed' in saved) return `the note could not be saved: ${saved.failed}`
  return `note saved: ${clipMiddle(saved.notePath, Math.max(12, width - 18))}`
}
