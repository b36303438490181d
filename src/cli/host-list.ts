import apiList from '../../parsers/kube-list.ts'
import { classify } from '../engine/classify.ts'
import type { Command, Runner } from '../model/command.ts'
import { ParseError } from '../model/errors.ts'
import type { KubeObject } from '../model/kube.ts'
import type { Listing, WorkloadItem } from '../ui/ports.ts'
import { readTarget } from './target.ts'

/** Istio's kinds come together; the Gateway API's may be missing, and one missing kind fails the whole question. */
const asked = [
  'gateways.networking.istio.io,virtualservices.networking.istio.io',
  'gateways.gateway.networking.k8s.io,httproutes.gateway.networking.k8s.io',
]
const outside = ['serviceentries.networking.istio.io']

/** Hosts that callers outside the cluster may ask for. */
export function listHosts(run: Runner, signal: AbortSignal, namespace: string | null): Promise<Listing> {
  return hostsOf(run, signal, namespace, asked)
}

/** Hosts outside the mesh that callers inside of it may ask for. */
export function listOutsideHosts(run: Runner, signal: AbortSignal, namespace: string | null): Promise<Listing> {
  return hostsOf(run, signal, namespace, outside)
}

async function hostsOf(
  run: Runner,
  signal: AbortSignal,
  namespace: string | null,
  kinds: readonly string[],
): Promise<Listing> {
  const where = namespace === null ? ['-A'] : ['-n', namespace]
  const answers = await Promise.all(
    kinds.map(async (kind) => {
      const command: Command = { file: 'kubectl', args: ['get', kind, ...where, '-o', 'json'], timeoutMs: 20_000 }
      const result = await run(command, signal)
      if (result.exit.kind === 'exited' && result.exit.code === 0)
        return { objects: read(() => apiList.parse(result.stdout).items), blind: null }
      const { reason, detail, unlock } = classify(result, command)
      // A mesh without the Gateway API has no hosts there.
      const isAbsent = reason === 'not-found' || reason === 'unsupported' || /resource type/.test(result.stderr)
      return { objects: [], blind: isAbsent ? null : { reason: detail, unlock: unlock ?? null } }
    }),
  )
  const objects = answers.flatMap((answer) => answer.objects)
  return { items: hostItems(objects), blind: answers.find(({ blind }) => blind !== null)?.blind ?? null }
}

function hostItems(objects: readonly KubeObject[]): WorkloadItem[] {
  const hosts = new Map<string, { ports: Map<number, string | null>; from: Set<string> }>()
  for (const object of objects) {
    for (const { host, port, name } of namesIn(object)) {
      if (!/\./.test(host) || /\*|\.svc(\.|$)/.test(host)) continue
      const known = hosts.get(host) ?? { ports: new Map(), from: new Set() }
      if (port !== null) known.ports.set(port, name)
      known.from.add(`${object.kind} ${object.metadata.namespace ?? 'default'}/${object.metadata.name}`)
      hosts.set(host, known)
    }
  }
  return [...hosts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([host, { ports, from }]) => ({
      target: readTarget(host),
      name: host,
      namespace: null,
      kind: [...from].sort().join(', '),
      pods: null,
      ready: null,
      proxy: 'unknown',
      restarts: null,
      ports: [...ports].map(([port, name]) => ({ port, name })),
      suspicious: null,
    }))
}

interface Name {
  readonly host: string
  readonly port: number | null
  readonly name: string | null
}

/** Istio writes `NAMESPACE/HOST` where a server serves one namespace only. */
function namesIn({ kind, spec }: KubeObject): Name[] {
  const bare = (host: string) => host.slice(host.indexOf('/') + 1)
  const plain = (host: string): Name => ({ host: bare(host), port: null, name: null })
  switch (kind) {
    case 'Gateway':
      return [
        ...(spec?.servers ?? []).flatMap((server: { hosts?: string[]; port?: { number?: number; name?: string } }) =>
          (server.hosts ?? []).map((host) => ({
            host: bare(host),
            port: server.port?.number ?? null,
            name: server.port?.name ?? null,
          })),
        ),
        ...(spec?.listeners ?? []).flatMap((listener: { hostname?: string; port?: number; name?: string }) =>
          listener.hostname
            ? [{ host: listener.hostname, port: listener.port ?? null, name: listener.name ?? null }]
            : [],
        ),
      ]
    case 'ServiceEntry':
      return (spec?.hosts ?? []).flatMap((host: string) => {
        const ports: readonly { number?: number; name?: string }[] = spec?.ports ?? []
        return ports.length === 0
          ? [plain(host)]
          : ports.map(({ number, name }) => ({ host, port: number ?? null, name: name ?? null }))
      })
    case 'VirtualService':
      return (spec?.hosts ?? []).map(plain)
    case 'HTTPRoute':
      return (spec?.hostnames ?? []).map(plain)
    default:
      return []
  }
}

function read(parse: () => readonly KubeObject[]): readonly KubeObject[] {
  try {
    return parse()
  } catch (error) {
    // A list is a convenience: what cannot be read is not offered, and the walk itself will say so.
    if (error instanceof ParseError) return []
    throw error
  }
}
