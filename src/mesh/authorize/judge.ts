import type { KubeObject } from '../../model/kube.ts'
import type { MeshConfig } from '../mesh-config.ts'
import type { Authorization, ConsideredPolicy, ConsideredRule, Decider } from './authorization.ts'
import { judgeCustom } from './custom-action.ts'
import type { Action } from './envoy-rule.ts'
import { compareBytes, firstId } from './rbac-id.ts'
import { type AuthzRequest, missing } from './request.ts'
import { mergeUnknowns, type Truth, type Unknown } from './three-valued.ts'

export type Verdict = Omit<Authorization, 'considered' | 'dryRun' | 'audit'>

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

export function judgeAtEnvoy(
  considered: readonly ConsideredPolicy[],
  policies: readonly KubeObject[],
  request: AuthzRequest,
  mesh: MeshConfig,
): Verdict {
  const custom = judgeCustom(considered, policies, request, mesh)
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

export function judgeAtZtunnel(considered: readonly ConsideredPolicy[]): Verdict {
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
