import { mark, patternRule, type Rule } from './rule.ts'
import { isDone } from './tokens.ts'

const credentials = patternRule(
  'url-credentials',
  /:\/\/[^\s/"]{0,256}@/,
  /\b([a-z][a-z0-9+.-]{1,20}:\/\/)([^\s/?#@"'<>\\]{1,256})@/gi,
  (match, scheme = '', user = '') =>
    user === mark || (!user.includes(':') && user.length < 20) ? match : `${scheme}${mark}@`,
)

const names =
  'access_token|id_token|refresh_token|token|api[_-]?key|apikey|key|sig|signature|password|passwd|pwd|secret|client_secret|auth|session|session_?id|sid|jwt|assertion|x-amz-(?:signature|security-token|credential)|x-goog-(?:signature|credential)'

/** Go's JSON encoder writes `&` as `\u0026`. */
const query = patternRule(
  'query-secret',
  /[?&;6](?:access|id_|refresh|token|api|key|sig|pass|pwd|secret|client_|auth|sess|sid|jwt|assert|x-)[\w-]*=/i,
  new RegExp(`((?:[?&;]|\\\\u0026)(?:${names})=)([^&\\s"'#<>\\\\;]+)`, 'gi'),
  (match, name = '', value = '') => (isDone(value) ? match : `${name}${mark}`),
)

export const urlRules: readonly Rule[] = [credentials, query]
