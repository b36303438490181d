import { normalisePath } from '../../mesh/authorize/path-normalise.ts'
import { identityParts } from '../../mesh/authorize/source-identity.ts'
import { type AuthzRequest, authorize, type ConsideredPolicy } from '../../mesh/authorize.ts'
import { identityOf } from '../../mesh/workload.ts'
import type { Stored } from '../../situation/objects.ts'
import { workloadOf } from '../../situation/security.ts'
import type { Situation } from '../../situation/situation.ts'
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
  /** As the policies are now they would let it pass: they changed since, or the proxy holds others. */
  readonly passesNow: boolean
}

type Judged = Pick<Refusal, 'at' | 'pod' | 'exchange' | 'line' | 'tcp' | 'principal'>

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
  const fits = (policy: Stored, rule: RawRule, changed: AuthzRequest = request) =>
    authorize(
      changed,
      [{ ...policy.object, spec: { ...policy.object.spec, rules: [rule] } }],
      workloadOf(pod),
      situation.mesh,
    ).decision === 'allowed'
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
    passesNow: decision.decision === 'allowed',
  })
  if (decision.decision === 'allowed' || policies.length === 0) return found('general', [])
  if (policies.every(({ object }) => rulesOf(object).length === 0)) return found('no-rules', [])
  if (refusal.tcp && refusal.at !== 'ztunnel') {
    const dropped = rules.filter((rule) => rule.dropped)
    return dropped.length > 0 ? found('http-on-tcp', dropped) : found('tcp', [])
  }
  const byIdentity = butFor('identity')
  if (byIdentity.length > 0 && refusal.at === 'server' && refusal.principal === null)
    return found('plaintext', byIdentity, wouldBeIdentity(situation, refusal))
  const byToken = butFor('token')
  if (byToken.length > 0 && !tokenWasSent(situation)) return found('token', byToken)
  for (const near of byIdentity) {
    const remark = mistakenIdentity(situation, refusal, near)
    if (remark) return found('identity', byIdentity, remark)
  }
  for (const near of butFor('path', 'host')) {
    const remark = otherSpelling(situation, refusal, request, (changed) => fits(near.policy, near.rule, changed))
    if (remark) return found('place', [near], remark)
  }
  for (const near of butFor('address')) {
    const remark = forwardedAddress(refusal, request, (changed) => fits(near.policy, near.rule, changed))
    if (remark) return found('address', [near], remark)
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
    const kinds = [...new Set(fields.map(({ kind }) => kind))]
    const wrong = kinds.filter(
      (kind) =>
        !fits(
          policy,
          project(rule, (field) => field.kind === kind),
        ),
    )
    return {
      policy,
      name: considered.policy,
      index,
      rule,
      dropped:
        fields.some(({ kind }) => httpKinds.has(kind)) &&
        considered.rules.some((one) => one.index === index && one.dropped),
      misfits: fields.filter(({ kind }) => wrong.includes(kind)),
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

/** A rule that means this caller and spells it as nobody is called: another trust domain, a scheme, an account that is gone. */
function mistakenIdentity(situation: Situation, refusal: Judged, { rule }: NearRule): string | null {
  const own = typeof refusal.principal === 'string' ? identityParts(refusal.principal) : null
  if (!own) return null
  const { mesh } = situation
  const ours = [mesh.trustDomain, ...mesh.trustDomainAliases, 'cluster.local']
  const fields = fieldsOf(rule).filter(({ kind, negated }) => kind === 'identity' && !negated)
  const gone: string[] = []
  let living = false
  for (const value of fields.flatMap(({ name, values }) => (/principal/i.test(name) ? values : []))) {
    if (value.startsWith('spiffe://'))
      return `${value} starts with spiffe://, and principals are written without it: such a value never fits`
    const named = identityParts(`spiffe://${value}`)
    if (!named) return null
    const isSame = named.namespace === own.namespace && named.serviceAccount === own.serviceAccount
    if (isSame && !ours.includes(named.trustDomain))
      return `${value} is in trust domain ${named.trustDomain}; the caller's is ${own.trustDomain}, and no alias joins them`
    const behind = refusal.exchange?.gateway || refusal.exchange?.waypoint ? situation.client.pod : null
    if (
      behind &&
      refusal.at === 'server' &&
      behind.namespace === named.namespace &&
      behind.serviceAccount === named.serviceAccount
    )
      return `${value} is the first caller; what opens the connection to the destination is ${refusal.principal}`
    if (isNobody(situation, named)) gone.push(value)
    else living = true
  }
  if (living || gone.length === 0 || fields.some(({ name }) => !/principal/i.test(name))) return null
  const relates = gone.some((value) => {
    const named = identityParts(`spiffe://${value}`)
    return named?.namespace === own.namespace || named?.serviceAccount === own.serviceAccount
  })
  return relates
    ? `no pod runs as ${gone.join(' or ')}; the caller runs as ${own.namespace}/${own.serviceAccount}`
    : null
}

/** True only when all pods of that namespace were read and none runs under that account. */
function isNobody(
  situation: Situation,
  { namespace, serviceAccount }: { namespace: string; serviceAccount: string },
): boolean {
  if (situation.store.readable('Pod', namespace) !== 'yes') return false
  return !situation.pods.some((pod) => pod.namespace === namespace && pod.serviceAccount === serviceAccount)
}

/** The same path or host in another spelling, which the rule would take. */
function otherSpelling(
  situation: Situation,
  { exchange, line }: Judged,
  request: AuthzRequest,
  fits: (changed: AuthzRequest) => boolean,
): string | null {
  const { path, host } = request
  const front = exchange?.client ?? exchange?.gateway ?? null
  if (path !== undefined) {
    const bare = path.split('?', 1)[0] ?? path
    const decoded = normalisePath(bare, 'DECODE_AND_MERGE_SLASHES')
    const candidates: readonly (readonly [string, string])[] = [
      [bare.endsWith('/') ? bare.replace(/\/+$/, '') || '/' : `${bare}/`, 'differs by a slash at the end'],
      [
        decoded.kind === 'path' ? decoded.path : bare,
        `differs once escapes and double slashes are resolved, which normalization ${situation.mesh.pathNormalization} does not do`,
      ],
      [bare.toLowerCase(), 'differs in upper and lower case'],
      ...(front && front !== line && front.record.path && front.record.path !== path
        ? ([
            [front.record.path, `is what the caller sent; a route rewrote it to ${path} before the policy saw it`],
          ] as const)
        : []),
    ]
    const near = candidates.find(([candidate]) => candidate !== bare && fits({ ...request, path: candidate }))
    if (near) return `the path is ${bare}, the rule would take ${near[0]}, which ${near[1]}`
  }
  if (host !== undefined) {
    const bare = host.replace(/:\d+$/, '')
    const port = situation.server.portNumber
    const candidates = [
      ...(bare === host ? (port === null ? [] : [`${host}:${port}`]) : [bare]),
      ...(situation.server.host ? [situation.server.host, `${situation.server.host}:${port}`] : []),
      ...(front?.record.authority && front !== line ? [front.record.authority] : []),
    ]
    const near = candidates.find((candidate) => candidate !== host && fits({ ...request, host: candidate }))
    if (near) return `the host is ${host}, the rule would take ${near}`
  }
  return null
}

/** The address the rule means stands in X-Forwarded-For; what the rule is compared with is somebody in between. */
function forwardedAddress(
  { line }: Judged,
  request: AuthzRequest,
  fits: (changed: AuthzRequest) => boolean,
): string | null {
  const entries = (line?.record.forwardedFor ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
  const fitting = entries.find(
    (ip) => (ip !== request.sourceIp || ip !== request.remoteIp) && fits({ ...request, sourceIp: ip, remoteIp: ip }),
  )
  if (fitting === undefined) return null
  return `X-Forwarded-For holds ${fitting}, which the rule would take; it is compared with ${request.sourceIp ?? 'the direct peer'}${request.remoteIp && request.remoteIp !== request.sourceIp ? ` and ${request.remoteIp}` : ''}`
}

/** `rule 0 of pay/callers wants methods [GET] and principals […]`, for statements. */
export function misfitText({ name, index, misfits, dropped, rule }: NearRule): string {
  if (dropped) return `rule ${index} of ${name} uses HTTP fields, ${fieldsText(fieldsOf(rule))}, and is left out on TCP`
  const wrong = misfits.length > 0 ? misfits : fieldsOf(rule)
  return `rule ${index} of ${name} wants ${fieldsText(wrong)}`
}
