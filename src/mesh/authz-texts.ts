import { vocabulary } from './vocabulary-entry.ts'

/** What authorization, external authorization and rate limits print. */
export const authzTexts = vocabulary(
  'authz-text',
  { side: 'server-proxy', doc: 'https://istio.io/latest/docs/ops/common-problems/security-issues/' },
  {
    'rbac_access_denied_matched_policy[none]': {
      aliases: ['matched_policy[none]', 'rbac_access_denied_matched_policy'],
      layer: 'authz',
      meaning:
        'At least one ALLOW policy covers this workload, and no rule of any of them fits the request: 403, or a closed connection on TCP.',
      next: 'istioctl x authz check <pod>.<ns>; then compare caller identity, method, path and port with the rules. SNI "-" in the same line means plaintext: then there is no caller identity.',
      mistake:
        'No DENY policy did this. "none" does not mean that there is no policy, and an ALLOW policy without rules denies all.',
    },
    'rbac_access_denied_matched_policy[ns[…]-policy[…]-rule[…]]': {
      aliases: ['ns[…]-policy[…]-rule[…]'],
      layer: 'authz',
      meaning: 'A DENY policy fits the request. Namespace, name and rule (counted from 0) are in the brackets.',
      next: 'kubectl get authorizationpolicy <name> -n <ns> -o yaml',
      mistake:
        'An ALLOW policy cannot outweigh a DENY. Envoy names one match only, the smallest by spelling: other rules may fit too.',
    },
    'rbac_access_denied_matched_policy[istio-ext-authz-…-deny-due-to-bad-CUSTOM-action]': {
      aliases: [
        '…deny-due-to-bad-CUSTOM-action…',
        'default-deny-all-due-to-bad-CUSTOM-action',
        'istio-ext-authz-…-deny-due-to-bad-CUSTOM-action',
      ],
      layer: 'ext-authz',
      meaning: 'A CUSTOM policy names a provider that istiod cannot use, so everything its rules fit is denied.',
      next: 'extensionProviders in kubectl get cm istio -n istio-system -o yaml, against spec.provider.name of the policy',
      mistake:
        'The authorization service was never asked: its log is empty. Up to Istio 1.19 the whole workload was denied, since 1.20 only what the rules fit.',
    },
    'istio-ext-authz-…ns[…]-policy[…]-rule[…]': {
      layer: 'ext-authz',
      meaning:
        'The rule of a CUSTOM policy that sent the request to an external authorization service. The provider’s name is part of it from Istio 1.30.',
      next: 'kubectl get authorizationpolicy <name> -n <ns> -o yaml, and the provider’s log',
      mistake: 'A fitting CUSTOM rule is not a denial by itself: the service decides.',
    },
    'RBAC: access denied': {
      layer: 'authz',
      meaning:
        'Body of a 403 made by a proxy’s authorization policy (19 bytes). The server’s proxy or a waypoint wrote it, seldom the caller’s side.',
      next: 'The server side’s access log names the policy: rbac_access_denied_matched_policy[…]',
      mistake: 'The application did not answer. The body does not part DENY from a missed ALLOW.',
    },
    ext_authz_denied: {
      layer: 'ext-authz',
      meaning: 'The external authorization service looked at the request and refused it. Status and body are its own.',
      next: 'The log of the authorization service',
      mistake: 'The status need not be 403: 401 and redirects to a login are usual.',
    },
    ext_authz_error: {
      layer: 'ext-authz',
      meaning:
        'The external authorization service could not be asked (down, wrong port, timeout), and failOpen is off: 403 unless statusOnError says otherwise.',
      next: 'istioctl proxy-config endpoints <pod>.<ns> for the provider’s cluster',
      mistake: 'Nobody decided against this caller.',
    },
    ext_authz_invalid: {
      layer: 'ext-authz',
      meaning: 'The authorization service answered with headers that cannot be used (500).',
      next: 'The authorization service’s answer',
      mistake: 'It is neither a denial nor an outage.',
    },
    local_rate_limited: {
      layer: 'rate-limit',
      meaning: 'The proxy’s own token bucket is empty (429).',
      next: 'kubectl get envoyfilters -A -o yaml (local_ratelimit); the bucket counts per proxy, not per service',
      mistake: 'The caller’s line says 429 via_upstream when the server’s proxy limits.',
    },
    request_rate_limited: {
      layer: 'rate-limit',
      meaning: 'The rate-limit service said that the limit is reached (429).',
      next: 'Descriptors and limits of the rate-limit service',
      mistake: 'It counts over all proxies that share a descriptor.',
    },
    rate_limiter_error: {
      layer: 'rate-limit',
      meaning: 'The rate-limit service could not be asked, and the filter refuses then (500).',
      next: 'Endpoints of the rate-limit service',
      mistake: 'No limit was reached.',
    },
  },
)
