import type { KubeObject } from '../model/kube.ts'
import { judgeCustom } from './authorize/custom-action.ts'
import { type Action, testEnvoyRule } from './authorize/envoy-rule.ts'
import { compareBytes, firstId, rbacId } from './authorize/rbac-id.ts'
import { type AuthzRequest, missing } from './authorize/request.ts'
import { readRule } from './authorize/rule-shape.ts'
import { mergeUnknowns, type Truth, type Unknown } from './authorize/three-valued.ts'
import { testZtunnelRule } from './authorize/ztunnel-rule.ts'
import type { MeshConfig } from './mesh-config.ts'
import { attachment } from './policy-attachment.ts'
import type { Workload } from './workload.ts'

export type { Action } from './authorize/envoy-rule.ts'
export type { AuthzRequest } from './authorize/request.ts'
export type { Unknown } from './authorize/three-valued.ts'

export interface ConsideredRule {
  readonly index: number
  readonly id: string
  readonly result: 'match' | 'no-match' | 'unknown'
  readonly because: string
  /** Not in the proxy's filter: HTTP fields in an ALLOW rule on TCP, or a rule that istiod cannot translate. */
  readonly dropped: boolean
  /** Fields that this proxy cannot test, so that the rule covers more than it says. */
  readonly ignoredFields: readonly string[]
  readonly unknowns: readonly Unknown[]
}

export interface ConsideredPolicy {
  /** `namespace/name`. */
  readonly policy: string
  readonly action: Action
  readonly attaches: boolean | 'unknown'
  readonly why: string
  readonly dryRun: boolean
  readonly rules: readonly ConsideredRule[]
}

export interface Decider {
  /** `null`: no single policy; see `why`. */
  readonly policy: string | null
  readonly action: Action | null
  readonly ruleIndex: number | null
  readonly why: string
}

export interface ShadowResult {
  readonly policy: string
  readonly action: Action
  readonly ruleIndex: number | null
  readonly result: 'match' | 'no-match' | 'unknown'
  readonly why: string
}

export interface Authorization {
  readonly decision: 'allowed' | 'denied' | 'cannot-decide'
  readonly by: Decider | null
  readonly considered: readonly ConsideredPolicy[]
  /** What would have to be known. Empty unless it matters for the decision. */
  readonly unknowns: readonly Unknown[]
  /** What Envoy logs for a denial; `null` when it logs none, or when it is open which of several it is. */
  readonly rbacId: string | null
  /** Other rules of the deciding kind that fit as well. Envoy names only one. */
  readonly alsoMatches: readonly string[]
  /** What the server's ztunnel logs for a denial. */
  readonly ztunnelText: string | null
  readonly dryRun: readonly ShadowResult[]
  readonly audit: readonly ShadowResult[]
}

/** What the enforcement point of a workload decides about a call: CUSTOM, DENY, ALLOW, and the default, in this order. */
export function authorize(
  request: AuthzRequest,
  policies: readonly KubeObject[],
  workload: Workload,
  mesh: MeshConfig,
): Authorization {
  if (request.protocol === undefined && workload.proxy !== 'ambient') {
    // Which chain handles the call decides a lot, but often both come to the same end.
    const [http, tcp] = [
      authorize({ ...request, protocol: 'http' }, policies, workload, mesh),
      authorize({ ...request, protocol: 'tcp' }, policies, workload, mesh),
    ]
    if (http.decision === tcp.decision) {
      const isSameId = http.rbacId === tcp.rbacId
      return {
        ...http,
        rbacId: isSameId ? http.rbacId : null,
        unknowns: mergeUnknowns([...http.unknowns, ...tcp.unknowns]),
      }
    }
    const unknowns = mergeUnknowns([missing('protocol'), ...http.unknowns, ...tcp.unknowns])
    return { ...http, decision: 'cannot-decide', by: null, rbacId: null, alsoMatches: [], unknowns }
  }
  const considered = policies.filter(isAuthorizationPolicy).map((policy) => consider(policy, request, workload, mesh))
  const verdict =
    workload.proxy === 'ambient' ? judgeAtZtunnel(considered) : judgeAtEnvoy(considered, policies, request, mesh)
  return {
    ...verdict,
    considered,
    dryRun: considered.filter(({ dryRun, attaches }) => dryRun && attaches !== false).map(shadow),
    audit: considered
      .filter(({ action, dryRun, attaches }) => action === 'AUDIT' && !dryRun && attaches !== false)
      .map(shadow),
  }
}

export function isAuthorizationPolicy(object: KubeObject): boolean {
  return object.kind === 'AuthorizationPolicy' && object.apiVersion.startsWith('security.istio.io/')
}

function consider(policy: KubeObject, request: AuthzRequest, workload: Workload, mesh: MeshConfig): ConsideredPolicy {
  const { name, namespace = '' } = policy.metadata
  const { attaches, why } = attachment(policy, workload, mesh, request.service)
  const action = readAction(policy)
  const rules = attaches === false || !Array.isArray(policy.spec?.rules) ? [] : policy.spec.rules
  const context = { request, workload, mesh, policyNamespace: namespace }
  const test = workload.proxy === 'ambient' ? testZtunnelRule : testEnvoyRule
  return {
    policy: `${namespace}/${name}`,
    action,
    attaches,
    why,
    dryRun: isDryRun(policy),
    rules: rules.map((rule: unknown, index: number) => {
      const { truth, because, dropped, ignoredFields, unknowns } = test(readRule(rule), action, context)
      const result = truth === 'yes' ? 'match' : truth === 'no' ? 'no-match' : 'unknown'
      return { index, id: rbacId(namespace, name, index), result, because, dropped, ignoredFields, unknowns }
    }),
  }
}

function readAction(policy: KubeObject): Action {
  const action = policy.spec?.action
  return action === 'DENY' || action === 'AUDIT' || action === 'CUSTOM' ? action : 'ALLOW'
}

/** As Go's ParseBool. */
function isDryRun(policy: KubeObject): boolean {
  return /^(1|t|T|TRUE|true|True)$/.test(policy.metadata.annotations?.['istio.io/dry-run'] ?? '')
}

function shadow({ policy, action, rules, attaches }: ConsideredPolicy): ShadowResult {
  const fit = rules.find(({ result }) => result === 'match') ?? rules.find(({ result }) => result === 'unknown')
  const result = fit === undefined ? 'no-match' : attaches === 'unknown' ? 'unknown' : fit.result
  return { policy, action, ruleIndex: fit?.index ?? null, result, why: fit?.because ?? 'no rule fits' }
}

type Verdict = Omit<Authorization, 'considered' | 'dryRun' | 'audit'>

interface Stage {
  readonly truth: Truth
  readonly matches: readonly Hit[]
  /** Rules of which it is open whether they fit. */
  readonly open: readonly Hit[]
}

interface Hit {
  readonly policy: ConsideredPolicy
  readonly rule: ConsideredRule
}

function judgeAtEnvoy(
  considered: readonly ConsideredPolicy[],
  policies: readonly KubeObject[],
  request: AuthzRequest,
  mesh: MeshConfig,
): Verdict {
  const custom = judgeCustom(considered, policies.filter(isAuthorizationPolicy), request, mesh)
  const deny = stage(considered, 'DENY')
  const allow = stage(considered, 'ALLOW')
  const present = allowPresence(considered)
  if (custom.kind === 'denied') return denied(custom.by, custom.rbacId, custom.alsoMatches)
  if (deny.truth === 'yes') {
    const ids = deny.matches.map(({ rule }) => rule.id)
    const first = firstId(ids)
    const decider = deny.matches.find(({ rule }) => rule.id === first)
    const earlier =
      custom.kind === 'open' || deny.open.some(({ rule }) => first !== null && compareBytes(rule.id, first) < 0)
    return denied(
      byHit(decider),
      earlier ? null : first,
      ids.filter((id) => id !== first),
    )
  }
  const open = custom.kind === 'open' || deny.truth === 'unknown'
  const openUnknowns = [...(custom.kind === 'open' ? custom.unknowns : []), ...deny.open.flatMap(unknownsOf)]
  if (present === 'yes' && allow.truth === 'no') return denied(nobodyAllows(considered), open ? null : 'none', [])
  if (open || (present !== 'no' && allow.truth === 'unknown'))
    return undecided([...openUnknowns, ...allow.open.flatMap(unknownsOf), ...presenceUnknowns(considered, allow)])
  if (present === 'unknown' && allow.truth === 'no') return undecided(presenceUnknowns(considered, allow))
  return allowed(allow.matches[0], considered)
}

function judgeAtZtunnel(considered: readonly ConsideredPolicy[]): Verdict {
  const deny = stage(considered, 'DENY')
  const allow = stage(considered, 'ALLOW')
  const rejection = 'connection closed due to policy rejection'
  if (deny.truth === 'yes') {
    const names = [...new Set(deny.matches.map(({ policy }) => policy.policy))]
    // ztunnel keeps policies in a hash set: with several it is open which one it names.
    const ztunnelText =
      names.length === 1 && deny.open.length === 0 ? `${rejection}: explicitly denied by: ${names[0]}` : null
    return { ...denied(byHit(deny.matches[0]), null, names.slice(1)), ztunnelText }
  }
  const isAllowed = allow.truth === 'yes'
  if (allowPresence(considered) === 'yes' && allow.truth === 'no') {
    const ztunnelText = deny.truth === 'no' ? `${rejection}: allow policies exist, but none allowed` : null
    return { ...denied(nobodyAllows(considered), null, []), ztunnelText }
  }
  if (deny.truth === 'unknown' || (!isAllowed && allow.truth === 'unknown'))
    return undecided([...deny.open.flatMap(unknownsOf), ...allow.open.flatMap(unknownsOf)])
  return allowed(allow.matches[0], considered)
}

function stage(considered: readonly ConsideredPolicy[], action: Action): Stage {
  const inForce = considered.filter((policy) => policy.action === action && !policy.dryRun && policy.attaches !== false)
  const hits = inForce.flatMap((policy) => policy.rules.map((rule) => ({ policy, rule })))
  const matches = hits.filter(({ policy, rule }) => rule.result === 'match' && policy.attaches === true)
  const open = hits.filter(
    ({ policy, rule }) => rule.result === 'unknown' || (rule.result === 'match' && policy.attaches === 'unknown'),
  )
  return { truth: matches.length > 0 ? 'yes' : open.length > 0 ? 'unknown' : 'no', matches, open }
}

/** One ALLOW policy, even one without rules, turns the default from allow to deny. */
function allowPresence(considered: readonly ConsideredPolicy[]): Truth {
  const inForce = considered.filter(({ action, dryRun }) => action === 'ALLOW' && !dryRun)
  if (inForce.some(({ attaches }) => attaches === true)) return 'yes'
  return inForce.some(({ attaches }) => attaches === 'unknown') ? 'unknown' : 'no'
}

function presenceUnknowns(considered: readonly ConsideredPolicy[], allow: Stage): readonly Unknown[] {
  const isOpen = considered.some(({ action, attaches }) => action === 'ALLOW' && attaches === 'unknown')
  return isOpen && allow.truth !== 'yes' ? [missing('service')] : []
}

function unknownsOf({ policy, rule }: Hit): readonly Unknown[] {
  return policy.attaches === 'unknown' ? [missing('service'), ...rule.unknowns] : rule.unknowns
}

function byHit(hit: Hit | undefined): Decider {
  return {
    policy: hit?.policy.policy ?? null,
    action: hit?.policy.action ?? null,
    ruleIndex: hit?.rule.index ?? null,
    why: hit?.rule.because ?? '',
  }
}

function nobodyAllows(considered: readonly ConsideredPolicy[]): Decider {
  const attached = considered.filter(
    ({ action, attaches, dryRun }) => action === 'ALLOW' && attaches === true && !dryRun,
  )
  const only = attached.length === 1 ? attached[0] : undefined
  const rules = attached.flatMap(({ policy, rules: list }) =>
    list.length === 0
      ? [`${policy} has no rules and so allows nothing`]
      : list.map(({ index, because }) => `${policy} rule ${index}: ${because}`),
  )
  return {
    policy: only?.policy ?? null,
    action: 'ALLOW',
    ruleIndex: null,
    why: `no ALLOW rule fits. ${rules.join('. ')}`,
  }
}

function denied(by: Decider, id: string | null, alsoMatches: readonly string[]): Verdict {
  return { decision: 'denied', by, rbacId: id, alsoMatches, unknowns: [], ztunnelText: null }
}

function undecided(unknowns: readonly Unknown[]): Verdict {
  return {
    decision: 'cannot-decide',
    by: null,
    rbacId: null,
    alsoMatches: [],
    unknowns: mergeUnknowns(unknowns),
    ztunnelText: null,
  }
}

function allowed(hit: Hit | undefined, considered: readonly ConsideredPolicy[]): Verdict {
  const attached = considered.filter(({ attaches }) => attaches === true)
  const by: Decider = hit
    ? byHit(hit)
    : {
        policy: null,
        action: null,
        ruleIndex: null,
        why:
          attached.length > 0
            ? 'no DENY rule fits, and no ALLOW policy is in force'
            : 'no policy reaches this workload',
      }
  return { decision: 'allowed', by, rbacId: null, alsoMatches: [], unknowns: [], ztunnelText: null }
}
