import { type ConfigObject, objectText } from '../../mesh/config-object.ts'
import {
  effectiveBlock,
  type SelectedRule,
  selectDestinationRule,
  unseenDestinationRules,
} from '../../mesh/destination-rule.ts'
import { type ClusterName, outboundClusterName, parseClusterName } from '../../mesh/names.ts'
import type { Quote } from '../../model/evidence.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Line } from '../../situation/exchanges.ts'
import type { Situation } from '../../situation/situation.ts'
import type { CallRoute } from './call-route.ts'
import { quoteOwner, quoteStep } from './front.ts'

export interface ClusterFacts {
  readonly name: string
  readonly parsed: ClusterName
  /** False: the proxy was asked and has no such cluster. Null: it was not asked. */
  readonly exists: boolean | null
  readonly limits: Readonly<Record<string, number>>
  readonly outlierDetection: boolean
  readonly type: string | null
  readonly connectTimeoutMs: number | null
  readonly endpoints: readonly EndpointFacts[] | null
  /** The DestinationRule behind it. */
  readonly object: ConfigObject | null
  // biome-ignore lint/suspicious/noExplicitAny: the spec of any object
  readonly quotes: (statement: string, part: unknown, ofSpec: (spec: any) => unknown) => readonly Quote[]
  readonly quoteEndpoints: (statement: string) => readonly Quote[]
}

export interface EndpointFacts {
  readonly address: string
  readonly health: string
  readonly ejected: boolean | null
  readonly usable: boolean
}

/** The cluster a line names; lines that name none (NC) leave it to the route. */
export function clusterOfLine(situation: Situation, line: Line | null, route: CallRoute | null): ClusterFacts | null {
  const logged = line?.record.upstreamCluster ?? null
  const name = logged ?? (route?.clusters.length === 1 ? (route.clusters[0]?.name ?? null) : null)
  return name === null ? null : clusterFacts(situation, name, route)
}

export function clusterFacts(situation: Situation, name: string, route: CallRoute | null): ClusterFacts {
  const traced = route?.traced ?? null
  const steps = traced?.trace.steps.filter((step) => step.name === name) ?? []
  const cluster = steps.find(({ kind }) => kind === 'cluster') ?? null
  const endpoints = steps.find(({ kind }) => kind === 'endpoints') ?? null
  const facts = cluster?.facts as
    | { type?: string; limits?: Record<string, number>; outlierDetection?: boolean; connectTimeoutMs?: number | null }
    | undefined // what trace-clusters.ts puts into a cluster step
  const parsed = parseClusterName(name)
  const fallback = cluster?.object ? null : ruleFor(situation, parsed.host)
  const from = fallback?.policyFrom ?? fallback?.objects[0] ?? null
  const object = cluster?.object ?? (from && facts === undefined ? refOfObject(from) : null)
  return {
    name,
    parsed,
    exists: cluster ? !cluster.broken : null,
    limits: facts?.limits ?? poolLimits(fallback, parsed),
    outlierDetection:
      facts?.outlierDetection ??
      (fallback ? effectiveBlock(fallback, 'outlierDetection', parsed.port ?? 0, parsed.subset) !== null : false),
    type: facts?.type ?? null,
    connectTimeoutMs: facts?.connectTimeoutMs ?? null,
    endpoints: (endpoints?.facts.all as readonly EndpointFacts[] | undefined) ?? null, // as above
    object,
    quotes: (statement, part, ofSpec) => [
      ...(traced && cluster ? quoteStep(traced, cluster, statement, { cluster: name, part }) : []),
      ...quoteOwner(situation, object, ofSpec),
    ],
    quoteEndpoints: (statement) =>
      traced && endpoints
        ? quoteStep(traced, endpoints, statement, { cluster: name, endpoints: endpoints.facts.all })
        : [],
  }
}

/** The DestinationRule that counts for the caller, from the objects that were read. */
export function ruleFor(situation: Situation, host: string): SelectedRule | null {
  return ofCaller(situation, host, selectDestinationRule)
}

/** DestinationRules of a host when none counts for the caller. */
export function unseenRulesFor(situation: Situation, host: string): SelectedRule['hidden'] {
  return ofCaller(situation, host, unseenDestinationRules) ?? []
}

function ofCaller<T>(
  { client, server, gateway, store, mesh, rootNamespace }: Situation,
  host: string,
  select: (...args: Parameters<typeof selectDestinationRule>) => T,
): T | null {
  const namespace = client.namespace ?? gateway?.pods[0]?.namespace ?? null
  if (host === '' || namespace === null) return null
  return select(
    store.objects('DestinationRule'),
    { namespace, labels: client.pod?.labels ?? {}, ...(gateway ? { gateway: true } : {}) },
    { host, namespace: host.split('.')[1] ?? server.namespace ?? namespace },
    { ...mesh, rootNamespace },
  )
}

/** Envoy's names for the limits, so that both sources read alike. */
const poolNames: Readonly<Record<string, readonly [block: 'tcp' | 'http', field: string]>> = {
  maxConnections: ['tcp', 'maxConnections'],
  maxPendingRequests: ['http', 'http1MaxPendingRequests'],
  maxRequests: ['http', 'http2MaxRequests'],
  maxRetries: ['http', 'maxRetries'],
}

function poolLimits(rule: SelectedRule | null, { port, subset }: ClusterName): Record<string, number> {
  const block = rule ? effectiveBlock(rule, 'connectionPool', port ?? 0, subset) : null
  const limits: Record<string, number> = {}
  for (const [name, [part, field]] of Object.entries(poolNames)) {
    const value: unknown = block?.value?.[part]?.[field]
    if (typeof value === 'number') limits[name] = value
  }
  return limits
}

export function refOfObject(object: KubeObject): ConfigObject {
  return { kind: object.kind, namespace: object.metadata.namespace ?? '', name: object.metadata.name }
}

export function objectName(object: KubeObject): string {
  return objectText(refOfObject(object))
}

export function withSubset({ port, host }: ClusterName, subset: string): string {
  return outboundClusterName(port ?? 0, subset, host)
}
