import { expect, test } from 'vitest'
import { conductToEnd } from '../../src/cli/conduct.ts'
import { allRunbooks } from '../../src/cli/runbooks.ts'
import { unattended } from '../../src/model/control.ts'
import type { RunState } from '../../src/model/run.ts'
import { nothingPasted } from '../../src/situation/hints.ts'
import { type Edit, editText, fixtureRunner, readFixture } from '../helpers/session-fixtures.ts'

const books = allRunbooks(null).map(({ runbook }) => runbook)

async function walked(name: string, edit?: Edit): Promise<RunState> {
  const fixture = readFixture(name)
  const runbook = books.find(({ symptoms }) => symptoms.includes(fixture.given.symptom)) ?? books[0]
  if (!runbook) throw new Error('no runbook')
  return conductToEnd({
    given: fixture.given,
    pasted: nothingPasted,
    runbook,
    runner: fixtureRunner(fixture, edit),
    ports: unattended,
    mode: 'replay',
    now: () => '2026-01-01T00:00:00.000Z',
    budget: null,
    interrupt: new AbortController().signal,
    prefetch: false,
  })
}

const learned = ({ commands }: RunState, key: string) =>
  commands.filter((command) => command.key === key).map((command) => command.learned)

test('answers of a proxy say what they mean for this call, and how much was read', async () => {
  const state = await walked('503-dr-disable-strict')
  expect(learned(state, 'client.routes')).toEqual([
    'route default; leads to outbound|8080||ledger.pay.svc.cluster.local; in virtual host ledger.pay.svc.cluster.local:8080; 2 retries, asked for GET /v1/balance (12 route configurations)',
  ])
  expect(learned(state, 'client.clusters')).toEqual([
    'cluster outbound|8080||ledger.pay.svc.cluster.local; from DestinationRule shop/ledger-tls; sends plaintext (24 clusters)',
  ])
  expect(learned(state, 'client.endpoints')[0]).toMatch(/^2 of 2 endpoints usable: /)
  expect(learned(state, 'server.listeners')[0]).toContain('no filter chain for plaintext')
  expect(learned(state, 'client.secrets')[0]).toMatch(
    /^own certificate; for spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web, valid from \d{4}-/,
  )
  expect(learned(state, 'client.accessLog')).toEqual(['12 × 503 UC on this call (16 lines)'])
  expect(learned(state, 'mesh.proxyStatus')[0]).toMatch(/^current: web-/)
})

test('where nothing is known of this call, only what was read is said', async () => {
  const state = await walked('404-gateway-host')
  expect(learned(state, 'gateway.clusters')).toEqual(['21 clusters'])
  expect(learned(state, 'gateway.routes')[0]).toContain('has a domain for other.example.com')
})

test('a proxy that is not among the connected is not told as current', async () => {
  const state = await walked(
    '503-dr-disable-strict',
    editText(/proxy-status/, (text) => text.replaceAll('web-', 'other-').replaceAll('ledger-', 'other-')),
  )
  expect(learned(state, 'mesh.proxyStatus').join()).not.toContain('current:')
})

test('two replicas: picture, proof and commands are of one pod', async () => {
  const state = await walked('503-dr-disable-strict')
  const pod = state.call?.hops.find(({ role }) => role === 'server-proxy')?.pod
  const asked = state.commands.find(({ key }) => key === 'server.listeners')?.subject
  const logs = state.commands.filter(({ key }) => key === 'server.accessLog')
  const quoted = new Set(state.diagnosis?.causes[0]?.supporting.map(({ entry }) => entry))
  expect(logs).toHaveLength(2)
  expect(asked).toBe(`pod ${pod}`)
  expect(logs.filter(({ id }) => quoted.has(id)).map(({ subject }) => subject)).toEqual([asked])
})

test('two replicas, only the second was called: the picture shows that one', async () => {
  const onlySecond: Edit = (result, { args }) =>
    args[0] !== 'logs' ? result : { ...result, stdout: result.stdout.replace(/.*10\.244\.200\.20.*\n?/g, '') }
  const state = await walked('503-dr-disable-strict', onlySecond)
  const pod = state.call?.hops.find(({ role }) => role === 'server-proxy')?.pod
  expect(pod).toMatch(/^ledger-v2-/)
})
