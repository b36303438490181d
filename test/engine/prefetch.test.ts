import { expect, test } from 'vitest'
import { conductToEnd } from '../../src/cli/conduct.ts'
import { allRunbooks } from '../../src/cli/runbooks.ts'
import { unattended } from '../../src/model/control.ts'
import type { RunState } from '../../src/model/run.ts'
import { toNote } from '../../src/report/to-note.ts'
import { nothingPasted } from '../../src/situation/hints.ts'
import { fixtureNames, fixtureRunner, readFixture } from '../helpers/session-fixtures.ts'

const books = allRunbooks(null).map(({ runbook }) => runbook)

async function walked(name: string, prefetch: boolean): Promise<RunState> {
  const fixture = readFixture(name)
  const runbook = books.find(({ symptoms }) => symptoms.includes(fixture.given.symptom)) ?? books[0]
  if (!runbook) throw new Error('no runbook')
  return conductToEnd({
    given: fixture.given,
    pasted: nothingPasted,
    runbook,
    runner: fixtureRunner(fixture),
    ports: unattended,
    mode: 'replay',
    now: () => '2026-01-01T00:00:00.000Z',
    budget: null,
    interrupt: new AbortController().signal,
    prefetch,
  })
}

const noteOf = (state: RunState) =>
  toNote(state, {
    id: 'same',
    tool: { name: 'meshtriage', version: '0' },
    context: null,
    redaction: { applied: false, rules: [], counts: {} },
    session: null,
    now: '2026-01-01T00:00:00.000Z',
  })

test.each(fixtureNames)('%s: a walk step by step writes the note of one that fetches ahead', async (name) => {
  expect(noteOf(await walked(name, false))).toEqual(noteOf(await walked(name, true)))
})
