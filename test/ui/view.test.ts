import { describe, expect, test } from 'vitest'
import { initialRunState } from '../../src/model/run.ts'
import { closingLines, exitCodeOf } from '../../src/ui/closing.ts'
import { type Line, lineText, lineWidth } from '../../src/ui/lines.ts'
import { otherLines, reasonLines, retestLines, titleLines } from '../../src/ui/view/diagnosis.ts'
import { evidenceRows } from '../../src/ui/view/evidence.ts'
import { costText, headerLine } from '../../src/ui/view/header.ts'
import { hopPicture, hopSentences, hopStrip } from '../../src/ui/view/hops.ts'
import { endRows } from '../../src/ui/view/intake.ts'
import { decidingCommand, moveLines } from '../../src/ui/view/moves.ts'
import { railLines, railRows } from '../../src/ui/view/rail.ts'
import { termsIn } from '../../src/ui/view/terms.ts'
import { windowAround } from '../../src/ui/view/windowed.ts'
import { hop, inconclusiveSample, plaintextSample, type Sample, stateOf, suspectsSample } from './sample-run.ts'

const text = (lines: readonly Line[]) => lines.map(lineText).join('\n')
/** Without the line ends that wrapping put in. */
const flowing = (lines: readonly Line[]) => text(lines).replace(/\s+/g, ' ')

describe('the picture of the call', () => {
  const hops = [
    hop('client', 'web (app)', 'ok'),
    hop('client-proxy', 'web-1 proxy', 'broken', 'plaintext'),
    hop('server-proxy', 'ledger-1 proxy', 'broken', 'wants mTLS'),
    hop('app', 'ledger (app)', 'unknown'),
  ]
  test('breaks between the two hops that disagree', () =>
    expect(text(hopPicture(hops, 78))).toMatch(/✗ web-1 proxy ──✗──► ✗ ledger-1 proxy ╌╌► · ledger/))
  test('has the remarks under their hops', () => {
    const [top = '', under = ''] = hopPicture(hops, 78).map(lineText)
    expect(under.indexOf('plaintext')).toBe(top.indexOf('web-1'))
    expect(under.indexOf('wants mTLS')).toBe(top.indexOf('ledger-1'))
  })
  test('goes to a second row before it loses names', () => {
    const many = ['client', 'ztunnel-client', 'gateway', 'waypoint', 'server-proxy', 'app'].map((role) =>
      hop('gateway', `${role}-with-a-long-name`, 'ok'),
    )
    const lines = hopPicture(many, 78)
    expect(lines.length).toBeGreaterThan(1)
    expect(text(lines)).toContain('waypoint')
  })
  test('is a list on a narrow screen, and still shows the break', () => {
    const lines = hopPicture(hops, 40)
    expect(lines).toHaveLength(5)
    expect(text(lines)).toContain('✗ breaks here')
  })
  test.each([40, 56, 80, 120])('fits into %i columns', (width) => {
    for (const each of hopPicture(
      hops.map((one) => ({ ...one, label: `支払い-${one.label}-${'x'.repeat(40)}` })),
      width,
    ))
      expect(lineWidth(each)).toBeLessThanOrEqual(width)
  })
  test('is one line where a screen is narrow and low, with the name of what is broken', () => {
    const [line = [], ...more] = hopStrip(hops, 40)
    expect(more).toEqual([])
    expect(lineText(line)).toBe('✓─✗✗✗─·  web-1 proxy plaintext')
    expect(
      lineWidth(
        hopStrip(
          hops.map((one) => ({ ...one, label: 'x'.repeat(90) })),
          40,
        )[0] ?? [],
      ),
    ).toBeLessThanOrEqual(40)
    expect(text(hopStrip([hop('client', 'web', 'unknown'), hop('app', 'ledger', 'unknown')], 40))).toBe(
      '·─·  web → ledger',
    )
  })
  test('a row that goes on below ends without an arrow into nowhere', () => {
    const many = Array.from({ length: 6 }, (_, index) => hop('gateway', `hop-${index}-name`, 'ok'))
    const [first = ''] = hopPicture(many, 78).map(lineText)
    expect(first).toMatch(/name$/)
  })
  test('is words in plain mode', () =>
    expect(hopSentences(hops)[1]).toBe('Hop 2 of 4: web-1 proxy, broken here, plaintext.'))
})

describe('the rail', () => {
  test('a true finding about something else is !, a step that could not look is ?, what is to come is ·', async () => {
    const rows = railRows(await stateOf(plaintextSample, 6))
    expect(rows.map(({ id, mark }) => [id, mark])).toEqual([
      ['ground', 'ok'],
      ['analyze', 'aside'],
      ['sync', 'ok'],
      ['route', 'bad'],
      ['istiod', 'blind'],
      ['transport', 'bad'],
      ['policy', 'open'],
    ])
  })
  test('marks where one is with a symbol, not with colour alone', async () => {
    const rows = railRows(await stateOf(plaintextSample, 3))
    expect(text(railLines(rows, 'sync', 30))).toMatch(/^▸✓ sync/m)
  })
})

describe('the header', () => {
  test.each([40, 80, 120, 200])('fits into %i columns and keeps the call', async (width) => {
    const line = headerLine(await stateOf(plaintextSample, 3), 14_000, width)
    expect(lineWidth(line)).toBeLessThanOrEqual(width)
    expect(lineText(line)).toContain('web.shop')
  })
  test('says "all reads" only as long as it is true', async () => {
    const state = await stateOf(plaintextSample, 2)
    expect(costText(state)).toBe('3 commands, all reads')
    const sent = {
      ...state,
      commands: state.commands.map((command) => ({ ...command, display: 'kubectl exec web-1 -- curl -s x' })),
    }
    expect(costText(sent)).toBe('3 commands, 3 test requests')
  })
})

describe('the diagnosis', () => {
  const all = async (sample: Sample, width: number) => {
    const state = await stateOf(sample)
    if (!state.diagnosis) throw new Error('no diagnosis')
    return {
      state,
      lines: [
        ...titleLines(state.diagnosis, width),
        ...reasonLines(state, state.diagnosis, width, 0),
        ...otherLines(state, state.diagnosis, width),
        ...moveLines(state.diagnosis, width),
      ],
    }
  }
  test.each([40, 80, 120, 200])('fits into %i columns', async (width) => {
    for (const sample of [plaintextSample, suspectsSample, inconclusiveSample])
      for (const each of (await all(sample, width)).lines) expect(lineWidth(each)).toBeLessThanOrEqual(width)
  })
  test('a cause has its proof with the printed words, what it is not, what is unknown and how to see it', async () => {
    const said = flowing((await all(plaintextSample, 100)).lines)
    for (const words of [
      'proven',
      'ledger-1 logged NR',
      '"transportSocket": null',
      'uh-no-endpoints (2 healthy)',
      "istiod's log",
      'auth can-i get pods/log',
      'remove spec.trafficPolicy.tls',
      'never run',
      'undo: put the three lines back',
    ])
      expect(said).toContain(words)
  })
  test('suspects stand side by side, with what speaks for and against, and the one command between them', async () => {
    const said = text((await all(suspectsSample, 100)).lines)
    expect(said).toMatch(/A {2}ledger closes.*│ B {2}ledger pods/)
    expect(said).toContain('- no rollout in the last hour')
    expect(said).toContain("This decides ▸ ledger's own log says who closed first")
    expect(said).not.toMatch(/^Move/m)
  })
  test('suspects stand one below the other on a narrow screen', async () => {
    const said = text((await all(suspectsSample, 50)).lines)
    expect(said).not.toContain('│ B')
    expect(said).toContain('B  ledger pods')
  })
  test('inconclusive is never worded as healthy and says what would unlock it', async () => {
    const said = flowing((await all(inconclusiveSample, 100)).lines)
    expect(said).toContain('inconclusive')
    expect(said).toContain('auth can-i create pods/portforward -n shop')
    expect(said).not.toMatch(/✓|healthy mesh|all is well/i)
  })
  test('a retest says fixed, changed or the same', async () => {
    const { state } = await all(plaintextSample, 80)
    const retested = (result: 'fixed' | 'changed' | 'same' | 'blind') =>
      text(retestLines({ ...state, retests: [{ at: '2026-03-01T10:14:03Z', result, statement: 'x' }] }, 80))
    expect(retested('fixed')).toContain('✓ retest 10:14:03: fixed')
    expect(retested('changed')).toContain('! retest')
    expect(retested('same')).toContain('✗ retest 10:14:03: still the same')
    expect(retested('blind')).toContain('? retest')
  })
  test('the deciding command is the one to copy', () => {
    expect(decidingCommand(suspectsSample.diagnosis)).toContain('kubectl logs -n pay ledger-1')
    expect(decidingCommand(plaintextSample.diagnosis)).toContain('curl')
  })
})

describe('after the screen is gone', () => {
  test('the verdict, the retest and the note stay', async () => {
    const state = await stateOf(plaintextSample)
    const said = closingLines(state, { folder: 'f', notePath: 'f/note.md' }, 80).join('\n')
    expect(said).toContain('web talks plaintext')
    expect(said).toContain('f/note.md')
  })
  test('nothing is said when nothing was walked', () => expect(closingLines(initialRunState, null, 80)).toEqual([]))
  test('exit codes follow the verdict', async () => {
    expect(exitCodeOf(await stateOf(plaintextSample), false)).toBe(79)
    expect(exitCodeOf(await stateOf(suspectsSample), false)).toBe(79)
    expect(exitCodeOf(await stateOf(inconclusiveSample), false)).toBe(80)
    expect(exitCodeOf(await stateOf(plaintextSample), true)).toBe(130)
    expect(exitCodeOf(await stateOf(plaintextSample, 2), false)).toBe(80)
    expect(exitCodeOf(initialRunState, false)).toBe(0)
  })
})

describe('small things', () => {
  test('evidence is found by what was learned, by command, by step and by why it is missing', async () => {
    const state = await stateOf(plaintextSample)
    const ids = (filter: string) => evidenceRows(state, filter).map(({ command }) => command.id)
    expect(ids('forbidden')).toEqual(['C7'])
    expect(ids('transport')).toContain('C9')
    expect(ids('peerauth')).toEqual(['C8'])
    expect(ids('')).toHaveLength(10)
  })
  test('terms of a screen: flags, codes, details; not names, not halves', () =>
    expect(
      termsIn('503 UC upstream_reset_before_response_started on NR, IST0101, UAT-team, filter_chain_not_f…'),
    ).toEqual(['503', 'UC', 'upstream_reset_before_response_started', 'NR', 'IST0101']))
  test('a window keeps the marked line in view', () => {
    for (let cursor = 0; cursor < 100; cursor++) {
      const from = windowAround(100, cursor, 10, 0)
      expect(cursor).toBeGreaterThanOrEqual(from)
      expect(cursor).toBeLessThan(from + 10)
    }
    expect(windowAround(5, 4, 10, 3)).toBe(0)
  })
})

describe('the whole diagnosis', () => {
  test('what it is not stands by layer, equal reasons once', async () => {
    const state = await stateOf(plaintextSample)
    if (!state.diagnosis) throw new Error('no diagnosis')
    const quoted = [{ entry: 'C1', statement: 'x', excerpt: null }]
    const because = 'no line speaks of a refused connection'
    const diagnosis = {
      ...state.diagnosis,
      ruledOut: [
        { code: 'uf-connection-refused', layer: 'app', because, evidence: quoted },
        { code: 'istiod-down', layer: 'control-plane', because: 'istiod is ready', evidence: [] },
        { code: 'uf-localhost-bind', layer: 'app', because, evidence: quoted },
      ],
    } as const
    const said = flowing(otherLines(state, diagnosis, 300))
    expect(said).toContain('app uf-connection-refused, uf-localhost-bind (no line speaks of a refused connection) [C1]')
    expect(said).toContain('control-plane istiod-down (istiod is ready)')
  })
  test('a cause has scope, risk and undo of its move each in a line', async () => {
    const said = text(moveLines(plaintextSample.diagnosis, 140))
    for (const word of ['touches', 'risk', 'undo']) expect(said).toMatch(new RegExp(`^ +${word}: `, 'm'))
    expect(said).toContain('yours to run')
    const [cause] = plaintextSample.diagnosis.causes
    if (!cause) throw new Error('no cause')
    const checked = (command: string) =>
      text(moveLines({ ...plaintextSample.diagnosis, causes: [{ ...cause, verify: { command, expect: '' } }] }, 140))
    expect(checked("kubectl exec web -- curl -s -X POST 'http://ledger'")).toContain(
      'sends a real POST, with all it does',
    )
    expect(checked("kubectl exec web -- curl -s 'http://ledger'")).toContain('sends one request')
    expect(checked('kubectl get pods -n pay')).not.toContain('sends')
  })
})

test('a pod that stands alone is not counted as well', () => {
  const item = {
    target: { kind: 'pod', name: 'client', namespace: 'amb', port: null, text: 'pod/client.amb' },
    name: 'client',
    namespace: 'amb',
    kind: 'pod',
    pods: 1,
    ready: 1,
    proxy: 'ambient',
    restarts: null,
    ports: [],
    suspicious: null,
  } as const
  const [first] = endRows({ items: [item], blind: null })
  expect(first?.detail).toBe('pod · ambient')
  const [lame] = endRows({ items: [{ ...item, ready: 0 }], blind: null })
  expect(lame?.detail).toContain('0 of 1 pods ready')
})

test('suspects carry the words of the tool, in short', async () => {
  const { diagnosis } = suspectsSample
  const excerpt = '[2026-03-01T10:00:01.120Z] "GET /balance HTTP/1.1" 503 UC upstream_reset_before_response_started'
  const quoted = diagnosis.causes.map((cause) => ({
    ...cause,
    supporting: [{ entry: 'C1', statement: 'its log', excerpt }],
  }))
  const lines = reasonLines(await stateOf(suspectsSample), { ...diagnosis, causes: quoted }, 160, 0)
  expect(flowing(lines)).toContain('│ [2026-03-01T10:00:01.120Z] "GET /balance HTTP/1.1" 503 UC')
})
