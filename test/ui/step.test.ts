import { describe, expect, test } from 'vitest'
import type { RunState } from '../../src/model/run.ts'
import { type Line, lineText, lineWidth, span, wrap } from '../../src/ui/lines.ts'
import { evidenceLine, evidenceRows } from '../../src/ui/view/evidence.ts'
import { railRows, railWidth } from '../../src/ui/view/rail.ts'
import { excerptLines, notWalkedLines, stepLines } from '../../src/ui/view/step.ts'
import { shortCommand } from '../../src/ui/view/wording.ts'
import { createWalk } from '../../src/ui/walk-session.ts'
import { plaintextSample, stateOf } from './sample-run.ts'

const flowing = (lines: readonly Line[]) => lines.map(lineText).join('\n').replace(/\s+/g, ' ')
const empty = createWalk(() => 0).snapshot()

/** The pane of one step, as it is drawn five seconds into the walk. */
function pane(state: RunState, id: string, settledIn: Readonly<Record<string, string>> = {}, width = 60): string {
  const step = state.steps.find((each) => each.id === id)
  const entry = state.plan.find((each) => each.id === id)
  const walk = { ...empty, state, settledIn, since: Object.fromEntries(state.commands.map((each) => [each.id, 0])) }
  if (step) return flowing(stepLines(walk, step, step.n, width, 5000))
  if (!entry) throw new Error(`no step ${id}`)
  return flowing(notWalkedLines(walk, entry, 9, width, 5000))
}

/** One more command, filed under a step. `entry` of another one: it has ended. */
const asking = (state: RunState, step: string, isRunning: boolean): RunState => {
  const [like] = state.commands
  if (!like) throw new Error('no command')
  const display = 'istioctl analyze -n pay -o json'
  return {
    ...state,
    commands: [...state.commands, { ...like, id: 'C99', step, display, entry: isRunning ? null : like.entry }],
  }
}

describe('the step', () => {
  test('shows what runs, whichever layer it belongs to', async () => {
    const state = await stateOf(plaintextSample, 3)
    const running: RunState = {
      ...asking(state, 'policy', true),
      steps: state.steps.map((step) => (step.id === 'sync' ? { ...step, status: 'running' } : step)),
    }
    expect(pane(running, 'sync')).toContain('$ istioctl analyze -n pay -o json 5 s waiting for istioctl analyze')
    expect(pane(running, 'ground')).not.toContain('analyze -n pay')
  })
  test('of a layer that was not walked says what was asked on the way, and never that it is fine', async () => {
    const state = asking(await stateOf(plaintextSample, 3), 'policy', false)
    expect(pane(state, 'policy')).toContain('not walked yet; some of it was asked on the way $ istioctl analyze')
    expect(pane(await stateOf(plaintextSample, 3), 'policy')).toContain('not looked at yet')
    expect(railRows(state).find(({ id }) => id === 'policy')).toMatchObject({ mark: 'open' })
    const running = asking(await stateOf(plaintextSample, 3), 'policy', true)
    expect(railRows(running).find(({ id }) => id === 'policy')).toMatchObject({ mark: 'now' })
  })
  test('has the findings about its layer, though another step found them', async () => {
    const state = await stateOf(plaintextSample, 6)
    const settledElsewhere = Object.fromEntries(Object.keys(state.outcomes).map((code) => [code, 'ground']))
    const [title = ''] = Object.values(state.outcomes).flatMap(({ layer, outcome }) =>
      layer === 'transport-mtls' && outcome.status === 'fired' ? outcome.hits.map((hit) => hit.title) : [],
    )
    expect(title).not.toBe('')
    expect(pane(state, 'transport', settledElsewhere, 200)).toContain(`✗ ${title}`)
  })
  test('says what its answers rule out, each reason once, with evidence', async () => {
    const state = await stateOf(plaintextSample, 3)
    const outcome = {
      status: 'ruled-out',
      because: '2 endpoints, all healthy',
      evidence: [{ entry: 'C1', statement: '', excerpt: null }],
    } as const
    const known: RunState = {
      ...state,
      outcomes: { one: { layer: 'app', outcome }, two: { layer: 'app', outcome }, three: { layer: 'app', outcome } },
    }
    const said = pane(known, 'sync', { one: 'sync', two: 'sync', three: 'ground' })
    expect(said).toContain('Ruled out · one, two: 2 endpoints, all healthy [C1]')
    expect(said.split('all healthy')).toHaveLength(2)
  })
  test('in which nothing was asked is not fine', async () => {
    const state = await stateOf(plaintextSample, 3)
    const bare: RunState = {
      ...state,
      steps: state.steps.map((step) => (step.id === 'sync' ? { ...step, learned: [] } : step)),
      commands: state.commands.filter(({ step }) => step !== 'sync'),
    }
    expect(railRows(bare).find(({ id }) => id === 'sync')).toMatchObject({ mark: 'open', remark: 'no part in this' })
  })
})

describe('an answer with gaps', () => {
  const gappy = async (): Promise<RunState> => {
    const state = await stateOf(plaintextSample, 3)
    const data = { unreadable: [{ resource: 'pods', reason: 'forbidden', detail: 'pods is forbidden: User "dev"' }] }
    return {
      ...state,
      commands: state.commands.map((command) =>
        command.step === 'sync' && command.entry
          ? { ...command, learned: '2 Services in pay; not readable: pods', entry: { ...command.entry, data } }
          : command,
      ),
    }
  }
  test('makes its layer ?', async () =>
    expect(railRows(await gappy()).find(({ id }) => id === 'sync')).toMatchObject({ mark: 'blind' }))
  test('says in the step what is missing and why', async () =>
    expect(pane(await gappy(), 'sync', {}, 200)).toMatch(
      /2 Services in pay \[C\d\] \? not readable: pods · pods is forbidden/,
    ))
  test('leads with the gap in the evidence list', async () => {
    const row = evidenceRows(await gappy(), 'not readable')[0]
    expect(row && lineText(evidenceLine(row, false, 80))).toMatch(/\? .*not readable: pods · 2 Services/)
  })
})

describe('what does not fit', () => {
  const kinds = 'kubectl get pods,services,deployments.apps,gateways.networking.istio.io -n shop -o json'
  test('of a command, lists are cut first', () =>
    expect(shortCommand(kinds, 60)).toBe('kubectl get pods,services,…+2 -n shop -o json'))
  test('what fits is left alone', () => expect(shortCommand(kinds, 200)).toBe(kinds))
  test('JSON breaks behind a sign that separates', () => {
    const lines = wrap([span('{"host":"ledger.pay","trafficPolicy":{"tls":{"mode":"DISABLE"}}}')], 30).map(lineText)
    expect(lines[0]).toBe('{"host":"ledger.pay",')
    expect(lines.join('')).toContain('"trafficPolicy":{"tls":{"mode":"DISABLE"}}}')
  })
  test('a narrow pane still shows flag and detail of a log line', () => {
    const logged =
      '[2026-11-21T05:29:16.647Z] "GET /v1/balance HTTP/1.1" 503 UC upstream_reset_before_response_started{connection_termination} - "-" 0 95'
    expect(flowing(excerptLines(logged, '  ', 40))).toContain('connection_termination}')
  })
  test('the rail takes what it needs, and no more than two fifths', async () => {
    const rows = railRows(await stateOf(plaintextSample, 6))
    const short = rows.map((row) => ({ ...row, remark: 'ok' }))
    const long = rows.map((row) => ({ ...row, remark: 'x'.repeat(90) }))
    expect(railWidth(short, 80)).toBeLessThan(railWidth(long, 80))
    expect(railWidth(long, 80)).toBe(31)
  })
  test('no line of any step is wider than its pane', async () => {
    const state = await stateOf(plaintextSample)
    for (const step of state.steps)
      for (const each of stepLines({ ...empty, state }, step, 1, 34, 0)) expect(lineWidth(each)).toBeLessThanOrEqual(34)
  })
})

test('a step on top of the plan answers for the layers left out: what was not seen there makes it ?', async () => {
  const state = await stateOf(plaintextSample, 3)
  const [like] = state.commands
  if (!like?.entry) throw new Error('no command')
  const lost = { ...like.entry, status: 'missing', reason: 'forbidden', detail: null, data: null } as const
  const swept: RunState = {
    ...state,
    steps: [
      ...state.steps,
      {
        n: 9,
        id: 'sweep',
        label: 'the rest',
        layer: 'observability',
        title: 'What has not been looked at yet',
        proves: '',
        status: 'ok',
        learned: [],
        next: null,
      },
    ],
    commands: [
      ...state.commands,
      { ...like, id: 'C99', step: 'policy', display: 'kubectl logs web-1 -n shop', entry: lost },
    ],
  }
  expect(railRows(swept).find(({ id }) => id === 'sweep')).toMatchObject({ mark: 'blind', remark: 'not seen' })
  expect(pane(swept, 'sweep')).toContain('kubectl logs web-1 -n shop')
})

test('the rail counts what there is, not what there is not', async () => {
  const state = await stateOf(plaintextSample, 3)
  const counted: RunState = {
    ...state,
    steps: state.steps.map((step) =>
      step.id === 'sync' ? { ...step, learned: ['0 errors, 1 warning, 0 others'] } : step,
    ),
  }
  expect(railRows(counted).find(({ id }) => id === 'sync')?.remark).toBe('1 warning')
})
