import { walk } from '../engine/walk.ts'
import type { Given } from '../model/call.ts'
import type { Runner } from '../model/command.ts'
import type { WalkPorts } from '../model/control.ts'
import { initialRunState, type RunEvent, type RunState, reduceRun } from '../model/run.ts'
import type { Runbook } from '../model/runbook.ts'
import { probes } from '../probes/index.ts'
import { rules } from '../rules/index.ts'
import type { Pasted } from '../situation/hints.ts'
import { readSituation } from '../situation/reading.ts'
import { type Situation, situate } from '../situation/situation.ts'

export interface ConductOptions {
  readonly given: Given
  readonly pasted: Pasted
  readonly runbook: Runbook
  readonly runner: Runner
  readonly ports: WalkPorts
  readonly mode: RunState['mode']
  readonly now: () => string
  readonly budget: { readonly ms: number; readonly signal: AbortSignal } | null
  readonly interrupt: AbortSignal
  readonly prefetch: boolean
}

/** The one engine with our probes, rules and joined view in it: what guided, scripted, replay and demo all run. */
export function conduct(options: ConductOptions): AsyncGenerator<RunEvent, void> {
  const { pasted, ...rest } = options
  return walk<Situation>({
    ...rest,
    probes,
    rules,
    situate: (entries, given, settled) => situate(entries, given, pasted, settled),
    read: readSituation,
  })
}

/** Runs to the end and keeps the state; `onEvent` sees everything on the way. */
export async function conductToEnd(
  options: ConductOptions,
  onEvent: (event: RunEvent, state: RunState) => void = () => undefined,
): Promise<RunState> {
  let state = initialRunState
  for await (const event of conduct(options)) {
    state = reduceRun(state, event)
    onEvent(event, state)
  }
  return state
}
