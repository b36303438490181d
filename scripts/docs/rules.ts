import type { AnyRule, Hit } from '../../src/model/finding.ts'
import { forMarkdown, markdownBlock, markdownCode } from '../../src/report/escape.ts'
import { rules } from '../../src/rules/index.ts'
import type { Recording } from './recordings.ts'

interface Seen {
  readonly recording: Recording
  readonly hit: Hit
}

/** A page for every rule, with what it said about a recorded mesh where one shows it. */
export function rulePages(recordings: readonly Recording[]): [string, string][] {
  const pages = rules.map((rule): [string, string] => [`docs/rules/${rule.code}.md`, page(rule, recordings)])
  return [...pages, ['docs/rules/README.md', index()]]
}

function page(rule: AnyRule, recordings: readonly Recording[]): string {
  const seen = recordings.flatMap((recording): Seen[] => {
    const outcome = recording.played.state.outcomes[rule.code]?.outcome
    return outcome?.status === 'fired' ? outcome.hits.map((hit) => ({ recording, hit })) : []
  })
  const quietIn = recordings.filter(({ played }) => played.state.outcomes[rule.code]?.outcome.status === 'ruled-out')
  const best = seen.find(({ hit }) => hit.certainty === 'proven') ?? seen[0]
  const needs = rule.needs.map((need) =>
    typeof need === 'string' ? markdownCode(need) : need.map(markdownCode).join(' or '),
  )
  const parts = [
    `# ${markdownCode(rule.code)}`,
    `**${forMarkdown(rule.title)}.** Layer ${markdownCode(rule.layer)}, ${rule.severity}. Explains: ${rule.explains.join(', ') || 'no symptom by itself'}.`,
    `## Why it breaks calls\n\n${forMarkdown(rule.why)}`,
    `## What it looks at\n\n${needs.length > 0 ? needs.map((need) => `- ${need}`).join('\n') : 'Whatever was collected.'}\n\nWhere none of it can be read, the rule is blind and says so.`,
    ...(rule.yieldsTo && rule.yieldsTo.length > 0
      ? [
          `It yields to ${rule.yieldsTo.map((code) => markdownCode(code)).join(', ')}: where one of them is shown on the same call, this is only its consequence.`,
        ]
      : []),
    best
      ? example(best)
      : '## On a recorded mesh\n\nNo recording of this project shows it as it is; its test makes one by changing a recording and says what was changed.',
    ...(quietIn.length > 0
      ? [
          `Ruled out, with evidence, in ${quietIn.length} other recording${quietIn.length === 1 ? '' : 's'}, for example ${markdownCode(quietIn[0]?.name ?? '')}.`,
        ]
      : []),
    ...(rule.seeAlso && rule.seeAlso.length > 0
      ? [`See also: ${rule.seeAlso.map((url) => `<${url}>`).join(', ')}`]
      : []),
    '[All rules](README.md)',
  ]
  return `${parts.join('\n\n')}\n`
}

function example({ recording, hit }: Seen): string {
  const proof = hit.supporting.map(
    ({ statement, excerpt }) =>
      `- ${forMarkdown(statement)}${excerpt === null ? '' : `\n${indent(markdownBlock(excerpt.slice(0, 300)))}`}`,
  )
  return [
    `## On a recorded mesh: ${markdownCode(recording.name)}`,
    `> ${forMarkdown(hit.title)} (${hit.certainty})`,
    forMarkdown(hit.statement),
    `**Proof**\n\n${proof.join('\n')}`,
    `**Smallest safe move.** ${forMarkdown(hit.fix.statement)}`,
    ...(hit.fix.commands.length > 0 ? [markdownBlock(hit.fix.commands.join('\n'))] : []),
    `Touches ${forMarkdown(hit.fix.scope)}. Risk: ${forMarkdown(hit.fix.risk)}. Undo: ${forMarkdown(hit.fix.undo)}.`,
    `**Verify.** Expect: ${forMarkdown(hit.verify.expect)}\n\n${markdownBlock(hit.verify.command)}`,
    ...(hit.wouldDecide
      ? [`**Would decide.** ${forMarkdown(hit.wouldDecide.why)}\n\n${markdownBlock(hit.wouldDecide.command)}`]
      : []),
  ].join('\n\n')
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}

function index(): string {
  const layers = [...new Set(rules.map(({ layer }) => layer))].sort()
  const sections = layers.map((layer) => {
    const own = rules.filter((rule) => rule.layer === layer)
    return `## ${layer}\n\n${own.map((rule) => `- [${markdownCode(rule.code)}](${rule.code}.md): ${forMarkdown(rule.title)}`).join('\n')}`
  })
  return `# Rules\n\n${rules.length} rules, by layer. Made from the program by \`node scripts/generate-docs.mjs\`.\n\n${sections.join('\n\n')}\n`
}
