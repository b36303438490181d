import type { Certainty } from '../model/answered-by.ts'
import type { UserErrorKind } from '../model/errors.ts'
import type { RunState } from '../model/run.ts'

/** The same in every output format. */
export const exitCodes = {
  clean: 0,
  bug: 1,
  usage: 64,
  input: 65,
  unavailable: 69,
  forbidden: 77,
  found: 79,
  inconclusive: 80,
  interrupted: 130,
} as const

export function exitCodeOfError(kind: UserErrorKind): number {
  return exitCodes[kind]
}

const rank: Readonly<Record<Certainty, number>> = { proven: 0, likely: 1, possible: 2 }

const aboutTheTools: ReadonlySet<string> = new Set([
  'clientVersion',
  'context',
  'apiResources',
  'kubeVersion',
  'version',
])

/** What a finished walk tells the shell. `failOn`: findings less certain than this do not count. */
export function exitCodeOfRun(state: RunState, failOn: Certainty): number {
  if (state.end === 'interrupted') return exitCodes.interrupted
  // What the tools know without the cluster says nothing about the cluster.
  const entries = state.commands.flatMap(({ entry }) => (entry && !aboutTheTools.has(entry.probe) ? [entry] : []))
  if (entries.length > 0 && entries.every(({ status }) => status === 'missing')) {
    const reasons = new Set(entries.map(({ reason }) => reason))
    if (['tool-missing', 'no-cluster', 'unreachable'].some((reason) => reasons.has(reason)))
      return exitCodes.unavailable
    if (reasons.has('forbidden') || reasons.has('unauthenticated')) return exitCodes.forbidden
  }
  const { diagnosis } = state
  if (!diagnosis) return exitCodes.inconclusive
  if (diagnosis.causes.some(({ certainty }) => rank[certainty] <= rank[failOn])) return exitCodes.found
  return diagnosis.verdict === 'inconclusive' ? exitCodes.inconclusive : exitCodes.clean
}
