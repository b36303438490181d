import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLive, type Live } from '../exec/live.ts'
import { record } from '../exec/record.ts'
import { addCounts, createRedact, type Redact, redactionRules, redactNothing } from '../exec/redact.ts'
import { resumeRunner } from '../exec/replay.ts'
import { continueSession, createSession, type SessionWriter } from '../exec/session-files.ts'
import type { Given } from '../model/call.ts'
import type { Runner } from '../model/command.ts'
import type { Note } from '../model/note.ts'
import type { RunEvent, RunState } from '../model/run.ts'
import type { Session } from '../model/session.ts'
import { json } from '../report/json.ts'
import { toNote } from '../report/to-note.ts'
import type { Io } from './io.ts'
import { createPseudonymous, type Pseudonymous } from './pseudonymous.ts'
import { redactGiven } from './redact-given.ts'
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
  /** Names and addresses made unreadable in the note and in events. */
  readonly pseudonyms?: boolean
}

/** A walk with its surroundings: what it may start, what it writes down, and how its note is made. */
export interface WalkSession {
  readonly runner: Runner
  readonly redact: Redact
  /** Set where names are to be unreadable: for whatever is shown besides the note. */
  readonly pseudonyms: Pseudonymous | null
  /** What to walk with: what was given, without secrets. */
  readonly given: Given
  readonly writer: SessionWriter | null
  /** Shown every event, keeps on disk what a replay needs besides commands: answers and the person's own lines. */
  readonly observe: (event: RunEvent, state: RunState) => void
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
  /** What redaction found before: when this was recorded, or in what was pasted. A replay finds nothing any more. */
  readonly counts?: Readonly<Record<string, number>>
  /** The person's own runbook as it was read, kept with the session so that a replay can follow it. */
  readonly runbookText?: string | null
  /** A session to go on with: what it holds is not asked again, what is asked is added to it. */
  readonly resume?: { readonly folder: string; readonly session: Session } | null
}

/** Opens the folder, puts redaction and recording in front of the runner. */
export async function openSession(options: OpenSession): Promise<WalkSession> {
  const { io, settings, saving, runbook, context } = options
  const resume = options.resume ?? null
  // A session stays what it was begun as: half redacted would be none of both.
  const isRedacted = resume?.session.redaction.applied ?? saving.redact
  const redact = isRedacted ? createRedact(settings.redact?.patterns ?? []) : redactNothing
  const wantsPseudonyms = saving.pseudonyms ?? settings.redact?.pseudonyms === true
  const tool = readTool()
  const startedAt = resume?.session.startedAt ?? io.now().toISOString()
  const sessionId = resume?.session.id ?? options.id ?? redact(nameOf(options.given, startedAt, wantsPseudonyms)).text
  const { given, counts: countsOfGiven } = redactGiven(options.given, redact)
  const countsBefore = addCounts(options.counts ?? {}, countsOfGiven)
  let counts: Readonly<Record<string, number>> = resume?.session.redaction.counts ?? countsBefore
  const start = {
    id: sessionId,
    tool,
    startedAt,
    symptom: given.symptom,
    runbook,
    call: given,
    ...(context ? { context } : {}),
  }
  const parent = saving.save === undefined ? join(stateFolder(io.env), 'sessions') : saving.save
  const writer = resume
    ? await continueSession(resume.folder, resume.session, isRedacted ? redact : undefined)
    : parent === false
      ? null
      : await createSession(parent, start, isRedacted ? redact : undefined, {
          counts: countsBefore,
          runbook: options.runbookText ?? null,
        })
  const pseudonyms = wantsPseudonyms ? createPseudonymous(given, context) : null
  const asked = options.run(writer)
  const learning: Runner = async (command, signal) => {
    const result = await asked(command, signal)
    pseudonyms?.learn(command, result.stdout)
    return result
  }
  const recording = record(pseudonyms ? learning : asked, {
    redact,
    now: io.now,
    add: async (entry) => {
      counts = addCounts(counts, entry.counts)
      await writer?.add(entry)
    },
  })
  const runner = resume ? resumeRunner({ ...resume, redact }, recording) : recording
  const noteOf = (state: RunState): Note => {
    const note = toNote(state, {
      id: sessionId,
      tool,
      context,
      redaction: { applied: isRedacted, rules: isRedacted ? [...redactionRules] : [], counts: { ...counts } },
      session: writer ? { folder: writer.folder } : null,
      now: startedAt,
    })
    // What the person typed or pasted went through no recorder: the note as a whole is looked at once more.
    const redacted = JSON.parse(redact(JSON.stringify(note)).text) as Note // redaction keeps JSON what it is
    return pseudonyms?.document(redacted) ?? redacted
  }
  const said = (state: RunState) => ({
    answers: { ...state.answers },
    notes: state.notes.map(({ at, text }) => ({ at, text: redact(text).text })),
  })
  return {
    runner,
    redact,
    pseudonyms,
    given,
    writer,
    noteOf,
    observe(event, state) {
      if (event.type === 'question-answered' || event.type === 'note-added') void writer?.update(said(state))
    },
    async finish(state) {
      const note = noteOf(state)
      if (!writer) return { note, folder: null, notePath: null }
      const notePath = join(writer.folder, 'note.json')
      await writer.update({ ...(state.finishedAt ? { finishedAt: state.finishedAt } : {}), ...said(state) })
      const write = (path: string, text: string) => writeFile(path, text, { mode: 0o600 }).catch(() => undefined)
      await write(notePath, json(note))
      if (pseudonyms)
        await write(join(writer.folder, 'names.json'), `${JSON.stringify(pseudonyms.reverse(), null, 2)}\n`)
      return { note, folder: writer.folder, notePath }
    },
  }
}

function nameOf(given: Given, startedAt: string, isNameless: boolean): string {
  const time = startedAt.replace(/\.\d+Z$/, 'Z').replace(/[:]/g, '')
  const ends = isNameless ? '' : [given.from?.name, given.to?.name].filter((name) => name !== undefined).join('-')
  return [time, given.symptom, ends].filter((part) => part !== '').join('-')
}
