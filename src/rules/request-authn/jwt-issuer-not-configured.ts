import { fired } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { jwtHit, jwtRuleFix, otherJwt } from '../lib/jwt-hit.ts'
import { claimText, jwtRefusalOf, jwtRulesOf, requestAuthAt } from '../lib/jwt-refusal.ts'
import { destinationName } from '../lib/words.ts'

/** The issuer is compared letter by letter, before the signature is looked at. */
export default defineRule({
  code: 'jwt-issuer-not-configured',
  layer: 'request-authn',
  severity: 'error',
  explains: ['401', 'unknown'],
  title: "The token's issuer is none that the destination accepts",
  why: 'A RequestAuthentication accepts a token only if its iss equals one of jwtRules[].issuer, scheme and trailing slash included.',
  needs: [['server.accessLog', 'waypoint.accessLog', 'gateway.accessLog', 'client.accessLog', 'server.config']],
  seeAlso: ['https://istio.io/latest/docs/reference/config/security/request_authentication/'],
  check(situation) {
    const refusal = jwtRefusalOf(situation)
    if (refusal?.reason !== 'Jwt issuer is not configured') return otherJwt(situation, refusal)
    const rules = refusal.pod ? jwtRulesOf(requestAuthAt(situation, refusal.pod).policies) : []
    const issuers = [...new Set(rules.map(({ issuer }) => issuer))]
    const issuer = claimText(situation, 'iss')
    const near = issuer === null ? undefined : issuers.find((one) => plain(one) === plain(issuer))
    const known =
      issuers.length === 0 ? 'Which issuers it accepts could not be read.' : `It accepts ${issuers.join(', ')}.`
    const own =
      issuer === null ? 'What the token says can be read from its middle part (iss).' : `The token says ${issuer}.`
    const differs = near ? ` It differs from ${near} by scheme, case or a slash at the end only.` : ''
    return fired(
      jwtHit(situation, refusal, {
        title: `the token's issuer${issuer === null ? '' : ` ${issuer}`} is none that ${destinationName(situation)} accepts`,
        statement: `${refusal.where} refused the token because its issuer is not configured. ${known} ${own}${differs}`,
        fix: jwtRuleFix(
          situation,
          refusal,
          near
            ? `Correct the issuer to ${issuer} in the jwtRule that says ${near}; keep its keys and the other rules.`
            : 'If this issuer is to be trusted, add a jwtRules entry with its exact issuer and jwksUri beside those that are there; if not, let the caller use a token of an accepted issuer. Keep the RequestAuthentication.',
          'a new issuer is trusted for every workload that the object reaches: everybody who can get its tokens passes the check',
        ),
      }),
    )
  },
})

function plain(issuer: string): string {
  return issuer
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/$/, '')
}
