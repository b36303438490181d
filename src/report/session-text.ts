import { displayCommand } from '../model/command.ts'
import type { Session } from '../model/session.ts'
import { newPage, type PageOptions } from './page.ts'

/** A recorded session: what was asked, in order, and how each command ended. */
export function sessionText(session: Session, folder: string, options: PageOptions = {}): string {
  const page = newPage(options)
  const { id, startedAt, finishedAt, symptom, runbook, context, tool, commands, answers, redaction } = session
  page.para(id, '', '  ', 'bold')
  page.field('Started', `${startedAt}${finishedAt ? `, finished ${finishedAt}` : ', not finished'}`)
  if (symptom !== undefined) page.field('Symptom', symptom)
  if (runbook !== undefined) page.field('Runbook', runbook)
  page.field('Cluster', context ?? 'no context was recorded')
  page.field('Tool', `${tool.name} ${tool.version}`)
  const removed = Object.entries(redaction.counts)
  page.field(
    'Redacted',
    !redaction.applied
      ? 'no: treat this folder as secret'
      : removed.length === 0
        ? 'on, and nothing was found'
        : removed.map(([rule, count]) => `${count}× ${rule}`).join(', '),
  )
  page.heading(`Commands (${commands.length})`)
  for (const { n, file, args, exit, durationMs } of commands) {
    const ended = exit.kind === 'exited' ? (exit.code === 0 ? '' : `exit ${exit.code}`) : exit.kind
    const seconds = `${(durationMs / 1000).toFixed(1)} s`
    page.para(
      `${[seconds, ended].filter((part) => part !== '').join(', ')}: ${displayCommand({ file, args: args.map(shortList) })}`,
      `  ${String(n).padStart(3)} `,
      '      ',
      ended === '' ? undefined : 'doubt',
    )
  }
  const given = Object.entries(answers ?? {})
  if (given.length > 0) page.heading('Answers')
  for (const [question, answer] of given) page.item(`${question}: ${answer}`)
  page.heading('Again')
  page.command(`meshtriage replay ${folder}`)
  return page.done()
}

/** A list of twenty kinds says no more than its beginning. */
function shortList(word: string): string {
  const parts = word.split(',')
  return parts.length > 4 ? `${parts.slice(0, 2).join(',')},…(${parts.length - 2} more)` : word
}
