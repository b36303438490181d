import { describe, expect, test } from 'vitest'
import { Frame } from '../../src/ui/components/Frame.tsx'
import { KeyBar } from '../../src/ui/components/KeyBar.tsx'
import { Lines } from '../../src/ui/components/Lines.tsx'
import { filtered, PickList, type PickRow } from '../../src/ui/components/PickList.tsx'
import { QuestionPane } from '../../src/ui/components/QuestionPane.tsx'
import { Rail } from '../../src/ui/components/Rail.tsx'
import { Scroll } from '../../src/ui/components/Scroll.tsx'
import { TextField } from '../../src/ui/components/TextField.tsx'
import { diagnosisKeys, walkKeys } from '../../src/ui/keys.ts'
import { line, span } from '../../src/ui/lines.ts'
import { railRows } from '../../src/ui/view/rail.ts'
import { plaintextSample, stateOf } from './sample-run.ts'
import { draw, faults } from './screen.tsx'

const row = (id: string, more: Partial<PickRow<string>> = {}): PickRow<string> => ({
  id,
  label: id,
  detail: '',
  value: id,
  ...more,
})

describe('lines', () => {
  test('keep their height, also the empty ones', () => {
    const shown = draw(<Lines lines={[line('a'), [], line('b')]} width={10} height={5} />)
    expect(shown.frame().split('\n').slice(0, 3)).toEqual(['a', '', 'b'])
  })
  test('an escape sequence in a name is drawn as its letters at most', () => {
    const shown = draw(<Lines lines={[line(span('pod\u001b[2J\u001b]0;x\u0007-1', 'bad'))]} width={20} />)
    expect(shown.frame().trim()).toBe('pod-1')
    expect(shown.raw()).not.toContain('[2J')
  })
})

describe('the key bar', () => {
  test('drops the least important first; the list of keys and the way out stay', () => {
    const wide = draw(<KeyBar table={walkKeys} width={150} />, 150).frame()
    const narrow = draw(<KeyBar table={walkKeys} width={40} />, 40).frame()
    expect(wide).toContain('f finish')
    expect(narrow).toMatch(/^enter next · a auto · \? keys · q quit/)
  })
  test('leaves out what makes no sense now and says more where it can', () => {
    const bar = draw(<KeyBar table={walkKeys} width={78} labels={{ next: 'go to route' }} without={['auto']} />).frame()
    expect(bar).toContain('enter go to route')
    expect(bar).not.toContain('a auto')
  })
  test.each([walkKeys, diagnosisKeys])('fits into 80 columns with its most important keys', (...table) => {
    expect(faults(draw(<KeyBar table={table} width={78} />).raw(), 78, 24)).toEqual([])
  })
})

describe('a frame', () => {
  test.each([
    [40, 10],
    [80, 24],
    [200, 50],
  ])('is exactly as high as the terminal at %i×%i, and not wider than one can read', (columns, rows) => {
    const shown = draw(
      <Frame title={[line('title')]} keys={walkKeys}>
        {(width, height) => <Lines lines={[line('x'.repeat(300))]} width={width} height={height} />}
      </Frame>,
      columns,
      rows,
    )
    const lines = shown.frame().split('\n')
    expect(lines).toHaveLength(rows)
    expect(Math.max(...lines.map((each) => each.length))).toBeLessThanOrEqual(Math.min(columns, 165))
    expect(lines.at(-1)).toContain('q quit')
  })
  test('says what was just done in the line above the keys', () => {
    const shown = draw(
      <Frame title={[line('t')]} keys={walkKeys} flash="copied: kubectl get pods">
        {() => null}
      </Frame>,
    )
    expect(shown.frame().split('\n').at(-2)).toMatch(/^ ── copied: kubectl get pods ──/)
  })
  test('shows a copied text in full, to be marked by hand where no clipboard takes it', () => {
    const words = Array.from({ length: 30 }, (_, index) => `word-${index}`)
    const shown = draw(
      <Frame title={[line('t')]} keys={walkKeys} flash={words.join(' ')}>
        {(width, height) => <Lines lines={[line('body')]} width={width} height={height} />}
      </Frame>,
    )
    for (const word of words) expect(shown.frame()).toContain(word)
    expect(shown.frame().split('\n')).toHaveLength(24)
    expect(shown.frame()).toContain('body')
  })
  test('a picture that is too high is cut around the break', () => {
    const top = ['a', 'b', 'c', 'd', 'e', '✗ here', 'f'].map((text) => line(text))
    const shown = draw(
      <Frame title={[line('t')]} top={top} keys={walkKeys}>
        {() => null}
      </Frame>,
      40,
      16,
    )
    expect(shown.frame()).toContain('✗ here')
    expect(shown.frame().split('\n')).toHaveLength(16)
  })
})

describe('a list to pick from', () => {
  const rows = [
    row('ledger'),
    row('ledger-admin', { detail: 'svc' }),
    row('web', { remark: 'no proxy', tone: 'warn' }),
    row("I don't know", { pinned: true }),
  ]
  test('best match first, pinned rows always', () => {
    expect(filtered(rows, 'admin').map(({ id }) => id)).toEqual(['ledger-admin', "I don't know"])
    expect(filtered(rows, 'proxy').map(({ id }) => id)).toEqual(['web', "I don't know"])
    expect(filtered(rows, '').map(({ id }) => id)).toEqual(rows.map(({ id }) => id))
  })
  test('is drawn in a window, the pinned row below it', () => {
    const many = [
      ...Array.from({ length: 100 }, (_, index) => row(`pod-${index}`)),
      row("I don't know", { pinned: true }),
    ]
    const frame = draw(<PickList rows={many} filter="" cursor={50} offset={48} width={60} height={6} />).frame()
    expect(frame).toContain('▸ pod-50')
    expect(frame).not.toContain('pod-60')
    expect(frame).toContain("I don't know")
  })
  test('one long name does not take the room of all details, and details are cut between phrases', () => {
    const names = [
      row('503', { detail: 'no healthy upstream, upstream connect error or disconnect' }),
      row('403', { detail: 'RBAC: access denied' }),
      row('a name much longer than all the others are', { detail: 'something, and something more' }),
    ]
    const frame = draw(<PickList rows={names} filter="" cursor={0} offset={0} width={60} height={3} />, 60).frame()
    expect(frame).toMatch(/▸ 503 {2}no healthy upstream, …/)
    expect(frame).toMatch(/403 {2}RBAC: access denied/)
    expect(frame).toMatch(/a name much longer[^·]*…/)
  })
  test('a narrow screen says why one would pick it rather than half a detail', () => {
    const frame = draw(
      <PickList
        rows={[row('a-rather-long-workload-name', { detail: 'deploy · 3 pods', remark: 'no proxy' })]}
        filter=""
        cursor={0}
        offset={0}
        width={38}
        height={2}
      />,
      40,
    ).frame()
    expect(frame).toContain('no proxy')
    expect(frame).not.toContain('deploy')
  })
})

describe('smaller parts', () => {
  test('a scroll says how much is above and below', () => {
    const lines = Array.from({ length: 30 }, (_, index) => line(`line ${index}`))
    const frame = draw(<Scroll lines={lines} width={40} height={10} offset={5} />).frame()
    expect(frame).toContain('↑ 6 above')
    expect(frame).toContain('↓ 16 more')
    expect(frame).toContain('line 8')
  })
  test('a text field shows where one writes, and the end of a long text', () => {
    expect(draw(<TextField label="note" field={{ before: 'ab', after: 'cd' }} width={30} />).frame()).toContain(
      'note abcd',
    )
    expect(
      draw(<TextField label="note" field={{ before: `${'x'.repeat(50)}END`, after: '' }} width={30} />).frame(),
    ).toContain('END▏')
    expect(
      draw(<TextField label="note" field={{ before: '', after: '' }} width={30} hint="what you did" />).frame(),
    ).toContain('what you did')
  })
  test('the rail keeps the marked layer in view when it is higher than the screen', async () => {
    const rows = railRows(await stateOf(plaintextSample, 3))
    expect(draw(<Rail rows={rows} cursor="policy" width={30} height={3} />).frame()).toContain('policy')
  })
  test('a question shows why, and numbers its answers', () => {
    const question = {
      id: 'q',
      text: 'Since when?',
      why: 'a change has a time',
      choices: [
        { id: 'today', label: 'today' },
        { id: 'unknown', label: "I don't know" },
      ],
    }
    const frame = draw(<QuestionPane question={question} cursor={1} width={50} height={8} />).frame()
    expect(frame).toContain('why: a change has a time')
    expect(frame).toMatch(/1 {2}today/)
    expect(frame).toContain("▸ 2  I don't know")
  })
})
