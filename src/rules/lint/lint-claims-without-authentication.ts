import { overlaps } from '../lib/selectors.ts'
import { usesToken } from '../lib/token-rules.ts'
import { lintRule, namespaceOf } from './lint-rule.ts'

/** D11: a policy asks for claims that nobody has validated. */
export default lintRule({
  code: 'lint-claims-without-authentication',
  layer: 'request-authn',
  severity: 'error',
  title: 'A policy asks for claims, and nothing validates tokens',
  why: 'Request principals and claims exist only after a RequestAuthentication has validated the token. Without one an ALLOW rule on claims never fits, and a DENY rule on missing ones always does.',
  find: (situation) =>
    situation.store.list('AuthorizationPolicy').flatMap((stored) => {
      if (!usesToken(stored.object)) return []
      const places = [namespaceOf(stored), situation.rootNamespace]
      const validated = situation.store
        .list('RequestAuthentication')
        .some(
          (one) =>
            (places.includes(namespaceOf(one)) || namespaceOf(stored) === situation.rootNamespace) &&
            overlaps(one.object, stored.object),
        )
      if (validated) return []
      return {
        stored,
        message: 'its rules ask for request principals or claims, and no RequestAuthentication covers these workloads',
        fix: 'Add a RequestAuthentication for the same workloads with the issuer of these tokens; leave the policy as it is.',
        risk: 'from then on requests with a bad token are refused with 401',
      }
    }),
})
