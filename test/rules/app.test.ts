import { describe, expect, test } from 'vitest'
import { resetReasonOf } from '../../src/rules/lib/proxy-body.ts'
import { connectionsOf } from '../../src/rules/lib/upstream-connections.ts'
import { nothingPasted } from '../../src/situation/hints.ts'
import { destinationSays } from '../helpers/log-edits.ts'
import { play } from '../helpers/play.ts'
import { editJson, edits, editText, forbid } from '../helpers/session-fixtures.ts'

describe('who answered behind the last proxy', () => {
  for (const [code, symptom] of [
    ['app-own-5xx', '500'],
    ['app-own-5xx', '503'],
    ['app-own-404', '404'],
    ['app-own-4xx', '429'],
    ['app-own-4xx', '400'],
  ] as const)
    test(`${code} is proven by a line of the destination that passes on ${symptom} (changed: the recorded answer)`, async () => {
      const { outcome, state } = await play(
        '503-connection-refused',
        destinationSays(symptom, `${symptom} - via_upstream - "-"`),
      )
      expect(outcome(code)).toMatchObject({ status: 'fired', hits: [{ certainty: 'proven', about: 'call' }] })
      expect(state.diagnosis?.causes.map((cause) => cause.code)).toEqual([code])
    })

  test('an answer that a proxy made is nobody’s own', async () => {
    const { outcome } = await play('503-connection-refused')
    for (const code of ['app-own-5xx', 'app-own-404', 'app-own-4xx']) expect(outcome(code).status).toBe('ruled-out')
  })

  test('an unread log of the destination leaves its own answer a possibility, with the command that decides', async () => {
    const given = destinationSays('503', '503 - via_upstream - "-"')
    const { outcome, state } = await play('503-connection-refused', {
      ...given,
      edit: edits(
        given.edit ?? ((result) => result),
        editText(/^kubectl logs/, (text) => text.replaceAll(' 0 121 ', ' 0 377 ')),
        forbid(/^kubectl logs .* -n pay -c istio-proxy/),
      ),
    })
    expect(outcome('app-own-5xx')).toMatchObject({ status: 'fired', hits: [{ certainty: 'possible' }] })
    expect(state.diagnosis?.verdict).toBe('suspects')
    expect(state.diagnosis?.causes[0]?.wouldDecide?.command).toContain('kubectl logs')
  })
})

describe('connections that the application ends', () => {
  test('cuts on connections that carried nothing before prove that the application closes', async () => {
    const { outcome, situation } = await play('503-app-resets')
    const lines = situation.failing.flatMap(({ server }) => (server ? [server] : []))
    const { cuts, isWhole } = connectionsOf(situation, lines)
    expect(isWhole).toBe(true)
    expect(cuts.filter(({ earlier }) => earlier === 0).length).toBeGreaterThan(3)
    expect(outcome('app-closes-connection')).toMatchObject({ status: 'fired', hits: [{ certainty: 'proven' }] })
    expect(outcome('uc-keepalive-race').status).toBe('ruled-out')
  })

  test('cuts only after long silence are a keep-alive race (changed: one connection, idle before each cut)', async () => {
    const { outcome, state } = await play('503-app-resets', {
      edit: editText(/^kubectl logs ledger-.*istio-proxy/, idleBeforeCuts),
    })
    expect(outcome('uc-keepalive-race')).toMatchObject({ status: 'fired', hits: [{ certainty: 'proven' }] })
    expect(outcome('app-closes-connection').status).toBe('ruled-out')
    expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['uc-keepalive-race'])
  })

  test('equal silence before cut and answered requests is no timer yet: both are suspects (changed: 20 s before each)', async () => {
    const { state } = await play('503-app-resets', {
      edit: editText(/^kubectl logs ledger-.*istio-proxy/, (text) => idleBeforeCuts(text, 20_000)),
    })
    expect(state.diagnosis?.verdict).toBe('suspects')
    expect(state.diagnosis?.causes.map(({ code }) => code).sort()).toEqual([
      'app-closes-connection',
      'uc-keepalive-race',
    ])
    for (const { wouldDecide } of state.diagnosis?.causes ?? []) expect(wouldDecide?.command).toContain('kubectl logs')
  })

  test('the length of the answer gives a cut connection away where the destination’s log is forbidden', async () => {
    const { outcome, state } = await play('503-app-resets', { edit: forbid(/^kubectl logs .* -n pay -c istio-proxy/) })
    expect(outcome('app-closes-connection')).toMatchObject({ status: 'fired', hits: [{ certainty: 'possible' }] })
    expect(state.diagnosis?.verdict).toBe('suspects')
  })

  test('both are ruled out where no connection was cut', async () => {
    const { outcome } = await play('503-connection-refused')
    expect(outcome('app-closes-connection').status).toBe('ruled-out')
    expect(outcome('uc-keepalive-race').status).toBe('ruled-out')
  })
})

/** One connection at a time: 20 s of silence before each cut, 1 s before each answer, a new port after a cut. */
function idleBeforeCuts(text: string, pause = 1000): string {
  let at = Date.parse('2026-11-21T06:00:00Z')
  let port = 40_000
  let answered = 0
  return text
    .split('\n')
    .filter((line) => line.startsWith('['))
    .map((line) => {
      const cut = line.includes(' 503 UC ') && answered > 0
      at += cut ? 20_000 : pause
      const own = port
      answered = cut ? 0 : answered + 1
      if (cut) port += 1
      return (cut ? line : line.replace(/503 UC \S+/, '200 - via_upstream'))
        .replace(/^\[[^\]]+\]/, `[${new Date(at).toISOString()}]`)
        .replace(/127\.0\.0\.6:\d+/, `127.0.0.6:${own}`)
    })
    .join('\n')
}

describe('a port where nobody listens', () => {
  test('the destination’s proxy that is refused proves it, and the fix keeps the rest of the Service', async () => {
    const { outcome } = await play('503-connection-refused')
    const found = outcome('uf-connection-refused')
    expect(found).toMatchObject({ status: 'fired', hits: [{ certainty: 'proven' }] })
    expect(found.status === 'fired' && found.hits[0]?.fix.statement).toContain('keep its selector')
  })

  test('a ztunnel that is refused proves it, too', async () => {
    const { outcome } = await play('ambient-app-port-closed')
    expect(outcome('uf-connection-refused')).toMatchObject({ status: 'fired', hits: [{ certainty: 'proven' }] })
  })

  test('forbidden logs of the destination leave it likely, by the length of the answer', async () => {
    const { outcome } = await play('503-connection-refused', { edit: forbid(/^kubectl logs .* -n pay -c istio-proxy/) })
    expect(outcome('uf-connection-refused')).toMatchObject({ status: 'fired', hits: [{ certainty: 'likely' }] })
  })

  test('no log at all leaves it possible, by the ports', async () => {
    const { outcome } = await play('503-connection-refused', { edit: forbid(/^kubectl logs/) })
    expect(outcome('uf-connection-refused')).toMatchObject({ status: 'fired', hits: [{ certainty: 'possible' }] })
  })

  test('it is ruled out where connections are cut', async () => {
    const { outcome } = await play('503-app-resets')
    expect(outcome('uf-connection-refused').status).toBe('ruled-out')
  })

  test('an analyze that found the port on localhost names that instead (changed: IST0143 added)', async () => {
    const finding = {
      code: 'IST0143',
      level: 'Error',
      message: 'port 8081 listens on localhost',
      origin: 'Pod pay/orders-6f7b57b6f-f9954',
    }
    const { state, outcome } = await play('503-connection-refused', {
      edit: editJson(/^istioctl analyze -n pay/, (list) => [...(list ?? []), finding]),
    })
    expect(outcome('uf-localhost-bind')).toMatchObject({ status: 'fired', hits: [{ certainty: 'proven' }] })
    expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['uf-localhost-bind'])
    expect((await play('503-app-resets')).outcome('uf-localhost-bind').status).toBe('ruled-out')
  })
})

describe('answers that break HTTP', () => {
  const upe = '502 UPE upstream_reset_before_response_started{protocol_error} - "-"'
  test('UPE on the inbound cluster is the application’s (changed: the recorded answer)', async () => {
    const { outcome, state } = await play('503-connection-refused', destinationSays('502', upe))
    expect(outcome('invalid-upstream-headers')).toMatchObject({ status: 'fired', hits: [{ certainty: 'proven' }] })
    expect(state.diagnosis?.causes.map(({ code }) => code)).toEqual(['invalid-upstream-headers'])
    expect((await play('503-app-resets')).outcome('invalid-upstream-headers').status).toBe('ruled-out')
  })

  test('a stream that the application resets is UR at the destination’s proxy (changed: the recorded answer)', async () => {
    const { outcome } = await play(
      '503-connection-refused',
      destinationSays('503', '503 UR upstream_reset_before_response_started{remote_reset} - "-"'),
    )
    expect(outcome('ur-remote-reset-h2')).toMatchObject({ status: 'fired', hits: [{ certainty: 'proven' }] })
    expect((await play('503-app-resets')).outcome('ur-remote-reset-h2').status).toBe('ruled-out')
  })
})

test('the length of an answer names the reset that it tells of', () => {
  expect(resetReasonOf(95)).toBe('connection termination')
  expect(resetReasonOf(121)).toBe('remote connection failure')
  expect(resetReasonOf(81)).toBe('overflow')
  expect(resetReasonOf(377)).toBeNull()
  expect(resetReasonOf(null)).toBeNull()
})

test('a pasted line answers for the log that nobody may read (changed: logs forbidden, one line handed in)', async () => {
  const recorded = await play('503-connection-refused')
  const line = recorded.situation.sample?.server?.record
  if (!line) throw new Error('the recording has no line of the destination')
  const { outcome, state } = await play('503-connection-refused', {
    edit: forbid(/^kubectl logs/),
    pasted: { ...nothingPasted, records: [line] },
  })
  expect(outcome('uf-connection-refused')).toMatchObject({ status: 'fired', hits: [{ certainty: 'proven' }] })
  expect(outcome('app-closes-connection').status).toBe('ruled-out')
  expect(state.diagnosis?.verdict).toBe('cause')
})
