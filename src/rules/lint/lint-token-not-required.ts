import { overlaps } from '../lib/selectors.ts'
import { usesToken } from '../lib/token-rules.ts'
import { lintRule, namespaceOf } from './lint-rule.ts'

/** D10: tokens are checked where they come, and nobody asks for one. */
export default lintRule({
  code: 'lint-token-not-required',
  layer: 'request-authn',
  severity: 'warning',
  title: 'A RequestAuthentication that nothing enforces',
  why: 'RequestAuthentication refuses bad tokens and lets requests without any token pass. Only an AuthorizationPolicy that asks for a request principal turns those away.',
  seeAlso: ['https://istio.io/latest/docs/tasks/security/authentication/authn-policy/#require-a-valid-token'],
  find: (situation) =>
    situation.store.list('RequestAuthentication').flatMap((stored) => {
      const places = [namespaceOf(stored), situation.rootNamespace]
      const enforced = situation.store
        .list('AuthorizationPolicy')
        .some(
          (policy) =>
            (places.includes(namespaceOf(policy)) || namespaceOf(stored) === situation.rootNamespace) &&
            usesToken(policy.object) &&
            overlaps(stored.object, policy.object),
        )
      if (enforced) return []
      return {
        stored,
        message: 'no AuthorizationPolicy for these workloads asks for a token, so requests without one pass',
        fix: 'Add an AuthorizationPolicy for the same workloads that denies what has no request principal (notRequestPrincipals: ["*"]), except paths that are meant to be open.',
        risk: 'callers without a token are refused from then on',
      }
    }),
})
