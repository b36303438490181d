import type { CallSummary, Given, SymptomId } from '../model/call.ts'
import type { Runner } from '../model/command.ts'
import { displayCommand } from '../model/command.ts'
import type { WalkPorts } from '../model/control.ts'
import type { AnsweredBy, Diagnosis, NextStep, NotChecked } from '../model/diagnosis.ts'
import type { EvidenceEntry, EvidenceKey, Quote } from '../model/evidence.ts'
import type { AnyRule, RuleOutcome } from '../model/finding.ts'
import { type AnyProbe, splitKey } from '../model/probe.ts'
import type { GroundFacts, NextHint, RunEvent, StepStatus } from '../model/run.ts'
import type { Branch, Runbook, RunbookStep } from '../model/runbook.ts'
import { createCollector } from './collect.ts'
import { holds } from './conditions.ts'
import { diagnose, explainsAny } from './diagnose.ts'
import { createQueue } from './queue.ts'
import { settle } from './settle.ts'

/** What the engine asks of the joined view: it knows no probe, rule or mesh by itself. */
export interface Reading {
  readonly call: CallSummary
  readonly ground: GroundFacts
  readonly answeredBy: AnsweredBy
  readonly observed: readonly Quote[]
  readonly symptomSeen: boolean
  readonly symptoms: readonly SymptomId[]
  readonly unresolved: readonly NotChecked[]
  /** Where to look on, should nothing explain the symptom. */
  readonly nextLook: { readonly gap: NotChecked; readonly step: NextStep }
  /** Which request a quoted line of a log is about: causes of different requests are no chain. */
  readonly requestOf: (quote: Quote) => string | null
  /** Keys that pasted lines and transcripts answer, so that no command has to. */
  readonly handedIn: readonly EvidenceKey[]
  /** What an answer means for this call; null where it is only what it is. */
  readonly meaningOf?: (entry: EvidenceEntry) => string | null
  /** Whether both ends could be looked at: only then "nothing to ask" means that there is nothing. */
  readonly endsAreRead: boolean
}

export interface WalkOptions<S> {
  readonly runbook: Runbook
  readonly given: Given
  readonly probes: readonly AnyProbe[]
  readonly rules: readonly AnyRule[]
  readonly situate: (entries: readonly EvidenceEntry[], given: Given, settled: ReadonlySet<EvidenceKey>) => S
  readonly read: (situation: S) => Reading
  readonly runner: Runner
  readonly ports: WalkPorts
  readonly mode: 'live' | 'replay' | 'offline'
  readonly now: () => string
  /** Fires when the time budget is spent; the walk then concludes from what it has. */
  readonly budget: { readonly ms: number; readonly signal: AbortSignal } | null
  /** Fires on Ctrl-C. */
  readonly interrupt: AbortSignal
  readonly limit?: number
  /** Start what the unconditional steps will need at once. Guided walks that pause after each step do without. */
  readonly prefetch: boolean
}

/** Walks a runbook and tells what happens as plain events. Ends with `diagnosed` and `run-finished`, always. */
export async function* walk<S>(options: WalkOptions<S>): AsyncGenerator<RunEvent, void> {
  const queue = createQueue<RunEvent>()
  const running = drive(options, (event) => queue.push(event)).finally(() => queue.close())
  yield* queue.drain()
  await running
}

async function drive<S>(options: WalkOptions<S>, emit: (event: RunEvent) => void): Promise<void> {
  const { runbook, given, now, ports } = options
  const stepOf = new Map(runbook.steps.map((step) => [step.id, step]))
  const stepWanting = firstStepOf(runbook)
  let current: string = runbook.steps[0]?.id ?? ''
  let banner: string | null = null
  const learnedFrom = new Map<string, { readonly printed: string; readonly told: string }>()
  let cutShort: { end: 'interrupted' | 'budget'; text: string } | null = null

  const collector = createCollector<S>({
    probes: options.probes,
    runner: options.runner,
    now,
    limit: options.limit ?? 4,
    noExec: given.noExec,
    situate: (entries, settled) => options.situate(entries, given, settled),
    onStarted({ id, key, target }) {
      const step = stepWanting.get(key) ?? current
      emit({
        type: 'command-started',
        at: now(),
        id,
        step,
        display: displayCommand(target.command),
        key,
        subject: target.subject,
      })
    },
    onFinished(entry, learned) {
      learnedFrom.set(entry.id, { printed: learned, told: learned })
      emit({ type: 'command-finished', step: stepWanting.get(entry.key) ?? current, entry, learned })
      const lost = apiLost(entry)
      if (lost !== null && lost !== (banner ?? '')) {
        banner = lost === '' ? null : lost
        emit({ type: 'banner', text: banner })
      }
    },
  })

  emit({
    type: 'run-started',
    at: now(),
    runbook: { id: runbook.id, title: runbook.title },
    given,
    mode: options.mode,
    budgetMs: options.budget?.ms ?? null,
    plan: runbook.steps.map(({ id, title, layer, label }) => ({ id, title, layer, label })),
  })

  const giveUp = (end: 'interrupted' | 'budget', text: string) => {
    cutShort ??= { end, text }
    collector.stop(text)
  }
  const onBudget = () =>
    giveUp('budget', `the walk's time budget of ${Math.round((options.budget?.ms ?? 0) / 1000)} s was spent`)
  const onInterrupt = () => giveUp('interrupted', 'the walk was interrupted')
  const ended = new AbortController()
  options.budget?.signal.addEventListener('abort', onBudget, { once: true, signal: ended.signal })
  options.interrupt.addEventListener('abort', onInterrupt, { once: true, signal: ended.signal })
  if (options.interrupt.aborted) onInterrupt()
  const stopListening = [
    ports.onCancelCommands(() => collector.cancelRunning()),
    ports.onNote((text) => emit({ type: 'note-added', at: now(), text })),
  ]

  const outcomes = new Map<string, RuleOutcome>()
  const answers: Record<string, string> = {}
  let told = { call: '', ground: '' }

  const settleRules = (final: boolean): string[] => {
    const newlyFired: string[] = []
    const situation = collector.situation()
    const handedIn = new Set(options.read(situation).handedIn)
    const statusOf = (key: EvidenceKey) => (handedIn.has(key) ? 'ok' : collector.statusOf(key))
    for (const rule of options.rules) {
      const outcome = settle(rule, { situation, statusOf, unlockOf: collector.unlockOf, final })
      if (outcome === null) continue
      const before = outcomes.get(rule.code)
      if (before && JSON.stringify(before) === JSON.stringify(outcome)) continue
      if (outcome.status === 'fired' && before?.status !== 'fired') newlyFired.push(rule.code)
      outcomes.set(rule.code, outcome)
      if (outcome.status !== 'quiet' || before)
        emit({ type: 'rule-settled', code: rule.code, layer: rule.layer, outcome })
    }
    return newlyFired
  }

  const tellWhatIsKnown = () => {
    const reading = options.read(collector.situation())
    const call = JSON.stringify(reading.call)
    const ground = JSON.stringify(reading.ground)
    if (ground !== told.ground) emit({ type: 'ground-learned', ground: reading.ground })
    if (call !== told.call) emit({ type: 'call-resolved', call: reading.call })
    told = { call, ground }
    return reading
  }

  /** Numbers of what was read say little: what it means for this call does, once what that takes is there. */
  const tellWhatItMeans = ({ meaningOf }: Reading) => {
    for (const entry of collector.entries()) {
      const known = learnedFrom.get(entry.id)
      const meaning = entry.status === 'ok' && known ? (meaningOf?.(entry) ?? null) : null
      if (!known || meaning === null) continue
      const learned = `${meaning} (${known.printed})`
      if (learned === known.told) continue
      learnedFrom.set(entry.id, { ...known, told: learned })
      emit({ type: 'evidence-understood', id: entry.id, learned })
    }
  }

  const symptomsNow = () => options.read(collector.situation()).symptoms

  const known = () => ({
    outcomes,
    answers,
    isMissing: (key: string) => collector.statusOf(key as EvidenceKey) === 'missing', // keys of runbooks are checked when they are read
  })

  const concluding = (): Diagnosis => {
    settleRules(true)
    const reading = tellWhatIsKnown()
    tellWhatItMeans(reading)
    return diagnose({
      symptoms: reading.symptoms,
      callText: callText(reading.call),
      rules: options.rules,
      outcomes,
      entries: collector.entries(),
      answeredBy: reading.answeredBy,
      observed: reading.observed,
      symptomSeen: reading.symptomSeen,
      unresolved: reading.unresolved,
      nextLook: reading.nextLook,
      requestOf: reading.requestOf,
      cutShort: cutShort?.text ?? null,
      probeInfo: (name) => options.probes.find((probe) => probe.name === name) ?? null,
    })
  }

  const withCommand = (next: NextHint | null): NextHint | null => {
    const following = next === null ? undefined : stepOf.get(next.step)
    if (next === null || !following) return next
    const command = collector.preview(following.collect as EvidenceKey[]) // checked when the runbook was read
    return { ...next, command: command === null ? null : displayCommand(command) }
  }

  const leftOut = new Set<string>()
  const walked: string[] = []

  /** Steps ahead that have nothing to ask of this call: nobody has to stop there. */
  const leaveOut = async (current: RunbookStep) => {
    if (!options.read(collector.situation()).endsAreRead) return
    for (const step of runbook.steps) {
      const keys = step.collect as EvidenceKey[] // checked when the runbook was read
      const isAhead = step !== current && !walked.includes(step.id) && !leftOut.has(step.id)
      if (!isAhead || step.ask || keys.length === 0 || !collector.haveNoPart(keys)) continue
      leftOut.add(step.id)
      await collector.collect(keys)
      emit({ type: 'step-left-out', id: step.id })
    }
  }

  /** Where a branch leads, past what was left out. */
  const pastLeftOut = (branch: Branch | undefined, seen: readonly string[] = []): Branch | undefined => {
    if (!branch || !leftOut.has(branch.goto) || seen.includes(branch.goto)) return branch
    return pastLeftOut(branchOf(stepOf.get(branch.goto)), [...seen, branch.goto])
  }
  const branchOf = (step: RunbookStep | undefined) =>
    step?.next.find((one) => one.when === undefined || holds(one.when, known()))

  const runStep = async (step: RunbookStep, n: number): Promise<NextHint | null> => {
    current = step.id
    const { id, title, layer, label, proves } = step
    emit({ type: 'step-started', at: now(), n, id, title, layer, label, proves })
    if (step.ask && !cutShort) {
      const question = { id: step.ask.id, text: step.ask.text, why: step.ask.why, choices: step.ask.choices }
      emit({ type: 'question-asked', question })
      const answer = await ports.ask(question, options.interrupt)
      answers[step.ask.id] = answer
      emit({ type: 'question-answered', id: step.ask.id, answer })
    }
    const keys = step.collect as EvidenceKey[] // checked when the runbook was read
    await collector.collect(keys)
    const newly = settleRules(false)
    tellWhatItMeans(tellWhatIsKnown())
    const own = collector.entries().filter((entry) => keys.includes(entry.key))
    if (!cutShort) await leaveOut(step)
    const next = cutShort ? null : withCommand(hint(stepOf, pastLeftOut(branchOf(step))))
    const firedHere = newly.filter((code) =>
      options.rules.some((rule) => rule.code === code && explainsAny(rule, symptomsNow())),
    )
    emit({
      type: 'step-finished',
      at: now(),
      id,
      status: stepStatus(own, firedHere, keys),
      learned: learnedOf(newly, outcomes),
      next,
    })
    return next
  }

  if (options.prefetch) collector.prefetch(unconditionalKeys(runbook))
  let next: string | null = runbook.steps[0]?.id ?? null
  let auto = false
  while (next !== null && next !== 'diagnosis' && !cutShort) {
    const step: RunbookStep | undefined = stepOf.get(next)
    if (!step) break
    walked.push(step.id)
    const followUp: NextHint | null = await runStep(step, walked.length)
    if (cutShort) break
    next = followUp?.step ?? null
    const somethingFound = [...outcomes].some(
      ([code, outcome]) =>
        outcome.status === 'fired' &&
        options.rules.some((rule) => rule.code === code && explainsAny(rule, symptomsNow())),
    )
    if (auto && !somethingFound) continue
    let staying = true
    while (staying && !cutShort) {
      const order = await ports.pause({ step: step.id, next: followUp, diagnosed: false }, options.interrupt)
      staying = false
      switch (order.do) {
        case 'next':
          break
        case 'auto':
          auto = true
          break
        case 'skip': {
          const skipped: RunbookStep | undefined = next === null ? undefined : stepOf.get(next)
          if (skipped) {
            const { id, title, layer, label, proves } = skipped
            emit({ type: 'step-started', at: now(), n: walked.length + 1, id, title, layer, label, proves })
            const after = hint(stepOf, pastLeftOut(skipped.next.at(-1)))
            emit({
              type: 'step-finished',
              at: now(),
              id,
              status: 'skipped',
              learned: ['left out by the person'],
              next: after,
            })
            next = after?.step ?? null
          }
          break
        }
        case 'back':
          walked.pop()
          next = walked.pop() ?? step.id
          break
        case 'retest':
          collector.forget(step.collect as EvidenceKey[])
          await runStep(step, walked.length)
          staying = true
          break
        case 'goto':
          next = order.step
          break
        case 'finish':
          next = null
          break
        case 'quit':
          giveUp('interrupted', 'the person ended the walk')
          break
      }
    }
  }

  // Nothing found yet: what rules for this symptom still need is looked at before anything is called clean.
  if (!cutShort && !found(options, outcomes, symptomsNow())) {
    const rest = stillNeeded(options, collector, symptomsNow(), outcomes)
    if (rest.length > 0) {
      const sweep = {
        id: 'sweep',
        label: 'the rest',
        layer: 'observability' as const,
        title: 'What has not been looked at yet',
        proves: 'Nothing that could explain the symptom is left out.',
      }
      current = sweep.id
      emit({ type: 'step-started', at: now(), n: walked.length + 1, ...sweep })
      await collector.collect(rest)
      const newly = settleRules(false)
      tellWhatItMeans(tellWhatIsKnown())
      const own = collector.entries().filter((entry) => rest.includes(entry.key))
      emit({
        type: 'step-finished',
        at: now(),
        id: sweep.id,
        status: stepStatus(own, newly, rest),
        learned: learnedOf(newly, outcomes),
        next: null,
      })
    }
  }

  let diagnosis = concluding()
  emit({ type: 'diagnosed', diagnosis })

  // Retest: run what decided again and say whether it changed. Only a person asks for it.
  while (!cutShort) {
    const order = await ports.pause({ step: 'diagnosis', next: null, diagnosed: true }, options.interrupt)
    if (order.do !== 'retest') break
    const keys = decidingKeys(diagnosis, collector.entries())
    collector.forget(keys)
    await collector.collect(keys)
    const before = diagnosis
    diagnosis = concluding()
    emit({ type: 'retested', at: now(), ...compareRuns(before, diagnosis) })
    emit({ type: 'diagnosed', diagnosis })
  }

  ended.abort()
  for (const stop of stopListening) stop()
  const final = cutShort as { end: 'interrupted' | 'budget' } | null // set from a listener, which control flow cannot see
  emit({ type: 'run-finished', at: now(), end: final?.end ?? 'done' })
}

/** What a command tells about the API server: why it is lost, `''` for back again, null for nothing. */
function apiLost({ command, status, reason }: EvidenceEntry): string | null {
  if (reason === 'unreachable') return 'the API server does not answer'
  if (reason === 'no-cluster') return 'there is no cluster to ask'
  const asksNobody = command.args.includes('current-context') || command.args.includes('--remote=false')
  return (status === 'ok' || reason === 'forbidden' || reason === 'not-found') && !asksNobody ? '' : null
}

function found<S>(
  options: WalkOptions<S>,
  outcomes: ReadonlyMap<string, RuleOutcome>,
  symptoms: readonly SymptomId[],
): boolean {
  return options.rules.some((rule) => {
    const outcome = outcomes.get(rule.code)
    return (
      outcome?.status === 'fired' && explainsAny(rule, symptoms) && outcome.hits.some((hit) => hit.about === 'call')
    )
  })
}

function stillNeeded<S>(
  options: WalkOptions<S>,
  collector: { statusOf: (key: EvidenceKey) => string; situation: () => S },
  symptoms: readonly SymptomId[],
  outcomes: ReadonlyMap<string, RuleOutcome>,
): EvidenceKey[] {
  const situation = collector.situation()
  const keys = new Set<EvidenceKey>()
  for (const rule of options.rules) {
    if (!explainsAny(rule, symptoms) || (rule.applies && !rule.applies(situation))) continue
    for (const need of rule.needs) {
      const alternatives: readonly EvidenceKey[] = typeof need === 'string' ? [need] : need
      if (alternatives.every((key) => collector.statusOf(key) === 'pending')) {
        const first = alternatives[0]
        if (first && options.probes.some((probe) => probe.name === splitKey(first).probe)) keys.add(first)
      }
    }
    // A rule may also find out while judging that it wants more than it asked for.
    const outcome = outcomes.get(rule.code)
    if (outcome?.status === 'blind')
      for (const key of outcome.missing) if (collector.statusOf(key) === 'pending') keys.add(key)
  }
  return [...keys].sort()
}

function firstStepOf(runbook: Runbook): ReadonlyMap<string, string> {
  const map = new Map<string, string>()
  for (const step of runbook.steps) for (const key of step.collect) if (!map.has(key)) map.set(key, step.id)
  return map
}

/** What every walk of this runbook asks for, whatever is found: the steps up to the first real branch. */
function unconditionalKeys(runbook: Runbook): EvidenceKey[] {
  const keys: EvidenceKey[] = []
  const stepOf = new Map(runbook.steps.map((step) => [step.id, step]))
  const seen = new Set<string>()
  let step = runbook.steps[0]
  while (step && !seen.has(step.id)) {
    seen.add(step.id)
    keys.push(...(step.collect as EvidenceKey[]))
    const [only, ...more] = step.next
    if (!only || more.length > 0 || step.ask) break
    step = stepOf.get(only.goto)
  }
  return keys
}

function hint(
  stepOf: ReadonlyMap<string, RunbookStep>,
  branch: { goto: string; because: string } | undefined,
): NextHint | null {
  if (!branch) return null
  const step = stepOf.get(branch.goto)
  if (!step)
    return { step: 'diagnosis', title: 'Diagnosis', layer: 'observability', because: branch.because, command: null }
  return { step: step.id, title: step.title, layer: step.layer, because: branch.because, command: null }
}

function stepStatus(
  own: readonly EvidenceEntry[],
  firedHere: readonly string[],
  keys: readonly EvidenceKey[],
): StepStatus {
  if (firedHere.length > 0) return 'problem'
  if (keys.length > 0 && own.some(({ status }) => status === 'missing'))
    return own.some(({ status }) => status === 'ok') ? 'ok' : 'blind'
  return 'ok'
}

function learnedOf(codes: readonly string[], outcomes: ReadonlyMap<string, RuleOutcome>): string[] {
  return codes.flatMap((code) => {
    const outcome = outcomes.get(code)
    return outcome?.status === 'fired' ? outcome.hits.map((hit) => hit.title) : []
  })
}

/** What proved it; where nothing was found, what it was seen by and what could not be read. */
function decidingKeys(diagnosis: Diagnosis, entries: readonly EvidenceEntry[]): EvidenceKey[] {
  const { causes, observed, answeredBy } = diagnosis
  const quotes =
    causes.length > 0 ? causes.flatMap(({ supporting }) => supporting) : [...observed, ...answeredBy.evidence]
  const ids = new Set(quotes.map(({ entry }) => entry))
  const again = entries.filter(({ id, status }) => ids.has(id) || (causes.length === 0 && status === 'missing'))
  return [...new Set(again.map(({ key }) => key))]
}

function compareRuns(
  before: Diagnosis,
  after: Diagnosis,
): { result: 'fixed' | 'changed' | 'same' | 'blind'; statement: string } {
  const codes = ({ causes }: Diagnosis) => causes.map(({ code }) => code).join(', ')
  const titles = ({ causes }: Diagnosis) => causes.map(({ title }) => title.replace(/\.$/, '')).join('; ')
  if (after.verdict === 'inconclusive')
    return {
      result: 'blind',
      statement:
        before.verdict === 'inconclusive'
          ? 'What decides can still not be read.'
          : before.causes.length > 0
            ? `No longer found, but that the call works now is not shown: ${titles(before)}.`
            : 'The deciding evidence could not be read this time.',
    }
  if (after.causes.length === 0) {
    if (before.verdict === 'clean') return { result: 'same', statement: 'Nothing explains it this time either.' }
    if (before.causes.length === 0)
      return { result: 'changed', statement: 'This time everything could be read, and nothing on the way explains it.' }
    return { result: 'fixed', statement: `Gone: ${titles(before)}. The evidence that proved it no longer does.` }
  }
  if (codes(before) === codes(after)) return { result: 'same', statement: `Still there: ${titles(after)}.` }
  return { result: 'changed', statement: `Was: ${titles(before) || 'nothing found'}. Is now: ${titles(after)}.` }
}

function callText(call: CallSummary): string {
  const to = call.to ?? call.host ?? 'an unknown destination'
  const port = call.port === null || to.endsWith(`:${call.port}`) ? '' : `:${call.port}`
  return `${call.from ?? 'an unknown caller'} → ${to}${port}`
}
