import type { SessionWriter } from '../exec/session-files.ts'
import type { Certainty } from '../model/answered-by.ts'
import type { Given } from '../model/call.ts'
import type { Runner } from '../model/command.ts'
import { unattended, type WalkPorts } from '../model/control.ts'
import type { RunEvent, RunState } from '../model/run.ts'
import type { Runbook } from '../model/runbook.ts'
import { unsafeEscaped } from '../report/json.ts'
import type { Pasted } from '../situation/hints.ts'
import { conductToEnd } from './conduct.ts'
import { exitCodeOfRun } from './exit-codes.ts'
import { type Io, print, wantsColour } from './io.ts'
import { renderNote } from './render-note.ts'
import type { Settings } from './settings.ts'
import type { NoteFormat } from './shared-options.ts'
import { openSession, type SavingOptions } from './walk-session.ts'

export interface ScriptedWalk {
  readonly io: Io
  readonly settings: Settings
  readonly given: Given
  readonly pasted: Pasted
  readonly runbook: Runbook
  readonly run: (writer: SessionWriter | null) => Runner
  readonly mode: RunState['mode']
  readonly context: string | null
  readonly saving: SavingOptions
  readonly budgetMs: number | null
  readonly failOn: Certainty
  readonly format: NoteFormat
  readonly color: 'auto' | 'always' | 'never' | undefined
  /** NDJSON of the run's events on stdout instead of the note. */
  readonly events: boolean
  readonly quiet: boolean
  readonly id?: string
  /** Who answers questions; nobody, if left out. */
  readonly ports?: WalkPorts
  readonly counts?: Readonly<Record<string, number>>
  readonly runbookText?: string | null
}

/** A walk with nobody there: progress on stderr, the result on stdout, the verdict in the exit code. */
export async function scriptedWalk(walk: ScriptedWalk): Promise<number> {
  const { io, pasted, runbook, format } = walk
  const session = await openSession({ ...walk, runbook: runbook.id })
  const progress = walk.quiet ? null : await startProgress(io)
  const budget = walk.budgetMs === null ? null : startBudget(walk.budgetMs)
  const held: RunEvent[] = []
  let state: RunState
  try {
    state = await conductToEnd(
      {
        given: session.given,
        pasted,
        runbook,
        runner: session.runner,
        ports: walk.ports ?? unattended,
        mode: walk.mode,
        now: () => io.now().toISOString(),
        budget,
        interrupt: io.interrupt,
        prefetch: true,
      },
      (event, state) => {
        session.observe(event, state)
        progress?.show(event)
        if (!walk.events) return
        // A name may be learned after it was first printed: nothing leaves before all are known.
        if (session.pseudonyms) held.push(event)
        else io.stdout.write(`${unsafeEscaped(session.redact(JSON.stringify(event)).text)}\n`)
      },
    )
  } finally {
    budget?.clear()
    await progress?.end()
  }
  const { note, folder } = await session.finish(state)
  for (const event of held)
    io.stdout.write(
      `${unsafeEscaped(JSON.stringify(session.pseudonyms?.document(JSON.parse(session.redact(JSON.stringify(event)).text))))}\n`,
    )
  if (walk.events) await print(io.stdout, `${unsafeEscaped(JSON.stringify({ type: 'note', note }))}\n`)
  else {
    const width = io.stdout.isTTY ? (io.stdout.columns ?? 80) : 80
    const rendered = await renderNote(note, format, {
      width: Math.min(width, 110),
      colour: wantsColour(io, walk.color, io.stdout),
    })
    await print(io.stdout, rendered.endsWith('\n') ? rendered : `${rendered}\n`)
  }
  if (folder && !walk.quiet) await print(io.stderr, `session: ${folder}\n`)
  const problem = session.writer?.problem()
  if (problem) await print(io.stderr, `the session could not be written in full: ${problem}\n`)
  return exitCodeOfRun(state, walk.failOn)
}

interface Progress {
  readonly show: (event: RunEvent) => void
  readonly end: () => Promise<void>
}

async function startProgress(io: Io): Promise<Progress> {
  if (io.stderr.isTTY && !io.env.CI && io.env.TERM !== 'dumb') {
    const { listrProgress } = await import('../progress/listr.ts')
    return listrProgress(io.stderr)
  }
  const { plainProgress } = await import('../progress/plain.ts')
  return plainProgress((line) => void io.stderr.write(line))
}

function startBudget(ms: number) {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), ms)
  return { ms, signal: abort.signal, clear: () => clearTimeout(timer) }
}
