import { homedir } from 'node:os'
import { recordedRunner } from '../exec/recorded.ts'
import { createRedact } from '../exec/redact.ts'
import { createReplay } from '../exec/replay.ts'
import { readSession } from '../exec/session-files.ts'
import type { Given } from '../model/call.ts'
import type { CommandResult, Runner } from '../model/command.ts'
import type { WalkPorts } from '../model/control.ts'
import { UserError } from '../model/errors.ts'
import { initialRunState, type RunEvent, type RunState, reduceRun } from '../model/run.ts'
import type { Session } from '../model/session.ts'
import { nothingPasted, type Pasted } from '../situation/hints.ts'
import type { Backend, Saved } from '../ui/ports.ts'
import type { BackendOptions } from './backend.ts'
import { conduct } from './conduct.ts'
import { findDemo, readDemo } from './demos.ts'
import { readGiven } from './read-given.ts'
import { readPasted } from './read-pasted.ts'
import { renderNote } from './render-note.ts'
import { chooseRunbook } from './runbooks.ts'
import { liveTools, openSession, type SavingOptions, type WalkSession } from './walk-session.ts'

type Walks = Pick<Backend, 'start' | 'playDemo' | 'openRecording' | 'save' | 'renderNote' | 'rawOutput'>

/** The walks of one guided session: the same engine, runners and sessions as scripted mode. */
export function createWalks(options: BackendOptions, userRunbooks: string): Walks {
  const { io, settings } = options
  let current: { session: WalkSession; outputs: Map<string, CommandResult>; ids: Map<string, string> } | null = null

  async function* walk(
    given: Given,
    pasted: Pasted,
    ports: WalkPorts,
    signal: AbortSignal,
    source: WalkSource,
  ): AsyncGenerator<RunEvent> {
    const session = await openSession({
      io,
      settings,
      saving: source.saving,
      given,
      runbook: source.runbook,
      context: source.context,
      run: source.run,
      ...(source.id ? { id: source.id } : {}),
      ...(source.resume ? { resume: source.resume } : {}),
    })
    const outputs = new Map<string, CommandResult>()
    const ids = new Map<string, string>()
    current = { session, outputs, ids }
    const runner: Runner = async (command, abort) => {
      const result = await session.runner(command, abort)
      outputs.set(JSON.stringify([command.file, ...command.args]), result)
      return result
    }
    let state = initialRunState
    const events = conduct({
      given: session.given,
      pasted,
      runbook: chooseRunbook(given.symptom, source.runbook, userRunbooks),
      runner,
      ports,
      mode: source.mode,
      now: () => io.now().toISOString(),
      budget: null,
      interrupt: signal,
      prefetch: false,
    })
    for await (const event of events) {
      if (event.type === 'command-finished')
        ids.set(event.entry.id, JSON.stringify([event.entry.command.file, ...event.entry.command.args]))
      state = reduceRun(state, event)
      session.observe(event, state)
      yield event
    }
  }

  return {
    start(given, ports, signal) {
      const pasted = readPasted(given.logText, given.curlText)
      return walk(given, pasted, ports, signal, {
        run: (writer) => options.archive ?? liveTools(io, options.cluster, writer).run,
        runbook: chooseRunbook(given.symptom, undefined, userRunbooks).id,
        mode: options.archive ? 'offline' : 'live',
        context: options.cluster.context ?? null,
        saving: options.saving,
      })
    },
    playDemo(id, ports, signal) {
      const recorded = readDemo(findDemo(id))
      const given = recorded.given as Given // our own recordings, made from this type
      return walk(given, nothingPasted, ports, signal, {
        run: () => recordedRunner(recorded, 120),
        runbook: chooseRunbook(given.symptom, undefined, null).id,
        mode: 'replay',
        context: null,
        saving: options.saving,
        id: `demo-${id}`,
      })
    },
    async *openRecording(path, ports, signal) {
      const folder = path.replace(/^~(?=\/)/, homedir())
      const session = await readSession(folder)
      const given = readGiven(session.call, folder)
      const pasted = readPasted(given.logText, given.curlText)
      if (options.resume) {
        yield* walk(given, pasted, ports, signal, {
          run: (writer) => liveTools(io, options.cluster, writer).run,
          runbook: session.runbook ?? chooseRunbook(given.symptom, undefined, userRunbooks).id,
          mode: 'live',
          context: session.context ?? null,
          saving: options.saving,
          id: session.id,
          resume: { folder, session },
        })
        return
      }
      yield* walk(given, pasted, ports, signal, {
        run: () => createReplay({ folder, session, redact: createRedact() }),
        runbook: session.runbook ?? chooseRunbook(given.symptom, undefined, null).id,
        mode: 'replay',
        context: session.context ?? null,
        saving: { save: false, redact: true },
        id: session.id,
      })
    },
    async save(state: RunState): Promise<Saved> {
      if (!current) throw new UserError('there is nothing to save yet', undefined, 'input')
      const { folder, notePath } = await current.session.finish(state)
      return { folder: folder ?? 'not kept', notePath: notePath ?? 'not kept' }
    },
    renderNote(state, format) {
      if (!current) throw new UserError('there is no note yet', undefined, 'input')
      return renderNote(current.session.noteOf(state), format, { width: 80, colour: false })
    },
    async rawOutput(commandId) {
      const key = current?.ids.get(commandId)
      const result = key === undefined ? undefined : current?.outputs.get(key)
      if (!result) return 'No output is kept for this command.'
      return [result.stdout, result.stderr].filter((text) => text !== '').join('\n') || '(it printed nothing)'
    },
  }
}

interface WalkSource {
  readonly run: (writer: Parameters<Parameters<typeof openSession>[0]['run']>[0]) => Runner
  readonly runbook: string
  readonly mode: RunState['mode']
  readonly context: string | null
  readonly saving: SavingOptions
  readonly id?: string
  readonly resume?: { readonly folder: string; readonly session: Session }
}
