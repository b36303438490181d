import { type AccessDecision, decideAccess } from '../mesh/access-decision.ts'
import { type Authorization, type AuthzRequest, authorize } from '../mesh/authorize.ts'
import { parseSni } from '../mesh/names.ts'
import { type PeerAuth, peerAuth } from '../mesh/peer-auth.ts'
import type { AuthnRequest } from '../mesh/request-auth.ts'
import { classifyPod, identityOf, type Workload } from '../mesh/workload.ts'
import type { Exchange } from './exchanges.ts'
import { ipOf } from './hints.ts'
import type { PodView } from './pods.ts'
import type { Situation } from './situation.ts'

export function workloadOf(pod: PodView): Workload {
  return classifyPod(pod.object).workload
}

/** Whether all policies that could attach to this pod were read: own namespace and root namespace. */
export function policiesReadable(
  situation: Situation,
  kind: 'AuthorizationPolicy' | 'RequestAuthentication' | 'PeerAuthentication',
  namespace: string,
): boolean {
  return (
    situation.store.readable(kind, namespace) === 'yes' &&
    situation.store.readable(kind, situation.rootNamespace) === 'yes'
  )
}

/** The effective mTLS mode of a pod for a container port. Null when the policies could not be read. */
export function mtlsOf(situation: Situation, pod: PodView, port: number): PeerAuth | null {
  if (!policiesReadable(situation, 'PeerAuthentication', pod.namespace)) return null
  return peerAuth(workloadOf(pod), port, situation.store.objects('PeerAuthentication'), situation.mesh)
}

/** The call as the server's proxy saw it, from the log line where there is one, else from what is known of both ends. */
export function requestOf(situation: Situation, exchange: Exchange | null): AuthzRequest & AuthnRequest {
  const { given, hints, server, client } = situation
  const line = exchange?.server?.record ?? exchange?.waypoint?.record ?? exchange?.client?.record ?? null
  const serverLine = exchange?.server?.record ?? null
  const method = given.method ?? line?.method ?? hints.method ?? undefined
  const path = given.path ?? line?.path ?? hints.path ?? undefined
  const host = line?.authority ?? given.host ?? hints.authority ?? undefined
  const protocol = protocolOf(situation, line?.kind ?? null)
  const principal = principalOf(situation, serverLine?.sni)
  const sourceIp = ipOf(serverLine?.downstreamRemote ?? null) ?? client.pod?.ip ?? undefined
  const sni = serverLine?.sni ?? undefined
  const port = server.port?.containerPort ?? server.portNumber ?? undefined
  return {
    ...(protocol ? { protocol } : {}),
    ...(method ? { method } : {}),
    ...(path ? { path } : {}),
    ...(host ? { host } : {}),
    ...(given.headers.length > 0 ? { headers: given.headers, headersKnown: 'named' as const } : {}),
    ...(principal === undefined ? {} : { sourcePrincipal: principal }),
    ...(sourceIp ? { sourceIp } : {}),
    ...(port ? { destinationPort: port } : {}),
    ...(sni ? { sni } : {}),
    // Claims are what the caller's token says; whether it passes is for request authentication to decide.
    ...(given.jwtClaims ? { known: [{ claims: given.jwtClaims }] } : {}),
  }
}

function protocolOf({ server }: Situation, seen: 'http' | 'tcp' | null): 'http' | 'tcp' | undefined {
  if (seen === 'http') return 'http'
  if (server.port?.protocol === 'http') return 'http'
  if (server.port?.protocol === 'tcp' || server.port?.protocol === 'tls') return 'tcp'
  return seen ?? undefined
}

/** Who the caller is to the server's proxy. An SNI in the mesh's own form means mTLS; a plaintext line has none. */
function principalOf(situation: Situation, sni: string | null | undefined): string | null | undefined {
  const { client, mesh } = situation
  const identity = client.pod ? identityOf(workloadOf(client.pod), mesh.trustDomain) : undefined
  if (sni === null) return null
  if (typeof sni === 'string') return parseSni(sni) ? identity : null
  if (!client.pod) return undefined
  if (!client.pod.hasEnvoy && client.pod.proxy !== 'ambient') return null
  return identity
}

/** All stages at a pod for this call: mTLS mode, tokens, policies. Null when they could not all be read. */
export function accessAt(situation: Situation, pod: PodView, exchange: Exchange | null): AccessDecision | null {
  const kinds = ['AuthorizationPolicy', 'RequestAuthentication', 'PeerAuthentication'] as const
  if (!kinds.every((kind) => policiesReadable(situation, kind, pod.namespace))) return null
  const objects = kinds.flatMap((kind) => situation.store.objects(kind))
  const time = exchange?.time ?? situation.entries[0]?.at ?? null
  const seconds = time === null ? 0 : Math.floor(Date.parse(time) / 1000)
  return decideAccess(requestOf(situation, exchange), objects, workloadOf(pod), situation.mesh, seconds)
}

/** What the policies alone decide about this call at a pod. Null when they could not all be read. */
export function decisionAt(situation: Situation, pod: PodView, exchange: Exchange | null): Authorization | null {
  if (policiesReadable(situation, 'RequestAuthentication', pod.namespace))
    return accessAt(situation, pod, exchange)?.authorization ?? authorizationOnly(situation, pod, exchange)
  return authorizationOnly(situation, pod, exchange)
}

function authorizationOnly(situation: Situation, pod: PodView, exchange: Exchange | null): Authorization | null {
  if (!policiesReadable(situation, 'AuthorizationPolicy', pod.namespace)) return null
  return authorize(
    requestOf(situation, exchange),
    situation.store.objects('AuthorizationPolicy'),
    workloadOf(pod),
    situation.mesh,
  )
}
