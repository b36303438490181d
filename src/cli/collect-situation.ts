import { createCollector } from '../engine/collect.ts'
import { record } from '../exec/record.ts'
import { createRedact, type Redact } from '../exec/redact.ts'
import type { Given } from '../model/call.ts'
import { type Command, displayCommand, type Runner } from '../model/command.ts'
import { UserError } from '../model/errors.ts'
import type { EvidenceEntry, EvidenceKey } from '../model/evidence.ts'
import { probes } from '../probes/index.ts'
import { forLine } from '../report/escape.ts'
import type { NotRead } from '../report/not-read.ts'
import { nothingPasted, type Pasted } from '../situation/hints.ts'
import { type Situation, situate } from '../situation/situation.ts'
import type { Io } from './io.ts'
import type { Settings } from './settings.ts'
import type { ClusterFlags } from './shared-options.ts'
import { type ClusterOptions, liveTools } from './walk-session.ts'

/** The person's tools, with redaction behind them: for commands that look without walking. Nothing is written down. */
export interface LookingTools {
  readonly runner: Runner
  readonly redact: Redact
  /** Says on stderr what is waited for, once that takes a while. */
  readonly waiting: (command: Command) => () => void
}

export function lookingTools(io: Io, settings: Settings, flags: ClusterFlags): LookingTools {
  const redact = createRedact(settings.redact?.patterns ?? [])
  return {
    runner: record(liveTools(io, clusterOf(settings, flags)).run, { redact, now: io.now }),
    redact,
    waiting: (command) => sayWhenSlow(io, command),
  }
}

export function clusterOf(settings: Settings, flags: ClusterFlags): ClusterOptions {
  return {
    context: flags.context ?? settings.context,
    kubeconfig: flags.kubeconfig ?? settings.kubeconfig,
    as: flags.as ?? settings.as,
    asGroup: flags.asGroup ?? settings.asGroup,
  }
}

export interface CollectOptions {
  readonly given: Given
  readonly keys: readonly EvidenceKey[]
  readonly pasted?: Pasted
}

export interface Collected {
  readonly situation: Situation
  readonly entries: readonly EvidenceEntry[]
}

/** Gathers evidence of a call without rules and runbook: what `trace`, `can-i` and others show directly. */
export async function collectSituation(
  io: Io,
  tools: LookingTools,
  { given, keys, pasted = nothingPasted }: CollectOptions,
): Promise<Collected> {
  const slow = new Map<string, () => void>()
  const collector = createCollector<Situation>({
    probes,
    runner: tools.runner,
    now: () => io.now().toISOString(),
    limit: 4,
    noExec: given.noExec,
    situate: (entries) => situate(entries, given, pasted),
    onStarted: ({ id, target }) => slow.set(id, tools.waiting(target.command)),
    onFinished: ({ id }) => slow.get(id)?.(),
  })
  const stop = () => collector.stop('interrupted')
  io.interrupt.addEventListener('abort', stop)
  try {
    await collector.collect(keys)
  } finally {
    io.interrupt.removeEventListener('abort', stop)
  }
  return { situation: collector.situation(), entries: collector.entries() }
}

/** What was asked for and not got, for people; what was never asked because something else was missing comes with its reason. */
export function notReadOf(entries: readonly EvidenceEntry[]): NotRead[] {
  const failed = entries.flatMap((entry): NotRead[] => {
    if (entry.status === 'missing')
      return [
        {
          what: `${titleOf(entry)}${entry.subject === entry.role ? '' : ` (${entry.subject})`}`,
          reason: entry.detail ?? entry.reason ?? 'unknown reason',
          unlock: entry.unlock,
        },
      ]
    return unreadableKinds(entry.data).map(({ resource, detail }) => ({
      what: `${resource} (${entry.subject})`,
      reason: detail,
      unlock: `kubectl auth can-i list ${resource}${entry.namespace ? ` -n ${entry.namespace}` : ' --all-namespaces'}`,
    }))
  })
  // What waited in vain says less than what it waited for.
  const causes = failed.filter(({ reason }) => !reason.startsWith('not asked:'))
  return causes.length > 0 ? causes : failed
}

function titleOf({ probe }: EvidenceEntry): string {
  return probes.find(({ name }) => name === probe)?.title ?? probe
}

function unreadableKinds(data: unknown): readonly { resource: string; detail: string }[] {
  if (typeof data !== 'object' || data === null || !('unreadable' in data) || !Array.isArray(data.unreadable)) return []
  return data.unreadable // made by the kubectl probes
}

/** Answers without a cluster: they do not tell whether there is one. */
const local = new Set(['clientVersion', 'apiResources'])

/** Nothing that matters could be read: then there is no result, and the exit code says which kind of nothing. */
export function refuseNothing(entries: readonly EvidenceEntry[]): void {
  const asked = entries.filter(({ probe, command }) => !local.has(probe) && command.args.length > 0)
  if (asked.length === 0 || asked.some(({ status }) => status === 'ok')) return
  failFor(asked.map(({ reason, detail, unlock }) => ({ reason, detail, unlock })))
}

/** Throws when the reasons say that there is nobody to ask, or that nothing may be asked. */
export function failFor(
  failures: readonly {
    readonly reason: string | null
    readonly detail: string | null
    readonly unlock: string | null
  }[],
): void {
  const of = (...reasons: readonly string[]) =>
    failures.find(({ reason }) => reason !== null && reasons.includes(reason))
  const nobody = of('tool-missing', 'no-cluster', 'unreachable')
  if (nobody) throw new UserError(forLine(nobody.detail ?? 'no cluster'), hint(nobody.unlock), 'unavailable')
  const denied = of('forbidden', 'unauthenticated', 'port-forward-denied', 'exec-denied')
  if (denied) throw new UserError(forLine(denied.detail ?? 'forbidden'), hint(denied.unlock), 'forbidden')
}

function hint(unlock: string | null): string | undefined {
  return unlock === null ? undefined : forLine(unlock)
}

const slowAfterMs = 2000

function sayWhenSlow(io: Io, command: Command): () => void {
  const timer = setTimeout(() => {
    io.stderr.write(`waiting for: ${forLine(displayCommand(command)).slice(0, 160)}\n`)
  }, slowAfterMs)
  timer.unref()
  return () => clearTimeout(timer)
}
