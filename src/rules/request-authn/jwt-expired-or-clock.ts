import { fired } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { jwtHit, otherJwt, tokenFix } from '../lib/jwt-hit.ts'
import { claimText, jwtRefusalOf } from '../lib/jwt-refusal.ts'
import { callerName } from '../lib/words.ts'

/** Outside its time window, with 60 seconds of grace. Nothing in the mesh is wrong. */
export default defineRule({
  code: 'jwt-expired-or-clock',
  layer: 'request-authn',
  severity: 'error',
  explains: ['401', 'unknown'],
  title: 'The token is outside its time window',
  why: 'The proxy compares exp and nbf of the token with the clock of its node and allows 60 seconds.',
  needs: [['server.accessLog', 'waypoint.accessLog', 'gateway.accessLog', 'client.accessLog', 'server.config']],
  check(situation) {
    const refusal = jwtRefusalOf(situation)
    const early = refusal?.reason === 'Jwt not yet valid'
    if (!refusal || (!early && refusal.reason !== 'Jwt is expired')) return otherJwt(situation, refusal)
    const claim = early ? 'nbf' : 'exp'
    const value = claimText(situation, claim)
    const at = refusal.time
    return fired(
      jwtHit(situation, refusal, {
        title: `the token of ${callerName(situation)} ${early ? 'is not valid yet' : 'has expired'}`,
        statement: `${refusal.where} refused the token${at ? ` at ${at}` : ''}: ${refusal.reason}.${value === null ? '' : ` Its ${claim} is ${value} (seconds since 1970).`}`,
        fix: early
          ? tokenFix(
              'Compare the clock of the issuer with that of the node; correct the one that is off. No change in the mesh.',
              'a clock that jumps disturbs other things on that machine',
            )
          : tokenFix(
              'Let the caller fetch a new token before the old one ends, and not keep it longer than exp says. No change in the mesh.',
              'none for the mesh',
            ),
      }),
    )
  },
})
