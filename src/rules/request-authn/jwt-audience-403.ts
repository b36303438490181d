import { fired } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { jwtHit, jwtRuleFix, otherJwt } from '../lib/jwt-hit.ts'
import { claimText, jwtRefusalOf, jwtRulesOf, requestAuthAt } from '../lib/jwt-refusal.ts'
import { destinationName } from '../lib/words.ts'

/** The one refusal of the JWT filter that is a 403: no authorization policy was asked. */
export default defineRule({
  code: 'jwt-audience-403',
  layer: 'request-authn',
  severity: 'error',
  explains: ['403', 'unknown'],
  title: 'The token is meant for another audience',
  why: 'A jwtRule with audiences accepts only tokens whose aud holds one of them, and Envoy answers 403 for it, not 401.',
  needs: [['server.accessLog', 'waypoint.accessLog', 'gateway.accessLog', 'client.accessLog', 'server.config']],
  check(situation) {
    const refusal = jwtRefusalOf(situation)
    if (refusal?.reason !== 'Audiences in Jwt are not allowed') return otherJwt(situation, refusal)
    const rules = refusal.pod ? jwtRulesOf(requestAuthAt(situation, refusal.pod).policies) : []
    const audiences = [...new Set(rules.flatMap((rule) => rule.audiences))]
    const own = claimText(situation, 'aud')
    const accepted =
      audiences.length === 0 ? 'Which audiences it accepts could not be read.' : `It accepts ${audiences.join(', ')}.`
    return fired(
      jwtHit(situation, refusal, {
        title: `the token's audience${own === null ? '' : ` ${own}`} is none that ${destinationName(situation)} accepts`,
        statement: `${refusal.where} refused the token because of its audience. ${accepted}${own === null ? '' : ` The token's aud is ${own}.`}`,
        fix: jwtRuleFix(
          situation,
          refusal,
          'If tokens for this audience are to be accepted, add the audience to the jwtRule of this issuer, beside those that are there; else let the caller ask for a token for this service.',
          'tokens made for another service become good here as well',
        ),
      }),
    )
  },
})
