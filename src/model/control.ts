import type { NextHint, Question } from './run.ts'

/** What the person wants after a step. Scripted mode always says `next`. */
export type Proceed =
  | { readonly do: 'next' }
  /** Walk on without pauses until something is found. */
  | { readonly do: 'auto' }
  /** Leave out the step that would come next. */
  | { readonly do: 'skip' }
  | { readonly do: 'back' }
  /** Run this step's commands again. */
  | { readonly do: 'retest' }
  | { readonly do: 'goto'; readonly step: string }
  /** End here: diagnose with what is known. */
  | { readonly do: 'finish' }
  | { readonly do: 'quit' }

export interface PauseAt {
  readonly step: string
  readonly next: NextHint | null
  /** True once the diagnosis is there: `retest` then runs the deciding probe again. */
  readonly diagnosed: boolean
}

/** The walk's side of a conversation. None of these may be required: scripted mode answers `unknown` and `next`. */
export interface WalkPorts {
  /** Resolves to the id of a choice; `unknown` is always allowed. */
  readonly ask: (question: Question, signal: AbortSignal) => Promise<string>
  readonly pause: (at: PauseAt, signal: AbortSignal) => Promise<Proceed>
  /** Called when a person gives up the commands that run right now (Esc); they become evidence `canceled`. */
  readonly onCancelCommands: (listener: () => void) => () => void
  /** Called with lines the person writes into the note while the walk goes on. */
  readonly onNote: (listener: (text: string) => void) => () => void
}

export const unattended: WalkPorts = {
  ask: async () => 'unknown',
  pause: async () => ({ do: 'next' }),
  onCancelCommands: () => () => undefined,
  onNote: () => () => undefined,
}
