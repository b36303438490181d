import { type AuthzRequest, authorize } from '../../mesh/authorize.ts'
import { identityOf } from '../../mesh/workload.ts'
import { pathOnly } from '../../situation/exchanges.ts'
import type { Stored } from '../../situation/objects.ts'
import { workloadOf } from '../../situation/security.ts'
import type { Situation } from '../../situation/situation.ts'
import { tokenWasSent } from './allow-miss.ts'
import { type MistakenAddress, mistakenAddress } from './client-address.ts'
import { authorizationOf, peerOf, type Refusal, requestAt } from './refusal.ts'
import { fieldsOf, type RawRule, rulesOf } from './rule-fields.ts'

/**
 * Why a DENY rule matches. Negated fields match what is absent: a caller without token or without mutual TLS is denied by a
 * rule that names whom to spare. On TCP, HTTP fields fall away and the rule covers more than it says.
 */
export type DenyKind = 'plain' | 'token' | 'plaintext' | 'address' | 'http-on-tcp'

export interface DenyMatch {
  readonly kind: DenyKind
  readonly policy: Stored | null
  readonly rule: RawRule | null
  /** What the evaluation says about the rule, where the policies could be read. */
  readonly why: string | null
  /** Other DENY rules that match as well: Envoy names one only. */
  readonly alsoMatches: readonly string[]
  /** The refused line is of another path than the one complained about, and the policies let that one pass. */
  readonly isOtherRequest: boolean
  /** Set for `address`: a rule that spares some addresses is compared with another one than the client's. */
  readonly address: MistakenAddress | null
}

export function denyMatchOf(situation: Situation, refusal: Refusal): DenyMatch | null {
  if (refusal.by === 'none') return null
  const { namespace, name, index } = refusal.by
  const policy = situation.store.get('AuthorizationPolicy', namespace, name)
  const rule = policy && index !== null ? (rulesOf(policy.object)[index] ?? null) : null
  const decision = authorizationOf(situation, refusal)
  const isSame = decision?.decision === 'denied' && decision.by?.policy === `${namespace}/${name}`
  const kind = policy && rule ? kindOf(situation, refusal, policy, rule) : 'plain'
  const address = kind === 'plain' && policy && rule ? addressOf(situation, refusal, policy, rule) : null
  return {
    kind: address ? 'address' : kind,
    address,
    policy,
    rule,
    why: isSame ? (decision.by?.why ?? null) : null,
    alsoMatches: isSame ? decision.alsoMatches : [],
    isOtherRequest: isSame && passesAsAsked(situation, refusal),
  }
}

function passesAsAsked(situation: Situation, refusal: Refusal): boolean {
  const { path } = situation.given
  const logged = refusal.line?.record.path
  if (!path || !logged || !refusal.pod || pathOnly(path) === pathOnly(logged)) return false
  const asked = { ...requestAt(situation, refusal), path }
  const policies = situation.store.objects('AuthorizationPolicy')
  return authorize(asked, policies, workloadOf(refusal.pod), situation.mesh).decision === 'allowed'
}

const httpOnly: ReadonlySet<string> = new Set(['token', 'host', 'method', 'path', 'header'])

function kindOf(situation: Situation, refusal: Refusal, policy: Stored, rule: RawRule): DenyKind {
  const fields = fieldsOf(rule)
  if (refusal.tcp && refusal.at !== 'ztunnel')
    return fields.some(({ kind }) => httpOnly.has(kind)) ? 'http-on-tcp' : 'plain'
  if (fields.some(({ kind, negated }) => kind === 'token' && negated) && !tokenWasSent(situation)) return 'token'
  if (refusal.at !== 'server' || refusal.principal !== null || !refusal.pod) return 'plain'
  const peer = peerOf(situation, refusal.at, refusal.exchange)
  if (!peer || !fields.some(({ kind, negated }) => kind === 'identity' && negated)) return 'plain'
  const request = {
    ...requestAt(situation, refusal),
    sourcePrincipal: identityOf(workloadOf(peer), situation.mesh.trustDomain),
  }
  return spares(situation, refusal, policy, rule, request) ? 'plaintext' : 'plain'
}

function addressOf(situation: Situation, refusal: Refusal, policy: Stored, rule: RawRule): MistakenAddress | null {
  if (refusal.tcp || !fieldsOf(rule).some(({ kind, negated }) => kind === 'address' && negated)) return null
  return mistakenAddress(situation, refusal, rule, requestAt(situation, refusal), (changed) =>
    spares(situation, refusal, policy, rule, changed),
  )
}

function spares(situation: Situation, { pod }: Refusal, policy: Stored, rule: RawRule, request: AuthzRequest): boolean {
  const alone = { ...policy.object, spec: { ...policy.object.spec, rules: [rule] } }
  return pod !== null && authorize(request, [alone], workloadOf(pod), situation.mesh).decision === 'allowed'
}
