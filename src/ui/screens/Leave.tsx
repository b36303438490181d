import { Frame } from '../components/Frame.tsx'
import { Lines } from '../components/Lines.tsx'
import { actionFor, leaveKeys } from '../keys.ts'
import { blank, line, span, wrap } from '../lines.ts'
import { usePresses } from '../press-source.ts'
import { useScreen } from '../screen.ts'

interface Props {
  readonly isActive: boolean
  /** False while commands run: then there is nothing to hand the wish to. */
  readonly canFinish: boolean
  readonly onLeave: () => void
  readonly onFinish: () => void
  readonly onStay: () => void
}

/** In the middle of a walk one key must not throw the screen away. */
export function Leave({ isActive, canFinish, onLeave, onFinish, onStay }: Props) {
  const { width } = useScreen()
  usePresses((press) => {
    switch (actionFor(leaveKeys, press)) {
      case 'leave':
        return onLeave()
      case 'finish':
        return canFinish ? onFinish() : undefined
      case 'stay':
        return onStay()
      case null:
        return
    }
  }, isActive)
  if (!isActive) return null
  const lines = [
    ...wrap(line(span('Leave in the middle of the walk?', 'strong')), width),
    blank,
    ...wrap(
      line('The note is written with what is known so far; what was not looked at stands in it as not looked at.'),
      width,
    ),
    ...(canFinish ? wrap(line(span('f', 'strong'), ' stops looking and diagnoses with what is known.'), width) : []),
  ]
  return (
    <Frame title={[line(span('Leave', 'accent'))]} keys={leaveKeys} without={canFinish ? [] : ['finish']}>
      {(bodyWidth, height) => <Lines lines={lines} width={bodyWidth} height={height} />}
    </Frame>
  )
}
