import { expect, test } from 'vitest'
import { conductToEnd } from '../../src/cli/conduct.ts'
import { allRunbooks } from '../../src/cli/runbooks.ts'
import type { CommandResult } from '../../src/model/command.ts'
import { type Proceed, unattended } from '../../src/model/control.ts'
import { nothingPasted } from '../../src/situation/hints.ts'
import { fixtureRunner, readFixture } from '../helpers/session-fixtures.ts'

type Edit = (result: CommandResult, args: readonly string[]) => CommandResult

const books = allRunbooks(null).map(({ runbook }) => runbook)

/** Walks a recorded session to its diagnosis, edits what the mesh answers, and asks again. */
async function retested(name: string, edit: Edit) {
  const fixture = readFixture(name)
  const runbook = books.find(({ symptoms }) => symptoms.includes(fixture.given.symptom)) ?? books[0]
  if (!runbook) throw new Error('no runbook')
  const recorded = fixtureRunner(fixture)
  let isEdited = false
  const orders: Proceed[] = [{ do: 'retest' }]
  const state = await conductToEnd({
    given: fixture.given,
    pasted: nothingPasted,
    runbook,
    runner: async (command, signal) => {
      const result = await recorded(command, signal)
      return isEdited ? edit(result, command.args) : result
    },
    ports: {
      ...unattended,
      pause: async ({ diagnosed }) => {
        if (!diagnosed) return { do: 'next' }
        isEdited = true
        return orders.shift() ?? { do: 'quit' }
      },
    },
    mode: 'replay',
    now: () => '2026-01-01T00:00:00.000Z',
    budget: null,
    interrupt: new AbortController().signal,
    prefetch: false,
  })
  return state.retests[0]
}

const withoutKind = (result: CommandResult, kind: string): CommandResult => {
  if (!result.stdout.startsWith('{')) return result
  const list = JSON.parse(result.stdout)
  if (!Array.isArray(list.items)) return result
  return {
    ...result,
    stdout: JSON.stringify({ ...list, items: list.items.filter((item: { kind: string }) => item.kind !== kind) }),
  }
}
test('the same answers: the cause is named by its title', async () => {
  expect(await retested('503-dr-disable-strict', (result) => result)).toMatchObject({
    result: 'same',
    statement: expect.stringMatching(/^Still there: DestinationRule .* which accepts only mutual TLS\.$/),
  })
})

test('what decided is gone, and so are the failures: fixed', async () => {
  const passing = (text: string) =>
    text.replace(/ 503 UC [^"]*/g, ' 200 - via_upstream - ').replace(/.*filter_chain_not_found.*/g, '')
  const repaired: Edit = (result, args) =>
    args[0] === 'logs' ? { ...result, stdout: passing(result.stdout) } : withoutKind(result, 'DestinationRule')
  expect(await retested('503-dr-disable-strict', repaired)).toMatchObject({
    result: 'fixed',
    statement: expect.stringMatching(/^Gone: DestinationRule shop\/ledger-tls makes/),
  })
})

test('what decided is gone, the failures are still in the log: not called fixed', async () => {
  expect(await retested('503-dr-disable-strict', (result) => withoutKind(result, 'DestinationRule'))).toMatchObject({
    result: 'blind',
    statement: expect.stringMatching(/^No longer found, but that the call works now is not shown: DestinationRule/),
  })
})

test('another cause in its place: changed, and both are named', async () => {
  const withoutPods: Edit = (result) => withoutKind(withoutKind(result, 'DestinationRule'), 'Pod')
  const found = await retested('503-dr-disable-strict', withoutPods)
  expect(found).toMatchObject({
    result: 'changed',
    statement: expect.stringMatching(/^Was: DestinationRule .*\. Is now: /),
  })
  expect(found?.statement).not.toContain('dr-tls-disable')
})

test('nothing was found and nothing is found: the same, not fixed', async () => {
  expect(await retested('healthy-strict', (result) => result)).toMatchObject({
    result: 'same',
    statement: 'Nothing explains it this time either.',
  })
})
