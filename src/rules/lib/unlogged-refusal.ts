import { type Authorization, authorize } from '../../mesh/authorize.ts'
import { identityOf } from '../../mesh/workload.ts'
import type { Quote } from '../../model/evidence.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { curlShowsSymptom } from '../../situation/reading.ts'
import { policiesReadable, workloadOf } from '../../situation/security.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { carriedTunnels, relayedLines, ztunnelOfCall } from '../../situation/ztunnel-lines.ts'
import { hasArrived } from './behind-failure.ts'
import { authorizationOf, enforcerAt, peerOf, type Refusal, refusalOf, requestAt } from './refusal.ts'

/** A refusal that no line shows, told from the policies alone: where it would be made, and what decides it. */
export interface Unlogged {
  readonly refusal: Omit<Refusal, 'quote' | 'by' | 'line'> & { readonly line: null }
  readonly decision: Authorization
  readonly supporting: readonly Quote[]
  readonly contradicting: readonly Quote[]
}

/** `RBAC: access denied`, which is all that a proxy sends. */
export const rbacBodyLength = 19

/**
 * The call fails as a refusal does, and the line of the proxy that would have refused it is missing: then the policies
 * themselves may say it. Never more than likely.
 */
export function unloggedRefusal(situation: Situation): Unlogged | null {
  if (refusalOf(situation) !== null) return null
  if (!couldBeRefusal(situation)) return refusalMadeSince(situation)
  const { sample } = situation
  const front = sample?.client ?? sample?.gateway ?? null
  const decided = decide(situation, sample?.client ? situation.client.pod : null)
  if (!decided) return null
  const supporting = [...quotesOfDecision(situation, decided.decision)]
  const contradicting: Quote[] = []
  const { body = null, status = null } = situation.pasted.curl ?? {}
  if (body?.trim() === 'RBAC: access denied')
    supporting.push(quote('given', 'the body is the one that proxies write when a policy refuses', body.trim()))
  else if (body !== null && status === 403)
    contradicting.push(quote('given', 'the body is none that a proxy writes', body.slice(0, 120)))
  if (front?.record.code === 403) {
    const { bytesSent, method } = front.record
    // An answer to HEAD has no body to measure.
    if (bytesSent !== null && bytesSent !== rbacBodyLength && method !== 'HEAD') return null
    supporting.push(
      quoteLine(
        front,
        `the answer came from behind this proxy${bytesSent === rbacBodyLength ? ` and is ${bytesSent} bytes long, as "RBAC: access denied" is` : ''}`,
      ),
    )
  }
  return { ...decided, supporting, contradicting }
}

/** All logged requests passed, and what refuses them now was made after the last of them. */
function refusalMadeSince(situation: Situation): Unlogged | null {
  const { symptom, failing, exchanges, client } = situation
  const last = exchanges.at(-1)
  if (symptom !== '403' || failing.length > 0 || !last?.time) return null
  const { time } = last
  const decided = decide(situation, client.pod)
  if (!decided) return null
  const stored = decidingPolicies(situation, decided.decision)
  if (!stored.some(({ object }) => isNewer(object, time))) return null
  const line = last.server ?? last.waypoint ?? last.client ?? last.gateway
  return {
    ...decided,
    supporting: quotesOfDecision(situation, decided.decision),
    contradicting: line ? [quoteLine(line, 'the last request logged passed; the policy was made after it')] : [],
  }
}

/** Made after that time: lines until then say nothing about it. */
export function isNewer({ metadata }: KubeObject, time: string): boolean {
  return metadata.creationTimestamp !== undefined && Date.parse(metadata.creationTimestamp) > Date.parse(time)
}

function couldBeRefusal(situation: Situation): boolean {
  const { sample, symptom } = situation
  if (sample) {
    // Whoever has a line of this request nearer to the application would have said so in it.
    if (sample.server || sample.waypoint) return false
    const front = sample.client ?? sample.gateway
    return front?.record.code === 403 && front.record.details === 'via_upstream'
  }
  // A policy was changed under an open connection: ztunnel says so, and does not say which.
  if (ztunnelOfCall(situation).some(({ record }) => /due to policy change/.test(record.error ?? ''))) return true
  if (symptom === 'reset' && situation.mode === 'ambient')
    return (
      ztunnelOfCall(situation).length === 0 &&
      situation.has('ztunnel.ztunnelLog') === false &&
      situation.missing('ztunnel.ztunnelLog').length > 0
    )
  if (symptom !== '403') return false
  return curlShowsSymptom(situation) || !anyLineRead(situation)
}

function anyLineRead(situation: Situation): boolean {
  return situation.exchanges.length > 0
}

/** What still fails once this failure is gone: the policies, for the caller's own identity. Null where they are not known to refuse. */
export function laterRefusal(situation: Situation): Unlogged | null {
  const { client, gateway, failing, exchanges } = situation
  // Where nothing reads HTTP, a tunnel that broke is the failure.
  const isTunnel = exchanges.length === 0 && situation.waypoint === null && brokenTunnels(situation)
  if (gateway || !client.pod || (failing.length === 0 && !isTunnel)) return null
  if (refusalOf(situation) !== null || unloggedRefusal(situation) !== null) return null
  // Refused at ztunnel already, as the waypoint's connection: that is what fails now, not what comes after it.
  if (relayedLines(situation).some(({ record }) => /policy rejection/.test(record.error ?? ''))) return null
  // Somebody behind answered, and no line says who: it may have passed the policies.
  const front = situation.sample?.client ?? null
  if (front?.record.details === 'via_upstream' && !situation.sample?.server && !situation.sample?.waypoint) return null
  const decided = decide(situation, client.pod, identityOf(workloadOf(client.pod), situation.mesh.trustDomain))
  // A rule that ztunnel leaves out is a matter of its own.
  const isLeftOut = decided?.decision.considered.some(({ rules }) => rules.some(({ dropped }) => dropped)) === true
  if (!decided || (isTunnel && isLeftOut)) return null
  // A request that reached the application, or its proxy's way to it, has passed the policies that were there then.
  const passed = exchanges.findLast((one) => hasArrived(one) && !isBeforePolicies(one.server?.record.details ?? null))
  const stored = decidingPolicies(situation, decided.decision)
  if (passed && !stored.some(({ object }) => passed.time !== null && isNewer(object, passed.time))) return null
  return { ...decided, supporting: quotesOfDecision(situation, decided.decision), contradicting: [] }
}

/** A request that reached the application, or its proxy's way to it, has passed the policies. */
function reachedApplication({ exchanges }: Situation): boolean {
  return exchanges.some(({ server }) => server !== null && !isBeforePolicies(server.record.details))
}

function brokenTunnels(situation: Situation): boolean {
  return carriedTunnels(situation).length === 0 && ztunnelOfCall(situation).length > 0
}

function isBeforePolicies(details: string | null): boolean {
  return details === 'filter_chain_not_found' || details?.startsWith('jwt_authn_access_denied') === true
}

/** What a refusal leaves once the policy that made it is out of the way. */
export function refusalWithout(situation: Situation, refusal: Refusal): Unlogged | null {
  if (refusal.by === 'none') return null
  const { namespace, name } = refusal.by
  const without = (policies: readonly KubeObject[]) =>
    policies.filter(({ metadata }) => metadata.namespace !== namespace || metadata.name !== name)
  const decision = authorizationOf(situation, refusal, without)
  if (decision?.decision !== 'denied') return null
  return {
    refusal: { ...refusal, line: null },
    decision,
    supporting: quotesOfDecision(situation, decision),
    contradicting: [],
  }
}

/**
 * What the destination's own policies would refuse once the gateway lets the request on. Routes may rewrite path and host on the way, so only a
 * refusal whatever these are counts.
 */
export function refusalBehind(situation: Situation, { at, pod: gateway, exchange }: Refusal): Unlogged | null {
  const pod = enforcerAt(situation, 'server')
  if (at !== 'gateway' || !gateway || !pod?.hasEnvoy || reachedApplication(situation)) return null
  if (!policiesReadable(situation, 'AuthorizationPolicy', pod.namespace)) return null
  const principal = identityOf(workloadOf(gateway), situation.mesh.trustDomain)
  const refusal = { at: 'server', pod, exchange, line: null, tcp: false, principal } as const
  const { path: _, host: __, ...request } = requestAt(situation, refusal)
  const decision = authorize(request, situation.store.objects('AuthorizationPolicy'), workloadOf(pod), situation.mesh)
  if (decision.decision !== 'denied') return null
  return { refusal, decision, supporting: quotesOfDecision(situation, decision), contradicting: [] }
}

function decide(
  situation: Situation,
  caller: PodView | null,
  identity?: string,
): Pick<Unlogged, 'refusal' | 'decision'> | null {
  const { server, waypoint } = situation
  const ambient = server.pod?.proxy === 'ambient'
  const at = !ambient
    ? 'server'
    : waypoint && waypoint.pods.length > 0 && situation.symptom !== 'reset'
      ? 'waypoint'
      : 'ztunnel'
  const pod = enforcerAt(situation, at)
  if (!pod) return null
  const peer = caller ?? peerOf(situation, at, situation.sample)
  // Without a proxy of its own the caller shows no identity; with one it shows its service account.
  const principal = identity ?? identityShown(situation, peer)
  const refusal = {
    at,
    pod,
    exchange: situation.sample,
    line: null,
    tcp: at === 'ztunnel' || server.port?.protocol === 'tcp' || server.port?.protocol === 'tls',
    principal,
  } as const
  const decision = authorizationOf(situation, refusal)
  return decision?.decision === 'denied' ? { refusal, decision } : null
}

function identityShown({ mesh }: Situation, peer: PodView | null): string | null | undefined {
  if (peer === null) return undefined
  return peer.hasEnvoy || peer.proxy === 'ambient' ? identityOf(workloadOf(peer), mesh.trustDomain) : null
}

export function quotesOfDecision(situation: Situation, decision: Authorization): Quote[] {
  return decidingPolicies(situation, decision).map((stored) => {
    const { namespace, name } = stored.object.metadata
    return quoteObject(stored, `what AuthorizationPolicy ${namespace}/${name} says`, stored.object.spec)
  })
}

function decidingPolicies(situation: Situation, { by, considered }: Authorization): Stored[] {
  const names =
    by?.policy != null
      ? [by.policy]
      : considered
          .filter(({ action, attaches, dryRun }) => action === by?.action && attaches === true && !dryRun)
          .map(({ policy }) => policy)
  return names.flatMap((policy) => {
    const [namespace = '', name = ''] = policy.split('/')
    return situation.store.get('AuthorizationPolicy', namespace, name) ?? []
  })
}
