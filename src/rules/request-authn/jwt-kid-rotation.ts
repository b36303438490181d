import { fired } from '../../model/finding.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { heldKeys } from '../lib/jwks.ts'
import { jwtHit, otherJwt, tokenFix } from '../lib/jwt-hit.ts'
import { jwtRefusalOf } from '../lib/jwt-refusal.ts'
import { destinationName } from '../lib/words.ts'

/** The proxy has keys of this issuer, and the token was signed with another one: usually a newer one. */
export default defineRule({
  code: 'jwt-kid-rotation',
  layer: 'request-authn',
  severity: 'error',
  explains: ['401', 'unknown'],
  title: 'The token is signed with a key that the proxy does not have yet',
  why: 'Proxies hold a copy of the issuer’s keys that istiod refreshes every 20 minutes. A key used before it was published is unknown until then.',
  needs: [['server.accessLog', 'waypoint.accessLog', 'gateway.accessLog', 'client.accessLog', 'server.config']],
  yieldsTo: ['jwt-jwks-unreachable'],
  check(situation) {
    const refusal = jwtRefusalOf(situation)
    if (refusal?.reason !== "Jwks doesn't have key to match kid or alg from Jwt") return otherJwt(situation, refusal)
    const keys = (refusal.pod ? heldKeys(situation, refusal.pod) : null)?.filter(({ standIn }) => !standIn) ?? []
    const kids = keys.flatMap((held) => held.kids)
    const base = jwtHit(situation, refusal, {
      title: `${destinationName(situation)} has no key with the token's kid`,
      statement:
        `${refusal.where} has keys of the issuer${kids.length > 0 ? ` (kid ${kids.join(', ')})` : ''}, and none is the one the token was signed with. ${situation.passing.length > 0 ? 'Other requests of this call pass, as they do while old and new tokens are both in use.' : ''}`.trim(),
      fix: tokenFix(
        'Let the issuer publish a new key before it signs with it, or wait for the next refresh (20 minutes). With keys written into the RequestAuthentication, add the new one beside the old one.',
        'none for the mesh while both keys are published',
      ),
    })
    return fired({
      ...base,
      certainty: keys.length > 0 ? 'likely' : 'possible',
      supporting: [
        ...base.supporting,
        ...keys.slice(0, 2).map(({ entry, issuer, excerpt }) => quote(entry, `the keys held for ${issuer}`, excerpt)),
      ],
      wouldDecide: {
        command: `istioctl proxy-config listener ${refusal.pod ? `${refusal.pod.name}.${refusal.pod.namespace}` : 'POD.NAMESPACE'} -o json`,
        why: 'the kid in the token’s header, compared with the keys in localJwks.inlineString and with those at the JWKS address',
      },
    })
  },
})
