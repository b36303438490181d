import type { RunState } from '../../model/run.ts'
import { clipLine, ends, type Line, lineWidth, span } from '../lines.ts'
import { callText, count, requestText, seconds, symptomWords } from './wording.ts'

/** What is diagnosed, on one line: symptom and call first, then what fits of cluster, time and cost. */
export function headerLine(state: RunState, elapsedMs: number | null, width: number): Line {
  const symptom = symptomWords[state.given?.symptom ?? 'unknown']
  const left: Line = [span(`${symptom}  `, 'strong'), span(callText(state))]
  const request = requestText(state)
  const cost = costText(state)
  const time = state.mode === 'replay' ? 'recorded' : elapsedMs === null ? null : seconds(elapsedMs)
  const wishes = [
    [request, clusterText(state), time, cost],
    [clusterText(state), time, cost],
    [state.ground?.context ?? null, time, cost],
    [time, cost],
    [time],
  ]
  for (const wish of wishes) {
    const right = [span(wish.filter((part) => part !== null).join(' · '), 'dim')]
    if (lineWidth(left) + lineWidth(right) + 2 <= width) return ends(left, right, width)
  }
  return clipLine(left, width)
}

export function clusterText(state: RunState): string | null {
  const { ground } = state
  if (!ground) return null
  const istio = ground.controlPlane[0] ?? ground.istioClient
  return [ground.context, istio ? `istio ${istio}` : null].filter(Boolean).join(' · ') || null
}

/** "all reads" only as long as it is true. */
export function costText(state: RunState): string {
  const requests = state.commands.filter(({ display }) => /\bcurl\b/.test(display)).length
  const commands = count(state.commands.length, 'command')
  if (requests > 0) return `${commands}, ${count(requests, 'test request')}`
  return state.commands.length === 1 ? `${commands}, a read` : `${commands}, all reads`
}
