import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLive, type Live } from '../exec/live.ts'
import { record } from '../exec/record.ts'
import { addCounts, createRedact, type Redact, redactionRules } from '../exec/redact.ts'
import { createSession, type SessionWriter } from '../exec/session-files.ts'
import type { Given } from '../model/call.ts'
import type { Runner } from '../model/command.ts'
import type { Note } from '../model/note.ts'
import type { RunState } from '../model/run.ts'
import { json } from '../report/json.ts'
import { toNote } from '../report/to-note.ts'
import type { Io } from './io.ts'
import { type Settings, stateFolder } from './settings.ts'
import { readTool } from './tool.ts'

export interface ClusterOptions {
  readonly context?: string | undefined
  readonly kubeconfig?: string | undefined
  readonly as?: string | undefined
  readonly asGroup?: readonly string[] | undefined
}

export interface SavingOptions {
  /** A folder to put the session in; `false`: keep nothing. */
  readonly save: string | false | undefined
  readonly redact: boolean
}

/** A walk with its surroundings: what it may start, what it writes down, and how its note is made. */
export interface WalkSession {
  readonly runner: Runner
  readonly redact: Redact
  readonly writer: SessionWriter | null
  /** The note of this state; also saved beside the session, where there is one. */
  readonly finish: (state: RunState) => Promise<{ note: Note; folder: string | null; notePath: string | null }>
  readonly noteOf: (state: RunState) => Note
}

export function liveTools(io: Io, cluster: ClusterOptions, writer?: SessionWriter | null): Live {
  const { context, kubeconfig, as, asGroup } = cluster
  return createLive({
    env: io.env,
    ...(context ? { context } : {}),
    ...(kubeconfig ? { kubeconfig } : {}),
    ...(as ? { as } : {}),
    ...(asGroup && asGroup.length > 0 ? { asGroups: asGroup } : {}),
    ...(writer ? { spool: writer.spool } : {}),
  })
}

export interface OpenSession {
  readonly io: Io
  readonly settings: Settings
  readonly saving: SavingOptions
  readonly given: Given
  readonly runbook: string
  readonly context: string | null
  /** Made with the writer, since long outputs go into its folder. */
  readonly run: (writer: SessionWriter | null) => Runner
  /** Session and note of a replay say where they came from. */
  readonly id?: string
}

/** Opens the folder, puts redaction and recording in front of the runner. */
export async function openSession({
  io,
  settings,
  saving,
  given,
  runbook,
  context,
  run,
  id,
}: OpenSession): Promise<WalkSession> {
  const redact = saving.redact
    ? createRedact(settings.redact?.patterns ?? [])
    : (text: string) => ({ text, counts: {} })
  const tool = readTool()
  const startedAt = io.now().toISOString()
  const sessionId = id ?? nameOf(given, startedAt)
  const parent = saving.save === undefined ? join(stateFolder(io.env), 'sessions') : saving.save
  let counts: Readonly<Record<string, number>> = {}
  const redactedGiven = JSON.parse(redact(JSON.stringify(given)).text) as Given // redaction keeps JSON what it is
  const writer =
    parent === false
      ? null
      : await createSession(
          parent,
          {
            id: sessionId,
            tool,
            startedAt,
            symptom: given.symptom,
            runbook,
            call: redactedGiven,
            ...(context ? { context } : {}),
          },
          saving.redact ? redact : undefined,
        )
  const runner = record(run(writer), {
    redact,
    now: io.now,
    add: async (entry) => {
      counts = addCounts(counts, entry.counts)
      await writer?.add(entry)
    },
  })
  const noteOf = (state: RunState): Note => {
    const note = toNote(state, {
      id: sessionId,
      tool,
      context,
      redaction: { applied: saving.redact, rules: saving.redact ? [...redactionRules] : [], counts: { ...counts } },
      session: writer ? { folder: writer.folder } : null,
      now: startedAt,
    })
    // What the person typed or pasted went through no recorder: the note as a whole is looked at once more.
    return JSON.parse(redact(JSON.stringify(note)).text) as Note // as above
  }
  return {
    runner,
    redact,
    writer,
    noteOf,
    async finish(state) {
      const note = noteOf(state)
      if (!writer) return { note, folder: null, notePath: null }
      const notePath = join(writer.folder, 'note.json')
      await writer.update({
        ...(state.finishedAt ? { finishedAt: state.finishedAt } : {}),
        answers: { ...state.answers },
      })
      await writeFile(notePath, json(note), { mode: 0o600 }).catch(() => undefined)
      return { note, folder: writer.folder, notePath }
    },
  }
}

function nameOf(given: Given, startedAt: string): string {
  const time = startedAt.replace(/\.\d+Z$/, 'Z').replace(/[:]/g, '')
  const ends = [given.from?.name, given.to?.name].filter((name) => name !== undefined).join('-')
  return [time, given.symptom, ends].filter((part) => part !== '').join('-')
}
