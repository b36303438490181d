import { walk } from '../../src/engine/walk.ts'
import { findRunbooks } from '../../src/library/find-runbooks.ts'
import type { Given } from '../../src/model/call.ts'
import type { Runner } from '../../src/model/command.ts'
import { unattended } from '../../src/model/control.ts'
import type { EvidenceEntry } from '../../src/model/evidence.ts'
import type { AnyRule, RuleOutcome } from '../../src/model/finding.ts'
import { initialRunState, type RunEvent, type RunState, reduceRun } from '../../src/model/run.ts'
import type { Runbook } from '../../src/model/runbook.ts'
import { evidenceKeys, probes } from '../../src/probes/index.ts'
import { rules } from '../../src/rules/index.ts'
import { nothingPasted, type Pasted } from '../../src/situation/hints.ts'
import { readSituation } from '../../src/situation/reading.ts'
import { type Situation, situate } from '../../src/situation/situation.ts'
import { type Edit, fixtureRunner, readFixture, type SessionFixture } from './session-fixtures.ts'

export interface Played {
  readonly state: RunState
  readonly events: readonly RunEvent[]
  /** The joined view at the end: what rules saw. */
  readonly situation: Situation
  readonly entries: readonly EvidenceEntry[]
  /** What a rule said in this walk. */
  readonly outcome: (code: string) => RuleOutcome
}

export interface PlayOptions {
  readonly given?: (given: Given) => Given
  readonly pasted?: Pasted
  readonly edit?: Edit
  readonly rules?: readonly AnyRule[]
  readonly runbook?: Runbook
}

const catalogue = { evidenceKeys, ruleCodes: new Set(rules.map(({ code }) => code)) }
let books: readonly Runbook[] | null = null

/** The walk of a recorded session. Needs nothing but the fixtures of this repository. */
export async function play(name: string, options: PlayOptions = {}): Promise<Played> {
  const fixture: SessionFixture = readFixture(name)
  return playRunner(
    fixtureRunner(fixture, options.edit),
    (options.given ?? ((same: Given) => same))(fixture.given),
    options,
  )
}

export async function playRunner(runner: Runner, given: Given, options: PlayOptions = {}): Promise<Played> {
  books ??= findRunbooks(catalogue, null).map(({ runbook }) => runbook)
  const runbook =
    options.runbook ??
    books.find(({ symptoms }) => symptoms.includes(given.symptom)) ??
    books.find(({ id }) => id === 'http-503') ??
    books[0]
  if (!runbook) throw new Error('no runbook')
  let state = initialRunState
  const events: RunEvent[] = []
  let last: { situation: Situation; entries: readonly EvidenceEntry[] } | null = null
  const used = options.rules ?? rules
  for await (const event of walk<Situation>({
    runbook,
    given,
    probes,
    rules: used,
    situate: (entries, asked, settled) => {
      last = { entries, situation: situate(entries, asked, options.pasted ?? nothingPasted, settled) }
      return last.situation
    },
    read: readSituation,
    runner,
    ports: unattended,
    mode: 'replay',
    now: () => '2026-01-01T00:00:00Z',
    budget: null,
    interrupt: new AbortController().signal,
    prefetch: true,
  })) {
    events.push(event)
    state = reduceRun(state, event)
  }
  const end = last as { situation: Situation; entries: readonly EvidenceEntry[] } | null // set in a callback, which control flow cannot see
  if (!end) throw new Error('the walk never looked at anything')
  const outcome = (code: string): RuleOutcome => {
    if (!used.some((rule) => rule.code === code)) throw new Error(`no rule is called ${code}`)
    return state.outcomes[code]?.outcome ?? { status: 'quiet' }
  }
  return { state, events, ...end, outcome }
}
