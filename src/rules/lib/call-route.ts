import type { ConfigObject } from '../../mesh/config-object.ts'
import { type PredictedRoute, predictRoute } from '../../mesh/predict-route.ts'
import type { RouteAction } from '../../mesh/route-action.ts'
import type { TraceStep } from '../../mesh/trace.ts'
import type { Quote } from '../../model/evidence.ts'
import { ipOf, portOf } from '../../situation/hints.ts'
import type { Situation } from '../../situation/situation.ts'
import type { TracedCall } from '../../situation/tracing.ts'
import { type FrontRole, quoteOwner, quoteStep, stepOf, traceFrom } from './front.ts'

/** The route that this call takes: as the proxy holds it, else as the objects say it should be. */
export interface CallRoute {
  readonly from: 'proxy' | 'objects'
  readonly traced: TracedCall | null
  /** The VirtualService or HTTPRoute behind the route; null for the one istiod makes for every service. */
  readonly object: ConfigObject | null
  readonly virtualHost: string | null
  readonly clusters: readonly { readonly name: string; readonly percent: number }[]
  readonly fault: RouteAction['fault']
  readonly timeoutMs: number | null
  readonly retries: RouteAction['retries']
  readonly status: number | null
  /** The configuration as evidence; `part` of the owner's spec is what decides. */
  readonly quotes: (statement: string, part: unknown) => readonly Quote[]
}

const memo = new WeakMap<Situation, Map<FrontRole, CallRoute | null>>()

/** Null when neither the proxy's configuration nor the objects tell. */
export function routeOfCall(situation: Situation, role: FrontRole): CallRoute | null {
  const known = memo.get(situation) ?? new Map<FrontRole, CallRoute | null>()
  memo.set(situation, known)
  const before = known.get(role)
  if (before !== undefined) return before
  const found = fromProxy(situation, role) ?? (role === 'client' ? fromObjects(situation) : null)
  known.set(role, found)
  return found
}

function fromProxy(situation: Situation, role: FrontRole): CallRoute | null {
  const traced = traceFrom(situation, role)
  const step = stepOf(traced, 'route')
  if (!traced || !step) return null
  const object = writtenObject(situation, step)
  const facts = step.facts as Partial<RouteAction> & { virtualHost?: string | null } // what trace.ts puts into a route step
  return {
    from: 'proxy',
    traced,
    object,
    virtualHost: facts.virtualHost ?? null,
    clusters: facts.clusters ?? [],
    fault: facts.fault ?? null,
    timeoutMs: facts.timeoutMs ?? null,
    retries: facts.retries ?? null,
    status: facts.status ?? null,
    quotes: (statement, part) => [
      ...quoteStep(traced, step, statement, part),
      ...quoteOwner(situation, object, (spec) => spec?.rules ?? spec?.http),
    ],
  }
}

/** istiod makes a VirtualService of an HTTPRoute: nobody can edit that one, and the route's name (`NS.NAME.RULE`) says who is behind it. */
function writtenObject({ store }: Situation, { object, name }: TraceStep): ConfigObject | null {
  if (object?.kind !== 'VirtualService' || store.get('VirtualService', object.namespace, object.name)) return object
  const [, namespace, route] = /^([^.]+)\.(.+)\.\d+$/.exec(name) ?? []
  if (namespace === undefined || route === undefined) return object
  const stored = store.get('HTTPRoute', namespace, route) ?? store.get('GRPCRoute', namespace, route)
  return stored ? { kind: stored.object.kind, namespace, name: route } : object
}

function fromObjects(situation: Situation): CallRoute | null {
  const predicted = predictCall(situation)
  const action = predicted?.decision?.action
  if (!predicted || !action) return null
  const object = predicted.decision?.object ?? null
  return {
    from: 'objects',
    traced: null,
    object,
    virtualHost: predicted.decision?.virtualHost ?? null,
    clusters: action.clusters,
    fault: action.fault,
    timeoutMs: action.timeoutMs,
    retries: action.retries,
    status: action.status,
    quotes: () => quoteOwner(situation, object, (spec) => spec?.http),
  }
}

/** What the objects that were read say a sidecar does with this call. Null where too little was read to tell. */
export function predictCall(situation: Situation): PredictedRoute | null {
  const { client, server, store, mesh, given, hints, sample } = situation
  const namespace = client.namespace
  if (namespace === null || client.pod?.hasEnvoy === false || server.portNumber === null) return null
  const wanted = [namespace, server.namespace].filter((name): name is string => name !== null)
  const readable = wanted.every(
    (name) => store.readable('VirtualService', name) === 'yes' && store.readable('Service', name) === 'yes',
  )
  if (!readable) return null
  const kinds = ['Service', 'ServiceEntry', 'VirtualService', 'DestinationRule', 'Sidecar']
  const record = sample?.client?.record ?? null
  const address: unknown = server.service?.object.spec?.clusterIP
  return predictRoute({
    objects: kinds.flatMap((kind) => store.objects(kind)),
    mesh: { ...mesh, rootNamespace: situation.rootNamespace },
    client: { namespace, labels: client.pod?.labels ?? {} },
    destination: {
      address:
        ipOf(record?.downstreamLocal ?? null) ?? (typeof address === 'string' && address !== 'None' ? address : null),
      port: portOf(record?.downstreamLocal ?? null) ?? server.portNumber,
    },
    request: {
      method: given.method ?? record?.method ?? hints.method ?? 'GET',
      path: given.path ?? record?.path ?? hints.path ?? '/',
      authority: record?.authority ?? given.host ?? hints.authority ?? server.host ?? '',
      headers: given.headers,
    },
  })
}
