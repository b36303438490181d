import apiResources from '../../parsers/api-resources.ts'
import kubeList from '../../parsers/kube-list.ts'
import { classify } from '../engine/classify.ts'
import type { Command, CommandResult } from '../model/command.ts'
import { ParseError } from '../model/errors.ts'
import type { KubeObject } from '../model/kube.ts'
import type { NotRead } from '../report/not-read.ts'
import type { KubeRead } from '../situation/objects.ts'
import type { LookingTools } from './collect-situation.ts'
import type { Io } from './io.ts'

export interface ClusterRead {
  readonly reads: readonly KubeRead[]
  readonly objects: readonly KubeObject[]
  readonly notRead: readonly NotRead[]
  /** Reasons of lists that failed as a whole; empty when everything asked for came back. */
  readonly failures: readonly { readonly reason: string; readonly detail: string; readonly unlock: string | null }[]
}

export interface ClusterQuestion {
  /** Full resource names, `pods`, `virtualservices.networking.istio.io`; what the cluster does not serve is left out. */
  readonly resources: readonly string[]
  /** `null`: all namespaces at once. */
  readonly namespaces: readonly string[] | null
  /** Asked one by one when all at once is forbidden. */
  readonly fallback?: readonly string[]
}

/** Lists objects of several kinds. What may not be listed is said, and never taken for empty. */
export async function readCluster(io: Io, tools: LookingTools, question: ClusterQuestion): Promise<ClusterRead> {
  const served = await servedResources(io, tools)
  const resources = question.resources.filter((name) => !name.includes('.') || served === null || served.has(name))
  const places = question.namespaces === null ? [null] : question.namespaces
  const first = await Promise.all(places.map((place) => listIn(io, tools, resources, place)))
  const failedAtAll =
    question.namespaces === null && first.every(({ read }) => read === null || read.items.length === 0)
  const denied = first.some(
    ({ failure, read }) => failure?.reason === 'forbidden' || (read?.unreadable.length ?? 0) > 0,
  )
  const second =
    failedAtAll && denied && question.fallback && question.fallback.length > 0
      ? await Promise.all(question.fallback.map((place) => listIn(io, tools, resources, place)))
      : []
  const lists = [...first, ...second]
  const reads = lists.flatMap(({ read }) => (read ? [read] : []))
  return {
    reads,
    objects: reads.flatMap(({ items }) => items),
    notRead: lists.flatMap(gapsOf),
    failures: reads.some(({ items }) => items.length > 0) ? [] : lists.flatMap(failuresOf),
  }
}

interface Listed {
  readonly place: string | null
  readonly read: KubeRead | null
  readonly failure: { readonly reason: string; readonly detail: string; readonly unlock: string | null } | null
}

/** Where nothing came back, a list of refusals is a failure as well. */
function failuresOf({ place, read, failure }: Listed): ClusterRead['failures'] {
  if (failure) return [failure]
  return gapsOf({ place, read, failure }).map(({ reason, unlock }) => ({ reason: 'forbidden', detail: reason, unlock }))
}

function gapsOf({ place, read, failure }: Listed): NotRead[] {
  const where = place === null ? 'all namespaces' : `namespace ${place}`
  if (failure) return [{ what: `objects of ${where}`, reason: failure.detail, unlock: failure.unlock }]
  const denied = read?.unreadable ?? []
  const [first] = denied
  if (!first) return []
  return [
    {
      what: `${denied.map(({ resource }) => resource).join(', ')} of ${where}`,
      reason: first.detail.replace(/^Error from server \(Forbidden\): /, ''),
      unlock: `kubectl auth can-i list ${first.resource} ${place === null ? '--all-namespaces' : `-n ${place}`}`,
    },
  ]
}

async function servedResources(io: Io, tools: LookingTools): Promise<ReadonlySet<string> | null> {
  const result = await ask(io, tools, kubectl('api-resources', '-o', 'name'))
  if (result.exit.kind !== 'exited' || result.exit.code !== 0) return null
  try {
    return new Set(
      apiResources.parse(result.stdout).map(({ name, group }) => (group === '' ? name : `${name}.${group}`)),
    )
  } catch (error) {
    if (error instanceof ParseError) return null
    throw error
  }
}

async function listIn(
  io: Io,
  tools: LookingTools,
  resources: readonly string[],
  place: string | null,
): Promise<Listed> {
  const where = place === null ? ['-A'] : ['-n', place]
  const command = kubectl('get', resources.join(','), ...where, '-o', 'json')
  const result = await ask(io, tools, command)
  const failed = (): Listed => {
    const { reason, detail, unlock } = classify(result, command)
    return { place, read: null, failure: { reason, detail, unlock: unlock ?? null } }
  }
  if (result.exit.kind !== 'exited' || !result.stdout.trimStart().startsWith('{')) return failed()
  try {
    const { items, errors } = kubeList.parse(result.stdout)
    const unreadable = deniedIn(result.stderr)
    // A list that is forbidden prints an empty list too; only words on stderr tell.
    if (result.exit.code !== 0 && items.length === 0 && unreadable.length === 0) return failed()
    if (errors.length > 0)
      return { place, read: null, failure: { reason: 'unreadable', detail: errors.join('; '), unlock: null } }
    return { place, read: { namespace: place, asked: resources, items, unreadable, partial: false }, failure: null }
  } catch (error) {
    if (error instanceof ParseError)
      return { place, read: null, failure: { reason: 'unreadable', detail: error.message, unlock: null } }
    throw error
  }
}

function deniedIn(stderr: string): KubeRead['unreadable'] {
  return stderr.split('\n').flatMap((line) => {
    const denied = /cannot (?:list|get) resource "([^"]+)" in API group "([^"]*)"/.exec(line)
    if (!denied) return []
    const [, plural = '', group = ''] = denied
    return [{ resource: group === '' ? plural : `${plural}.${group}`, reason: 'forbidden', detail: line.trim() }]
  })
}

export async function ask(io: Io, tools: LookingTools, command: Command): Promise<CommandResult> {
  const done = tools.waiting(command)
  try {
    return await tools.runner(command, io.interrupt)
  } finally {
    done()
  }
}

export function kubectl(...args: readonly string[]): Command {
  return { file: 'kubectl', args, timeoutMs: 60_000 }
}
