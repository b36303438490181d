import { stat } from 'node:fs/promises'
import type { Command, CommandResult, Runner } from '../model/command.ts'
import { UserError } from '../model/errors.ts'
import { recognize } from './allow-list.ts'
import type { ArchiveContents } from './archive-contents.ts'
import { openFolder, type UnpackOptions, unpack } from './archive-files.ts'
import { answerAnalyze, answerProxyConfig, answerVersion, answerZtunnelConfig } from './archive-istioctl.ts'
import {
  type Answer,
  answerApiResources,
  answerExec,
  answerGet,
  answerKubernetesVersion,
  answerLogs,
} from './archive-kubectl.ts'
import { answerProxyStatus } from './archive-sync.ts'
import { findReport, readBugReport } from './bug-report.ts'
import { deriveMissing } from './derive-missing.ts'
import { readObjectFolder } from './object-folder.ts'

export interface ArchiveDescription {
  /** What it is, as a person would say. */
  readonly title: string
  readonly context: string | undefined
  /** `pod.namespace` of each proxy whose admin port was asked. */
  readonly proxies: readonly string[]
  readonly istioctl: string | undefined
  /** What is wrong with it. */
  readonly notes: readonly string[]
}

export interface ArchivedLog {
  readonly namespace: string
  readonly pod: string
  readonly text: string
}

export interface Archive {
  readonly run: Runner
  readonly describe: () => ArchiveDescription
  /** The logs of all proxies inside, one after the other. */
  readonly logs: () => AsyncGenerator<ArchivedLog>
  /** Removes what was laid down while it was open. */
  readonly close: () => Promise<void>
}

/**
 * Answers kubectl's and istioctl's questions from an `istioctl bug-report`, packed or unpacked, or from a folder of saved
 * files. What it does not hold is `not-recorded`: never made up, and never an empty list where nobody looked.
 */
export async function openArchive(path: string, options: UnpackOptions = {}): Promise<Archive> {
  const about = await stat(path).catch(() => {
    throw new UserError(`${path} cannot be found`, undefined, 'input')
  })
  const files = about.isDirectory() ? await openFolder(path) : await unpack(path, options)
  try {
    const root = findReport(files.paths)
    const contents = await deriveMissing(
      root === undefined ? await readObjectFolder(files) : await readBugReport(files, root),
    )
    return {
      run: runner(contents),
      describe: () => describe(contents),
      logs: () => readLogs(contents),
      close: files.close,
    }
  } catch (error) {
    await files.close()
    throw error
  }
}

function describe({ title, context, proxies, versions, notes }: ArchiveContents): ArchiveDescription {
  return { title, context, proxies: [...proxies.keys()].sort(), istioctl: versions?.client, notes }
}

async function* readLogs({ logs, log }: ArchiveContents): AsyncGenerator<ArchivedLog> {
  for (const { namespace, pod, container } of logs) {
    if (container !== '' && container !== 'istio-proxy') continue
    const text = await log(namespace, pod, container).catch(() => undefined)
    if (text) yield { namespace, pod, text }
  }
}

function runner(contents: ArchiveContents): Runner {
  return async (command, signal) => {
    if (signal.aborted) return { exit: { kind: 'canceled' }, stdout: '', stderr: '', durationMs: 0 }
    try {
      return toResult(await answer(contents, command))
    } catch (error) {
      // A damaged part of an archive costs its own answer, and no other.
      return notRecorded(`this part of the archive cannot be read: ${error instanceof Error ? error.message : error}`)
    }
  }
}

const notRecorded = (stderr: string): CommandResult => ({
  exit: { kind: 'not-recorded' },
  stdout: '',
  stderr,
  durationMs: 0,
})

function toResult(found: Answer): CommandResult {
  if (!found) return notRecorded('this archive holds no answer to this command')
  const { code, stdout, stderr } = found
  return { exit: { kind: 'exited', code }, stdout, stderr, durationMs: 0 }
}

async function answer(contents: ArchiveContents, command: Command): Promise<Answer> {
  const known = recognize(command)
  if (typeof known === 'string') return undefined
  const { words, flags, afterDash = [] } = known
  const path = known.verb.path.map(([name]) => name).filter((name) => name !== 'experimental')
  const kind = path[1] ?? ''
  switch (`${command.file} ${path[0]}`) {
    case 'kubectl get':
      return answerGet(contents, words, flags)
    case 'kubectl logs':
      return answerLogs(contents, words, flags)
    case 'kubectl exec':
      return answerExec(contents, words, flags, afterDash)
    case 'kubectl version':
      return answerKubernetesVersion(contents, flags)
    case 'kubectl api-resources':
      return answerApiResources(contents, flags)
    case 'kubectl config':
      return kind === 'current-context' && contents.context
        ? { code: 0, stdout: `${contents.context}\n`, stderr: '' }
        : undefined
    case 'istioctl version':
      return answerVersion(contents, flags)
    case 'istioctl analyze':
      return answerAnalyze(contents, words, flags)
    case 'istioctl proxy-status':
      return answerProxyStatus(contents, words, flags)
    case 'istioctl proxy-config':
      return answerProxyConfig(contents, kind, words, flags)
    case 'istioctl ztunnel-config':
      return answerZtunnelConfig(contents, kind, words, flags)
    default:
      return undefined
  }
}
