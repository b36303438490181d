import { expect, test } from 'vitest'
import { createLimit } from '../../src/exec/limit.ts'

function gate() {
  let open!: () => void
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

test('no more than the limit run side by side, and the rest follow in order', async () => {
  const limit = createLimit(2)
  const gates = [gate(), gate(), gate(), gate()]
  const started: number[] = []
  const all = gates.map(({ opened }, at) =>
    limit(async () => {
      started.push(at)
      await opened
      return at
    }),
  )
  await Promise.resolve()
  expect(started).toEqual([0, 1])
  gates[1]?.open()
  expect(await all[1]).toBe(1)
  expect(started).toEqual([0, 1, 2])
  for (const { open } of gates) open()
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3])
  expect(started).toEqual([0, 1, 2, 3])
})

test('who is canceled while waiting never starts, and takes nobody’s place', async () => {
  const limit = createLimit(1)
  const first = gate()
  const cancel = new AbortController()
  const running = limit(() => first.opened)
  let hasStarted = false
  const waiting = limit(async () => {
    hasStarted = true
  }, cancel.signal)
  const last = limit(async () => 'last')
  cancel.abort()
  expect(await waiting).toBe('canceled')
  first.open()
  await running
  expect(await last).toBe('last')
  expect(hasStarted).toBe(false)
})

test('a task that fails frees its place', async () => {
  const limit = createLimit(1)
  await expect(limit(() => Promise.reject(new Error('x')))).rejects.toThrow('x')
  expect(await limit(async () => 1)).toBe(1)
})
