import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseAccessLogLine } from '../../parsers/access-log.ts'
import { parseCurl } from '../../parsers/curl.ts'
import { isZtunnelRecord, parseZtunnelLine } from '../../parsers/ztunnel-log.ts'
import { recordedRunner } from '../exec/recorded.ts'
import { createRedact } from '../exec/redact.ts'
import { createReplay } from '../exec/replay.ts'
import { readSession } from '../exec/session-files.ts'
import { listSessions } from '../exec/session-list.ts'
import { explainText } from '../mesh/explain.ts'
import { seenExchange } from '../mesh/explain-exchange.ts'
import { type Given, SymptomId } from '../model/call.ts'
import type { CommandResult, Runner } from '../model/command.ts'
import type { WalkPorts } from '../model/control.ts'
import { UserError } from '../model/errors.ts'
import { initialRunState, type RunEvent, type RunState, reduceRun } from '../model/run.ts'
import type { Session } from '../model/session.ts'
import { nothingPasted, type Pasted, readHints } from '../situation/hints.ts'
import type { Backend, Explanation, Paste, Saved } from '../ui/ports.ts'
import { conduct } from './conduct.ts'
import { demos, findDemo, readDemo } from './demos.ts'
import type { Io } from './io.ts'
import { readGiven } from './read-given.ts'
import { readPasted, symptomOf } from './read-pasted.ts'
import { renderNote } from './render-note.ts'
import { allRunbooks, chooseRunbook } from './runbooks.ts'
import { configFolder, type Settings, stateFolder } from './settings.ts'
import { readTarget } from './target.ts'
import { type ClusterOptions, liveTools, openSession, type SavingOptions, type WalkSession } from './walk-session.ts'
import { listWorkloads, lookAtCluster } from './workload-lists.ts'

export interface BackendOptions {
  readonly io: Io
  readonly settings: Settings
  readonly cluster: ClusterOptions
  readonly namespace: string | null
  readonly saving: SavingOptions
  /** Set when the questions go to an archive instead of a cluster. */
  readonly archive?: Runner
  /** Opening a recording goes on with it: what it does not hold is asked of the cluster. */
  readonly resume?: boolean
}

/** What the guided walk needs from the outside: the same engine, runners and sessions as scripted mode. */
export function createBackend(options: BackendOptions): Backend {
  const { io, settings } = options
  const userRunbooks = join(configFolder(io.env), 'runbooks')
  const books = allRunbooks(userRunbooks)
  const redact = createRedact(settings.redact?.patterns ?? [])
  const asked: Runner = options.archive ?? liveTools(io, options.cluster).run
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
    cluster: (signal) => lookAtCluster(asked, signal, options.archive !== undefined),
    symptoms: [...books]
      .sort((a, b) => place(a.runbook.symptoms) - place(b.runbook.symptoms))
      .map(({ runbook }) => ({
        id: runbook.symptoms[0] ?? 'unknown',
        title: runbook.title,
        says: runbook.says,
      })),
    listCallers: (signal) => listWorkloads(asked, signal, options.namespace, 'callers'),
    listDestinations: (signal) => listWorkloads(asked, signal, options.namespace, 'destinations'),
    target: readTarget,
    demos: demos.map(({ id, title, symptom }) => ({ id, title, symptom })),
    async sessions() {
      const folder = typeof settings.save === 'string' ? settings.save : join(stateFolder(io.env), 'sessions')
      const found = await listSessions(folder)
      return found.slice(0, 50).map(({ folder: path, session }) => ({
        path,
        title: `${session.symptom ?? 'unknown symptom'} ${session.id}`,
        when: session.startedAt,
      }))
    },
    explain: async (text) => explain(redact(text).text),
    parsePaste: (text) => readPaste(redact(text).text),
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
    async openArchive(path) {
      const { openArchive } = await import('../exec/archive.ts')
      const archive = await openArchive(path.replace(/^~(?=\/)/, homedir()))
      io.interrupt.addEventListener('abort', () => void archive.close(), { once: true })
      return createBackend({ ...options, archive: archive.run })
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
    copy(text) {
      if (!io.stdout.isTTY) return false
      // OSC 52: the terminal puts it into the clipboard of the person in front of it, also over ssh.
      io.stdout.write(`\u001b]52;c;${Buffer.from(text, 'utf8').toString('base64')}\u0007`)
      return true
    },
  }
}

/** What people are paged for most comes first; the rest follows as it is. */
const usual: readonly SymptomId[] = [
  '503',
  '403',
  '401',
  'reset',
  '404',
  '504',
  'tls',
  'not-applied',
  'not-injected',
  '500',
  '502',
  'slow',
  '429',
  '400',
]

function place(symptoms: readonly SymptomId[]): number {
  const places = symptoms.map((symptom) => usual.indexOf(symptom)).filter((index) => index >= 0)
  return places.length > 0 ? Math.min(...places) : usual.length
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

const parsers = {
  accessLog: (line: string) => {
    const item = parseAccessLogLine(line)
    return item.kind === 'record' ? item.record : null
  },
  ztunnel: (line: string) => {
    const entry = parseZtunnelLine(line)
    return entry !== null && isZtunnelRecord(entry) ? entry : null
  },
  curl: (text: string) =>
    parseCurl(text)
      .map(seenExchange)
      .filter((seen) => seen !== null)
      .at(-1) ?? null,
}

function explain(text: string): Explanation | null {
  const { answer, layer, recognised, next, mistakes } = explainText(text, parsers)
  if (recognised.length === 0) return null
  return {
    title: text.split('\n', 1)[0]?.slice(0, 80) ?? '',
    sentences: [answer],
    layer,
    lookNext: next.map((why) => ({ command: null, why })),
    myth: mistakes[0] ?? null,
  }
}

/** A pasted line or transcript: what it says, and which questions it answers. */
function readPaste(text: string): Paste | null {
  const isCurl = /^[*<>] |curl: \(\d+\)|HTTP\/\d/m.test(text) && !/^\[\d{4}-/m.test(text)
  const pasted = readPasted(isCurl ? null : text, isCurl ? text : null)
  const explained = explainText(text, parsers)
  const isKnown = pasted.records.length > 0 || pasted.ztunnel.length > 0 || pasted.curl !== null
  if (!isKnown && explained.recognised.length === 0) return null
  const symptom = symptomOf(pasted) ?? SymptomId.safeParse(text.trim()).data ?? null
  const hints = readHints({ ...emptyPasteGiven, ...(symptom ? { symptom } : {}) }, pasted)
  return {
    kind: isCurl
      ? 'curl'
      : pasted.ztunnel.length > 0
        ? 'ztunnel-log'
        : pasted.records.length > 0
          ? 'access-log'
          : 'text',
    sentence: explained.answer,
    details: [...explained.next, ...explained.mistakes].slice(0, 4),
    given: {
      ...(symptom ? { symptom } : {}),
      ...(isKnown && !isCurl ? { logText: text } : {}),
      ...(isCurl ? { curlText: text } : {}),
      ...(hints.method ? { method: hints.method } : {}),
      ...(hints.path ? { path: hints.path } : {}),
      ...(hints.authority ? { host: hints.authority.replace(/:\d+$/, '') } : {}),
    },
  }
}

const emptyPasteGiven: Given = {
  symptom: 'unknown',
  from: null,
  to: null,
  host: null,
  method: null,
  path: null,
  headers: [],
  jwtClaims: null,
  logText: null,
  curlText: null,
  namespace: null,
  istioNamespace: 'istio-system',
  revision: null,
  since: null,
  noExec: false,
}
