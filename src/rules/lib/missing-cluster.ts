import { type ClusterName, parseClusterName } from '../../mesh/names.ts'
import { registryServices, type SidecarScope, sidecarScope, visibleServices } from '../../mesh/service-registry.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Situation } from '../../situation/situation.ts'
import type { CallRoute } from './call-route.ts'
import { ruleFor } from './cluster.ts'
import { rulesWithSubset } from './subsets.ts'

/** Why the proxy has no cluster of a name that its route uses. */
export type MissingKind =
  /** No DestinationRule defines the subset. */
  | { readonly kind: 'subset-undefined'; readonly rules: readonly KubeObject[]; readonly defined: readonly string[] }
  /** The Service has no such port. */
  | { readonly kind: 'port-undefined'; readonly service: KubeObject; readonly ports: readonly number[] }
  /** A DestinationRule defines the subset, and another one counts for this caller. */
  | { readonly kind: 'rule-hidden'; readonly rule: KubeObject; readonly why: string }
  /** The host exists, and this caller is not shown it. */
  | { readonly kind: 'host-hidden'; readonly service: KubeObject; readonly by: KubeObject | null; readonly why: string }
  | { readonly kind: 'no-host' }
  /** Everything is defined: the proxy may not have got it yet. */
  | { readonly kind: 'defined' }
  /** The objects could not all be read. */
  | { readonly kind: 'unknown' }

export interface MissingCluster {
  readonly name: string
  readonly parsed: ClusterName
  readonly percent: number
  /** The proxy was asked and does not have it. */
  readonly seen: boolean
  readonly why: MissingKind
}

/** Clusters of the route that the proxy does not have, or that the objects do not make. */
export function missingClusters(situation: Situation, route: CallRoute | null): readonly MissingCluster[] {
  if (!route) return []
  const held = route.traced?.config.clusters ?? null
  return route.clusters.flatMap(({ name, percent }) => {
    const parsed = parseClusterName(name)
    if (parsed.role !== 'outbound') return []
    if (held?.some((cluster) => cluster.name === name)) return []
    const why = whyMissing(situation, parsed)
    if (!held && (why.kind === 'defined' || why.kind === 'unknown')) return []
    return [{ name, parsed, percent, seen: held !== null, why }]
  })
}

export function scopeOf(situation: Situation): SidecarScope | null {
  const { client, store, rootNamespace } = situation
  if (client.namespace === null || store.readable('Sidecar', client.namespace) !== 'yes') return null
  return sidecarScope(
    store.objects('Sidecar'),
    { namespace: client.namespace, labels: client.pod?.labels ?? {} },
    rootNamespace,
  )
}

/** Whether a host is known at all, and whether the caller's proxy is shown it. */
export function hostVisibility(
  situation: Situation,
  host: string,
): {
  readonly known: KubeObject | null
  readonly ports: readonly number[]
  readonly visible: boolean
  readonly by: KubeObject | null
  readonly why: string
} | null {
  const { client, store, gateway } = situation
  const namespace = client.namespace ?? gateway?.pods[0]?.namespace ?? null
  const scope =
    client.namespace === null
      ? sidecarScope([], { namespace: namespace ?? '', labels: {}, gateway: true }, '')
      : scopeOf(situation)
  if (namespace === null || !scope) return null
  const objects = [...store.objects('Service'), ...store.objects('ServiceEntry')]
  const all = registryServices(objects)
  const found = all.find((service) => service.host === host) ?? null
  const ports = found?.ports.map(({ port }) => port) ?? []
  const viewer = { namespace, labels: client.pod?.labels ?? {} }
  const visible = visibleServices(all, viewer, scope).some((service) => service.host === host)
  if (!found || visible) return { known: found?.object ?? null, ports, visible, by: null, why: '' }
  const seen = scope.sees(found.namespace, host)
  return {
    known: found.object,
    ports,
    visible,
    by: seen ? null : scope.object,
    why: seen
      ? `exportTo of ${found.object.kind} ${found.namespace}/${found.object.metadata.name} does not name namespace ${namespace}`
      : `Sidecar ${scope.object?.metadata.namespace}/${scope.object?.metadata.name} does not list it among its egress hosts`,
  }
}

function whyMissing(situation: Situation, parsed: ClusterName): MissingKind {
  const { store, client, gateway } = situation
  const namespace = parsed.host.endsWith('.svc.cluster.local') ? (parsed.host.split('.')[1] ?? null) : null
  const host = hostVisibility(situation, parsed.host)
  if (host?.known && !host.visible) return { kind: 'host-hidden', service: host.known, by: host.by, why: host.why }
  if (host?.known && parsed.port !== null && !host.ports.includes(parsed.port))
    return { kind: 'port-undefined', service: host.known, ports: host.ports }
  if (host && !host.known) {
    const readable = namespace !== null && store.readable('Service', namespace) === 'yes'
    return readable ? { kind: 'no-host' } : { kind: 'unknown' }
  }
  if (parsed.subset === '') return host?.known ? { kind: 'defined' } : { kind: 'unknown' }
  const own = client.namespace ?? gateway?.pods[0]?.namespace ?? null
  const readable = [own, namespace].every((name) => name === null || store.readable('DestinationRule', name) === 'yes')
  // Where the objects are out of reach (an archive without them), istioctl may have read them.
  if (!readable)
    return isMissedByAnalyze(situation, parsed)
      ? { kind: 'subset-undefined', rules: [], defined: [] }
      : { kind: 'unknown' }
  const selected = ruleFor(situation, parsed.host)
  if (selected?.subsets.some(({ name }) => name === parsed.subset)) return { kind: 'defined' }
  const [other] = rulesWithSubset(situation, parsed)
  if (other) {
    const reason = selected?.hidden.find(({ object }) => object === other)?.why
    return {
      kind: 'rule-hidden',
      rule: other,
      why: reason ?? `it is not visible to namespace ${own ?? 'of the caller'}`,
    }
  }
  return {
    kind: 'subset-undefined',
    rules: selected?.objects ?? [],
    defined: selected?.subsets.map(({ name }) => name) ?? [],
  }
}

/** IST0101: `Referenced host+subset in destinationrule not found: "reviews+v99"`, the host as the VirtualService wrote it. */
function isMissedByAnalyze({ analyze }: Situation, { host, subset }: ClusterName): boolean {
  const names = [host, ...host.split('.').map((_, at, labels) => labels.slice(0, at + 1).join('.'))]
  return analyze.some(
    ({ code, message }) => code === 'IST0101' && names.some((name) => message.includes(`"${name}+${subset}"`)),
  )
}
