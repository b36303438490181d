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
  check(situation) {
    const refusal = jwtRefusalOf(situation)
    if (refusal?.reason !== "Jwks doesn't have key to match kid or alg from Jwt") return otherJwt(situation, refusal)
    const keys = (refusal.pod ? heldKeys(situation, refusal.pod) : null)?.filter(({ standIn }) => !standIn) ?? []
    const kids = keys.flatMap((held) => held.kids)
    const base = jwtHit(situation, refusal, {
      title: `${destinationName(situation)} has no key with the token's kid`,
      statement:
        `${refusal.where} says that no key it holds${kids.length > 0 ? ` (kid ${kids.join(', ')})` : ''} has the kid and alg of the token's header. ${situation.passing.length > 0 ? 'Other requests of this call pass, as they do while old and new tokens are both in use.' : ''}`.trim(),
      fix: tokenFix(
        'Look the kid of the token’s header up at the JWKS address. If it is there, the next refresh brings it (20 minutes); with keys written into the RequestAuthentication, add it beside the old one. If it is not, the issuer has to publish a key before it signs with it, or the token is not from this issuer.',
        'none for the mesh while both keys are published',
      ),
    })
    return fired({
      ...base,
      // A token of somebody else who writes the same issuer is refused with the same words: no log line holds the token's kid.
      certainty: keys.length > 0 ? 'likely' : 'possible',
      supporting: [
        ...base.supporting,
        ...keys.slice(0, 2).map(({ entry, issuer, excerpt }) => quote(entry, `the keys held for ${issuer}`, excerpt)),
      ],
      wouldDecide: {
        command: `istioctl proxy-config listener ${refusal.pod ? `${refusal.pod.name}.${refusal.pod.namespace}` : 'POD.NAMESPACE'} -o json`,
        why: 'localJwks.inlineString holds the keys that the proxy has. If the kid of the token’s header is missing there and stands at the JWKS address, the key is newer than the copy; if it stands in neither, the token is not from this issuer',
      },
    })
  },
})
