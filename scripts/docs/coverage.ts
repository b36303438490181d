import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/library/package-root.ts'
import { markdownCode } from '../../src/report/escape.ts'
import { rules } from '../../src/rules/index.ts'
import type { Recording } from './recordings.ts'

interface Left {
  readonly code: string
  readonly needs: string
}

/** Which failure modes have a rule, how each was seen, and what the others need. */
export function coveragePage(recordings: readonly Recording[]): string {
  const left = JSON.parse(
    readFileSync(join(packageRoot(), 'scripts', 'docs', 'not-covered.json'), 'utf8'),
  ) as readonly Left[] // our own list
  const codes = new Set(rules.map(({ code }) => code))
  const firing = (code: string) =>
    recordings.filter(({ played }) => played.state.outcomes[code]?.outcome.status === 'fired').length
  const asRecorded = rules.filter(({ code }) => firing(code) > 0)
  const open = left.filter(({ code }) => !codes.has(code))
  return `# Coverage

${rules.length} rules. ${asRecorded.length} of them fire on at least one recording as it is; the others were seen firing on a recording that their test changes and says how.

## Failure modes without a rule

${open.length === 0 ? 'None of those known to this project.' : open.map(({ code, needs }) => `- ${markdownCode(code)}: ${needs}`).join('\n')}

## Seen on recordings as they are

${asRecorded.map(({ code }) => `- [${markdownCode(code)}](rules/${code}.md): ${firing(code)} recording${firing(code) === 1 ? '' : 's'}`).join('\n')}

## Seen on changed recordings only

${rules
  .filter(({ code }) => firing(code) === 0)
  .map(({ code }) => `- [${markdownCode(code)}](rules/${code}.md)`)
  .join('\n')}
`
}
