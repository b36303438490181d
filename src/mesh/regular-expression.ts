/**
 * Envoy's regular expressions (RE2) on top of JavaScript's. They always have to cover the whole text. What JavaScript cannot express,
 * or could only try in exponential time, is `null`: not decided.
 */
export function matchesWhole(pattern: string, text: string): boolean | null {
  const compiled = compile(pattern, true)
  if (compiled === null || isRisky(pattern, text)) return null
  return compiled.test(text)
}

/** RE2's replacement everywhere in the text; `\1` in the substitution is a group. */
export function replaceAllMatches(pattern: string, substitution: string, text: string): string | null {
  const compiled = compile(pattern, false)
  if (compiled === null || isRisky(pattern, text)) return null
  return text.replace(compiled, (...groups) =>
    substitution.replace(/\\(\\|\d)/g, (_, digit: string) =>
      digit === '\\' ? '\\' : typeof groups[Number(digit)] === 'string' ? (groups[Number(digit)] as string) : '',
    ),
  )
}

const classes: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  space: '\\t\\n\\v\\f\\r ',
  word: 'A-Za-z0-9_',
  xdigit: '0-9A-Fa-f',
  punct: '!-\\/:-@\\[-`{-~',
}

function compile(pattern: string, whole: boolean): RegExp | null {
  let flags = whole ? '' : 'g'
  let body = pattern
  const inline = /^\(\?([ims]+)\)/.exec(body)
  if (inline) {
    flags += [...new Set(inline[1])].join('')
    body = body.slice(inline[0].length)
  }
  // RE2 has neither look-around nor back-references; Envoy would have refused the whole configuration.
  if (/\(\?(?:[=!]|<[=!])|(?<!\\)(?:\\\\)*\\[1-9]/.test(body)) return null
  body = body
    .replace(/\(\?P</g, '(?<')
    .replace(/\[:(\w+):\]/g, (all, name: string) => classes[name] ?? all)
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
  if (/\\Q|\\C|\\p|\\P|\(\?[ims-]+[:)]/.test(body)) return null
  try {
    return new RegExp(whole ? `^(?:${body})$` : body, flags)
  } catch {
    return null
  }
}

/** A repeated group that repeats inside can take JavaScript forever on a long text; RE2 does not mind. */
function isRisky(pattern: string, text: string): boolean {
  return text.length > 40 && /\([^()]*[+*}][^()]*\)[+*{]/.test(pattern)
}
