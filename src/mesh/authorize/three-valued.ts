/** What would have to be known, and how a person can find it out. */
export interface Unknown {
  readonly attribute: string
  readonly wouldSettle: string
}

/** `unknown` means: it depends on something that we were not told. It is never read as `no`. */
export type Truth = 'yes' | 'no' | 'unknown'

export interface Outcome {
  readonly truth: Truth
  readonly because: string
  readonly unknowns: readonly Unknown[]
}

export function yes(because: string): Outcome {
  return { truth: 'yes', because, unknowns: [] }
}

export function no(because: string): Outcome {
  return { truth: 'no', because, unknowns: [] }
}

export function unknown(because: string, ...unknowns: readonly Unknown[]): Outcome {
  return { truth: 'unknown', because, unknowns }
}

/** One `no` decides, whatever else is unknown. */
export function all(outcomes: readonly Outcome[]): Outcome {
  const failed = outcomes.find(({ truth }) => truth === 'no')
  if (failed) return failed
  return joined(outcomes, 'yes', '; ')
}

/** One `yes` decides, whatever else is unknown. */
export function any(outcomes: readonly Outcome[]): Outcome {
  const fitting = outcomes.find(({ truth }) => truth === 'yes')
  if (fitting) return fitting
  return joined(outcomes, 'no', ' / ')
}

export function not(outcome: Outcome): Outcome {
  if (outcome.truth === 'unknown') return outcome
  return { ...outcome, truth: outcome.truth === 'yes' ? 'no' : 'yes' }
}

function joined(outcomes: readonly Outcome[], otherwise: Truth, separator: string): Outcome {
  const open = outcomes.filter(({ truth }) => truth === 'unknown')
  const telling = open.length > 0 ? open : outcomes
  return {
    truth: open.length > 0 ? 'unknown' : otherwise,
    because: [...new Set(telling.map(({ because }) => because))].filter(Boolean).join(separator),
    unknowns: mergeUnknowns(open.flatMap(({ unknowns }) => unknowns)),
  }
}

export function mergeUnknowns(unknowns: readonly Unknown[]): readonly Unknown[] {
  return [...new Map(unknowns.map((entry) => [entry.attribute, entry])).values()]
}
