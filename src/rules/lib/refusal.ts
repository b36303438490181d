import type { Claims } from '../../mesh/authorize/jwt-claims.ts'
import { type Authorization, type AuthzRequest, authorize } from '../../mesh/authorize.ts'
import { requestAuth } from '../../mesh/request-auth.ts'
import { identityOf } from '../../mesh/workload.ts'
import type { Quote } from '../../model/evidence.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Exchange, Line } from '../../situation/exchanges.ts'
import { ipOf, portOf } from '../../situation/hints.ts'
import type { PodView } from '../../situation/pods.ts'
import { policiesReadable, requestOf, workloadOf } from '../../situation/security.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { podOfLine, ztunnelOfCall } from '../../situation/ztunnel-lines.ts'

export type RefusedBy = { readonly namespace: string; readonly name: string; readonly index: number | null }

/** One refusal by policy, as the one who refused wrote it down. */
export interface Refusal {
  readonly at: 'server' | 'waypoint' | 'gateway' | 'ztunnel'
  /** The pod whose policies count: at ztunnel the destination's. */
  readonly pod: PodView | null
  readonly exchange: Exchange | null
  readonly line: Line | null
  /** `none`: no ALLOW rule fits. */
  readonly by: RefusedBy | 'none'
  readonly tcp: boolean
  /** Who called, as the refuser saw it; undefined: not known. */
  readonly principal: string | null | undefined
  readonly quote: Quote
}

const matchedPolicy = /rbac_access_denied_matched_policy\[(.*)\]/
const ruleId = /^ns\[([^\]]+)\]-policy\[([^\]]+)\]-rule\[(\d+)\]$/
const ztunnelDeny = /explicitly denied by: ([^/\s"]+)\/([^\s"]+)/
const ztunnelMiss = /allow policies exist, but none allowed/

/** The id in a line of RBAC: `none`, a rule, or the id of a broken CUSTOM rule. Null where RBAC said nothing. */
export function rbacIdOf({ record }: Line): string | null {
  return matchedPolicy.exec(record.details ?? '')?.[1] ?? matchedPolicy.exec(record.termination ?? '')?.[1] ?? null
}

/** The refusal of this call, where somebody logged it: of the typical failing exchange, else of the latest that has one. */
export function refusalOf(situation: Situation): Refusal | null {
  const { sample, failing } = situation
  for (const exchange of [...(sample ? [sample] : []), ...[...failing].reverse()]) {
    const found = refusalIn(situation, exchange)
    if (found) return found
  }
  return atZtunnel(situation)
}

function refusalIn(situation: Situation, exchange: Exchange): Refusal | null {
  for (const line of linesThatDecide(exchange)) {
    const id = line ? rbacIdOf(line) : null
    if (!line || id === null) continue
    const rule = ruleId.exec(id)
    if (id !== 'none' && !rule) continue
    const at = placeOf(exchange, line)
    const by = rule ? { namespace: rule[1] ?? '', name: rule[2] ?? '', index: Number(rule[3]) } : ('none' as const)
    const what =
      by === 'none' ? 'refused it because no ALLOW rule fits' : 'refused it and named the policy and the rule'
    return {
      at,
      pod: line.pod ?? enforcerAt(situation, at),
      exchange,
      line,
      by,
      tcp: line.record.kind === 'tcp',
      principal: principalAt(situation, at, exchange),
      quote: quoteLine(line, `${placeName(at)} ${what}`),
    }
  }
  return null
}

function atZtunnel(situation: Situation): Refusal | null {
  const relays = new Set(situation.waypoint?.pods.map(({ name }) => name) ?? [])
  for (const { record, entry } of [...ztunnelOfCall(situation)].reverse()) {
    const error = record.error ?? ''
    const deny = ztunnelDeny.exec(error)
    if (!deny && !ztunnelMiss.test(error)) continue
    // What a waypoint sends on is refused for the waypoint's identity: another mode, and another rule's business.
    if (record.srcWorkload !== null && relays.has(record.srcWorkload)) continue
    const [, namespace = '', name = ''] = deny ?? []
    // STRICT is a DENY policy too, at ztunnel: that one is about plaintext.
    if (name.startsWith('istio_converted_') || name.startsWith('converted_peer_authentication_')) continue
    return {
      at: 'ztunnel',
      // Policies may cover some of the pods only: those of the pod that was called count.
      pod: podOfLine(situation, record) ?? enforcerAt(situation, 'ztunnel'),
      exchange: null,
      line: null,
      by: deny ? { namespace, name, index: null } : 'none',
      tcp: true,
      principal: record.srcIdentity,
      quote: quote(
        entry,
        deny
          ? `the destination's ztunnel refused it because of ${namespace}/${name}`
          : "the destination's ztunnel refused it because ALLOW policies exist and none fits",
        record.raw,
        record.line,
      ),
    }
  }
  return null
}

/** Lines of an exchange in which a decision may stand, nearest to the application first. */
export function linesThatDecide({ server, waypoint, gateway, client }: Exchange): readonly (Line | null)[] {
  // A pasted line of a gateway looks like one of the caller's side.
  return [server, waypoint, gateway, client?.role === 'given' ? client : null]
}

export function placeOf(exchange: Exchange, line: Line): 'server' | 'waypoint' | 'gateway' {
  if (line === exchange.waypoint || line.record.upstreamCluster?.startsWith('inbound-vip|')) return 'waypoint'
  return line === exchange.gateway || line === exchange.client ? 'gateway' : 'server'
}

export function placeName(at: Refusal['at']): string {
  return {
    server: "the destination's proxy",
    waypoint: 'the waypoint',
    gateway: 'the gateway',
    ztunnel: "the destination's ztunnel",
  }[at]
}

/** The pod whose policies are asked at a place of the call's way. */
export function enforcerAt(situation: Situation, at: Refusal['at']): PodView | null {
  switch (at) {
    case 'server':
      return situation.server.pods.find(({ hasEnvoy }) => hasEnvoy) ?? situation.server.pod ?? situation.server.meant
    case 'ztunnel':
      return situation.server.pods.find(({ proxy }) => proxy === 'ambient') ?? situation.server.pod
    case 'waypoint':
      return situation.waypoint?.pods[0] ?? null
    case 'gateway':
      return situation.gateway?.pods[0] ?? null
  }
}

/** Identity of whoever stands in front: at the server's proxy that may be a gateway, and then the caller's name is lost. */
function principalAt(situation: Situation, at: Refusal['at'], exchange: Exchange): string | null | undefined {
  if (at === 'gateway') return null
  const line = at === 'server' ? exchange.server : exchange.waypoint
  // A format of somebody's own may lack the field; elsewhere no server name means plaintext.
  if (at === 'server' && line?.record.sni === null && line.record.format !== 'custom') return null
  const peer = peerOf(situation, at, exchange)
  return peer ? identityOf(workloadOf(peer), situation.mesh.trustDomain) : undefined
}

/** The pod that opened the connection the refuser saw. */
export function peerOf(situation: Situation, at: Refusal['at'], exchange: Exchange | null): PodView | null {
  const { gateway, waypoint, client } = situation
  if (at === 'server' && exchange?.waypoint) return exchange.waypoint.pod ?? waypoint?.pods[0] ?? null
  if (at === 'server' && exchange?.gateway) return exchange.gateway.pod ?? gateway?.pods[0] ?? null
  if (client.pod) return client.pod
  const line = at === 'server' ? exchange?.server : exchange?.waypoint
  return situation.podByIp(ipOf(line?.record.downstreamRemote ?? null))
}

/** The call as the enforcing proxy saw it. */
export function requestAt(
  situation: Situation,
  refusal: Pick<Refusal, 'at' | 'pod' | 'exchange' | 'line' | 'tcp' | 'principal'>,
): AuthzRequest {
  const request = withoutToken(situation, refusal)
  const jwt = acceptedToken(situation, refusal, request)
  return jwt === undefined ? request : { ...request, jwt }
}

/**
 * A proxy that refuses by policy has let the token pass before. So the claims that were told are those of an accepted token, if a rule there looks
 * where tokens are usually sent; `null` if none does.
 */
function acceptedToken(
  situation: Situation,
  { pod, line, tcp, at }: Pick<Refusal, 'at' | 'pod' | 'line' | 'tcp'>,
  request: AuthzRequest,
): Claims | null | undefined {
  const { given, store, mesh } = situation
  if (given.jwtClaims === null || !pod || !line || tcp || at === 'ztunnel') return undefined
  if (!policiesReadable(situation, 'RequestAuthentication', pod.namespace)) return undefined
  const time = line.record.time === null ? Number.NaN : Date.parse(line.record.time)
  const { outcome, identity } = requestAuth(
    { ...request, known: [{ claims: given.jwtClaims }], signature: () => 'valid' },
    store.objects('RequestAuthentication'),
    workloadOf(pod),
    mesh,
    Math.floor(time / 1000),
    request.service,
  )
  return outcome === 'pass' ? (identity?.claims ?? null) : undefined
}

function withoutToken(
  situation: Situation,
  refusal: Pick<Refusal, 'at' | 'exchange' | 'line' | 'tcp' | 'principal'>,
): AuthzRequest {
  const { at, exchange, line, tcp, principal } = refusal
  const { sourcePrincipal: _, ...base } = requestOf(situation, exchange)
  const { service } = situation.server
  const record = line?.record ?? null
  const remoteIp =
    at === 'gateway' && record ? trustedClient(record.forwardedFor, situation.mesh.numTrustedProxies) : null
  const port =
    at === 'waypoint' ? situation.server.portNumber : at === 'gateway' ? portOf(record?.downstreamLocal ?? null) : null
  const sourceIp = ipOf(record?.downstreamRemote ?? null)
  return {
    ...base,
    ...(given(situation) ? { headersKnown: 'named' as const } : {}),
    ...(at === 'ztunnel' || tcp ? { protocol: 'tcp' as const } : record ? { protocol: 'http' as const } : {}),
    // A route may have rewritten them on the way: what the refuser saw counts.
    ...(record?.method ? { method: record.method } : {}),
    ...(record?.path ? { path: record.path } : {}),
    ...(record?.authority ? { host: record.authority } : {}),
    ...(principal === undefined ? {} : { sourcePrincipal: principal }),
    ...(sourceIp ? { sourceIp } : {}),
    ...(remoteIp ? { remoteIp } : {}),
    ...(port === null ? {} : { destinationPort: port }),
    ...(at === 'waypoint' && service
      ? {
          service: {
            kind: 'Service' as const,
            namespace: service.object.metadata.namespace ?? '',
            name: service.object.metadata.name,
          },
        }
      : {}),
  }
}

function given({ given: { headers } }: Situation): boolean {
  return headers.length > 0
}

/** A gateway appends its direct peer to X-Forwarded-For and trusts as many entries before it as it was told to. */
function trustedClient(forwardedFor: string | null, trusted: number): string | null {
  const entries = (forwardedFor ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
  return entries[Math.max(0, entries.length - 1 - trusted)] ?? null
}

/** What the policies, as they are now, decide about a refused call. Null when they could not all be read. */
export function authorizationOf(
  situation: Situation,
  refusal: Pick<Refusal, 'at' | 'pod' | 'exchange' | 'line' | 'tcp' | 'principal'>,
  change: (policies: readonly KubeObject[]) => readonly KubeObject[] = (same) => same,
): Authorization | null {
  const { pod } = refusal
  if (!pod || !policiesReadable(situation, 'AuthorizationPolicy', pod.namespace)) return null
  const policies = change(situation.store.objects('AuthorizationPolicy'))
  return authorize(requestAt(situation, refusal), policies, workloadOf(pod), situation.mesh)
}
