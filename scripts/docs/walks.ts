import { allRunbooks } from '../../src/cli/runbooks.ts'
import type { Condition } from '../../src/model/runbook.ts'
import { forMarkdown } from '../../src/report/escape.ts'

/** What a walk does, symptom by symptom. */
export function walksPage(): string {
  const sections = allRunbooks(null).map(({ runbook }) => {
    const steps = runbook.steps.map((step, index) => {
      const branches = step.next.map(
        (branch) =>
          `${branch.when ? `if ${conditionText(branch.when)}: ` : ''}then **${branch.goto}**: ${forMarkdown(branch.because)}`,
      )
      return [
        `${index + 1}. **${step.id}** (${step.layer}): ${forMarkdown(step.title)}`,
        `   - ${forMarkdown(step.proves)}`,
        ...(step.ask ? [`   - asks: ${forMarkdown(step.ask.text)}`] : []),
        ...(step.collect.length > 0 ? [`   - collects ${step.collect.map((key) => `\`${key}\``).join(', ')}`] : []),
        ...branches.map((text) => `   - ${text}`),
      ].join('\n')
    })
    return `## ${forMarkdown(runbook.title)}\n\n\`${runbook.id}\`, for ${runbook.symptoms.join(', ')}. People say: ${runbook.says.map((text) => `“${forMarkdown(text)}”`).join(', ')}.\n\n${forMarkdown(runbook.about)}\n\n${steps.join('\n')}`
  })
  return `# Walks, by symptom\n\nMade from the runbooks by \`node scripts/generate-docs.mjs\`. Before a walk is called clean, whatever a rule for the symptom still needs is looked at too.\n\n${sections.join('\n\n')}\n`
}

function conditionText(condition: Condition): string {
  if (condition.found !== undefined) return `${condition.found} was found`
  if (condition.missing !== undefined) return `${condition.missing} could not be read`
  if (condition.answer !== undefined) return `the answer is ${condition.answer}`
  if (condition.not) return `not (${conditionText(condition.not)})`
  const parts = (condition.all ?? condition.any ?? []).map(conditionText)
  return parts.join(condition.all ? ' and ' : ' or ')
}
