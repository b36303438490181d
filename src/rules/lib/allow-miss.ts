import { type AuthzRequest, authorize, type ConsideredPolicy } from '../../mesh/authorize.ts'
import { identityOf } from '../../mesh/workload.ts'
import type { Decider } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import { workloadOf } from '../../situation/security.ts'
import type { Situation } from '../../situation/situation.ts'
import { type MistakenAddress, mistakenAddress } from './client-address.ts'
import { mistakenIdentity } from './mistaken-identity.ts'
import { otherSpelling } from './near-value.ts'
import { authorizationOf, peerOf, type Refusal, requestAt } from './refusal.ts'
import { type FieldKind, fieldsOf, fieldsText, project, type RawRule, type RuleField, rulesOf } from './rule-fields.ts'

/** One rule of an ALLOW policy that could have let the request through, and which of its fields did not fit. */
export interface NearRule {
  readonly policy: Stored
  readonly name: string
  readonly index: number
  readonly rule: RawRule
  /** HTTP fields on a TCP chain: the rule is not in the proxy at all. */
  readonly dropped: boolean
  readonly misfits: readonly RuleField[]
}

/** Why no ALLOW rule fits. `general`: rules differ in more than one respect, or nothing better is proven. */
export type MissKind =
  | 'http-on-tcp'
  | 'tcp'
  | 'no-rules'
  | 'plaintext'
  | 'token'
  | 'identity'
  | 'place'
  | 'address'
  | 'general'

export interface AllowMiss {
  readonly kind: MissKind
  readonly rules: readonly NearRule[]
  /** The rules that fit but for what `kind` names. */
  readonly nearest: readonly NearRule[]
  /** ALLOW policies in force here. */
  readonly policies: readonly Stored[]
  readonly request: AuthzRequest
  /** What was worked out on the way: why the identity or the path is near but not equal. */
  readonly remark: string | null
  /** Set for `address`. */
  readonly address: MistakenAddress | null
  /** The rule may as well mean somebody else, and simply lack this caller. */
  readonly doubt: Decider | null
  /** As the policies are now they would let it pass: they changed since, or the proxy holds others. */
  readonly passesNow: boolean
}

export type Judged = Pick<Refusal, 'at' | 'pod' | 'exchange' | 'line' | 'tcp' | 'principal'>

/** Takes a missed ALLOW list apart. Null when the policies could not be read. */
export function allowMissOf(situation: Situation, refusal: Judged): AllowMiss | null {
  const decision = authorizationOf(situation, refusal)
  const { pod } = refusal
  if (!decision || !pod) return null
  const request = requestAt(situation, refusal)
  const inForce = decision.considered.filter(
    ({ action, attaches, dryRun }) => action === 'ALLOW' && attaches !== false && !dryRun,
  )
  const policies = inForce.flatMap(({ policy }) => storedPolicy(situation, policy) ?? [])
  const decides = (policy: Stored, rule: RawRule, changed: AuthzRequest = request) => {
    const alone = { ...policy.object, spec: { ...policy.object.spec, rules: [rule] } }
    return authorize(changed, [alone], workloadOf(pod), situation.mesh).decision
  }
  const fits = (policy: Stored, rule: RawRule, changed: AuthzRequest = request) =>
    decides(policy, rule, changed) === 'allowed'
  const rules = inForce.flatMap((policy) => nearRules(situation, policy, fits))
  const butFor = (...kinds: readonly FieldKind[]) =>
    rules.filter(
      ({ policy, rule, dropped }) =>
        !dropped &&
        fieldsOf(rule).some(({ kind }) => kinds.includes(kind)) &&
        fits(
          policy,
          project(rule, ({ kind }) => !kinds.includes(kind)),
        ),
    )
  const found = (kind: MissKind, nearest: readonly NearRule[], remark: string | null = null): AllowMiss => ({
    kind,
    rules,
    nearest,
    policies,
    request,
    remark,
    address: null,
    doubt: null,
    passesNow: decision.decision === 'allowed',
  })
  if (decision.decision === 'allowed' || policies.length === 0) return found('general', [])
  if (policies.every(({ object }) => rulesOf(object).length === 0)) return found('no-rules', [])
  if (refusal.tcp && refusal.at !== 'ztunnel') {
    // A rule that names somebody else, or another port, would not help as HTTP either.
    const dropped = rules.filter(
      ({ dropped: isLeftOut, policy, rule }) =>
        isLeftOut &&
        decides(
          policy,
          project(rule, ({ kind }) => !httpKinds.has(kind)),
        ) !== 'denied',
    )
    return dropped.length > 0 ? found('http-on-tcp', dropped) : found('tcp', [])
  }
  const byIdentity = butFor('identity')
  if (byIdentity.length > 0 && refusal.at === 'server' && refusal.principal === null) {
    const own = wouldBeIdentity(situation, refusal)
    const meant = byIdentity.filter(
      ({ policy, rule }) => own !== null && fits(policy, rule, { ...request, sourcePrincipal: own }),
    )
    return meant.length > 0 ? found('plaintext', meant) : found('plaintext', byIdentity, own)
  }
  const byToken = butFor('token')
  if (byToken.length > 0 && (request.jwt === null || !tokenWasSent(situation))) return found('token', byToken)
  for (const near of byIdentity) {
    const mistaken = mistakenIdentity(situation, refusal, near)
    if (mistaken) return { ...found('identity', [near], mistaken.remark), doubt: mistaken.doubt }
  }
  for (const near of butFor('path', 'host')) {
    const remark = otherSpelling(situation, refusal, request, (changed) => fits(near.policy, near.rule, changed))
    if (remark) return found('place', [near], remark)
  }
  for (const near of butFor('address')) {
    const passes = (changed: AuthzRequest) => fits(near.policy, near.rule, changed)
    const address = mistakenAddress(situation, refusal, near.rule, request, passes)
    if (address) return { ...found('address', [near], address.remark), address, doubt: address.doubt }
  }
  return found('general', [
    ...byIdentity,
    ...butFor('path', 'host'),
    ...butFor('method'),
    ...butFor('address'),
    ...byToken,
  ])
}

const httpKinds: ReadonlySet<FieldKind> = new Set(['token', 'host', 'method', 'path', 'header'])

function nearRules(
  situation: Situation,
  considered: ConsideredPolicy,
  fits: (policy: Stored, rule: RawRule) => boolean,
): NearRule[] {
  const policy = storedPolicy(situation, considered.policy)
  if (!policy) return []
  return rulesOf(policy.object).map((rule, index) => {
    const fields = fieldsOf(rule)
    const fitsOf = (keep: (field: RuleField) => boolean) => fits(policy, project(rule, keep))
    const kinds = [...new Set(fields.map(({ kind }) => kind))]
    const wrong = kinds.filter((kind) => !fitsOf((field) => field.kind === kind))
    // Alternatives of one kind only fail together; of fields that all have to fit, those that do not are named.
    const misfits = wrong.flatMap((kind) => {
      const ofKind = fields.filter((field) => field.kind === kind)
      const alone = ofKind.filter((one) => !fitsOf(({ name, negated }) => name === one.name && negated === one.negated))
      return alone.length > 0 ? alone : ofKind
    })
    return {
      policy,
      name: considered.policy,
      index,
      rule,
      dropped:
        fields.some(({ kind }) => httpKinds.has(kind)) &&
        considered.rules.some((one) => one.index === index && one.dropped),
      misfits,
    }
  })
}

function storedPolicy(situation: Situation, policy: string): Stored | null {
  const [namespace = '', name = ''] = policy.split('/')
  return situation.store.get('AuthorizationPolicy', namespace, name)
}

export function tokenWasSent({ given }: Situation): boolean {
  return given.jwtClaims !== null || given.headers.some(([name]) => name.toLowerCase() === 'authorization')
}

/** Which identity the caller would show with mutual TLS. */
function wouldBeIdentity(situation: Situation, refusal: Judged): string | null {
  const peer = peerOf(situation, refusal.at, refusal.exchange)
  return peer ? identityOf(workloadOf(peer), situation.mesh.trustDomain) : null
}

/** `rule 0 of pay/callers wants methods [GET] and principals […]`, for statements. */
export function misfitText({ name, index, misfits, dropped, rule }: NearRule): string {
  if (dropped) return `rule ${index} of ${name} uses HTTP fields, ${fieldsText(fieldsOf(rule))}, and is left out on TCP`
  const wrong = misfits.length > 0 ? misfits : fieldsOf(rule)
  return `rule ${index} of ${name} wants ${fieldsText(wrong)}`
}
