import contextParser from '../../parsers/current-context.ts'
import versionParser from '../../parsers/istioctl-version.ts'
import apiList from '../../parsers/kube-list.ts'
import { classify } from '../engine/classify.ts'
import type { Command, CommandResult, Runner } from '../model/command.ts'
import { ParseError } from '../model/errors.ts'
import type { KubeObject } from '../model/kube.ts'
import { type PodView, viewPod } from '../situation/pods.ts'
import type { ClusterFacts, Listing, WorkloadItem } from '../ui/ports.ts'
import { listOutsideHosts } from './host-list.ts'

const command = (file: Command['file'], args: readonly string[], timeoutMs: number): Command => ({
  file,
  args,
  timeoutMs,
})

/** Is there a cluster, which one, and which Istio? Asked once, side by side, while the first screen is up. */
export async function lookAtCluster(run: Runner, signal: AbortSignal, isArchive: boolean): Promise<ClusterFacts> {
  const [context, version, istio] = await Promise.all([
    run(command('kubectl', ['config', 'current-context'], 5000), signal),
    run(command('kubectl', ['version', '-o', 'json'], 8000), signal),
    run(command('istioctl', ['version', '--remote=false', '-o', 'json'], 8000), signal),
  ])
  const name =
    context.exit.kind === 'exited' && context.exit.code === 0
      ? read(() => contextParser.parse(context.stdout).context)
      : null
  const client =
    istio.exit.kind === 'exited' && istio.exit.code === 0
      ? (read(() => versionParser.parse(istio.stdout))?.client ?? null)
      : null
  const answered = version.exit.kind === 'exited' && version.exit.code === 0 && /"serverVersion"/.test(version.stdout)
  if (answered || isArchive)
    return { context: name === null ? (isArchive ? 'archive' : null) : name, istio: client, reachable: true }
  const { detail } = classify(version, command('kubectl', ['version', '-o', 'json'], 8000))
  return { context: name === null ? null : name, istio: client, reachable: false, why: detail }
}

/** What there is to pick from. What could not be listed is said, never shown as an empty cluster. */
export async function listWorkloads(
  run: Runner,
  signal: AbortSignal,
  namespace: string | null,
  what: 'callers' | 'destinations',
): Promise<Listing> {
  const where = namespace === null ? ['-A'] : ['-n', namespace]
  const kinds = what === 'callers' ? 'pods' : 'services,pods'
  const asked = command('kubectl', ['get', kinds, ...where, '-o', 'json'], 20_000)
  const hosts = what === 'destinations' ? listOutsideHosts(run, signal, namespace) : null
  const result = await run(asked, signal)
  const items = listedItems(result)
  const blind = result.exit.kind === 'exited' && result.exit.code === 0 ? null : blindness(result, asked)
  const pods = items.filter(({ kind }) => kind === 'Pod').map((object) => viewPod({ object, entry: '' }))
  const found =
    what === 'callers'
      ? workloads(pods)
      : services(
          items.filter(({ kind }) => kind === 'Service'),
          pods,
        )
  // A host that could not be listed can still be typed; that Services are missing is what one must know.
  const outside = hosts === null ? [] : (await hosts).items
  return { items: [...found.sort(suspiciousFirst), ...outside], blind }
}

function listedItems(result: CommandResult): readonly KubeObject[] {
  return result.stdout.trimStart().startsWith('{') ? (read(() => apiList.parse(result.stdout).items) ?? []) : []
}

function blindness(result: CommandResult, asked: Command): Listing['blind'] {
  const { detail, unlock } = classify(result, asked)
  return { reason: detail, unlock: unlock ?? null }
}

function workloads(pods: readonly PodView[]): WorkloadItem[] {
  const groups = new Map<string, PodView[]>()
  for (const pod of pods) {
    if (pod.proxy === 'ztunnel' || pod.proxy === 'waypoint') continue
    const key = `${pod.namespace}/${pod.workload?.kind ?? 'pod'}/${pod.workload?.name ?? pod.name}`
    groups.set(key, [...(groups.get(key) ?? []), pod])
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (!first) return []
    const kind = kindWord(first.workload?.kind ?? 'pod')
    const name = first.workload?.name ?? first.name
    return [item(kind, name, first.namespace, group, [])]
  })
}

function services(list: readonly KubeObject[], pods: readonly PodView[]): WorkloadItem[] {
  return list.flatMap((service) => {
    const { name, namespace = 'default' } = service.metadata
    const selector: Readonly<Record<string, string>> = service.spec?.selector ?? {}
    const entries = Object.entries(selector)
    const own =
      entries.length === 0
        ? []
        : pods.filter(
            (pod) => pod.namespace === namespace && entries.every(([key, value]) => pod.labels[key] === value),
          )
    const ports: readonly { port: number; name?: string }[] = service.spec?.ports ?? []
    return [
      item(
        'svc',
        name,
        namespace,
        // Without a selector its endpoints are somebody else's business: that is no lack of pods.
        entries.length === 0 ? null : own,
        ports.map(({ port, name: portName }) => ({ port, name: portName ?? null })),
      ),
    ]
  })
}

function item(
  kind: string,
  name: string,
  namespace: string,
  selected: readonly PodView[] | null,
  ports: WorkloadItem['ports'],
): WorkloadItem {
  const pods = selected ?? []
  const ready = pods.filter((pod) => pod.ready).length
  const restarts = pods.reduce((sum, pod) => sum + pod.restarts, 0)
  const [first] = pods
  const proxy = first === undefined ? 'unknown' : proxyWord(first)
  const running = pods.filter(({ phase }) => phase !== 'Succeeded')
  const suspicious =
    pods.length === 0
      ? selected === null
        ? null
        : 'no pod'
      : ready < running.length
        ? `${running.length - ready} of ${running.length} not ready`
        : pods.some((pod) => proxyWord(pod) !== proxy)
          ? 'pods differ: some have no proxy'
          : null
  return {
    target: { kind, name, namespace, port: null, text: `${kind}/${name}.${namespace}` },
    name,
    namespace,
    kind,
    pods: selected === null ? null : pods.length,
    ready: selected === null ? null : ready,
    proxy,
    restarts: restarts > 0 ? `${restarts} restart${restarts === 1 ? '' : 's'}` : null,
    ports,
    suspicious: suspicious ?? (proxy === 'none' && !isSystem(namespace) ? 'no proxy' : null),
  }
}

function proxyWord(pod: PodView): WorkloadItem['proxy'] {
  switch (pod.proxy) {
    case 'sidecar':
    case 'native-sidecar':
      return 'sidecar'
    case 'ambient':
      return 'ambient'
    case 'gateway':
    case 'gateway-api':
    case 'waypoint':
      return 'gateway'
    case 'ztunnel':
    case 'none':
      return 'none'
  }
}

function kindWord(kind: string): string {
  return { deployment: 'deploy', statefulset: 'sts', daemonset: 'ds', replicaset: 'rs' }[kind] ?? kind
}

function suspiciousFirst(a: WorkloadItem, b: WorkloadItem): number {
  const weight = (one: WorkloadItem) =>
    (one.suspicious ? 0 : one.restarts ? 1 : 2) + (isSystem(one.namespace ?? '') ? 3 : 0)
  return weight(a) - weight(b) || (a.namespace ?? '').localeCompare(b.namespace ?? '') || a.name.localeCompare(b.name)
}

/** Control planes have no proxy and call nobody's Service: nothing to look at first. */
function isSystem(namespace: string): boolean {
  return /^(kube-|istio-system$)/.test(namespace)
}

function read<T>(parse: () => T): T | null {
  try {
    return parse()
  } catch (error) {
    // A list is a convenience: what cannot be read is not offered, and the walk itself will say so.
    if (error instanceof ParseError) return null
    throw error
  }
}
