import { mark, patternRule, type Rule } from './rule.ts'
import { isDone } from './tokens.ts'

const headers =
  '(?:proxy-)?authorization|(?:set-)?cookie|x-api-key|api-key|apikey|x-auth-token|x-access-token|x-amz-security-token|x-goog-api-key|x-goog-iam-authorization-token|x-vault-token|x-csrf-token|x-xsrf-token|x-forwarded-access-token|private-token|x-gitlab-token|x-functions-key|ocp-apim-subscription-key'

/** Names of fields and variables that hold a secret, by how they end. */
const secretName =
  '(?:password|passwd|passphrase|client[_-]?secret|secret[_-]?(?:access[_-]?)?key|access[_-]?key|api[_-]?key|access[_-]?token|refresh[_-]?token|id[_-]?token|auth[_-]?token|bearer[_-]?token|session[_-]?token|private[_-]?key|client-key-data|hmac[_-]?(?:secret|key))'
/** Short ones are words of prose too: believed as a key in JSON or before `=`, not before a colon. */
const shortName = '(?:secret|token|pwd|credentials?)'

/** A quote, possibly escaped because it stands in JSON inside JSON (last-applied-configuration). */
const open = '(\\\\*")'
/** From the opening quote, whose text is group N, to its like. */
const until = (group: number) => `((?:(?!(?<!\\\\)\\${group})[\\s\\S]){0,100000}?)(?<!\\\\)\\${group}`
const isPlain = (value: string) =>
  /^(?:true|false|null|none|\d{0,6}|\[redacted\]|<redacted>|W3JlZGFjdGVkXQ==|DATA\+OMITTED)$/i.test(value)

/** Keeps an authentication scheme, and what a token rule has left. */
function withoutValue(value: string): string {
  const [, scheme = '', rest = ''] =
    /^((?:Bearer|Basic|Digest|Negotiate|AWS4-HMAC-SHA256|ApiKey|Token)\s+)?([\s\S]*)$/i.exec(value) ?? []
  return isDone(rest.trim()) ? value : `${scheme}${mark}`
}
const replaceValue = (before: string, value: string, after: string) => `${before}${withoutValue(value)}${after}`

const headerTrigger = /authorization|cookie|api-?key|-token|subscription-key|functions-key/i
/** Trigger of everything that goes by a secret's name. */
const nameTrigger =
  /passw|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|hmac|key-data|credential|pwd/i

/** `"authorization": "…"`, `"authorization": ["…"]`, at any depth of quoting. */
const headerField = patternRule(
  'header',
  headerTrigger,
  new RegExp(`${open}(${headers})\\1(\\s*:\\s*\\[?\\s*)\\1${until(1)}`, 'gi'),
  (_match, quote = '', name = '', between = '', value = '') =>
    replaceValue(`${quote}${name}${quote}${between}${quote}`, value, quote),
)

/** A match on the value of such a header: `"x-api-key": { "exact": "…" }`. Prefixes are schemes, and rules need them. */
const headerMatch = patternRule(
  'header',
  headerTrigger,
  new RegExp(
    `${open}(authorization|x-api-key|api-key|apikey|x-auth-token)\\1(\\s*:\\s*\\{\\s*)\\1exact\\1(\\s*:\\s*)\\1${until(1)}`,
    'gi',
  ),
  (_match, quote = '', name = '', brace = '', colon = '', value = '') =>
    replaceValue(`${quote}${name}${quote}${brace}${quote}exact${quote}${colon}${quote}`, value, quote),
)

/** `authorization: …` as curl and Envoy's debug log print it, to the end of the line or of the quoted text. */
const headerLine = patternRule(
  'header',
  headerTrigger,
  new RegExp(`(?<![\\w-])((?:${headers})(?:\\s*:\\s+|'\\s*,\\s*'|:'?))([^"'\\\\\\n\\r{}\\[\\]]{3,})`, 'gi'),
  (_match, name = '', value = '') =>
    /^\s*$/.test(value) ? `${name}${value}` : replaceValue(name, value.trimEnd(), value.slice(value.trimEnd().length)),
)

/** A field of that name whose value is a text; numbers, switches and objects are no secrets. Searched from the end of the name: dumps are long. */
const field = patternRule(
  'named-value',
  nameTrigger,
  new RegExp(`(${secretName}|${shortName})(\\\\*")(\\s*:\\s*)\\2${until(2)}`, 'gi'),
  (match, name = '', quote = '', colon = '', value = '') =>
    isPlain(value) || isDone(value) || /REDACTED/.test(value)
      ? match
      : replaceValue(`${name}${quote}${colon}${quote}`, value, quote),
)

/** Envoy: `"private_key": { "inline_string": "…" }` and its like. */
const inline = patternRule(
  'named-value',
  /inline_?(?:string|bytes)/i,
  new RegExp(
    `${open}(private_?key|password|(?:client|token|hmac|generic)_?secret|secret)\\1(\\s*:\\s*\\{\\s*)\\1(inline_?(?:string|bytes))\\1(\\s*:\\s*)\\1${until(1)}`,
    'gi',
  ),
  (match, quote = '', name = '', brace = '', kind = '', colon = '', value = '') =>
    isPlain(value) || value === mark
      ? match
      : `${quote}${name}${quote}${brace}${quote}${kind}${quote}${colon}${quote}${mark}${quote}`,
)

const variable = `[\\w.-]*(?:password|passwd|passphrase|pwd|secrets?|tokens?|keys?|credentials?|_auth|dsn|connection_?string|authorization|cookie)`
const variableTrigger =
  /(?:passw(?:or)?d|passphrase|pwd|secret|token|key|credential|auth|authorization|dsn|connection_?string|cookie)s?\\*"|name: \S*(?:passw|passphrase|pwd|secret|token|key|credential|auth|dsn|connection|cookie)/i

/** An environment variable or a header of a probe: `"name": "DB_PASSWORD", "value": "…"`. */
const pair = patternRule(
  'env',
  variableTrigger,
  new RegExp(`${open}(name|key)\\1(\\s*:\\s*)\\1(${variable})\\1(\\s*,\\s*)\\1value\\1(\\s*:\\s*)\\1${until(1)}`, 'gi'),
  (match, quote = '', key = '', colon = '', name = '', comma = '', colon2 = '', value = '') =>
    isPlain(value) || value === mark
      ? match
      : replaceValue(
          `${quote}${key}${quote}${colon}${quote}${name}${quote}${comma}${quote}value${quote}${colon2}${quote}`,
          value,
          quote,
        ),
)
const pairReversed = patternRule(
  'env',
  variableTrigger,
  new RegExp(
    `${open}value\\1(\\s*:\\s*)\\1((?:(?!\\1)[^\\n]){1,4000}?)\\1(\\s*,\\s*)\\1name\\1(\\s*:\\s*)\\1(${variable})\\1`,
    'gi',
  ),
  (match, quote = '', colon = '', value = '', comma = '', colon2 = '', name = '') =>
    isPlain(value) || value === mark
      ? match
      : `${quote}value${quote}${colon}${quote}${withoutValue(value)}${quote}${comma}${quote}name${quote}${colon2}${quote}${name}${quote}`,
)
const pairYaml = patternRule(
  'env',
  variableTrigger,
  new RegExp(`(\\bname: ["']?${variable}["']?[ \\t]*\\r?\\n\\s*value: )([^\\n\\r]+)`, 'gi'),
  (match, before = '', value = '') => (isPlain(value) || value === mark ? match : `${before}${mark}`),
)

/** `"--db-password", "…"` in a container's arguments. */
const argument = patternRule(
  'argument',
  /--?[\w-]*(?:passw|secret|token|key)/i,
  new RegExp(
    `${open}(--?[\\w-]*(?:password|passwd|secret|token|api-?key|secret-?key|access-?key))\\1(\\s*,\\s*)\\1${until(1)}`,
    'gi',
  ),
  (match, quote = '', name = '', comma = '', value = '') =>
    isDone(value) || value.startsWith('-') ? match : `${quote}${name}${quote}${comma}${quote}${mark}${quote}`,
)

const unquoted = `([^\\s"'\\\\,;&<>(){}\\[\\]]{3,})`
/** `DB_PASSWORD=…`, `password: …` in logs and YAML. */
const assignment = patternRule(
  'named-value',
  nameTrigger,
  new RegExp(`((?:${secretName}\\s*(?:=|:\\s)\\s*|(?:${shortName})=)["']?)${unquoted}`, 'gi'),
  (match, name = '', value = '') =>
    isPlain(value) || isDone(value) || /REDACTED/.test(value) ? match : `${name}${mark}`,
)
/** `curl -u me:…` as people paste it. */
const userFlag = patternRule(
  'argument',
  /-u |--(?:proxy-)?user[ =]/,
  /((?:^|\s)(?:-u|--user|--proxy-user)[ =]+["']?[^\s:"'\\]+:)([^\s"'\\]{3,})/g,
  (match, before = '', value = '') => (isDone(value) ? match : `${before}${mark}`),
)
/** kubeconfig: a line of its own, also where the file is a text in JSON. */
const tokenLine = patternRule(
  'named-value',
  /(?:^|\\n)[ \t]*token: /m,
  /((?:^|\\n)[ \t]*token: ["']?)([^\s"'\\]{6,})/gm,
  (match, name = '', value = '') => (isDone(value) ? match : `${name}${mark}`),
)

export const namedValueRules: readonly Rule[] = [
  headerField,
  headerMatch,
  headerLine,
  inline,
  field,
  pair,
  pairReversed,
  pairYaml,
  argument,
  assignment,
  userFlag,
  tokenLine,
]
