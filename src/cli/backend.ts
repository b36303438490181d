import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Runner } from '../model/command.ts'
import type { RunEvent } from '../model/run.ts'
import type { Backend } from '../ui/ports.ts'
import { demos } from './demo-list.ts'
import type { Io } from './io.ts'
import { configFolder, type Settings, stateFolder } from './settings.ts'
import { listSymptoms } from './symptom-list.ts'
import { readTarget } from './target.ts'
import type { ClusterOptions, SavingOptions } from './walk-session.ts'

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

/**
 * What the guided walk needs from the outside. The first screen needs little of it: rules, probes and parsers are
 * loaded behind it.
 */
export async function createBackend(options: BackendOptions): Promise<Backend> {
  const { io, settings } = options
  const userRunbooks = join(configFolder(io.env), 'runbooks')
  const walks = once(async () => (await import('./guided-walks.ts')).createWalks(options, userRunbooks))
  const texts = once(async () => {
    const [{ explain, readPaste }, { createRedact }] = await Promise.all([
      import('./guided-texts.ts'),
      import('../exec/redact.ts'),
    ])
    return { explain, readPaste, redact: createRedact(settings.redact?.patterns ?? []) }
  })
  const lists = once(async () => {
    const { listHosts } = await import('./host-list.ts')
    const { listWorkloads, lookAtCluster } = await import('./workload-lists.ts')
    const run = options.archive ?? (await import('./walk-session.ts')).liveTools(io, options.cluster).run
    return { listHosts, listWorkloads, lookAtCluster, run }
  })

  return {
    async cluster(signal) {
      const { lookAtCluster, run } = await lists()
      const facts = await lookAtCluster(run, signal, options.archive !== undefined)
      // While the person reads the first question. What fails to load fails again where it is needed, and is said there.
      walks().catch(() => undefined)
      return facts
    },
    symptoms: await listSymptoms(userRunbooks),
    async listCallers(signal) {
      const { listWorkloads, run } = await lists()
      return listWorkloads(run, signal, options.namespace, 'callers')
    },
    async listDestinations(signal) {
      const { listWorkloads, run } = await lists()
      return listWorkloads(run, signal, options.namespace, 'destinations')
    },
    async listHosts(signal) {
      const { listHosts, run } = await lists()
      return listHosts(run, signal, options.namespace)
    },
    target: readTarget,
    demos: demos.map(({ id, title, symptom }) => ({ id, title, symptom })),
    async sessions() {
      const { listSessions } = await import('../exec/session-list.ts')
      const folder = typeof settings.save === 'string' ? settings.save : join(stateFolder(io.env), 'sessions')
      const found = await listSessions(folder)
      return found.slice(0, 50).map(({ folder: path, session }) => ({
        path,
        title: `${session.symptom ?? 'unknown symptom'} ${session.id}`,
        when: session.startedAt,
      }))
    },
    async explain(text) {
      const { explain, redact } = await texts()
      return explain(redact(text).text)
    },
    async parsePaste(text) {
      const { readPaste, redact } = await texts()
      return readPaste(redact(text).text)
    },
    start: (...given) => later(walks, ({ start }) => start(...given)),
    playDemo: (...given) => later(walks, ({ playDemo }) => playDemo(...given)),
    openRecording: (...given) => later(walks, ({ openRecording }) => openRecording(...given)),
    async openArchive(path) {
      const { openArchive } = await import('../exec/archive.ts')
      const archive = await openArchive(path.replace(/^~(?=\/)/, homedir()))
      io.interrupt.addEventListener('abort', () => void archive.close(), { once: true })
      return createBackend({ ...options, archive: archive.run })
    },
    save: async (state) => (await walks()).save(state),
    renderNote: async (state, format) => (await walks()).renderNote(state, format),
    rawOutput: async (id) => (await walks()).rawOutput(id),
    copy(text) {
      if (!io.stdout.isTTY) return false
      // OSC 52: the terminal puts it into the clipboard of the person in front of it, also over ssh.
      io.stdout.write(`\u001b]52;c;${Buffer.from(text, 'utf8').toString('base64')}\u0007`)
      return true
    },
  }
}

/** The same promise every time: what is loading is not loaded twice. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  return () => {
    loading ??= load()
    return loading
  }
}

async function* later<T>(load: () => Promise<T>, begin: (loaded: T) => AsyncIterable<RunEvent>) {
  yield* begin(await load())
}
