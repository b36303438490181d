import { vocabulary } from './vocabulary-entry.ts'

/** What the JWT filter says: as body, and in the log inside `jwt_authn_access_denied{…}` with `_` for blanks. */
export const jwtTexts = vocabulary(
  'jwt-text',
  { side: 'server-proxy', doc: 'https://istio.io/latest/docs/ops/common-problems/security-issues/' },
  {
    'jwt_authn_access_denied{…}': {
      aliases: ['jwt_authn_access_denied'],
      layer: 'request-authn',
      meaning: 'A RequestAuthentication looked at the token and refused it. The braces hold the reason.',
      next: 'kubectl get requestauthentications -A -o yaml, and the token’s header and claims',
      mistake:
        'Authorization policies were not reached. A request without any token passes here and is refused, if at all, as 403.',
    },
    'Jwt is missing': {
      layer: 'request-authn',
      meaning: 'The filter insists on a token and found none.',
      next: 'EnvoyFilters: a plain RequestAuthentication does not insist.',
      mistake: 'With plain RequestAuthentication a missing token is no 401; an AuthorizationPolicy turns it into 403.',
    },
    'Jwt is expired': {
      layer: 'request-authn',
      meaning: 'The token’s exp lies in the past, by more than 60 seconds.',
      next: 'Decode exp of the token; compare clocks',
      mistake: 'The policy is fine. A cached token of a service account expires too.',
    },
    'Jwt not yet valid': {
      layer: 'request-authn',
      meaning: 'The token’s nbf lies in the future, by more than 60 seconds.',
      next: 'Clock of the issuer against clock of the node',
      mistake: 'Waiting makes it pass: it is a clock, not a key.',
    },
    'Jwt issuer is not configured': {
      layer: 'request-authn',
      meaning: 'The token’s iss is not the issuer of any jwtRule on this workload.',
      next: 'Compare iss letter by letter with spec.jwtRules[].issuer (trailing slash, http/https)',
      mistake: 'The signature was not even checked.',
    },
    'Audiences in Jwt are not allowed': {
      layer: 'request-authn',
      meaning: 'The token’s aud has none of the audiences of the jwtRule. The only JWT refusal with 403.',
      next: 'aud of the token against spec.jwtRules[].audiences',
      mistake: 'It is a 403 and no authorization policy.',
    },
    'Jwt verification fails': {
      layer: 'request-authn',
      meaning:
        'The signature does not fit any key that the proxy has: a token of another issuer’s key, or istiod could not fetch the keys and installed a stand-in.',
      next: 'istioctl proxy-config listeners <pod>.<ns> -o json (localJwks.inlineString), and istiod’s log for "JWKS fetch failed"',
      mistake: 'The token may be perfect: when istiod cannot reach the JWKS URI, every token fails like this.',
    },
    "Jwks doesn't have key to match kid or alg from Jwt": {
      layer: 'request-authn',
      meaning: 'The key set has no key with the token’s kid or alg: keys were rotated, or (Istio 1.20) never fetched.',
      next: 'kid of the token against the key set at the JWKS URI; istiod refreshes every 20 minutes',
      mistake: 'A new key at the issuer takes a while to arrive in the proxies.',
    },
    'Jwks remote fetch is failed': {
      layer: 'request-authn',
      meaning: 'The proxy itself fetches the keys and could not.',
      next: 'Can the pod reach the JWKS URI? PILOT_JWT_ENABLE_REMOTE_JWKS of istiod',
      mistake: 'In the default mode istiod fetches, and this text never appears.',
    },
    'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections': {
      layer: 'request-authn',
      meaning: 'What the request carries is not a JWT: an opaque token, a wrong prefix, or two Authorization headers.',
      next: 'The Authorization header as it arrives',
      mistake: 'Opaque access tokens are valid elsewhere; the mesh can only check JWTs.',
    },
    'Jwt header [alg] is not supported': {
      aliases: ['Jwt header [alg] field is required and must be a string'],
      layer: 'request-authn',
      meaning: 'The token is signed with an algorithm that the proxy does not know.',
      next: 'alg in the token’s header',
      mistake: 'The key may be right.',
    },
    'Jwt header is an invalid JSON': {
      layer: 'request-authn',
      meaning: 'The token’s first part is no JSON.',
      next: 'The token as it arrives',
      mistake: 'A cut or doubly encoded token looks like this.',
    },
    'Jwt payload is an invalid JSON': {
      layer: 'request-authn',
      meaning: 'The token’s second part is no JSON.',
      next: 'The token as it arrives',
      mistake: 'A cut or doubly encoded token looks like this.',
    },
    'Jwt … is an invalid Base64url encoded': {
      layer: 'request-authn',
      meaning: 'A part of the token is not base64url.',
      next: 'The token as it arrives: cut, quoted, or plain base64 with + and /',
      mistake: 'The issuer is rarely at fault; the way the token was copied is.',
    },
    'Jwt payload [exp] field is not a number': {
      aliases: ['Jwt payload […] field is not a …', 'Jwt payload […] field …'],
      layer: 'request-authn',
      meaning: 'A claim has the wrong type, for example exp as a string.',
      next: 'Types of exp, nbf, iat and sub in the token’s payload',
      mistake: 'Many libraries accept such tokens; Envoy does not.',
    },
    'Found multiple Jwt tokens': {
      layer: 'request-authn',
      meaning: 'More than one token was found where one is expected.',
      next: 'Header and query parameters of the request',
      mistake: 'Each of them may be valid.',
    },
    'Jwks is an invalid JSON': {
      layer: 'request-authn',
      meaning: 'The key set that the proxy holds is no JSON.',
      next: 'spec.jwtRules[].jwks, or what the JWKS URI answers (a login page?)',
      mistake: 'The token is not at fault.',
    },
    'Jwks does not have [keys] field': {
      layer: 'request-authn',
      meaning: 'The key set lacks its list of keys.',
      next: 'What the JWKS URI answers',
      mistake: 'The token is not at fault.',
    },
    "Jwks doesn't have any valid public key": {
      layer: 'request-authn',
      meaning: 'No key of the key set can be used.',
      next: 'What the JWKS URI answers',
      mistake:
        'With an empty key set Envoy may refuse the whole listener and keep the old one: look at the sync state.',
    },
  },
)
