import { html } from '../../src/report/html.ts'
import { json } from '../../src/report/json.ts'
import { markdown } from '../../src/report/markdown.ts'
import { slack } from '../../src/report/slack.ts'
import { text } from '../../src/report/text.ts'
import type { Recording } from './recordings.ts'

/** One note of every verdict, in its renderings. The inconclusive one is made where a recording ends so, else from one with its logs taken away. */
export function examplePages(recordings: readonly Recording[]): [string, string][] {
  const chosen = new Map<string, Recording>()
  const preferred = ['503-dr-disable-strict', 'no-access-log', 'healthy-strict']
  for (const recording of [...recordings].sort(
    (a, b) => Number(preferred.includes(b.name)) - Number(preferred.includes(a.name)),
  )) {
    if (!chosen.has(recording.note.verdict)) chosen.set(recording.note.verdict, recording)
  }
  return [...chosen].flatMap(([verdict, { note }]): [string, string][] => [
    [`docs/examples/${verdict}.json`, json(note)],
    [`docs/examples/${verdict}.md`, markdown(note)],
    [`docs/examples/${verdict}.html`, html(note)],
    [`docs/examples/${verdict}.slack.txt`, slack(note)],
    [`docs/examples/${verdict}.txt`, text(note)],
  ])
}
