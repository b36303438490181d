import { createAccessLogReader } from '../../parsers/access-log.ts'
import type { Archive, ArchiveDescription } from '../exec/archive.ts'
import type { Redact } from '../exec/redact.ts'
import type { SymptomId, Target } from '../model/call.ts'
import { displayCommand } from '../model/command.ts'
import { forLine } from '../report/escape.ts'
import { type FailingCall, type FailingLine, groupFailingCalls } from '../situation/failing-calls.ts'
import { nothingPasted } from '../situation/hints.ts'
import { exitCodes } from './exit-codes.ts'
import { type Io, print } from './io.ts'
import { symptomOf } from './read-pasted.ts'
import type { NoteFormat } from './shared-options.ts'
import { readTarget } from './target.ts'

/** So many lines are enough to say which calls fail; an archive may hold millions. */
const mostLines = 20_000

/** The calls that failed, according to the access logs inside. */
export async function failingCallsOf(archive: Archive, redact: Redact): Promise<FailingCall[]> {
  const lines: FailingLine[] = []
  for await (const { namespace, pod, text } of archive.logs()) {
    const reader = createAccessLogReader({
      onRecord: (record) => {
        const symptom = symptomOf({ ...nothingPasted, records: [record] })
        if (symptom !== null && lines.length < mostLines) lines.push({ symptom, namespace, pod, record })
      },
    })
    reader.push(redact(text).text)
    reader.end()
  }
  return groupFailingCalls(lines)
}

export interface Asked {
  readonly symptom: SymptomId | null
  readonly from: string | undefined
  readonly to: string | undefined
}

/** Those of them that what the person said allows. */
export function fitting(calls: readonly FailingCall[], { symptom, from, to }: Asked): FailingCall[] {
  return calls.filter(
    (call) =>
      (symptom === null || call.symptom === symptom) && isSame(from, call.from, false) && isSame(to, call.to, true),
  )
}

function isSame(said: string | undefined, logged: string | null, withPort: boolean): boolean {
  if (said === undefined) return true
  if (logged === null) return false
  const [left, right]: [Target, Target] = [readTarget(said), readTarget(logged)]
  // A pod, its workload and what it is labelled as are one end under several names.
  const isRelated = left.name === right.name || left.name.startsWith(`${right.name}-`)
  return (
    isRelated &&
    (left.namespace === null || right.namespace === null || left.namespace === right.namespace) &&
    (!withPort || left.port === null || right.port === null || left.port === right.port)
  )
}

/** The command line that walks one of them. */
export function commandFor(call: FailingCall, path: string, programName: string): string {
  const args = [
    'diagnose',
    call.symptom,
    '--open',
    path,
    ...(call.from ? ['--from', call.from] : []),
    ...(call.to ? ['--to', call.to] : []),
    ...(call.from === null && call.host ? ['--host', call.host.replace(/:\d+$/, '')] : []),
  ]
  return displayCommand({ file: programName as 'kubectl', args: args.map(forLine) }) // for display: quotes words as for any command
}

export interface CallList {
  readonly calls: readonly FailingCall[]
  readonly about: ArchiveDescription
  readonly path: string
  readonly format: NoteFormat
}

/** Says which calls there are to choose from. Returns the exit code: nothing was walked. */
export async function showCalls(io: Io, { calls, about, path, format }: CallList): Promise<number> {
  if (format === 'json' || format === 'yaml') {
    const document = {
      kind: 'FailingCalls',
      schemaVersion: '1.0',
      archive: { path, ...about, proxies: about.proxies.map(forLine), notes: about.notes.map(forLine) },
      calls: calls.map((call) => ({ ...inert(call), command: commandFor(call, path, io.programName) })),
    }
    const text =
      format === 'json'
        ? `${JSON.stringify(document, null, 2)}\n`
        : (await import('yaml')).stringify(document, { lineWidth: 0 })
    await print(io.stdout, text)
  } else await print(io.stdout, listCalls(calls, about, path, io.programName))
  return exitCodes.inconclusive
}

/** Names of pods are those of an archive's entries, and hosts are what callers sent. */
function inert(call: FailingCall): FailingCall {
  const line = (text: string | null) => text && forLine(text)
  const { from, to, host, method, path, seenBy, said } = call
  return {
    ...call,
    from: line(from),
    to: line(to),
    host: line(host),
    method: line(method),
    path: line(path),
    said: said.map(forLine),
    seenBy: forLine(seenBy),
  }
}

function listCalls(
  calls: readonly FailingCall[],
  about: ArchiveDescription,
  path: string,
  programName: string,
): string {
  const head = describeArchive(about)
  if (calls.length === 0)
    return `${head}\n\nNo failing call of that kind is in the logs inside. If you know it, name it:\n  $ ${programName} diagnose SYMPTOM --open ${forLine(path)} --from deploy/WHO.NAMESPACE --to svc/WHAT.NAMESPACE:PORT\n`
  const rows = calls.slice(0, mostShown).flatMap((call) => {
    const ends = `${call.from ?? 'a caller that is not known'} → ${call.to ?? 'a destination that is not known'}`
    const what = [call.method, call.path].filter((part) => part !== null).join(' ')
    return [
      `${String(call.count).padStart(6)}×  ${forLine([call.symptom, call.said[0] ?? ''].join(' '))}`,
      `         ${forLine(ends)}`,
      ...(what === '' ? [] : [`         ${forLine(what).slice(0, 100)}`]),
      `         $ ${commandFor(call, path, programName)}`,
      '',
    ]
  })
  const more = calls.length > mostShown ? [`and ${calls.length - mostShown} more: -o json lists all`, ''] : []
  return `${head}\n\nThese calls failed, according to the logs inside. Which one is it? Run its line.\n\n${[...rows, ...more].join('\n')}`
}

const mostShown = 20

export function describeArchive({ title, context, proxies, notes }: ArchiveDescription): string {
  const facts = [title, ...(context ? [`context ${context}`] : []), `${proxies.length} proxies`]
  return [facts.join(', '), ...notes].map(forLine).join('\n')
}
