import type { PauseAt, Proceed, WalkPorts } from '../model/control.ts'
import { initialRunState, type Question, type RunEvent, type RunState, reduceRun } from '../model/run.ts'

/** What the screens draw: the run's state, and what only this conversation knows. */
export interface WalkSnapshot {
  readonly state: RunState
  /** Set while the walk waits for the person. */
  readonly paused: PauseAt | null
  readonly question: Question | null
  readonly auto: boolean
  /** By our own clock: a replay's events carry the times of the recording. */
  readonly beganAt: number | null
  readonly endedAt: number | null
  readonly since: Readonly<Record<string, number>>
  /** Rule code → the step in which it settled last. */
  readonly settledIn: Readonly<Record<string, string>>
  /** The walk broke: not a fact about the mesh. */
  readonly failed: { readonly message: string; readonly hint: string | null } | null
  readonly over: boolean
}

export interface WalkSession {
  readonly ports: WalkPorts
  readonly signal: AbortSignal
  readonly snapshot: () => WalkSnapshot
  readonly subscribe: (listener: () => void) => () => void
  readonly follow: (events: AsyncIterable<RunEvent>) => Promise<void>
  /** False when the walk is not waiting: the key came too early. */
  readonly proceed: (what: Proceed) => boolean
  readonly answer: (choice: string) => void
  readonly toggleAuto: () => void
  readonly cancelCommands: () => void
  readonly note: (text: string) => void
  readonly abort: () => void
}

const empty: WalkSnapshot = {
  state: initialRunState,
  paused: null,
  question: null,
  auto: false,
  beganAt: null,
  endedAt: null,
  since: {},
  settledIn: {},
  failed: null,
  over: false,
}

/** The person's side of a walk: takes its events in, hands keys back as answers. */
export function createWalk(now: () => number): WalkSession {
  let current = empty
  let answerQuestion: ((choice: string) => void) | null = null
  let goOn: ((what: Proceed) => void) | null = null
  /** How many findings were there when the walk last stopped: automatic walking stops at a new one. */
  let seenFindings = 0
  const listeners = new Set<() => void>()
  const cancels = new Set<() => void>()
  const noteTakers = new Set<(text: string) => void>()
  const aborter = new AbortController()

  let isTold = true
  const set = (change: Partial<WalkSnapshot>) => {
    current = { ...current, ...change }
    if (!isTold) return
    isTold = false
    // A step ends with dozens of events at once: one frame shows them all.
    setImmediate(() => {
      isTold = true
      for (const listener of listeners) listener()
    })
  }
  const reduce = (event: RunEvent) => {
    const at = now()
    const change: Partial<WalkSnapshot> = { state: reduceRun(current.state, event) }
    if (event.type === 'run-started') set({ ...change, beganAt: at, endedAt: null, since: {}, settledIn: {} })
    else if (event.type === 'command-started') set({ ...change, since: { ...current.since, [event.id]: at } })
    else if (event.type === 'rule-settled') {
      const step = current.state.steps.findLast(({ status }) => status === 'running') ?? current.state.steps.at(-1)
      set({ ...change, settledIn: { ...current.settledIn, [event.code]: step?.id ?? '' } })
    } else if (event.type === 'diagnosed' || event.type === 'run-finished')
      set({ ...change, endedAt: current.endedAt ?? at })
    else set(change)
  }
  const until = <T>(signal: AbortSignal, wait: (settle: (value: T) => void) => void, given: T): Promise<T> =>
    new Promise((resolve) => {
      if (signal.aborted || aborter.signal.aborted) return resolve(given)
      const signals = [signal, aborter.signal]
      // A long walk waits hundreds of times on the same signals.
      const settle = (value: T) => {
        for (const each of signals) each.removeEventListener('abort', giveUp)
        resolve(value)
      }
      const giveUp = () => settle(given)
      for (const each of signals) each.addEventListener('abort', giveUp)
      wait(settle)
    })

  const ports: WalkPorts = {
    ask: async (question, signal) => {
      set({ question, auto: false })
      const choice = await until<string>(signal, (settle) => (answerQuestion = settle), 'unknown')
      answerQuestion = null
      set({ question: null })
      return choice
    },
    pause: async (at, signal) => {
      // The engine asks at once; what it told before is still on its way here.
      await new Promise<void>((resolve) => setImmediate(resolve))
      const found = findingsAboutCall(current.state)
      const isNews = found > seenFindings || at.diagnosed
      seenFindings = found
      if (current.auto && !isNews) return { do: 'next' }
      set({ paused: at, auto: false })
      const what = await until<Proceed>(signal, (settle) => (goOn = settle), { do: 'quit' })
      goOn = null
      set({ paused: null })
      return what
    },
    onCancelCommands: (listener) => {
      cancels.add(listener)
      return () => cancels.delete(listener)
    },
    onNote: (listener) => {
      noteTakers.add(listener)
      return () => noteTakers.delete(listener)
    },
  }

  return {
    ports,
    signal: aborter.signal,
    snapshot: () => current,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    follow: async (events) => {
      try {
        for await (const event of events) reduce(event)
      } catch (error) {
        // The screen must stay and say so: what is known up to here is still worth a note.
        const hint = error instanceof Error && 'hint' in error && typeof error.hint === 'string' ? error.hint : null
        set({ failed: { message: error instanceof Error ? error.message : String(error), hint } })
      }
      set({ over: true, paused: null, question: null, auto: false, endedAt: current.endedAt ?? now() })
    },
    proceed: (what) => {
      if (!goOn) return false
      goOn(what)
      return true
    },
    answer: (choice) => answerQuestion?.(choice),
    toggleAuto: () => {
      const auto = !current.auto
      set({ auto })
      if (auto && goOn) goOn({ do: 'next' })
    },
    cancelCommands: () => {
      set({ auto: false })
      for (const cancel of cancels) cancel()
    },
    note: (text) => {
      if (noteTakers.size > 0) for (const take of noteTakers) take(text)
      else reduce({ type: 'note-added', at: new Date(now()).toISOString(), text })
    },
    abort: () => aborter.abort(),
  }
}

/** How much is known about this call that was not known before. */
export function findingsAboutCall(state: RunState): number {
  return Object.values(state.outcomes).filter(
    ({ outcome }) =>
      outcome.status === 'fired' &&
      // What is merely possible turns up early and often: it is no reason to stop.
      outcome.hits.some(({ about, certainty }) => about === 'call' && certainty !== 'possible'),
  ).length
}
