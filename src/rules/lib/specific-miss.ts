import type { Certainty } from '../../model/answered-by.ts'
import type { Quote } from '../../model/evidence.ts'
import { type Decider, type Fix, type Hit, quiet, type RuleOutcome, ruledOut } from '../../model/finding.ts'
import type { Situation } from '../../situation/situation.ts'
import { type AllowMiss, allowMissOf, type MissKind } from './allow-miss.ts'
import { type DenyKind, type DenyMatch, denyMatchOf } from './deny-match.ts'
import { policyName, quotePolicies, serverLogDecides } from './policy-fix.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import { unloggedRefusal } from './unlogged-refusal.ts'
import { destinationName, tryAgain } from './words.ts'

/** A refusal of one kind: logged, and then proven, or told from the policies alone. */
export interface Specific<T> {
  readonly refusal: Omit<Refusal, 'quote' | 'by'>
  readonly detail: T
  readonly certainty: Certainty
  readonly supporting: readonly Quote[]
  readonly contradicting: readonly Quote[]
  readonly wouldDecide: Decider | null
}

/** No ALLOW rule fits, for exactly this reason. */
export function missBecause(situation: Situation, kind: MissKind): Specific<AllowMiss> | null {
  const refusal = refusalOf(situation)
  if (refusal) {
    const detail = refusal.by === 'none' ? allowMissOf(situation, refusal) : null
    if (detail?.kind !== kind) return null
    return {
      refusal,
      detail,
      certainty: detail.doubt ? 'likely' : 'proven',
      supporting: [refusal.quote, ...quotePolicies(detail.policies)],
      contradicting: [],
      wouldDecide: detail.doubt,
    }
  }
  const guess = unloggedRefusal(situation)
  const detail = guess?.decision.by?.action === 'ALLOW' ? allowMissOf(situation, guess.refusal) : null
  if (!guess || detail?.kind !== kind) return null
  return {
    refusal: guess.refusal,
    detail,
    certainty: 'likely',
    supporting: guess.supporting,
    contradicting: guess.contradicting,
    wouldDecide: serverLogDecides(situation, guess.refusal.at),
  }
}

/** A DENY rule matches, for exactly this reason. */
export function denyBecause(situation: Situation, kind: DenyKind): Specific<DenyMatch> | null {
  const refusal = refusalOf(situation)
  const detail = refusal ? denyMatchOf(situation, refusal) : null
  if (!refusal || detail?.kind !== kind || !detail.policy) return null
  return {
    refusal,
    detail,
    certainty: detail.address?.doubt ? 'likely' : 'proven',
    supporting: [refusal.quote, ...quotePolicies([detail.policy])],
    contradicting: [],
    wouldDecide: detail.address?.doubt ?? null,
  }
}

/** The refusal has another reason, or there is none. */
export function otherRefusal(situation: Situation, because: string): RuleOutcome {
  const refusal = refusalOf(situation)
  return refusal ? ruledOut(because, refusal.quote) : quiet
}

export function specificHit(
  situation: Situation,
  { supporting, contradicting, certainty, wouldDecide, detail }: Specific<AllowMiss> | Specific<DenyMatch>,
  words: { readonly title: string; readonly statement: string; readonly fix: Fix; readonly more?: readonly Quote[] },
): Hit {
  const policy = 'policies' in detail ? (detail.nearest[0]?.policy ?? detail.policies[0]) : detail.policy
  return {
    subject: policy ? policyName(policy) : destinationName(situation),
    title: words.title,
    statement: words.statement,
    certainty,
    supporting: [...supporting, ...(words.more ?? [])],
    contradicting,
    fix: words.fix,
    verify: tryAgain(situation, 'no refusal, and no rbac_access_denied in the new line of the destination’s proxy'),
    wouldDecide,
    about: 'call',
  }
}

export const refusalNeeds = [
  [
    'server.accessLog',
    'waypoint.accessLog',
    'gateway.accessLog',
    'ztunnel.ztunnelLog',
    'client.accessLog',
    'server.config',
  ],
] as const
