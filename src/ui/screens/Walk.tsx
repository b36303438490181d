import { Box } from 'ink'
import { Frame } from '../components/Frame.tsx'
import { Lines } from '../components/Lines.tsx'
import { QuestionPane } from '../components/QuestionPane.tsx'
import { Rail } from '../components/Rail.tsx'
import { Scroll } from '../components/Scroll.tsx'
import { actionFor, questionKeys, walkKeys } from '../keys.ts'
import { atMost, blank, type Line, line, lineText, span, wrap } from '../lines.ts'
import { usePresses } from '../press-source.ts'
import { useNow, useScreen } from '../screen.ts'
import { usePlaced } from '../use-placed.ts'
import { clusterText, headerLine } from '../view/header.ts'
import { hopPicture, hopStrip } from '../view/hops.ts'
import { railRows, railStrip, railWidth } from '../view/rail.ts'
import { nextLines, notWalkedLines, stepLines } from '../view/step.ts'
import { clampScroll } from '../view/windowed.ts'
import type { WalkSession, WalkSnapshot } from '../walk-session.ts'

export type WalkRequest =
  | { readonly open: 'help' | 'evidence' | 'note' | 'quit' | 'diagnosis' }
  | { readonly open: 'raw'; readonly command: string | null }
  | { readonly open: 'explain'; readonly text: string; readonly here?: string }
  | { readonly open: 'copy'; readonly text: string }
  | { readonly open: 'paste'; readonly text: string }

interface Props {
  readonly isActive: boolean
  readonly walk: WalkSnapshot
  readonly session: WalkSession
  readonly flash: string | null
  readonly now: () => number
  readonly onRequest: (request: WalkRequest) => void
  readonly onFlash: (text: string) => void
}

/** The rail of layers, and beside it one step: its question, its commands, what they taught, what comes next. */
export function Walk({ isActive, walk, session, flash, now, onRequest, onFlash }: Props) {
  const { state, paused, question } = walk
  const hops = state.call?.hops ?? []
  const { width, rows: screenRows } = useScreen()
  const isRunning = walk.beganAt !== null && !paused && !question && !walk.over
  const at = useNow(now, isActive && isRunning)

  const rail = railRows(state)
  const current =
    state.steps.findLast(({ status }) => status === 'running') ??
    state.steps.find(({ id }) => id === paused?.step) ??
    state.steps.at(-1) ??
    null
  // What is drawn follows the walk as soon as it moves on.
  const place = `${current?.id} ${current?.status}`
  const [cursor, setCursor] = usePlaced<string | null>(place, null)
  const [choice, setChoice] = usePlaced(question?.id ?? '', 0)
  const shownId = cursor ?? current?.id ?? rail[0]?.id ?? null
  const [offset, setOffset] = usePlaced(`${place} ${shownId}`, 0)
  const shown = state.steps.find(({ id }) => id === shownId) ?? null
  const isElsewhere = cursor !== null && cursor !== current?.id

  const elapsed = walk.beganAt === null ? null : (walk.endedAt ?? Math.max(at, walk.beganAt)) - walk.beganAt
  const isNarrow = width < 66
  const paneWidth = isNarrow ? width : width - railWidth(rail, width) - 2
  const number = rail.findIndex(({ id }) => id === shownId) + 1
  const planned = state.plan.find(({ id }) => id === shownId)
  const step = shown
    ? stepLines(walk, shown, number, paneWidth, at)
    : planned && state.steps.length > 0
      ? notWalkedLines(walk, planned, number, paneWidth, at)
      : notYet(walk)
  const next = nextOf(walk, isElsewhere, shown !== null, paneWidth)

  const move = (by: number) => {
    const to = rail[Math.max(0, Math.min(rail.length - 1, rail.findIndex(({ id }) => id === shownId) + by))]
    if (to) setCursor(to.id)
  }
  const steer = (what: Parameters<WalkSession['proceed']>[0]) => {
    if (session.proceed(what)) return
    onFlash(walk.over ? 'this walk is over · d diagnosis · q leaves' : 'still running · esc gives the command up')
  }
  const onScreen = () => [...step, ...next].map(lineText).join('\n')

  usePresses((press) => {
    if (press.token === 'paste') return onRequest({ open: 'paste', text: press.text })
    if (question) return questionPress(press)
    if (/^[1-9]$/.test(press.token)) {
      const row = rail[Number(press.token) - 1]
      if (row) setCursor(row.id)
      return
    }
    switch (actionFor(walkKeys, press)) {
      case 'next':
        if (isElsewhere && shownId) return steer({ do: 'goto', step: shownId })
        if (state.diagnosis) return onRequest({ open: 'diagnosis' })
        return steer({ do: 'next' })
      case 'auto':
        if (walk.over || state.diagnosis) return onFlash('nothing left to walk')
        if (walk.auto) onFlash('stops after this step')
        return session.toggleAuto()
      case 'skip':
        return steer({ do: 'skip' })
      case 'retest':
        return steer({ do: 'retest' })
      case 'back':
        return isElsewhere ? setCursor(null) : steer({ do: 'back' })
      case 'finish':
        return state.diagnosis ? onRequest({ open: 'diagnosis' }) : steer({ do: 'finish' })
      case 'diagnosis':
        return state.diagnosis
          ? onRequest({ open: 'diagnosis' })
          : onFlash('no diagnosis yet · f diagnoses with what is known')
      case 'cancel':
        if (isElsewhere) return setCursor(null)
        if (isRunning) {
          session.cancelCommands()
          return onFlash('given up: what it would have told counts as not looked at')
        }
        return
      case 'up':
        return move(-1)
      case 'down':
        return move(1)
      case 'pageDown':
        return setOffset(clampScroll(offset + 5, step.length, Math.max(1, screenRows - 12)))
      case 'pageUp':
        return setOffset(Math.max(0, offset - 5))
      case 'raw':
        return onRequest({
          open: 'raw',
          command: state.commands.findLast((command) => command.step === shownId)?.id ?? null,
        })
      case 'copy': {
        const command =
          (isElsewhere ? null : paused?.next?.command) ??
          state.commands.findLast((each) => each.step === shownId)?.display
        return command ? onRequest({ open: 'copy', text: command }) : onFlash('no command here yet')
      }
      case 'explain':
        // What one has scrolled to comes first.
        return onRequest({ open: 'explain', text: onScreen(), here: step.slice(offset).map(lineText).join('\n') })
      case 'evidence':
        return onRequest({ open: 'evidence' })
      case 'note':
        return onRequest({ open: 'note' })
      case 'help':
        return onRequest({ open: 'help' })
      case 'quit':
        return onRequest({ open: 'quit' })
      case null:
        return
    }
  }, isActive)

  function questionPress(press: { token: string }) {
    const choices = question?.choices ?? []
    if (/^[1-9]$/.test(press.token)) {
      const chosen = choices[Number(press.token) - 1]
      if (chosen) session.answer(chosen.id)
      return
    }
    switch (actionFor(questionKeys, { ...press, text: '' })) {
      case 'choose':
        return session.answer(choices[choice]?.id ?? 'unknown')
      case 'unknown':
        return session.answer('unknown')
      case 'up':
        return setChoice(Math.max(0, choice - 1))
      case 'down':
        return setChoice(Math.min(choices.length - 1, choice + 1))
      case 'explain':
        return onRequest({
          open: 'explain',
          text: [question?.text, question?.why, ...choices.map(({ label }) => label)].join('\n'),
        })
      case 'evidence':
        return onRequest({ open: 'evidence' })
      case 'help':
        return onRequest({ open: 'help' })
      case 'quit':
        return onRequest({ open: 'quit' })
      case null:
        return
    }
  }

  if (!isActive) return null
  const title = [headerLine(state, elapsed, width), ...banner(walk, width)]
  return (
    <Frame
      title={title}
      top={isNarrow && screenRows < 24 ? hopStrip(hops, width) : hopPicture(hops, width)}
      flash={flash ?? (walk.auto ? 'auto: walks on until something is found · a stops' : null)}
      keys={question ? questionKeys : walkKeys}
      labels={labels(walk, isElsewhere ? (rail[number - 1]?.label ?? '') : null, isRunning)}
      without={
        isRunning ? ['next', 'skip', 'retest', 'back', 'finish'] : state.diagnosis ? ['auto', 'skip', 'finish'] : []
      }
    >
      {(bodyWidth, height) => {
        const strip: Line[] = isNarrow ? [railStrip(rail, shownId, bodyWidth)] : []
        const paneHeight = height - strip.length
        const nextHeight = Math.min(next.length, Math.floor(paneHeight / (screenRows < 24 ? 3 : 2)))
        const pane = question ? (
          <QuestionPane question={question} cursor={choice} width={paneWidth} height={paneHeight} />
        ) : (
          <Box flexDirection="column">
            <Scroll lines={step} width={paneWidth} height={paneHeight - nextHeight} offset={offset} by="space" />
            <Lines lines={atMost(next, nextHeight, paneWidth)} width={paneWidth} height={nextHeight} />
          </Box>
        )
        if (isNarrow)
          return (
            <Box flexDirection="column">
              <Lines lines={strip} width={bodyWidth} />
              {pane}
            </Box>
          )
        return (
          <Box>
            <Rail rows={rail} cursor={shownId} width={bodyWidth - paneWidth - 2} height={height} />
            <Box width={2} flexShrink={0} />
            {pane}
          </Box>
        )
      }}
    </Frame>
  )
}

function nextOf(walk: WalkSnapshot, isElsewhere: boolean, isWalked: boolean, width: number): Line[] {
  const { state, paused } = walk
  if (isElsewhere) {
    const goes = isWalked ? ' walks this step again' : ' goes there now'
    return [
      blank,
      ...wrap(line(span('enter', 'strong'), goes, span(' · esc: back to where the walk is', 'dim')), width),
    ]
  }
  if (walk.question) return []
  if (state.diagnosis) return [blank, line(span('Next ▸ ', 'accent'), span('diagnosis', 'strong'), ' is there: enter')]
  if (!paused) return []
  return [blank, ...nextLines(paused.next, state.plan, width)]
}

function notYet(walk: WalkSnapshot): Line[] {
  return [line(span(walk.over ? 'The walk ended before its first step.' : 'getting ready …', 'dim'))]
}

/** `elsewhere`: the layer looked at, where that is not the one the walk is in. */
function labels(walk: WalkSnapshot, elsewhere: string | null, isRunning: boolean): Record<string, string> {
  return {
    cancel: elsewhere !== null ? 'back to the walk' : isRunning ? 'give up' : '',
    next: elsewhere !== null ? `go to ${elsewhere}` : walk.state.diagnosis ? 'diagnosis' : 'next',
    auto: walk.auto ? 'stop' : 'auto',
  }
}

/** What went wrong on our side stays on the screen until it is over. */
export function banner(walk: WalkSnapshot, width: number): Line[] {
  if (walk.failed) return wrap([span(`✗ the walk broke off: ${walk.failed.message}`, 'bad')], width, 2).slice(0, 3)
  if (walk.state.banner)
    return wrap(line(span(`! ${walk.state.banner} · what is known stays · r tries again`, 'warn')), width, 2)
  if (walk.state.mode === 'replay') {
    const cluster = clusterText(walk.state)
    return [[span(`recorded: nothing is run${cluster ? `, it was ${cluster}` : ''}`, 'dim')]]
  }
  return []
}
