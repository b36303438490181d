import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import { policiesReadable } from '../../situation/security.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { type AllowMiss, allowMissOf, misfitText } from '../lib/allow-miss.ts'
import { firstFailing } from '../lib/deciding-line.ts'
import { notSeen } from '../lib/not-seen.ts'
import { looseFix, policyFix, policyName, quotePolicies, requestText, serverLogDecides } from '../lib/policy-fix.ts'
import { placeName, refusalOf } from '../lib/refusal.ts'
import { fieldsText } from '../lib/rule-fields.ts'
import { laterRefusal, refusalBehind, refusalWithout, type Unlogged, unloggedRefusal } from '../lib/unlogged-refusal.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

/** One ALLOW policy turns the default to deny: whatever no rule fits is refused, and the log says `none`. */
export default defineRule({
  code: 'authz-allow-list-miss',
  layer: 'authz',
  severity: 'error',
  explains: ['403', 'reset', '401', '404', '500', '502', '503', '504', 'timeout', 'tls', 'unknown'],
  title: 'ALLOW policies exist, and none of their rules fits this request',
  why: 'As soon as one ALLOW policy covers a workload, everything that no ALLOW rule fits is refused.',
  needs: [
    [
      'server.accessLog',
      'waypoint.accessLog',
      'gateway.accessLog',
      'ztunnel.ztunnelLog',
      'client.accessLog',
      'server.config',
    ],
  ],
  yieldsTo: [
    'ambient-l7-allow-without-waypoint',
    'ambient-waypoint-identity',
    'authz-blocks-probes-and-scrapers',
    'cors-preflight-rejected',
    'proxy-nack-error',
    'proxy-stale-or-disconnected',
  ],
  seeAlso: ['https://istio.io/latest/docs/concepts/security/#authorization'],
  check(situation) {
    const refusal = refusalOf(situation)
    const behind = refusal ? refusalBehind(situation, refusal) : null
    const next = behind?.decision.by?.action === 'ALLOW' ? [unlogged(situation, behind, 'next')] : []
    if (refusal?.by === 'none') {
      const miss = allowMissOf(situation, refusal)
      if (miss && miss.kind !== 'general' && !miss.doubt)
        return next.length > 0
          ? fired(...next)
          : ruledOut('a more specific reason why no ALLOW rule fits is proven', refusal.quote)
      // An ALLOW rule that ztunnel cannot read is a matter of its own.
      if (refusal.at === 'ztunnel' && miss?.rules.some(({ dropped }) => dropped)) return quiet
      return fired(logged(situation, refusal, miss), ...next)
    }
    const after = refusal ? refusalWithout(situation, refusal) : laterRefusal(situation)
    if (after?.decision.by?.action === 'ALLOW') return fired(unlogged(situation, after, 'next'), ...next)
    if (next.length > 0) return fired(...next)
    if (refusal) return ruledOut('a policy is named: no ALLOW rule was asked', refusal.quote)
    const guess = unloggedRefusal(situation)
    if (guess?.decision.by?.action === 'ALLOW') {
      const miss = allowMissOf(situation, guess.refusal)
      return miss && miss.kind !== 'general' ? quiet : fired(unlogged(situation, guess, 'call'))
    }
    return notSeen(
      situation,
      firstFailing(situation),
      'the failing lines hold no rbac_access_denied_matched_policy[none]',
    )
  },
})

function logged(situation: Situation, refusal: NonNullable<ReturnType<typeof refusalOf>>, miss: AllowMiss | null): Hit {
  const [policy] = miss?.policies ?? []
  const passes = miss?.passesNow === true
  // Where nothing reads HTTP a rule may be out of reach because it names HTTP fields: without the policies that cannot be told.
  const readsNoHttp = refusal.at === 'ztunnel' || situation.sample?.server?.record.kind === 'tcp'
  const open = readsNoHttp && (miss === null || miss.policies.length === 0)
  return {
    subject: policy ? policyName(policy) : destinationName(situation),
    title: titleOf(situation, miss),
    statement:
      `${capital(placeName(refusal.at))} refused it${refusal.at === 'ztunnel' ? '' : ' with "none"'}: ALLOW policies cover ${destinationName(situation)} and no rule of theirs fits. ${explained(situation, miss, refusal.pod?.namespace ?? null)}`.trim(),
    certainty: open ? 'possible' : passes || miss?.doubt ? 'likely' : 'proven',
    supporting: [refusal.quote, ...quotePolicies(miss?.policies ?? [])],
    contradicting: passes
      ? miss.policies.map((stored) =>
          quoteObject(stored, `as it is now, ${policyName(stored)} would let this request pass`, stored.object.spec),
        )
      : [],
    fix: fixOf(situation, miss),
    verify: tryAgain(
      situation,
      'no refusal, and details other than rbac_access_denied_matched_policy[none] in the new line',
    ),
    wouldDecide: open
      ? {
          command: `kubectl get authorizationpolicies.security.istio.io -n ${situation.serverNamespace ?? 'NAMESPACE'} -o yaml`,
          why: 'ALLOW rules that name HTTP fields (paths, methods, hosts, headers) fit nothing where no HTTP is read; others simply lack this caller',
        }
      : passes
        ? {
            command: 'istioctl proxy-status -o json',
            why: 'the policies as they are now allow it: SYNCED means that they were changed since, STALE that the proxy still holds older ones',
          }
        : (miss?.doubt ?? null),
    about: 'call',
  }
}

function unlogged(situation: Situation, guess: Unlogged, about: 'call' | 'next'): Hit {
  const miss = allowMissOf(situation, guess.refusal)
  const [policy] = miss?.policies ?? []
  return {
    subject: policy ? policyName(policy) : destinationName(situation),
    title: titleOf(situation, miss),
    statement:
      `${about === 'next' ? 'Once what fails now is out of the way, the policies' : 'The policies, evaluated for this request,'} refuse it at ${placeName(guess.refusal.at)}: no ALLOW rule fits. ${explained(situation, miss, null)}`.trim(),
    certainty: 'likely',
    supporting: guess.supporting,
    contradicting: guess.contradicting,
    fix: fixOf(situation, miss),
    verify: tryAgain(situation, 'no refusal by policy'),
    wouldDecide: serverLogDecides(situation, guess.refusal.at),
    about,
  }
}

function titleOf(situation: Situation, miss: AllowMiss | null): string {
  const names = (miss?.policies ?? []).map(({ object }) => `${object.metadata.namespace}/${object.metadata.name}`)
  const which =
    names.length === 0
      ? 'no ALLOW policy'
      : names.length === 1
        ? `AuthorizationPolicy ${names[0]} does not`
        : `none of the ALLOW policies ${names.slice(0, 3).join(', ')}`
  return `${which} ${names.length === 1 ? 'allow' : 'allows'} ${callerName(situation)} this request to ${destinationName(situation)}`
}

function explained(situation: Situation, miss: AllowMiss | null, namespace: string | null): string {
  if (!miss)
    return namespace !== null && !policiesReadable(situation, 'AuthorizationPolicy', namespace)
      ? 'The policies could not all be read, so which rule comes nearest is not known.'
      : ''
  if (miss.passesNow) return 'As the policies are now, they would let it pass.'
  const nearest = miss.rules.filter((rule) => miss.nearest.includes(rule))
  const shown = (nearest.length > 0 ? nearest : miss.rules).slice(0, 3)
  const plaintext = miss.request.sourcePrincipal === null ? ' The connection carried no identity.' : ''
  return `It was ${requestText(miss)}; ${shown.map(misfitText).join('; ')}.${plaintext}`
}

function fixOf(situation: Situation, miss: AllowMiss | null) {
  const rule = miss?.nearest[0] ?? miss?.rules[0]
  const policy = rule?.policy ?? miss?.policies[0]
  const risk = 'a rule made too wide lets in more than this caller: add one principal, method and path, no wildcard'
  if (miss?.passesNow)
    return looseFix(
      `Nothing to add as the policies are now. Send the request again; if it is still refused, the proxy that refused it holds older ones: look at its sync state.`,
      destinationName(situation),
      'none: nothing changes',
    )
  if (!policy)
    return looseFix(
      `If the caller is meant to pass, add it to the ALLOW policy that covers ${destinationName(situation)}: one rule with its principal, method and path.`,
      destinationName(situation),
      risk,
    )
  const isTokenOnly =
    rule !== undefined && rule.misfits.length > 0 && rule.misfits.every(({ kind }) => kind === 'token')
  const instead = isTokenOnly
    ? `Let the caller's token carry what rule ${rule.index} of ${policyName(policy)} wants: ${fieldsText(rule.misfits)}. Or, i`
    : 'I'
  return policyFix(
    policy,
    `${instead}f the caller is meant to pass, add what is missing to ${policyName(policy)}, as a rule of its own for this principal${miss?.request.protocol === 'tcp' ? ' and port' : ', method and path'}; leave its other rules as they are.`,
    risk,
  )
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
