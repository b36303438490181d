import type { Command, CommandResult } from './command.ts'
import type { EvidenceKey, Role } from './evidence.ts'
import type { Layer } from './layer.ts'

/** One thing to ask: a command and what it is about. */
export interface ProbeTarget {
  /** `pod web-1.shop`, `namespace pay`, `mesh`. Together with the key it names the evidence. */
  readonly subject: string
  readonly namespace: string | null
  readonly name: string | null
  readonly command: Command
  /** One of several that read parts of one answer: the command runs once for all of them. */
  readonly isShared?: true
  /** Asked where the command itself gave no answer, for another reason than that nobody may look or nobody is there. */
  readonly instead?: Command
  /** What `read` must know to read the answer, such as the configured log format. Never part of a session. */
  readonly context?: unknown
}

export type ProbePlan =
  /** Something else has to be known first; ask again when more has arrived. */
  | {
      readonly plan: 'wait'
      readonly for: string /** Asked all the same when nothing is under way that could tell. */
      readonly otherwise?: readonly ProbeTarget[]
      /** Evidence that tells it: fetched for this probe where no step has asked for it yet. */
      readonly needs?: readonly EvidenceKey[]
    }
  /** What to ask; `[]` when this call has no such thing (no gateway on its way, no waypoint). */
  | { readonly plan: 'ask'; readonly targets: readonly ProbeTarget[] }
  /** It should be asked and cannot be: `--no-exec`, no pod found. */
  | { readonly plan: 'missing'; readonly reason: string; readonly detail: string; readonly unlock: string | null }

/** A command we know how to run and read. Declares, never runs. `S` is the joined view of the call. */
export interface Probe<S> {
  readonly name: string
  readonly roles: readonly Role[]
  /** What it tells, in words for the list of commands. */
  readonly title: string
  readonly layer: Layer
  /** True when it execs into a pod or forwards a port: left out under --no-exec. */
  readonly needsExec: boolean
  readonly plan: (situation: S, role: Role) => ProbePlan
  /** Whether the tool answered, if exit code 0 alone does not tell. */
  readonly isAnswer?: (result: CommandResult) => boolean
  /** True where a mesh can be called clean without it: what the tools say of themselves, counters that only add detail. */
  readonly isOptional?: boolean
  /** stdout, and the rest where it matters, to data. Throws ParseError. */
  readonly read: (result: CommandResult, target: ProbeTarget) => unknown
  /** What came back, in words. */
  readonly learned: (data: never, target: ProbeTarget) => string
}

// biome-ignore lint/suspicious/noExplicitAny: a catalogue of probes does not care for their situation type
export type AnyProbe = Probe<any>

export function splitKey(key: string): { role: Role; probe: string } {
  const dot = key.indexOf('.')
  return { role: key.slice(0, dot) as Role, probe: key.slice(dot + 1) } // keys are checked against the catalogue when runbooks are read
}

export function evidenceKey(role: Role, probe: string): EvidenceKey {
  return `${role}.${probe}`
}
