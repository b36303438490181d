import type { EvidenceEntry } from '../model/evidence.ts'
import type { KubeObject } from '../model/kube.ts'

/** An object and the evidence it was read from. */
export interface Stored {
  readonly object: KubeObject
  readonly entry: string
}

/** What `kubectl get` of several kinds in one namespace taught us: the objects, and the kinds that could not be read. */
export interface KubeRead {
  readonly namespace: string | null
  /** Resources asked for, as `authorizationpolicies.security.istio.io`. */
  readonly asked: readonly string[]
  readonly items: readonly KubeObject[]
  readonly unreadable: readonly { readonly resource: string; readonly reason: string; readonly detail: string }[]
  /** Set when only objects of these names were asked for: others may exist. */
  readonly partial: boolean
}

export type Readable = 'yes' | 'no' | 'not-asked'

/** All Kubernetes objects the walk has read, by kind. Gateway API gateways are `K8sGateway`, Istio's are `Gateway`. */
export interface ObjectStore {
  readonly list: (kind: string, namespace?: string) => readonly Stored[]
  readonly get: (kind: string, namespace: string | null, name: string) => Stored | null
  /** Whether all objects of this kind in this namespace were read. Only `yes` makes absence a fact. */
  readonly readable: (kind: string, namespace: string) => Readable
  readonly objects: (kind: string) => readonly KubeObject[]
  /** Whether any question about this kind was answered, if only for some names. */
  readonly wasAskedFor: (kind: string) => boolean
  /** The entry that would hold this kind, for quoting absence. */
  readonly entryFor: (kind: string, namespace: string) => string | null
}

const resourceOfKind: Readonly<Record<string, string>> = {
  Gateway: 'gateways.networking.istio.io',
  K8sGateway: 'gateways.gateway.networking.k8s.io',
  EndpointSlice: 'endpointslices.discovery.k8s.io',
  NetworkPolicy: 'networkpolicies.networking.k8s.io',
  AuthorizationPolicy: 'authorizationpolicies.security.istio.io',
  RequestAuthentication: 'requestauthentications.security.istio.io',
  PeerAuthentication: 'peerauthentications.security.istio.io',
  VirtualService: 'virtualservices.networking.istio.io',
  DestinationRule: 'destinationrules.networking.istio.io',
  ServiceEntry: 'serviceentries.networking.istio.io',
  Sidecar: 'sidecars.networking.istio.io',
  EnvoyFilter: 'envoyfilters.networking.istio.io',
  Telemetry: 'telemetries.telemetry.istio.io',
  WasmPlugin: 'wasmplugins.extensions.istio.io',
  HTTPRoute: 'httproutes.gateway.networking.k8s.io',
  GRPCRoute: 'grpcroutes.gateway.networking.k8s.io',
  ReferenceGrant: 'referencegrants.gateway.networking.k8s.io',
  Ingress: 'ingresses.networking.k8s.io',
  IngressClass: 'ingressclasses.networking.k8s.io',
  Deployment: 'deployments.apps',
}

/** The resource a kind is listed as; plain kinds are lower case with an s. */
export function resourceFor(kind: string): string {
  return resourceOfKind[kind] ?? `${kind.toLowerCase()}s`
}

export function kindKey(object: KubeObject): string {
  return object.kind === 'Gateway' && object.apiVersion.startsWith('gateway.networking.k8s.io/')
    ? 'K8sGateway'
    : object.kind
}

export function createObjectStore(entries: readonly EvidenceEntry[]): ObjectStore {
  const byKind = new Map<string, Stored[]>()
  const seen = new Set<string>()
  const reads: { read: KubeRead; entry: string }[] = []
  const failed: { namespace: string | null; resources: readonly string[]; entry: string }[] = []
  // A namespace's own listing says more about it than one of all namespaces.
  const ordered = [...entries].sort((a, b) => Number(a.probe === 'published') - Number(b.probe === 'published'))
  for (const entry of ordered) {
    if (entry.status === 'missing') {
      const resources = askedResources(entry)
      if (resources.length > 0) failed.push({ namespace: entry.namespace, resources, entry: entry.id })
      continue
    }
    if (!isKubeRead(entry.data)) continue
    reads.push({ read: entry.data, entry: entry.id })
    for (const object of entry.data.items) {
      const kind = kindKey(object)
      const id = `${kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`
      if (seen.has(id)) continue
      seen.add(id)
      const list = byKind.get(kind) ?? []
      list.push({ object, entry: entry.id })
      byKind.set(kind, list)
    }
  }
  const list = (kind: string, namespace?: string) => {
    const all = byKind.get(kind) ?? []
    return namespace === undefined ? all : all.filter(({ object }) => object.metadata.namespace === namespace)
  }
  return {
    list,
    objects: (kind) => list(kind).map(({ object }) => object),
    wasAskedFor: (kind) => reads.some(({ read }) => read.asked.includes(resourceFor(kind))),
    get: (kind, namespace, name) =>
      list(kind).find(
        ({ object }) =>
          object.metadata.name === name && (namespace === null || object.metadata.namespace === namespace),
      ) ?? null,
    readable(kind, namespace) {
      const resource = resourceFor(kind)
      const asks = (asked: readonly string[]) => asked.includes(resource)
      const own = reads.filter(
        ({ read }) => asks(read.asked) && !read.partial && (read.namespace === null || read.namespace === namespace),
      )
      if (own.some(({ read }) => !read.unreadable.some((gap) => gap.resource === resource))) return 'yes'
      if (
        own.length > 0 ||
        failed.some((gap) => asks(gap.resources) && (gap.namespace === null || gap.namespace === namespace))
      )
        return 'no'
      return 'not-asked'
    },
    entryFor(kind, namespace) {
      const resource = resourceFor(kind)
      const asked = reads.filter(({ read }) => read.asked.includes(resource) && !read.partial)
      const of = (where: string | null) => asked.find(({ read }) => read.namespace === where)?.entry
      return of(namespace) ?? of(null) ?? null
    },
  }
}

function isKubeRead(data: unknown): data is KubeRead {
  return typeof data === 'object' && data !== null && 'asked' in data && 'items' in data && 'unreadable' in data
}

/** `kubectl get a,b -n x`: what was asked for, when nothing came back at all. */
function askedResources(entry: EvidenceEntry): readonly string[] {
  const { file, args } = entry.command
  if (file !== 'kubectl') return []
  const verb = args.indexOf('get')
  return verb < 0 ? [] : (args[verb + 1] ?? '').split(',')
}
