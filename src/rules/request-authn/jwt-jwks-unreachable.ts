import type { Quote } from '../../model/evidence.ts'
import { type Decider, fired, type Hit, type RuleOutcome, ruledOut } from '../../model/finding.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { heldKeys } from '../lib/jwks.ts'
import { jwtHit, otherJwt } from '../lib/jwt-hit.ts'
import { type JwtRefusal, type JwtRuleView, jwtRefusalOf, jwtRulesOf, requestAuthAt } from '../lib/jwt-refusal.ts'
import { destinationName } from '../lib/words.ts'

/** What a proxy says whose keys do not fit the token. */
const keyReasons: ReadonlySet<string> = new Set([
  'Jwt verification fails',
  "Jwks doesn't have key to match kid or alg from Jwt",
  'Jwks remote fetch is failed',
])

/** istiod fetches the keys, not the proxy. When it cannot, it installs one that no token fits, and all tokens look forged. */
export default defineRule({
  code: 'jwt-jwks-unreachable',
  layer: 'request-authn',
  severity: 'error',
  explains: ['401', 'unknown'],
  title: 'The keys of the issuer could not be fetched',
  why: 'By default istiod downloads jwksUri from its own network. While it cannot, proxies hold a stand-in key and refuse every token.',
  needs: [['server.accessLog', 'waypoint.accessLog', 'gateway.accessLog', 'client.accessLog', 'server.config']],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/security-issues/'],
  check(situation) {
    const refusal = jwtRefusalOf(situation)
    if (!refusal || !keyReasons.has(refusal.reason)) return otherJwt(situation, refusal)
    const rules = refusal.pod ? jwtRulesOf(requestAuthAt(situation, refusal.pod).policies) : []
    const fetched = rules.filter(({ inline }) => !inline)
    if (rules.length > 0 && fetched.length === 0)
      return ruledOut('the keys stand in the RequestAuthentication itself; nothing is fetched', refusal.quote)
    return judge(situation, refusal, fetched)
  },
})

function judge(situation: Situation, refusal: JwtRefusal, rules: readonly JwtRuleView[]): RuleOutcome {
  const proof = [...failedFetches(situation, rules), ...standIns(situation, refusal)]
  if (refusal.reason === 'Jwks remote fetch is failed' || proof.length > 0)
    return fired(hit(situation, refusal, rules, proof, refusal.certainty))
  const keys = refusal.pod ? heldKeys(situation, refusal.pod) : null
  const real = keys?.find(
    (held) => held.keys > 0 && !held.standIn && rules.some(({ issuer }) => issuer === held.issuer),
  )
  if (real)
    return ruledOut(
      `the proxy holds ${real.keys} real key(s) of ${real.issuer}`,
      quote(real.entry, 'the keys it holds', real.excerpt),
    )
  return fired(hit(situation, refusal, rules, [], 'possible'))
}

/** What istiod said about these issuers or their addresses. */
function failedFetches(situation: Situation, rules: readonly JwtRuleView[]): Quote[] {
  return situation.istiodLog.flatMap(({ data, entry }) =>
    data.entries
      .filter(
        ({ kind, issuer, uri, message }) =>
          kind === 'jwks-failed' && rules.some((rule) => concerns(rule, issuer, uri, message)),
      )
      .slice(-1)
      .map(({ raw, line }) => quote(entry, 'istiod could not fetch the keys', raw, line)),
  )
}

function concerns(rule: JwtRuleView, issuer: string | null, uri: string | null, message: string): boolean {
  if (rule.jwksUri !== null && (uri === rule.jwksUri || message.includes(rule.jwksUri))) return true
  return rule.issuer !== '' && (issuer === rule.issuer || (uri === null && message.includes(rule.issuer)))
}

function standIns(situation: Situation, { pod }: JwtRefusal): Quote[] {
  const keys = pod ? (heldKeys(situation, pod) ?? []) : []
  return keys
    .filter(({ standIn }) => standIn)
    .map(({ entry, issuer, excerpt }) =>
      quote(
        entry,
        `for ${issuer} the proxy holds the stand-in that istiod installs when it cannot fetch keys`,
        excerpt,
      ),
    )
}

function hit(
  situation: Situation,
  refusal: JwtRefusal,
  rules: readonly JwtRuleView[],
  proof: readonly Quote[],
  certainty: Hit['certainty'],
): Hit {
  const uris = [...new Set(rules.map(({ jwksUri, issuer }) => jwksUri ?? `the address that ${issuer} publishes`))]
  const where = uris.join(', ') || 'the JWKS address'
  const base = jwtHit(situation, refusal, {
    title: `the keys behind ${where} did not arrive, so ${destinationName(situation)} refuses every token`,
    statement: `${refusal.where} says "${refusal.reason}". Keys come from ${where}, fetched by ${refusal.reason === 'Jwks remote fetch is failed' ? 'the proxy itself' : 'istiod'}.`,
    fix: {
      statement: `Make ${where} reachable from ${refusal.reason === 'Jwks remote fetch is failed' ? 'the pod' : 'istiod'} (egress rule, DNS, trusted CA), or put the keys into the jwtRule as jwks. Restart nothing: a failed fetch is tried again every minute.`,
      commands: [],
      scope: 'every workload that validates tokens of this issuer',
      risk: 'keys written into the object do not follow a rotation at the issuer',
      undo: 'take the egress rule or the inline keys back',
    },
  })
  return {
    ...base,
    certainty,
    supporting: [...base.supporting, ...proof],
    wouldDecide: certainty === 'proven' ? null : undecidedBy(situation, refusal),
  }
}

/** istiod's log says it outright; where that was read and is silent, the keys in the proxy do. */
function undecidedBy(situation: Situation, { pod }: JwtRefusal): Decider {
  if (situation.istiodLog.length > 0 && pod && heldKeys(situation, pod) === null)
    return {
      command: `istioctl proxy-config listener ${pod.name}.${pod.namespace} -o json`,
      why: 'localJwks.inlineString shows whether the proxy holds the issuer’s keys or a stand-in; what was read of istiod’s log names no failed fetch',
    }
  return {
    command: `kubectl -n ${situation.given.istioNamespace} logs -l app=istiod -c discovery --tail=2000`,
    why: 'a failed fetch of these keys stands in istiod’s log as "JWKS fetch failed" or "Failed to fetch public key"',
  }
}
