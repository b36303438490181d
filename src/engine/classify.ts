import { type Command, type CommandResult, displayCommand } from '../model/command.ts'
import type { MissingReason } from '../model/missing.ts'
import { failureTexts } from './failure-texts.ts'

export interface Classified {
  readonly reason: MissingReason
  /** One line, in the tool's words where it had some. */
  readonly detail: string
  /** A command that tells whether the reason is gone, or what to do about it. */
  readonly unlock?: string
}

/** istioctl's code for a flag or command that it does not know. */
const badUsage = 64
const longestDetail = 400

/** Why a command's output is no answer. How it ended comes before its exit code, and that before what it said. */
export function classify(result: CommandResult, command: Command): Classified {
  const lines = errorLines(result)
  if (result.exit.kind !== 'exited') return describeEnd(result.exit.kind, lines[0], command)
  if (command.file === 'istioctl' && result.exit.code === badUsage)
    return withUnlock('unsupported', lines[0] ?? 'this version does not know the command', command)
  for (const line of lines) {
    const known = failureTexts.find(
      ({ tool, pattern }) => (tool === 'any' || tool === command.file) && pattern.test(line),
    )
    if (known) return withUnlock(known.reason, line, command)
  }
  if (result.exit.code !== 0)
    return { reason: 'other', detail: brief(lines[0] ?? `exit code ${result.exit.code}, and not a word`) }
  if (result.stdout.trim() === '') return { reason: 'empty', detail: brief(lines[0] ?? 'it printed nothing') }
  return { reason: 'unreadable', detail: 'what it printed is not what this command prints' }
}

/**
 * What was said, the decisive first: the error itself, then what was logged on the way. `x authz check` swallows the
 * cause, and only the log has it.
 */
function errorLines({ stdout, stderr }: CommandResult): string[] {
  // istioctl logs to stdout unless it is told otherwise; of what else stands there, nothing is an error.
  const logged = stdout.slice(0, 20_000).match(/^\d{4}-\d\d-\d\dT\S+\t(?:error|warn)\t.*$/gm) ?? []
  const lines = (stderr.trim() === '' && logged.length === 0 ? stdout.slice(0, 20_000) : [...logged, stderr].join('\n'))
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(Defaulted container|Warning: |See '|Run '|Usage:)/.test(line))
  const isError = (line: string) => /^(Error|error|Unable to|The connection|OCI runtime)/.test(line)
  return [...lines.filter(isError), ...lines.filter((line) => !isError(line)).reverse()]
}

type Ended = Exclude<CommandResult['exit']['kind'], 'exited'>

function describeEnd(kind: Ended, line: string | undefined, command: Command): Classified {
  switch (kind) {
    case 'tool-missing':
      return {
        reason: kind,
        detail: `${command.file} is not installed, or not on the PATH`,
        unlock: `install ${command.file}, then: ${command.file} version`,
      }
    case 'timed-out':
      return {
        reason: kind,
        detail: `no answer within ${command.timeoutMs / 1000} s${line ? `; last it said: ${brief(line)}` : ''}`,
        unlock: unlockHanging(command),
      }
    case 'canceled':
      return { reason: kind, detail: 'canceled before it had an answer', unlock: displayCommand(command) }
    case 'too-big':
      return { reason: kind, detail: 'its output is too big to be looked at' }
    case 'not-recorded':
      return { reason: kind, detail: brief(line ?? 'the recording holds no answer to this') }
    case 'refused':
      return { reason: kind, detail: brief(line ?? 'not on the list of commands that only read') }
  }
}

/** Where a permission is missing, some commands of istioctl wait for good instead of saying so. */
function unlockHanging(command: Command): string {
  const words = command.args.join(' ')
  if (command.file === 'istioctl' && /^(version|ps|proxy-status|remote-clusters)\b/.test(words))
    return 'kubectl auth can-i list mutatingwebhookconfigurations'
  if (command.file === 'istioctl' && /^analyze\b/.test(words))
    return 'kubectl auth can-i list virtualservices.networking.istio.io'
  return displayCommand(command)
}

function withUnlock(reason: MissingReason, line: string, command: Command): Classified {
  const unlock = unlockFor(reason, line, command)
  return { reason, detail: brief(line), ...(unlock !== undefined && { unlock }) }
}

function unlockFor(reason: MissingReason, line: string, command: Command): string | undefined {
  switch (reason) {
    case 'forbidden':
    case 'port-forward-denied':
    case 'exec-denied':
      return permissionQuestion(line)
    case 'unauthenticated':
      return 'log in to the cluster again, then: kubectl version'
    case 'no-cluster':
      return 'kubectl config get-contexts'
    case 'unreachable':
      return 'kubectl version'
    case 'no-istiod':
      return `kubectl get pods -n ${/in (?:namespace )?"([\w-]+)"/.exec(line)?.[1] ?? 'istio-system'} -l app=istiod`
    case 'unsupported':
      return command.file === 'istioctl' ? 'istioctl version' : 'kubectl api-resources'
    case 'timed-out':
      return unlockHanging(command)
    default:
      return undefined
  }
}

/** `kubectl auth can-i` for exactly the permission that was refused. A subresource is not part of the name there. */
function permissionQuestion(line: string): string | undefined {
  const match =
    /cannot ([\w*]+) resource "([\w.*-]+)(?:\/([\w*-]+))?" in API group "([\w.-]*)"(?: in the namespace "([\w.-]+)")?/.exec(
      line,
    )
  if (!match) return undefined
  const [, verb, resource, subresource, group, namespace] = match
  const scope = namespace ? ` -n ${namespace}` : ' --all-namespaces'
  return `kubectl auth can-i ${verb} ${resource}${group ? `.${group}` : ''}${subresource ? ` --subresource=${subresource}` : ''}${scope}`
}

function brief(line: string): string {
  const said = line.replace(/^(?:Error|error): /, '')
  return said.length <= longestDetail ? said : `${said.slice(0, longestDetail)}…`
}
