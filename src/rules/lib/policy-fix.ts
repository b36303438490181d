import type { Quote } from '../../model/evidence.ts'
import type { Decider, Fix } from '../../model/finding.ts'
import type { Stored } from '../../situation/objects.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import type { AllowMiss } from './allow-miss.ts'
import type { Refusal } from './refusal.ts'
import { rulesOf } from './rule-fields.ts'
import { plural } from './words.ts'

const resource = 'authorizationpolicies.security.istio.io'

/** `AuthorizationPolicy pay/ledger-callers`. */
export function policyName({ object }: Stored): string {
  return `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`
}

/** The smallest change of one policy: edited by hand, everything else in it stays. */
export function policyFix(policy: Stored, statement: string, risk: string): Fix {
  const { name, namespace } = policy.object.metadata
  return {
    statement,
    commands: [`kubectl -n ${namespace} edit ${resource} ${name}`],
    scope: `every workload that ${policyName(policy)} reaches`,
    risk,
    undo: `put it back as it was: kubectl -n ${namespace} get ${resource} ${name} -o yaml before the change`,
  }
}

/** A change that has no policy to name. */
export function looseFix(statement: string, scope: string, risk: string): Fix {
  return { statement, commands: [], scope, risk, undo: 'take the change back' }
}

export function quotePolicies(policies: readonly Stored[]): Quote[] {
  return policies.slice(0, 4).map((policy) => {
    const rules = rulesOf(policy.object)
    return quoteObject(
      policy,
      `${policyName(policy)} allows only what fits its ${plural(rules.length, 'rule')}`,
      policy.object.spec,
    )
  })
}

/** What would settle a suspicion: the log of the proxy that decides, or its counters where it logs nothing. */
export function serverLogDecides(situation: Situation, at: Refusal['at'] = 'server'): Decider {
  const { given, server, waypoint } = situation
  if (at === 'ztunnel')
    return {
      command: `kubectl -n ${given.istioNamespace} logs -l app=ztunnel --tail=500`,
      why: 'the line of the destination’s ztunnel says "policy rejection" and why',
    }
  const pod = at === 'waypoint' ? (waypoint?.pods[0] ?? null) : (server.pod ?? server.meant)
  const name = pod ? `-n ${pod.namespace} ${pod.name}` : '-n NAMESPACE POD'
  const role = at === 'waypoint' ? 'waypoint' : 'server'
  if (situation.logState(role) === 'empty')
    return {
      command: `kubectl exec ${name} -c istio-proxy -- pilot-agent request GET stats`,
      why: 'its log is silent, but the counters rbac.denied rise with every request that a policy refuses',
    }
  return {
    command: `kubectl logs ${name} -c istio-proxy --tail=200`,
    why: `the line of the ${at === 'waypoint' ? 'waypoint' : 'destination’s proxy'} names who refused: rbac_access_denied_matched_policy[…] a policy, via_upstream whoever is behind`,
  }
}

/** Who asked what, as policies see it: `GET /x as cluster.local/ns/shop/sa/web`. */
export function requestText({ request }: Pick<AllowMiss, 'request'>): string {
  const what =
    request.protocol === 'tcp'
      ? `a connection to port ${request.destinationPort ?? '?'}`
      : `${request.method ?? 'a request'} ${request.path ?? ''}`.trim()
  const { sourcePrincipal } = request
  const who =
    sourcePrincipal === null
      ? 'without identity (plaintext)'
      : sourcePrincipal === undefined
        ? 'from a caller of unknown identity'
        : `as ${sourcePrincipal.replace('spiffe://', '')}`
  return `${what} ${who}`
}
