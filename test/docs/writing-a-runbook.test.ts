import { expect, test } from 'vitest'
import { readRunbook } from '../../src/library/read-runbook.ts'
import { evidenceKeys } from '../../src/probes/index.ts'
import { rules } from '../../src/rules/index.ts'
import { play } from '../helpers/play.ts'
import { forbid } from '../helpers/session-fixtures.ts'
import { fileOn } from './pages.ts'

const catalogue = { evidenceKeys, ruleCodes: new Set(rules.map(({ code }) => code)) }
const text = fileOn('docs/writing-a-runbook.md', 'payments-503.yaml')

function runbook() {
  const reading = readRunbook(text, catalogue)
  expect(reading.problems).toEqual([])
  return reading.runbook!
}
const stepsOf = ({ state }: Awaited<ReturnType<typeof play>>) =>
  state.steps.map(({ id }) => id).filter((id) => id !== 'sweep')

test('the runbook of the page walks a recorded mesh to its cause, and stops where it says', async () => {
  const played = await play('503-dr-disable-strict', { runbook: runbook() })
  expect(played.state.diagnosis?.causes.map(({ code }) => code)).toEqual(['dr-tls-disable-vs-strict'])
  expect(stepsOf(played)).toEqual(['ground', 'logs'])
})

test('another cause takes the long way', async () => {
  const played = await play('503-subset-undefined', { runbook: runbook() })
  expect(played.state.diagnosis?.causes.map(({ code }) => code)).toEqual(['nc-subset-undefined'])
  expect(stepsOf(played)).toEqual(['ground', 'logs', 'transport'])
})

test('without the caller’s log it goes on to the configuration', async () => {
  const played = await play('503-subset-undefined', { runbook: runbook(), edit: forbid(/^kubectl logs/) })
  expect(stepsOf(played)).toEqual(['ground', 'logs', 'transport'])
})

test.each([
  ['a probe that does not exist', 'client.accessLog, server', 'client.accesslog, server', 'collect: [client.accesslog'],
  ['a rule that does not exist', 'found: uh-no-endpoints', 'found: uh-no-endpoint', '- when:'],
  ['a question without unknown', '- { id: unknown,', '- { id: perhaps,', 'ask:'],
  ['a step that does not exist', 'goto: pods', 'goto: pod', 'goto: pod'],
])('%s is found, on its line', (_, from, to, onLine) => {
  expect(text).toContain(from)
  const changed = text.replace(from, to)
  const lines = readRunbook(changed, catalogue).problems.map(({ line }) => changed.split('\n')[line - 1] ?? '')
  expect(
    lines.some((line) => line.includes(onLine)),
    lines.join('\n'),
  ).toBe(true)
})
