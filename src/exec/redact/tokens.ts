import { mark, markBase64, patternRule, type Rule } from './rule.ts'

/**
 * A JWT's header and claims are what rules about 401 and 403 need, and worthless without the signature. An encrypted
 * one (five parts) shows its header only.
 */
const jwt = patternRule(
  'jwt',
  ['eyJ', 'ewo'],
  /\b((?:eyJ|ewo)[\w-]{6,})\.([\w-]*)((?:\.[\w-]+)+)/g,
  (match, header = '', claims = '', rest = '') => {
    if (rest === `.${mark}`) return match
    const isSigned = rest.lastIndexOf('.') === 0 && isJson(claims)
    return isSigned ? `${header}.${claims}.${mark}` : `${header}.${mark}.${mark}`
  },
)

function isJson(part: string): boolean {
  return /^\s*\{/.test(Buffer.from(part, 'base64url').toString('latin1'))
}

const redactedJwt = new RegExp(`^[\\w-]+\\.[\\w-]+\\.${mark}$`)
/** True for what is left of a token that was already dealt with. */
export const isDone = (value: string): boolean =>
  value === '' || value === mark || value === markBase64 || redactedJwt.test(value)

/** `Bearer` in prose is followed by a word; a token has a digit in it. */
const bearer = patternRule(
  'bearer',
  /bearer/i,
  /\b(Bearer[\s:]+)(?=[^\s"'\\]*\d)([\w.~+/=-]{8,})/gi,
  (match, scheme = '', token = '') => (isDone(token) ? match : `${scheme}${mark}`),
)

const basic = patternRule(
  'basic-auth',
  /basic/i,
  /\b(Basic\s+)([A-Za-z0-9+/]{6,}={0,2})/gi,
  (match, scheme = '', value = '') =>
    Buffer.from(value, 'base64').toString('latin1').includes(':') ? `${scheme}${mark}` : match,
)

/** Shapes that say by themselves what they are. */
const shapes: readonly (readonly [string, Rule['trigger'], RegExp])[] = [
  ['aws-key', ['AKIA', 'ASIA'], /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g],
  ['google-key', ['AIza', 'ya29.', 'GOCSPX-'], /\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{20,}/g],
  [
    'github-token',
    ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    /\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{22,}/g,
  ],
  ['gitlab-token', ['glpat-'], /\bglpat-[\w-]{20,}/g],
  [
    'slack-token',
    ['xox', 'hooks.slack.com'],
    /\bxox[abeoprs]-[\w-]{10,}|(?<=hooks\.slack\.com\/(?:services|workflows)\/)[\w/]{20,}/g,
  ],
  [
    'vendor-token',
    ['k_live_', 'npm_', 'dckr_pat_', 'hvs.', 'SG.', 'sk-'],
    /\b[sr]k_live_\w{16,}|\bnpm_[A-Za-z0-9]{36}\b|\bdckr_pat_[\w-]{20,}|\bhvs\.[\w-]{20,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bsk-(?=[\w-]*\d)[\w-]{32,}/g,
  ],
]

export const tokenRules: readonly Rule[] = [
  jwt,
  bearer,
  basic,
  ...shapes.map(([name, trigger, pattern]) => patternRule(name, trigger, pattern, () => mark)),
]
