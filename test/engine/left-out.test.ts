import { describe, expect, test } from 'vitest'
import { play, playRunner } from '../helpers/play.ts'
import { type Edit, fixtureRunner, readFixture } from '../helpers/session-fixtures.ts'

const leftOut = (events: readonly { type: string }[]) =>
  events.flatMap((event) => (event.type === 'step-left-out' ? [(event as { id?: string }).id] : []))

/** What kubectl prints for who may list everything but pods: the rest, and a sentence on stderr. */
const withoutPods: Edit = (result, command) => {
  const kinds = command.args[command.args.indexOf('get') + 1] ?? ''
  if (!kinds.startsWith('pods') || result.exit.kind !== 'exited') return result
  const list = JSON.parse(result.stdout)
  const items = list.items.filter(({ kind }: { kind: string }) => kind !== 'Pod')
  const where = command.args[command.args.indexOf('-n') + 1]
  const stderr = `Error from server (Forbidden): pods is forbidden: User "dev" cannot list resource "pods" in API group "" in the namespace "${where}"\n`
  return { ...result, exit: { kind: 'exited', code: 1 }, stdout: JSON.stringify({ ...list, items }), stderr }
}

describe('a step that has nothing to ask of this call', () => {
  test('is left out of the plan where both ends have sidecars, and nobody stops there', async () => {
    const { state, events } = await play('503-no-endpoints')
    expect(leftOut(events)).toContain('ambient')
    expect(state.plan.map(({ id }) => id)).not.toContain('ambient')
    expect(state.steps.map(({ id }) => id)).not.toContain('ambient')
    expect(state.steps.flatMap(({ next }) => (next ? [next.step] : []))).not.toContain('ambient')
  })

  test('is walked where ztunnel carries the call', async () => {
    const { state, events } = await play('ambient-l4-deny', { given: (given) => ({ ...given, symptom: '503' }) })
    expect(state.steps.map(({ id }) => id)).toContain('ambient')
    expect(leftOut(events)).not.toContain('ambient')
  })

  test('stays where the pods could not be looked at: nobody knows whether it has a part', async () => {
    const { events } = await play('503-no-endpoints', { edit: withoutPods })
    expect(leftOut(events)).toEqual([])
  })
})

test('istioctl analyze would wait for ever for what may not be listed: it is not started, and that is a gap', async () => {
  const asked: string[] = []
  const runner = fixtureRunner(readFixture('503-no-endpoints'), (result, command) => {
    asked.push([command.file, ...command.args].join(' '))
    return withoutPods(result, command)
  })
  const { entries, state } = await playRunner(runner, readFixture('503-no-endpoints').given)
  expect(asked.filter((command) => command.startsWith('istioctl analyze'))).toEqual([])
  const gap = entries.find(({ key }) => key === 'server.analyze')
  expect(gap).toMatchObject({ status: 'missing', reason: 'forbidden', unlock: 'kubectl auth can-i list pods -A' })
  expect(state.diagnosis?.notChecked.map(({ what }) => what)).toContain('istioctl analyze (server)')
})

describe('events are asked for where pods or connections may have something to tell', () => {
  const events = (entries: readonly { key: string; status: string }[]) =>
    entries.filter(({ key }) => key === 'server.events').map(({ status }) => status)

  test('not where every pod is up and the proxy itself refused', async () => {
    expect(events((await play('503-subset-undefined')).entries)).toEqual([])
  })

  test('where there is no pod, where one is not ready, and where a connection failed', async () => {
    for (const name of ['503-no-endpoints', '503-not-ready', '503-connection-refused'])
      expect(events((await play(name)).entries), name).toEqual(['ok'])
  })
})
