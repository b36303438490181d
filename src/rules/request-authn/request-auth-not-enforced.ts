import { attachment } from '../../mesh/policy-attachment.ts'
import { blind, fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { policiesReadable, workloadOf } from '../../situation/security.ts'
import { quote, quoteLine, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { tokenWasSent } from '../lib/allow-miss.ts'
import { jwtRulesOf, requestAuthAt } from '../lib/jwt-refusal.ts'
import { looseFix } from '../lib/policy-fix.ts'
import { concernsCall } from '../lib/read-by-istiod.ts'
import { enforcerAt } from '../lib/refusal.ts'
import { fieldsOf, rulesOf } from '../lib/rule-fields.ts'
import { callerName, destinationName, tryAgain } from '../lib/words.ts'

/** Tokens are checked where they are, and demanded nowhere: who sends none passes. */
export default defineRule({
  code: 'request-auth-not-enforced',
  layer: 'request-authn',
  severity: 'warning',
  explains: ['not-applied'],
  title: 'RequestAuthentication is there, and nothing demands a token',
  why: 'RequestAuthentication refuses bad tokens. A request without any token passes, until an AuthorizationPolicy asks for a token’s identity.',
  needs: ['server.config'],
  yieldsTo: ['proxy-nack-error', 'proxy-stale-or-disconnected', 'authz-policy-not-selecting'],
  seeAlso: ['https://istio.io/latest/docs/tasks/security/authentication/authn-policy/'],
  check(situation) {
    const pod = validator(situation)
    if (!pod) return quiet
    const { policies } = requestAuthAt(situation, pod)
    if (policies.length === 0 || tokenWasSent(situation)) return quiet
    if (!policiesReadable(situation, 'AuthorizationPolicy', pod.namespace))
      return blind(['server.config', 'mesh.config'])
    const demand = demandOf(situation, pod)
    if (demand)
      return ruledOut(
        'an AuthorizationPolicy asks for the identity in a token',
        quoteObject(demand, 'it asks for a token', demand.object.spec?.rules),
      )
    const passed = situation.exchanges.findLast(({ server, waypoint }) => isPassed(server) || isPassed(waypoint))
    const line = passed ? (isPassed(passed.server) ? passed.server : passed.waypoint) : null
    const seen = line !== null && (!hasOtherSubject(situation) || refusesBadTokens(situation))
    return fired(open(situation, pod, policies, line, seen))
  },
})

/** The pod whose proxy would check tokens: the waypoint in ambient, else the destination's own. */
function validator(situation: Situation): PodView | null {
  const own = enforcerAt(situation, 'server')
  if (own?.hasEnvoy) return own
  return enforcerAt(situation, 'waypoint')
}

function isPassed(line: Line | null): line is Line {
  return line !== null && line.record.details === 'via_upstream' && (line.record.code ?? 500) < 400
}

/** A policy in force here that looks at a token's identity. */
function demandOf(situation: Situation, pod: PodView): Stored | null {
  const found = situation.store
    .list('AuthorizationPolicy')
    .find(
      ({ object }) =>
        attachment(object, workloadOf(pod), situation.mesh).attaches !== false &&
        rulesOf(object).some((rule) => fieldsOf(rule).some(({ kind }) => kind === 'token')),
    )
  return found ?? null
}

/** Anything else of this call that the complaint may be about: routes, rules, patches or policies that concern it. */
function hasOtherSubject(situation: Situation): boolean {
  const kinds = ['VirtualService', 'DestinationRule', 'EnvoyFilter', 'AuthorizationPolicy', 'ServiceEntry', 'Sidecar']
  // What was changed may also be what does not reach this call.
  const near = [situation.clientNamespace, situation.serverNamespace]
  const policies = situation.store
    .objects('AuthorizationPolicy')
    .some(({ metadata }) => near.includes(metadata.namespace ?? null))
  const attached = situation.store
    .list('HTTPRoute')
    .some(({ object }) =>
      object.spec?.parentRefs?.some(
        ({ kind, name }: { kind?: string; name?: string }) =>
          kind === 'Service' && name === situation.server.service?.object.metadata.name,
      ),
    )
  return (
    attached ||
    policies ||
    kinds.some((kind) => situation.store.list(kind).some((stored) => concernsCall(situation, stored)))
  )
}

function refusesBadTokens({ exchanges }: Situation): boolean {
  return exchanges.some(({ server, waypoint }) =>
    [server, waypoint].some((line) => line?.record.details?.startsWith('jwt_authn_access_denied') === true),
  )
}

function open(situation: Situation, pod: PodView, policies: readonly Stored[], line: Line | null, seen: boolean): Hit {
  const [policy] = policies
  const { name = '', namespace = '' } = policy?.object.metadata ?? {}
  const object = `RequestAuthentication ${namespace}/${name}`
  const readers = situation.store.entryFor('AuthorizationPolicy', pod.namespace)
  const to = destinationName(situation)
  return {
    subject: object,
    title: `${object} checks tokens at ${to}, and nothing demands one: requests without a token pass`,
    statement: `${object} reaches ${pod.name}.${pod.namespace}, and no AuthorizationPolicy that reaches it asks for requestPrincipals or request.auth claims.${line ? ` The request of ${callerName(situation)} got ${line.record.code} from the application.` : ''}`,
    certainty: seen ? 'proven' : 'likely',
    supporting: [
      ...(line ? [quoteLine(line, 'the request passed to the application')] : []),
      ...policies.slice(0, 2).map((stored) =>
        quoteObject(stored, 'it validates, for this workload', {
          selector: stored.object.spec?.selector,
          issuers: jwtRulesOf([stored]).map(({ issuer }) => issuer),
        }),
      ),
      ...(readers ? [quote(readers, 'no AuthorizationPolicy that reaches this workload asks for a token')] : []),
    ],
    contradicting: [],
    fix: looseFix(
      `Add a DENY AuthorizationPolicy in ${pod.namespace} that selects this workload only, with notRequestPrincipals: ["*"] and the paths that need a token. Leave ${object} as it is.`,
      to,
      'callers without a token get 403 on these paths at once: leave health checks and public paths out; run it first with the annotation istio.io/dry-run: "true"',
    ),
    verify: tryAgain(situation, '403 without a token, 200 with a valid one'),
    wouldDecide: seen
      ? null
      : {
          command: `istioctl x authz check ${pod.name}.${pod.namespace}`,
          why: 'it lists every policy that reaches this proxy: none with a request principal proves it, if tokens are what the complaint is about',
        },
    about: 'call',
  }
}
