/** What stands where a secret stood. */
export const mark = 'REDACTED'
/** The same where readers expect base64. */
export const markBase64 = Buffer.from(mark).toString('base64')

export interface Rule {
  readonly name: string
  /** Cheap and generous: without a hit the rule is skipped. A string is searched as it is. */
  readonly trigger: RegExp | readonly string[]
  /** Returns the text unchanged where nothing was found, and its own result unchanged the second time. */
  readonly apply: (text: string, count: () => void) => string
}

/** A rule made of one pattern; `replace` gets the match and returns what stands there instead. */
export function patternRule(
  name: string,
  trigger: Rule['trigger'],
  pattern: RegExp,
  replace: (match: string, ...groups: string[]) => string,
): Rule {
  return {
    name,
    trigger,
    apply: (text, count) =>
      text.replace(pattern, (match, ...groups) => {
        const replaced = replace(match, ...groups)
        if (replaced !== match) count()
        return replaced
      }),
  }
}
