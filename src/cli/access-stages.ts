import { type AccessDecision, decideAccess } from '../mesh/access-decision.ts'
import type { AuthzRequest, ConsideredPolicy } from '../mesh/authorize.ts'
import type { AuthnRequest } from '../mesh/request-auth.ts'
import { identityOf, type Labels, type Workload } from '../mesh/workload.ts'
import type { KubeObject } from '../model/kube.ts'
import type { DecisionPoint } from '../report/decision.ts'
import { transportOf } from '../rules/lib/transport.ts'
import type { PodView } from '../situation/pods.ts'
import { policiesReadable, requestOf, workloadOf } from '../situation/security.ts'
import type { Situation } from '../situation/situation.ts'
import { gatewaysUseWaypoint, isUnbound, podsOrMeant } from '../situation/waypoint.ts'

export interface AccessQuestion {
  readonly nowSeconds: number
  /** Given outright: `null` is a caller without identity; `undefined`: find out from the caller's pod. */
  readonly principal?: string | null
  /** `none`: the request is known to carry no token. */
  readonly token: 'as-given' | 'none'
  /** No headers but those given. */
  readonly onlyGivenHeaders: boolean
  /** Pods of which not all labels are known, by name; what selectors ask for may or may not be there. */
  readonly openLabels?: ReadonlySet<string>
}

type Request = AuthzRequest & AuthnRequest

const policyKinds = ['AuthorizationPolicy', 'RequestAuthentication', 'PeerAuthentication'] as const

/** Every proxy on the way that has a say, in the order in which the request meets them. */
export function accessStages(situation: Situation, question: AccessQuestion): DecisionPoint[] {
  const base = baseRequest(situation, question)
  const caller = question.principal !== undefined ? question.principal : principalOf(situation, base)
  const stages: DecisionPoint[] = []
  let principal = caller
  const [gateway] = situation.gateway?.pods ?? []
  if (gateway) {
    // A gateway ends the outside's TLS: whoever calls there has no identity of the mesh.
    const request = withPrincipal(base, null)
    stages.push(...pointsOf(situation, 'gateway', situation.gateway?.pods ?? [], request, question))
    principal = identityOf(workloadOf(gateway), situation.mesh.trustDomain)
  }
  const waypoint = situation.waypoint
  const waypointPods = waypoint && passesWaypoint(situation) ? podsOrMeant(waypoint) : []
  const [first] = waypointPods
  if (first) {
    const { service } = situation.server
    const { portNumber } = situation.server
    const request: Request = {
      ...withPrincipal(base, principal),
      service: service
        ? {
            kind: 'Service',
            namespace: service.object.metadata.namespace ?? 'default',
            name: service.object.metadata.name,
          }
        : null,
      ...(portNumber === null ? {} : { destinationPort: portNumber }),
    }
    stages.push(...pointsOf(situation, 'waypoint', waypointPods, request, question))
    // Behind a waypoint the server's ztunnel sees the waypoint, not the caller.
    principal = identityOf(workloadOf(first), situation.mesh.trustDomain)
  }
  stages.push(...pointsOf(situation, 'server', situation.server.pods, withPrincipal(base, principal), question))
  return stages
}

/** Where the waypoint has no pod, decisions are those that one will make: until then no call gets through. */
export function withoutWaypointPods(situation: Situation): string | null {
  const { waypoint } = situation
  return waypoint && waypoint.gateway !== null && waypoint.pods.length === 0 && passesWaypoint(situation)
    ? `waypoint ${waypoint.namespace}/${waypoint.name} has no pod that was read: this is what it decides once it has one; without one no call gets through`
    : null
}

/** Sidecars and callers outside the mesh go past it; a gateway only uses it where the Service asks for that. */
export function passesWaypoint({ client, gateway, server, store }: Situation): boolean {
  if (isUnbound(server.service)) return false
  if (gateway) return gatewaysUseWaypoint(store, server)
  return client.pod === null || client.pod.proxy === 'ambient'
}

function baseRequest(situation: Situation, { token, onlyGivenHeaders }: AccessQuestion): Request {
  const { given } = situation
  const request = requestOf(situation, null)
  // Somebody who names a method or a path asks about HTTP; only the port can say otherwise.
  const asksHttp = given.method !== null || given.path !== null || given.headers.length > 0 || given.jwtClaims !== null
  const protocol = request.protocol ?? (asksHttp ? ('http' as const) : undefined)
  return {
    ...request,
    ...(protocol ? { protocol } : {}),
    ...(onlyGivenHeaders ? { headers: given.headers, headersKnown: 'all' as const } : {}),
    ...(token === 'none' ? { known: [] } : {}),
  }
}

/** Configuration of the caller's side may make a caller with an identity send plaintext. */
function principalOf(situation: Situation, request: Request): string | null | undefined {
  const { client, mesh, given } = situation
  if (!client.pod) {
    const { from } = given
    if (from?.kind === 'sa')
      return identityOf(
        { namespace: from.namespace ?? client.namespace ?? 'default', serviceAccount: from.name },
        mesh.trustDomain,
      )
    return request.sourcePrincipal
  }
  const sends = transportOf(situation, null)?.sends?.sends
  if (sends === 'plaintext' || sends === 'simple-tls') return null
  return request.sourcePrincipal
}

function withPrincipal(request: Request, principal: string | null | undefined): Request {
  const { sourcePrincipal: _, ...rest } = request
  return principal === undefined ? rest : { ...rest, sourcePrincipal: principal }
}

/** Pods that come to the same end in the same way are one point. */
function pointsOf(
  situation: Situation,
  point: DecisionPoint['point'],
  pods: readonly PodView[],
  request: Request,
  question: AccessQuestion,
): DecisionPoint[] {
  const groups = new Map<string, DecisionPoint>()
  for (const pod of pods) {
    const access = accessAt(situation, pod, request, question)
    const key = JSON.stringify([access, pod.proxy], (name, value) =>
      name === 'winner' ? value?.metadata?.name : value,
    )
    const known = groups.get(key)
    const name = `${pod.name}.${pod.namespace}`
    groups.set(
      key,
      known
        ? { ...known, pods: [...known.pods, name] }
        : { point, pods: [name], enforcer: enforcerOf(pod), principal: request.sourcePrincipal, access },
    )
  }
  return [...groups.values()]
}

function enforcerOf({ proxy }: PodView): string {
  return {
    sidecar: 'sidecar',
    'native-sidecar': 'sidecar',
    gateway: 'gateway',
    'gateway-api': 'gateway',
    waypoint: 'waypoint',
    ztunnel: 'ztunnel',
    ambient: 'ztunnel, connections only',
    none: 'no proxy: nothing enforces policies',
  }[proxy]
}

function accessAt(
  situation: Situation,
  pod: PodView,
  request: Request,
  { nowSeconds, openLabels }: AccessQuestion,
): AccessDecision | null {
  if (!policyKinds.every((kind) => policiesReadable(situation, kind, pod.namespace))) return null
  const objects = policyKinds.flatMap((kind) => situation.store.objects(kind))
  const workload = workloadOf(pod)
  const decide = (one: Workload) => decideAccess(request, objects, one, situation.mesh, nowSeconds)
  if (!openLabels?.has(pod.name)) return decide(workload)
  const variants = labelVariants(workload, objects, situation.rootNamespace)
  const decisions = variants.map((labels) => decide({ ...workload, labels }))
  const [first] = decisions
  if (!first) return null
  const same = (one: AccessDecision) =>
    one.decision === first.decision && JSON.stringify(one.authorization.by) === JSON.stringify(first.authorization.by)
  if (variants.length < mostVariants && decisions.every(same)) return first
  const wouldSettle = "the labels of the destination's pods: --labels, or a Pod or Deployment among the files"
  return {
    ...first,
    decision: 'cannot-decide',
    stage: null,
    status: null,
    details: null,
    authorization: { ...first.authorization, decision: 'cannot-decide', by: null, considered: openPolicies(decisions) },
    unknowns: [{ attribute: 'labels', wouldSettle }],
  }
}

/** Policies that attach with some of the possible labels only. */
function openPolicies(decisions: readonly AccessDecision[]): readonly ConsideredPolicy[] {
  const [first] = decisions
  return (first?.authorization.considered ?? []).map((policy, index) => {
    const all = decisions.flatMap(({ authorization }) => authorization.considered[index] ?? [])
    const attached = all.find(({ attaches }) => attaches !== false)
    if (!attached || all.every(({ attaches }) => attaches === attached.attaches)) return policy
    return { ...attached, attaches: 'unknown' as const, why: "whether its selector fits depends on the pods' labels" }
  })
}

const mostVariants = 64

/** All combinations of the labels that selectors ask for and that are not known. */
function labelVariants(workload: Workload, objects: readonly KubeObject[], rootNamespace: string): Labels[] {
  const wanted = new Map<string, Set<string>>()
  for (const { metadata, spec } of objects) {
    if (metadata.namespace !== workload.namespace && metadata.namespace !== rootNamespace) continue
    for (const [key, value] of Object.entries<unknown>(spec?.selector?.matchLabels ?? {}))
      if (workload.labels[key] === undefined) wanted.set(key, (wanted.get(key) ?? new Set()).add(String(value)))
  }
  let variants: Labels[] = [workload.labels]
  for (const [key, values] of wanted) {
    variants = variants.flatMap((labels) => [labels, ...[...values].map((value) => ({ ...labels, [key]: value }))])
    if (variants.length >= mostVariants) return variants.slice(0, mostVariants)
  }
  return variants
}
