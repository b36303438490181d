import type { Command, CommandResult, Runner } from '../model/command.ts'
import { ParseError } from '../model/errors.ts'
import type { EvidenceEntry, EvidenceKey, Role } from '../model/evidence.ts'
import { type AnyProbe, type ProbeTarget, splitKey } from '../model/probe.ts'
import { classify } from './classify.ts'
import type { KeyStatus } from './settle.ts'

export interface CollectorOptions<S> {
  readonly probes: readonly AnyProbe[]
  readonly runner: Runner
  readonly now: () => string
  readonly limit: number
  readonly noExec: boolean
  /** `settled`: keys that need not be waited for, also where nothing came of them. */
  readonly situate: (entries: readonly EvidenceEntry[], settled: ReadonlySet<EvidenceKey>) => S
  readonly onStarted: (start: { id: string; key: EvidenceKey; target: ProbeTarget }) => void
  readonly onFinished: (entry: EvidenceEntry, learned: string) => void
}

/** Runs probes side by side as soon as what they need is known. Failures become evidence here and nowhere else. */
export interface Collector<S> {
  /** Asks for evidence; resolves when all of it is there, missing, or known not to exist. */
  readonly collect: (keys: readonly EvidenceKey[]) => Promise<void>
  /** Starts what can start, without waiting. */
  readonly prefetch: (keys: readonly EvidenceKey[]) => void
  /** Forgets what these probes said, so that the next collect runs them again. */
  readonly forget: (keys: readonly EvidenceKey[]) => void
  /** What the steps so far have asked for. Answers that were fetched ahead wait until their step comes. */
  readonly situation: () => S
  readonly entries: () => readonly EvidenceEntry[]
  readonly statusOf: (key: EvidenceKey) => KeyStatus
  readonly unlockOf: (key: EvidenceKey) => string | null
  /** Whether all of these have nothing to ask of this call, as far as the steps so far have shown. */
  readonly haveNoPart: (keys: readonly EvidenceKey[]) => boolean
  /** The first command these keys would run now, to show before it runs. */
  readonly preview: (keys: readonly EvidenceKey[]) => Command | null
  /** Gives up the commands that run right now. */
  readonly cancelRunning: () => void
  /** Ends everything: nothing new is started, what runs is canceled. */
  readonly stop: (why: string) => void
}

interface Wanted {
  readonly key: EvidenceKey
  readonly role: Role
  readonly probe: AnyProbe
  state: 'waiting' | 'running' | 'done'
  open: number
  /** What it waited for: read with it, and seen with it. */
  readonly pulled: Set<EvidenceKey>
  readonly waiters: (() => void)[]
}

export function createCollector<S>(options: CollectorOptions<S>): Collector<S> {
  const byName = new Map(options.probes.map((probe) => [probe.name, probe]))
  const wanted = new Map<EvidenceKey, Wanted>()
  const entries = new Map<string, EvidenceEntry>()
  const pendingStarts: { want: Wanted; target: ProbeTarget; id: string }[] = []
  const runningAborts = new Set<AbortController>()
  /** Answers that several targets read. */
  const shared = new Map<string, Promise<CommandResult>>()
  let running = 0
  let processes = 0
  let stopped: string | null = null
  let cached: S | null = null

  /** Keys whose step has come: rules see these only, so that fetching ahead changes when a walk waits, not what it says. */
  const visible = new Set<EvidenceKey>()
  let seen: S | null = null

  const sorted = () => [...entries.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  const sortedVisible = () => sorted().filter(({ key }) => visible.has(key))
  /** Everything known, for planning what can be asked. */
  const situation = () => {
    cached ??= options.situate(sorted(), settledKeys())
    return cached
  }
  const visibleSituation = () => {
    seen ??= options.situate(sortedVisible(), settledKeys())
    return seen
  }
  const changed = () => {
    cached = null
    seen = null
  }
  const settledKeys = () => new Set([...wanted.values()].filter(({ state }) => state === 'done').map(({ key }) => key))
  const store = (entry: EvidenceEntry) => {
    entries.set(entry.id, entry)
    changed()
  }

  function want(key: EvidenceKey): Wanted {
    const known = wanted.get(key)
    if (known) return known
    const { role, probe: name } = splitKey(key)
    const probe = byName.get(name)
    if (!probe) throw new Error(`no probe named ${name} (asked for as ${key})`)
    const made: Wanted = { key, role, probe, state: 'waiting', open: 0, pulled: new Set(), waiters: [] }
    wanted.set(key, made)
    return made
  }

  function pull(item: Wanted, needs: readonly EvidenceKey[]) {
    for (const key of needs) {
      item.pulled.add(key)
      want(key)
    }
  }

  /** These, and what was read for them on the way. */
  function withPulled(keys: readonly EvidenceKey[], found = new Set<EvidenceKey>()): ReadonlySet<EvidenceKey> {
    for (const key of keys) {
      if (found.has(key)) continue
      found.add(key)
      withPulled([...want(key).pulled], found)
    }
    return found
  }

  function finish(item: Wanted) {
    item.state = 'done'
    changed()
    for (const resolve of item.waiters.splice(0)) resolve()
  }

  function missingEntry(
    item: Wanted,
    target: ProbeTarget | null,
    why: { reason: string; detail: string; unlock: string | null },
    durationMs = 0,
  ): EvidenceEntry {
    const subject = target?.subject ?? item.role
    const command: Command = target?.command ?? { file: 'kubectl', args: [], timeoutMs: 0 }
    return {
      id: entryId(item.key, subject),
      key: item.key,
      role: item.role,
      probe: item.probe.name,
      subject,
      namespace: target?.namespace ?? null,
      name: target?.name ?? null,
      command,
      status: 'missing',
      data: null,
      ...why,
      at: options.now(),
      durationMs,
    }
  }

  /** Looks at everything that waits until nothing moves any more: what can start is queued, what can never start is finished. */
  function pump() {
    while (advanceAll() || giveUpOne()) {}
    const mayStart = ({ target }: { target: ProbeTarget }) =>
      processes < options.limit || (target.isShared === true && shared.has(argvOf(target.command)))
    for (let at = pendingStarts.findIndex(mayStart); at >= 0; at = pendingStarts.findIndex(mayStart)) {
      const [next] = pendingStarts.splice(at, 1)
      if (next) void run(next.want, next.target, next.id)
    }
  }

  function advanceAll(): boolean {
    let moved = false
    for (const item of wanted.values()) if (item.state === 'waiting' && advance(item)) moved = true
    return moved
  }

  /** False while it has to wait. */
  function advance(item: Wanted): boolean {
    if (stopped !== null) {
      store(missingEntry(item, null, { reason: 'canceled', detail: stopped, unlock: null }))
      finish(item)
      return true
    }
    const plan = item.probe.plan(situation(), item.role)
    if (plan.plan === 'wait') {
      pull(item, plan.needs ?? [])
      return false
    }
    if (plan.plan === 'missing') notAsked(item, plan)
    else if (plan.targets.length > 0 && item.probe.needsExec && options.noExec) leftOut(item)
    else start(item, plan.targets)
    return true
  }

  /** Nothing that could still answer is under way: what the first that waits needs will not come. */
  function giveUpOne(): boolean {
    if (running > 0 || pendingStarts.length > 0) return false
    const item = [...wanted.values()].find(({ state }) => state === 'waiting')
    if (!item) return false
    const plan = item.probe.plan(situation(), item.role)
    if (plan.plan !== 'wait') return true
    if (item.probe.needsExec && options.noExec) leftOut(item)
    else if (plan.otherwise && plan.otherwise.length > 0) start(item, plan.otherwise)
    else {
      store(
        missingEntry(item, null, { reason: 'not-found', detail: `not asked: ${plan.for} is not known`, unlock: null }),
      )
      finish(item)
    }
    return true
  }

  function leftOut(item: Wanted) {
    const detail = 'left out: --no-exec forbids exec and port-forward'
    notAsked(item, { reason: 'no-exec', detail, unlock: 'run again without --no-exec' })
  }

  function notAsked(item: Wanted, why: { reason: string; detail: string; unlock: string | null }) {
    const entry = missingEntry(item, null, { reason: why.reason, detail: why.detail, unlock: why.unlock })
    store(entry)
    options.onFinished(entry, why.detail)
    finish(item)
  }

  function start(item: Wanted, targets: readonly ProbeTarget[]) {
    item.state = 'running'
    item.open = targets.length
    for (const target of targets) pendingStarts.push({ want: item, target, id: entryId(item.key, target.subject) })
    if (targets.length === 0) finish(item)
  }

  async function run(item: Wanted, target: ProbeTarget, id: string) {
    running += 1
    let answer = await answerOf(item, target, id)
    const { instead } = target
    if (instead && answer.entry.status === 'missing' && isWorthAnother(answer.entry.reason))
      answer = await answerOf(item, { ...target, command: instead }, id)
    store(answer.entry)
    options.onFinished(answer.entry, answer.learned)
    running -= 1
    item.open -= 1
    if (item.open === 0) finish(item)
    pump()
  }

  async function answerOf(item: Wanted, target: ProbeTarget, id: string) {
    options.onStarted({ id, key: item.key, target })
    return toEntry(item, target, id, await execute(target))
  }

  function execute({ command, isShared }: ProbeTarget): Promise<CommandResult> {
    const known = isShared ? shared.get(argvOf(command)) : undefined
    if (known) return known
    processes += 1
    const abort = new AbortController()
    runningAborts.add(abort)
    const result = options.runner(command, abort.signal).finally(() => {
      runningAborts.delete(abort)
      processes -= 1
    })
    if (isShared) shared.set(argvOf(command), result)
    return result
  }

  function toEntry(
    item: Wanted,
    target: ProbeTarget,
    id: string,
    result: CommandResult,
  ): { entry: EvidenceEntry; learned: string } {
    const isAnswer =
      item.probe.isAnswer ?? ((ended: CommandResult) => ended.exit.kind === 'exited' && ended.exit.code === 0)
    if (isAnswer(result)) {
      try {
        const data = item.probe.read(result, target)
        const entry: EvidenceEntry = {
          ...missingEntry(item, target, { reason: '', detail: '', unlock: null }, result.durationMs),
          id,
          status: 'ok',
          data,
          reason: null,
          detail: null,
        }
        return { entry, learned: item.probe.learned(data as never, target) }
      } catch (error) {
        if (!(error instanceof ParseError)) throw error
        const detail = `could not read what it printed: ${error.message}`
        return {
          entry: {
            ...missingEntry(item, target, { reason: 'unreadable', detail, unlock: null }, result.durationMs),
            id,
          },
          learned: detail,
        }
      }
    }
    const { reason, detail, unlock } = classify(result, target.command)
    const why = stopped !== null && reason === 'canceled' ? stopped : detail
    return {
      entry: { ...missingEntry(item, target, { reason, detail: why, unlock: unlock ?? null }, result.durationMs), id },
      learned: why,
    }
  }

  async function settled(keys: readonly EvidenceKey[]) {
    await Promise.all(
      keys
        .map(want)
        .map((item) => (item.state === 'done' ? null : new Promise<void>((done) => item.waiters.push(done)))),
    )
  }

  return {
    prefetch(keys) {
      for (const key of keys) want(key)
      pump()
    },
    async collect(keys) {
      for (const key of keys) want(key)
      pump()
      await settled(keys)
      const all = [...withPulled(keys)]
      await settled(all)
      for (const key of all) visible.add(key)
      seen = null
    },
    forget(keys) {
      shared.clear()
      for (const key of keys) {
        wanted.delete(key)
        for (const [id, entry] of entries) if (entry.key === key) entries.delete(id)
      }
      changed()
    },
    situation: visibleSituation,
    entries: sortedVisible,
    statusOf(key) {
      const item = wanted.get(key)
      if (item?.state !== 'done' || !visible.has(key)) return 'pending'
      const own = [...entries.values()].filter((entry) => entry.key === key)
      if (own.length === 0) return 'empty'
      return own.some(({ status }) => status === 'ok') ? 'ok' : 'missing'
    },
    unlockOf(key) {
      return [...entries.values()].find((entry) => entry.key === key && entry.unlock)?.unlock ?? null
    },
    haveNoPart(keys) {
      const known = new Set([...settledKeys()].filter((key) => visible.has(key)))
      const shown = options.situate(sortedVisible(), known)
      return keys.every((key) => {
        const { role, probe: name } = splitKey(key)
        const plan = byName.get(name)?.plan(shown, role)
        return plan?.plan === 'ask' && plan.targets.length === 0
      })
    },
    preview(keys) {
      for (const key of keys) {
        const { role, probe: name } = splitKey(key)
        const plan = byName.get(name)?.plan(situation(), role)
        if (plan?.plan === 'ask' && plan.targets[0]) return plan.targets[0].command
      }
      return null
    },
    cancelRunning() {
      for (const abort of runningAborts) abort.abort()
    },
    stop(why) {
      stopped = why
      for (const { want: item, target, id } of pendingStarts.splice(0)) {
        store({ ...missingEntry(item, target, { reason: 'canceled', detail: why, unlock: null }), id })
        item.open -= 1
        if (item.open === 0) finish(item)
      }
      for (const abort of runningAborts) abort.abort()
      pump()
    },
  }
}

const argvOf = ({ file, args }: Command) => JSON.stringify([file, ...args])

/** Who was refused, or nobody answered, will not do better with another question of the same pod. */
function isWorthAnother(reason: string | null): boolean {
  return (
    reason !== null && ['not-recorded', 'unsupported', 'too-big', 'unreadable', 'refused', 'other'].includes(reason)
  )
}

/** Names an entry by what it is about, so that the order in which commands end changes nothing. */
function entryId(key: EvidenceKey, subject: string): string {
  return `${key} ${subject}`
}
