import type { ZtunnelService } from '../../../parsers/ztunnel-services.ts'
import type { ZtunnelWorkload } from '../../../parsers/ztunnel-workloads.ts'
import { type Authorization, authorize, type ConsideredPolicy } from '../../mesh/authorize.ts'
import { type AmbientAnswer, ambientEnrolment } from '../../mesh/enrolment.ts'
import { targetRefs } from '../../mesh/policy-attachment.ts'
import type { Quote } from '../../model/evidence.ts'
import type { ZtunnelLine } from '../../situation/exchanges.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { requestOf, workloadOf } from '../../situation/security.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { ztunnelOfCall } from '../../situation/ztunnel-lines.ts'

/** STRICT at ztunnel is a DENY policy that istiod makes of a PeerAuthentication, under one of these names. */
export const plaintextDenied = /explicitly denied by: \S*\/(?:istio_converted_|converted_peer_authentication_)/

export function isAmbientCall({ mode }: Situation): boolean {
  return mode === 'ambient' || mode === 'mixed'
}

/** Whether labels ask for the ambient mesh, and whether the node's agent has done it. */
export function enrolmentOf({ store }: Situation, pod: PodView): AmbientAnswer {
  return ambientEnrolment({
    namespaceLabels: store.get('Namespace', null, pod.namespace)?.object.metadata.labels ?? {},
    podLabels: pod.labels,
    podAnnotations: pod.annotations,
    hostNetwork: pod.object.spec?.hostNetwork === true,
  })
}

/** A pod as ztunnel has it. Null where ztunnel was not asked or does not list it. */
export function ztunnelWorkload(
  situation: Situation,
  pod: PodView,
): { readonly data: ZtunnelWorkload; readonly entry: string } | null {
  for (const { data, entry } of situation.all<readonly ZtunnelWorkload[]>('ztunnel.ztunnelWorkloads')) {
    const found = data.find(({ name, namespace }) => name === pod.name && namespace === pod.namespace)
    if (found) return { data: found, entry }
  }
  return null
}

/** The destination's Service as ztunnel has it. */
export function ztunnelService(situation: Situation): { readonly data: ZtunnelService; readonly entry: string } | null {
  const service = situation.server.service?.object.metadata
  if (!service) return null
  for (const { data, entry } of situation.all<readonly ZtunnelService[]>('ztunnel.ztunnelServices')) {
    const found = data.find(({ name, namespace }) => name === service.name && namespace === service.namespace)
    if (found) return { data: found, entry }
  }
  return null
}

export function quoteZtunnelService(found: { readonly data: ZtunnelService; readonly entry: string }): Quote {
  const { data, entry } = found
  const endpoints = data.endpointsTotal === null ? '' : ` ENDPOINTS ${data.endpointsHealthy}/${data.endpointsTotal}`
  return quote(
    entry,
    `what ztunnel knows of Service ${data.namespace}/${data.name}`,
    `SERVICE ${data.name} WAYPOINT ${data.waypoint ?? 'None'}${endpoints}`,
  )
}

/** Lines of ztunnels about this call that end in an error fitting a pattern, the latest last. */
export function ztunnelErrors(situation: Situation, pattern: RegExp): readonly ZtunnelLine[] {
  return ztunnelOfCall(situation).filter(({ record }) => record.error !== null && pattern.test(record.error))
}

export function quoteZtunnel({ entry, record }: ZtunnelLine, statement: string): Quote {
  return quote(entry, statement, record.raw, record.line)
}

/** Connections of this call that ztunnel carried to their end. */
export function carried(situation: Situation): readonly ZtunnelLine[] {
  return ztunnelOfCall(situation).filter(({ record }) => record.error === null)
}

/** Policies that ztunnel gets for a pod, and what it can test of them. */
export function atZtunnel(
  situation: Situation,
  pod: PodView,
): readonly { stored: Stored; considered: ConsideredPolicy }[] {
  const stored = situation.store.list('AuthorizationPolicy')
  const decision = decide(situation, pod, stored, workloadOf(pod).proxy)
  return stored.flatMap((one) => {
    const name = `${one.object.metadata.namespace ?? ''}/${one.object.metadata.name}`
    const considered = decision.considered.find(({ policy, attaches }) => policy === name && attaches === true)
    return considered ? [{ stored: one, considered }] : []
  })
}

/** What one policy would decide if something that reads HTTP stood before the pod. */
export function readWithHttp(situation: Situation, pod: PodView, policy: Stored): Authorization {
  return decide(situation, pod, [policy], 'sidecar')
}

function decide(
  situation: Situation,
  pod: PodView,
  policies: readonly Stored[],
  proxy: ReturnType<typeof workloadOf>['proxy'],
): Authorization {
  const request = requestOf(situation, situation.sample)
  return authorize(
    proxy === 'sidecar' ? { ...request, protocol: 'http' } : request,
    policies.map(({ object }) => object),
    { ...workloadOf(pod), proxy },
    situation.mesh,
  )
}

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** Status conditions of an object: its own, and those of its parents or listeners. */
export function conditionsOf({ object }: Stored): readonly Condition[] {
  const own: unknown = object.status?.conditions
  return readConditions(own)
}

export function readConditions(conditions: unknown): readonly Condition[] {
  if (!Array.isArray(conditions)) return []
  return conditions.map((one) => ({
    type: String(one?.type ?? ''),
    status: String(one?.status ?? ''),
    reason: String(one?.reason ?? ''),
    message: String(one?.message ?? ''),
  }))
}

export function quoteCondition(stored: Stored, { type, status, reason, message }: Condition): Quote {
  const { kind, metadata } = stored.object
  return quote(
    stored.entry,
    `condition of ${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
    `${type}=${status} ${reason}: ${message}`,
  )
}

/** Policies that target the destination's Service, or a Gateway, and so need a waypoint to count. */
export function policiesForWaypoint({ store, server, waypoint }: Situation, kind: string): readonly Stored[] {
  const service = server.service?.object.metadata
  return store
    .list(kind, server.namespace ?? undefined)
    .filter(({ object }) =>
      targetRefs(object).some(
        (ref) =>
          (ref.kind === 'Service' && service !== undefined && ref.name === service.name) ||
          (ref.kind === 'Gateway' && waypoint !== null && ref.name === waypoint.name),
      ),
    )
}
