import { parse as parseYaml } from 'yaml'
import { type CompiledFormat, compileAccessLogFormat } from '../../parsers/access-log-format.ts'
import kubeListParser from '../../parsers/kube-list.ts'
import type { Live } from '../exec/live.ts'
import type { ProxyRole } from '../mesh/line-writer.ts'
import { readMeshConfig } from '../mesh/mesh-config.ts'
import { emptyGiven, type Target } from '../model/call.ts'
import type { Command, CommandResult } from '../model/command.ts'
import { ParseError, UserError } from '../model/errors.ts'
import type { EvidenceEntry } from '../model/evidence.ts'
import type { KubeObject } from '../model/kube.ts'
import { resolveEnds } from '../situation/ends.ts'
import { nothingPasted, readHints } from '../situation/hints.ts'
import { createObjectStore } from '../situation/objects.ts'
import { type PodView, viewPod } from '../situation/pods.ts'
import { failedCommand } from './failed-command.ts'

export interface LogSource {
  /** `web-1.shop`. */
  readonly name: string
  readonly command: Command
}

export interface LogSources {
  readonly sources: readonly LogSource[]
  /** What the pods are, where all of them are the same. */
  readonly podRole: ProxyRole | null
  readonly format: CompiledFormat | undefined
  readonly gaps: readonly string[]
}

export interface LogQuestion {
  readonly target: Target
  readonly namespace: string | undefined
  readonly istioNamespace: string
  readonly revision: string | undefined
  readonly flags: readonly string[]
}

const mostPods = 10
const kubectl = (...args: readonly string[]): Command => ({ file: 'kubectl', args, timeoutMs: 20_000 })

/** Whose logs a target means, and how their lines are printed. */
export async function findLogSources(live: Live, question: LogQuestion, signal: AbortSignal): Promise<LogSources> {
  const { target } = question
  const namespace = target.namespace ?? question.namespace
  const where = namespace === undefined ? [] : ['-n', namespace]
  const list = kubectl('get', 'pods,services', ...where, '-o', 'json')
  const map = question.revision && question.revision !== 'default' ? `istio-${question.revision}` : 'istio'
  const config = kubectl('get', 'configmap', map, '-n', question.istioNamespace, '-o', 'json')
  const [listed, configured] = await Promise.all([live.run(list, signal), live.run(config, signal)])
  const { format, gap } = formatOf(configured)
  const objects = objectsOf(listed)
  if (objects === null) {
    const error = failedCommand(listed, list)
    // Reading a pod's log needs no right to list pods; whoever names the pod may have just that.
    if (error.kind !== 'forbidden' || (target.kind !== null && target.kind !== 'pod')) throw error
    const command = kubectl('logs', target.name, ...where, '-c', 'istio-proxy', ...question.flags)
    return { sources: [{ name: target.name, command }], podRole: null, format, gaps: gap }
  }
  const pods = podsOf(target, objects, namespace)
  if (pods.length === 0)
    throw new UserError(
      `no pod belongs to ${target.text}${namespace === undefined ? ' in the current namespace' : ` in namespace ${namespace}`}`,
      namespace === undefined ? 'name the namespace with -n, or as NAME.NAMESPACE' : `kubectl get pods -n ${namespace}`,
      'input',
    )
  const proxied = pods.filter(({ hasEnvoy, proxy }) => hasEnvoy || proxy === 'ztunnel')
  if (proxied.length === 0) throw noProxy(pods)
  const gaps = [...gap]
  if (proxied.length > mostPods)
    gaps.push(`${proxied.length - mostPods} more pods of ${target.text}: name one, or read them with kubectl logs`)
  const roles = new Set(proxied.map(({ proxy }) => roleOf(proxy)))
  return {
    sources: proxied.slice(0, mostPods).map((pod) => ({
      name: `${pod.name}.${pod.namespace}`,
      command: kubectl('logs', pod.name, '-n', pod.namespace, '-c', 'istio-proxy', ...question.flags),
    })),
    podRole: roles.size === 1 ? ([...roles][0] ?? null) : null,
    format,
    gaps,
  }
}

/** Half an answer (pods, but no services) is one; services without pods are none. */
function objectsOf(result: CommandResult): readonly KubeObject[] | null {
  if (result.exit.kind !== 'exited' || !result.stdout.trimStart().startsWith('{')) return null
  const { items } = kubeListParser.parse(result.stdout)
  return result.exit.code === 0 || items.some(({ kind }) => kind === 'Pod') ? items : null
}

function podsOf(target: Target, objects: readonly KubeObject[], asked: string | undefined): readonly PodView[] {
  const namespace = asked ?? objects[0]?.metadata.namespace ?? 'default'
  const entry: EvidenceEntry = {
    id: 'server.config',
    key: 'server.config',
    role: 'server',
    probe: 'config',
    subject: namespace,
    namespace,
    name: null,
    command: kubectl(),
    status: 'ok',
    data: { namespace, asked: ['pods', 'services'], items: objects, unreadable: [], partial: false },
    reason: null,
    detail: null,
    unlock: null,
    at: '',
    durationMs: 0,
  }
  const given = { ...emptyGiven('unknown'), to: { ...target, namespace } }
  const { server } = resolveEnds(given, readHints(given, nothingPasted), createObjectStore([entry]))
  if (server.pods.length > 0) return server.pods
  // People also name the account, or the pod without its hash.
  return objects
    .filter(({ kind, metadata }) => kind === 'Pod' && metadata.name === target.name)
    .map((object) => viewPod({ object, entry: entry.id }))
}

function roleOf(proxy: PodView['proxy']): ProxyRole | null {
  switch (proxy) {
    case 'gateway':
    case 'gateway-api':
      return 'gateway'
    case 'waypoint':
      return 'waypoint'
    case 'sidecar':
    case 'native-sidecar':
      return 'client-proxy'
    case 'ztunnel':
    case 'ambient':
    case 'none':
      return null
  }
}

function noProxy(pods: readonly PodView[]): UserError {
  const [pod] = pods
  const name = pod ? `${pod.name}.${pod.namespace}` : 'the pod'
  if (pod?.proxy === 'ambient')
    return new UserError(
      `${name} has no proxy of its own: it is in the ambient mesh`,
      'its connections stand in the log of the ztunnel on its node, its requests in that of its waypoint: meshtriage logs ds/ztunnel -n istio-system',
      'input',
    )
  return new UserError(
    `${name} has no container istio-proxy: it is not in the mesh, and no proxy logs for it`,
    'meshtriage diagnose not-injected --to tells why',
    'input',
  )
}

/** The mesh's own log format. Where it cannot be read, lines of Istio's default formats can be read all the same. */
function formatOf(result: CommandResult): { format: CompiledFormat | undefined; gap: readonly string[] } {
  if (result.exit.kind !== 'exited' || result.exit.code !== 0) return { format: undefined, gap: [] }
  try {
    const mesh: unknown = kubeListParser.parse(result.stdout).items[0]?.data?.mesh
    const { accessLog } = readMeshConfig(typeof mesh === 'string' ? parseYaml(mesh) : {})
    return { format: accessLog.format === '' ? undefined : compileAccessLogFormat(accessLog.format), gap: [] }
  } catch (error) {
    if (error instanceof ParseError) return { format: undefined, gap: [error.message] }
    return { format: undefined, gap: ['the mesh configuration is no YAML, so a custom log format is not known'] }
  }
}
