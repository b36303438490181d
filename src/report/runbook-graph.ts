import type { Condition, Runbook, RunbookStep } from '../model/runbook.ts'
import { forLine } from './escape.ts'
import { newPage, type PageOptions } from './page.ts'

/** A condition as a person would say it. */
export function conditionWords(condition: Condition): string {
  const { found, missing, answer, all, any, not } = condition
  if (found !== undefined) return `${found} was found`
  if (missing !== undefined) return `${missing} could not be had`
  if (answer !== undefined) {
    const [question = '', choice = ''] = answer.split(':')
    return `${question} is answered with ${choice}`
  }
  if (all) return all.map(inBrackets).join(' and ')
  if (any) return any.map(inBrackets).join(' or ')
  return not ? `not ${inBrackets(not)}` : 'always'
}

function inBrackets(condition: Condition): string {
  const isGroup = (condition.all ?? condition.any ?? []).length > 1
  return isGroup ? `(${conditionWords(condition)})` : conditionWords(condition)
}

/** Mermaid, as GitHub, GitLab and most wikis draw it. */
export function runbookMermaid({ id, title, steps }: Runbook): string {
  const lines = [
    '---',
    `title: ${JSON.stringify(`${id}: ${forLine(title)}`)}`,
    '---',
    'flowchart TD',
    ...steps.map(
      (step) => `  ${node(step.id)}["${mermaidText(`${step.label} (${step.layer})`)}<br>${mermaidText(step.title)}"]`,
    ),
    '  diagnosis(["diagnosis"])',
  ]
  for (const { id: from, ask, next } of steps) {
    if (ask) lines.push(`  ${node(from)} -.- ${node(`${from}-ask`)}{{"${mermaidText(ask.text)}"}}`)
    for (const { goto, when } of next) {
      const to = goto === 'diagnosis' ? goto : node(goto)
      lines.push(
        when ? `  ${node(from)} -->|"${mermaidText(conditionWords(when))}"| ${to}` : `  ${node(from)} --> ${to}`,
      )
    }
  }
  return `${lines.join('\n')}\n`
}

/** `end`, `graph` and the like are words of Mermaid's own, and a dash before a name begins an arrow. */
function node(id: string): string {
  return `step_${id.replaceAll('-', '_')}`
}

/** Between quotes Mermaid knows entities only; everything with a meaning in its own or HTML's grammar becomes one. */
function mermaidText(text: string): string {
  return forLine(text).replace(/["#<>&|`{}[\]()\\;]/g, (character) => `#${character.codePointAt(0)};`)
}

/** The same for a terminal: steps in their order, and where each leads. */
export function runbookOutline(runbook: Runbook, options: PageOptions = {}): string {
  const page = newPage(options)
  page.para(`${runbook.id}: ${runbook.title}`, '', '  ', 'bold')
  const { steps } = runbook
  for (const [index, step] of steps.entries()) {
    page.blank()
    page.para(`${step.id}  ${step.title}`, '┌ ', '│ ', 'bold')
    if (step.ask) page.para(`asks: ${step.ask.text}`, '│ ')
    const following = steps[index + 1]?.id ?? 'diagnosis'
    for (const [position, { goto, when }] of step.next.entries()) {
      const isLast = position === step.next.length - 1
      const way = when ? `if ${conditionWords(when)} → ${goto}` : `→ ${goto}`
      // Going back, or past what comes next, is what one looks for in such a picture.
      page.para(
        goto === following || goto === 'diagnosis' ? way : `${way} (jumps)`,
        isLast ? '└ ' : '├ ',
        isLast ? '  ' : '│ ',
      )
    }
  }
  return page.done()
}

/** What the runbook does, step by step, with what each step asks of the cluster. `titles` are those of the probes. */
export function runbookText(
  runbook: Runbook,
  titles: (evidenceKey: string) => string | null,
  options: PageOptions = {},
): string {
  const page = newPage(options)
  page.para(`${runbook.id}: ${runbook.title}`, '', '  ', 'bold')
  page.para(runbook.about, '  ')
  page.blank()
  page.field('Symptoms', runbook.symptoms.join(', '), 13)
  page.field('People say', runbook.says.join('; '), 13)
  for (const [index, step] of runbook.steps.entries()) writeStep(page, step, index + 1, titles)
  return page.done()
}

function writeStep(
  page: ReturnType<typeof newPage>,
  step: RunbookStep,
  number: number,
  titles: (evidenceKey: string) => string | null,
): void {
  page.heading(`${number}. ${step.title}`)
  page.para(`${step.id} · ${step.layer}`, '   ', '   ', 'dim')
  page.para(step.proves, '   ')
  const rolesOf = new Map<string, string[]>()
  for (const key of step.collect) {
    const [role = ''] = key.split('.')
    const title = titles(key) ?? key
    rolesOf.set(title, [...(rolesOf.get(title) ?? []), role])
  }
  const looks = [...rolesOf].map(([title, roles]) => {
    const named = roles.filter((role) => role !== 'mesh' || roles.length > 1)
    return named.length === 0 ? title : `${title} (${named.join(', ')})`
  })
  if (looks.length > 0) page.para(`looks at: ${looks.join('; ')}`, '   ', '     ')
  if (step.ask) page.para(`asks: ${step.ask.text} ${step.ask.choices.map(({ id }) => id).join(' | ')}`, '   ', '     ')
  for (const { when, goto, because } of step.next)
    page.para(`${when ? `if ${conditionWords(when)}, ` : ''}then ${goto}: ${because}`, '   ', '     ')
}
