import { expect, test } from 'vitest'
import { createCollector } from '../../src/engine/collect.ts'
import type { Command, CommandResult } from '../../src/model/command.ts'
import type { EvidenceEntry, EvidenceKey } from '../../src/model/evidence.ts'
import type { AnyProbe, ProbePlan } from '../../src/model/probe.ts'

interface Seen {
  readonly entries: readonly EvidenceEntry[]
  readonly settled: ReadonlySet<EvidenceKey>
}

const command = (...args: string[]): Command => ({ file: 'kubectl', args, timeoutMs: 1000 })
const target = (...args: string[]) => ({
  subject: args.join(' '),
  namespace: null,
  name: null,
  command: command(...args),
})
const printed = (stdout: string): CommandResult => ({
  exit: { kind: 'exited', code: 0 },
  stdout,
  stderr: '',
  durationMs: 1,
})
const failed = (stderr: string): CommandResult => ({ ...printed(''), exit: { kind: 'exited', code: 1 }, stderr })

function probe(name: string, plan: (seen: Seen) => ProbePlan): AnyProbe {
  return {
    name,
    roles: ['mesh'],
    title: name,
    layer: 'observability',
    needsExec: false,
    plan,
    read: ({ stdout }) => stdout,
    learned: (data: string) => data,
  }
}

function collectorOf(probes: readonly AnyProbe[], answer: (args: string) => CommandResult) {
  const ran: string[] = []
  const collector = createCollector<Seen>({
    probes,
    runner: async ({ args }) => {
      ran.push(args.join(' '))
      await new Promise((done) => setTimeout(done, 1))
      return answer(args.join(' '))
    },
    now: () => '2026-01-01T00:00:00Z',
    limit: 2,
    noExec: false,
    situate: (entries, settled) => ({ entries, settled }),
    onStarted: () => undefined,
    onFinished: () => undefined,
  })
  return { collector, ran }
}

const shared = (part: string): ProbePlan => ({
  plan: 'ask',
  targets: [{ ...target('get', 'all'), subject: part, isShared: true, instead: command('get', part) }],
})
const threeParts = ['one', 'two', 'three'].map((part) => probe(part, () => shared(part)))
const keys = ['mesh.one', 'mesh.two', 'mesh.three'] as const

test('what several probes read of one answer is asked once', async () => {
  const { collector, ran } = collectorOf(threeParts, printed)
  await collector.collect(keys)
  expect(ran).toEqual(['get all'])
  expect(collector.entries().map(({ data, command: { args } }) => [data, args.join(' ')])).toEqual(
    keys.map(() => ['get all', 'get all']),
  )
})

test('no answer for all of it: each part is asked for by itself, and its command is the evidence', async () => {
  const { collector, ran } = collectorOf(threeParts, (args) =>
    args === 'get all' ? { ...printed(''), exit: { kind: 'not-recorded' } } : printed(args),
  )
  await collector.collect(keys)
  expect(ran.sort()).toEqual(['get all', 'get one', 'get three', 'get two'])
  expect(collector.entries().every(({ status, command: { args } }) => status === 'ok' && args[1] !== 'all')).toBe(true)
})

test('who may not look is not asked again in another way', async () => {
  const { collector, ran } = collectorOf(threeParts, () =>
    failed('Error from server (Forbidden): pods is forbidden: User "dev" cannot list resource "pods" in API group ""'),
  )
  await collector.collect(keys)
  expect(ran).toEqual(['get all'])
  expect(collector.entries().map(({ reason }) => reason)).toEqual(['forbidden', 'forbidden', 'forbidden'])
})

test('what a probe waits for is fetched with it, and seen with it', async () => {
  const first = probe('first', () => ({ plan: 'ask', targets: [target('get', 'first')] }))
  const second = probe('second', ({ settled }) =>
    settled.has('mesh.first')
      ? { plan: 'ask', targets: [target('get', 'second')] }
      : { plan: 'wait', for: 'the first', needs: ['mesh.first'] },
  )
  const { collector, ran } = collectorOf([first, second], printed)
  await collector.collect(['mesh.second'])
  expect(ran).toEqual(['get first', 'get second'])
  expect(collector.entries().map(({ key }) => key)).toEqual(['mesh.first', 'mesh.second'])
})

test('what it waits for turns out to be nothing: it goes on in the same breath', async () => {
  const none = probe('none', () => ({ plan: 'ask', targets: [] }))
  const waiting = probe('waiting', ({ settled }) =>
    settled.has('mesh.none')
      ? { plan: 'ask', targets: [target('get', 'it')] }
      : { plan: 'wait', for: 'nothing', needs: ['mesh.none'] },
  )
  const { collector, ran } = collectorOf([waiting, none], printed)
  await collector.collect(['mesh.waiting'])
  expect(ran).toEqual(['get it'])
})
