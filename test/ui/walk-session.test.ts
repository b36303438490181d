import { expect, test } from 'vitest'
import { createWalk, type WalkSession } from '../../src/ui/walk-session.ts'
import { inconclusiveSample, plaintextSample, play } from './sample-run.ts'

async function until(session: WalkSession, holds: () => boolean) {
  for (let turns = 0; turns < 200 && !holds(); turns++) await new Promise((resolve) => setImmediate(resolve))
  if (!holds()) throw new Error(`never; stopped at ${session.snapshot().paused?.step}`)
}

const begin = (sample = plaintextSample) => {
  const session = createWalk(() => 1000)
  const over = session.follow(play(sample, session.ports, session.signal))
  return { session, over }
}

test('stops after every step and goes on when told', async () => {
  const { session } = begin()
  await until(session, () => session.snapshot().paused?.step === 'ground')
  expect(session.proceed({ do: 'next' })).toBe(true)
  await until(session, () => session.snapshot().paused?.step === 'analyze')
})

test('a key that comes too early changes nothing and says so', () => {
  const session = createWalk(() => 0)
  expect(session.proceed({ do: 'next' })).toBe(false)
})

test('auto walks on over asides, stops at what is about this call, and can be switched off', async () => {
  const { session } = begin()
  await until(session, () => session.snapshot().paused !== null)
  session.toggleAuto()
  await until(session, () => session.snapshot().paused?.step === 'transport')
  expect(session.snapshot().auto).toBe(false)
  expect(session.snapshot().state.steps.map(({ id }) => id)).toContain('analyze')
})

test('auto without a finding walks to the diagnosis', async () => {
  const { session } = begin(inconclusiveSample)
  await until(session, () => session.snapshot().paused !== null)
  session.toggleAuto()
  await until(session, () => session.snapshot().paused?.diagnosed === true)
  expect(session.snapshot().state.diagnosis?.verdict).toBe('inconclusive')
})

test('quitting ends the walk and what is known stays', async () => {
  const { session, over } = begin()
  await until(session, () => session.snapshot().paused !== null)
  session.proceed({ do: 'quit' })
  await over
  expect(session.snapshot()).toMatchObject({ over: true, paused: null })
  expect(session.snapshot().state.steps).toHaveLength(1)
})

test('aborting answers whatever the walk waits for', async () => {
  const { session, over } = begin()
  await until(session, () => session.snapshot().paused !== null)
  session.abort()
  await over
  expect(session.snapshot().state.end).toBe('interrupted')
})

test('a line written after the end still goes into the note', async () => {
  const { session, over } = begin()
  await until(session, () => session.snapshot().paused !== null)
  session.proceed({ do: 'quit' })
  await over
  session.note('told the owner')
  expect(session.snapshot().state.notes).toEqual([{ at: '1970-01-01T00:00:01.000Z', text: 'told the owner' }])
})

test('a walk that breaks is not a fact about the mesh', async () => {
  const session = createWalk(() => 0)
  // biome-ignore lint/correctness/useYield: it breaks before its first event
  const broken = async function* () {
    throw Object.assign(new Error('no such folder'), { hint: 'look at the path' })
  }
  await session.follow(broken())
  expect(session.snapshot().failed).toEqual({ message: 'no such folder', hint: 'look at the path' })
  expect(session.snapshot().state.diagnosis).toBeNull()
})
