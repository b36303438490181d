import type { CallSummary, Given } from './call.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { EvidenceEntry } from './evidence.ts'
import type { RuleOutcome } from './finding.ts'
import type { Layer } from './layer.ts'

/** One choice of a question. `unknown` is always among them. */
export interface Choice {
  readonly id: string
  readonly label: string
}

export interface Question {
  readonly id: string
  readonly text: string
  /** Why it is asked: shown beside it. */
  readonly why: string
  readonly choices: readonly Choice[]
}

export interface NextHint {
  readonly step: string
  readonly title: string
  readonly layer: Layer
  readonly because: string
  /** The first command of that step, when it is known already. */
  readonly command: string | null
}

export type StepStatus = 'ok' | 'problem' | 'blind' | 'skipped'

export interface GroundFacts {
  readonly context: string | null
  readonly kubernetesVersion: string | null
  readonly istioClient: string | null
  readonly controlPlane: readonly string[]
  readonly dataPlane: readonly string[]
  readonly dataPlaneMode: 'sidecar' | 'ambient' | 'mixed' | 'unknown'
}

/** What happens in a walk, as plain data: the only thing engine and views share besides the reducer. */
export type RunEvent =
  | {
      readonly type: 'run-started'
      readonly at: string
      readonly runbook: { readonly id: string; readonly title: string }
      readonly given: Given
      readonly mode: 'live' | 'replay' | 'offline'
      readonly budgetMs: number | null
      readonly plan: readonly {
        readonly id: string
        readonly title: string
        readonly layer: Layer
        readonly label: string
      }[]
    }
  | { readonly type: 'ground-learned'; readonly ground: GroundFacts }
  | { readonly type: 'call-resolved'; readonly call: CallSummary }
  | {
      readonly type: 'step-started'
      readonly at: string
      readonly n: number
      readonly id: string
      readonly title: string
      readonly layer: Layer
      readonly label: string
      readonly proves: string
    }
  | {
      readonly type: 'command-started'
      readonly at: string
      readonly id: string
      readonly step: string
      readonly display: string
      readonly key: string
      readonly subject: string
    }
  | {
      readonly type: 'command-finished'
      readonly step: string
      readonly entry: EvidenceEntry
      readonly learned: string
    }
  /** What an answer means for this call, as soon as the answers that it takes are there. */
  | { readonly type: 'evidence-understood'; readonly id: string; readonly learned: string }
  | { readonly type: 'rule-settled'; readonly code: string; readonly layer: Layer; readonly outcome: RuleOutcome }
  | { readonly type: 'question-asked'; readonly question: Question }
  | { readonly type: 'question-answered'; readonly id: string; readonly answer: string }
  | {
      readonly type: 'step-finished'
      readonly at: string
      readonly id: string
      readonly status: StepStatus
      readonly learned: readonly string[]
      readonly next: NextHint | null
    }
  /** This call has no such thing: nobody stops there. */
  | { readonly type: 'step-left-out'; readonly id: string }
  | { readonly type: 'banner'; readonly text: string | null }
  | { readonly type: 'note-added'; readonly at: string; readonly text: string }
  | { readonly type: 'diagnosed'; readonly diagnosis: Diagnosis }
  | {
      readonly type: 'retested'
      readonly at: string
      readonly result: 'fixed' | 'changed' | 'same' | 'blind'
      readonly statement: string
    }
  | { readonly type: 'run-finished'; readonly at: string; readonly end: 'done' | 'interrupted' | 'budget' }

export interface CommandState {
  readonly id: string
  readonly step: string
  readonly display: string
  readonly key: string
  readonly subject: string
  readonly startedAt: string
  readonly entry: EvidenceEntry | null
  readonly learned: string | null
}

export interface StepState {
  readonly n: number
  readonly id: string
  readonly title: string
  readonly layer: Layer
  readonly label: string
  readonly proves: string
  readonly status: StepStatus | 'running'
  readonly learned: readonly string[]
  readonly next: NextHint | null
}

export interface PlanEntry {
  readonly id: string
  readonly title: string
  readonly layer: Layer
  readonly label: string
}

export interface RunState {
  readonly runbook: { readonly id: string; readonly title: string } | null
  readonly given: Given | null
  readonly mode: 'live' | 'replay' | 'offline'
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly end: 'done' | 'interrupted' | 'budget' | null
  readonly budgetMs: number | null
  readonly ground: GroundFacts | null
  readonly call: CallSummary | null
  readonly plan: readonly PlanEntry[]
  readonly steps: readonly StepState[]
  readonly commands: readonly CommandState[]
  readonly outcomes: Readonly<Record<string, { readonly layer: Layer; readonly outcome: RuleOutcome }>>
  readonly question: Question | null
  readonly answers: Readonly<Record<string, string>>
  readonly banner: string | null
  readonly notes: readonly { readonly at: string; readonly text: string }[]
  readonly diagnosis: Diagnosis | null
  readonly retests: readonly {
    readonly at: string
    readonly result: 'fixed' | 'changed' | 'same' | 'blind'
    readonly statement: string
  }[]
}

export const initialRunState: RunState = {
  runbook: null,
  given: null,
  mode: 'live',
  startedAt: null,
  finishedAt: null,
  end: null,
  budgetMs: null,
  ground: null,
  call: null,
  plan: [],
  steps: [],
  commands: [],
  outcomes: {},
  question: null,
  answers: {},
  banner: null,
  notes: [],
  diagnosis: null,
  retests: [],
}

/** The one reducer: scripted mode, guided mode and replay all read the state it makes. */
export function reduceRun(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'run-started':
      return {
        ...initialRunState,
        notes: state.notes,
        runbook: event.runbook,
        given: event.given,
        mode: event.mode,
        startedAt: event.at,
        budgetMs: event.budgetMs,
        plan: event.plan,
      }
    case 'ground-learned':
      return { ...state, ground: event.ground }
    case 'call-resolved':
      return { ...state, call: event.call }
    case 'step-started': {
      const step: StepState = {
        n: event.n,
        id: event.id,
        title: event.title,
        layer: event.layer,
        label: event.label,
        proves: event.proves,
        status: 'running',
        learned: [],
        next: null,
      }
      // A step walked again (retest, back) replaces its earlier self instead of standing twice.
      const seen = state.steps.some(({ id }) => id === event.id)
      return {
        ...state,
        steps: seen
          ? state.steps.map((old) => (old.id === event.id ? { ...step, n: old.n } : old))
          : [...state.steps, step],
      }
    }
    case 'command-started': {
      const { id, step, display, key, subject, at } = event
      return {
        ...state,
        // What gave no answer was asked in another way: one question, with the command that was last.
        commands: [
          ...state.commands.filter((one) => one.id !== id || one.entry !== null),
          { id, step, display, key, subject, startedAt: at, entry: null, learned: null },
        ],
      }
    }
    case 'command-finished':
      return {
        ...state,
        commands: state.commands.map((command) =>
          command.id === event.entry.id ? { ...command, entry: event.entry, learned: event.learned } : command,
        ),
      }
    case 'evidence-understood':
      return {
        ...state,
        commands: state.commands.map((command) =>
          command.id === event.id && command.entry ? { ...command, learned: event.learned } : command,
        ),
      }
    case 'rule-settled':
      return { ...state, outcomes: { ...state.outcomes, [event.code]: { layer: event.layer, outcome: event.outcome } } }
    case 'question-asked':
      return { ...state, question: event.question }
    case 'question-answered':
      return { ...state, question: null, answers: { ...state.answers, [event.id]: event.answer } }
    case 'step-finished':
      return {
        ...state,
        steps: state.steps.map((step) =>
          step.id === event.id ? { ...step, status: event.status, learned: event.learned, next: event.next } : step,
        ),
      }
    case 'step-left-out':
      return { ...state, plan: state.plan.filter(({ id }) => id !== event.id) }
    case 'banner':
      return { ...state, banner: event.text }
    case 'note-added':
      return { ...state, notes: [...state.notes, { at: event.at, text: event.text }] }
    case 'diagnosed':
      return { ...state, diagnosis: event.diagnosis }
    case 'retested':
      return {
        ...state,
        retests: [...state.retests, { at: event.at, result: event.result, statement: event.statement }],
      }
    case 'run-finished':
      return { ...state, finishedAt: event.at, end: event.end, question: null }
  }
}
