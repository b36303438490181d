import { fired } from '../../model/finding.ts'
import type { Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { heldKeys } from '../lib/jwks.ts'
import { jwtHit, otherJwt, tokenFix } from '../lib/jwt-hit.ts'
import { type JwtRefusal, jwtRefusalOf, jwtRulesOf, requestAuthAt } from '../lib/jwt-refusal.ts'
import { destinationName } from '../lib/words.ts'

const ownRules: ReadonlySet<string> = new Set([
  'Jwt issuer is not configured',
  'Jwt is expired',
  'Jwt not yet valid',
  'Audiences in Jwt are not allowed',
  'Jwks remote fetch is failed',
  "Jwks doesn't have key to match kid or alg from Jwt",
])

/** Every other refusal of the JWT filter: the line says what is wrong with the token itself. */
export default defineRule({
  code: 'jwt-rejected',
  layer: 'request-authn',
  severity: 'error',
  explains: ['401', 'unknown'],
  title: 'The token itself is not acceptable',
  why: 'A token that is there must be a well-formed JWT with a signature that fits a key of its issuer; else the proxy answers 401 before any policy.',
  needs: [['server.accessLog', 'waypoint.accessLog', 'gateway.accessLog', 'client.accessLog', 'server.config']],
  yieldsTo: ['jwt-jwks-unreachable'],
  check(situation) {
    const refusal = jwtRefusalOf(situation)
    if (!refusal || ownRules.has(refusal.reason)) return otherJwt(situation, refusal)
    const forged = refusal.reason === 'Jwt verification fails'
    const base = jwtHit(situation, refusal, {
      title: `${destinationName(situation)} refuses the token: ${refusal.reason}`,
      statement: forged
        ? `${refusal.where} knows the issuer and holds its keys, and the token's signature fits none of them: it was signed with another key, or changed on the way.`
        : `${refusal.where} refused the token: ${refusal.reason}.`,
      fix: tokenFix(
        forged
          ? 'Let the caller use a token as the issuer gave it out, signed with a key that the issuer publishes. No change in the mesh.'
          : 'Correct what the caller sends: one unchanged JWT, "Authorization: Bearer " before it. No change in the mesh.',
        'none for the mesh',
      ),
    })
    if (!forged || keysAreReal(situation, refusal)) return fired(base)
    return fired({
      ...base,
      certainty: 'possible',
      wouldDecide: {
        command: `istioctl proxy-config listener ${refusal.pod ? `${refusal.pod.name}.${refusal.pod.namespace}` : 'POD.NAMESPACE'} -o json`,
        why: 'localJwks.inlineString shows whether the proxy holds the issuer’s keys or a stand-in',
      },
    })
  },
})

/** A signature that fits no key tells about the token only where the keys are known to be the issuer's. */
function keysAreReal(situation: Situation, { pod }: JwtRefusal): boolean {
  if (!pod) return false
  const rules = jwtRulesOf(requestAuthAt(situation, pod).policies)
  if (rules.length > 0 && rules.every(({ inline }) => inline)) return true
  return heldKeys(situation, pod)?.some(({ keys, standIn }) => keys > 0 && !standIn) === true
}
