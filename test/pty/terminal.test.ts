import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { onlyFolder, readNote, temp } from '../e2e/built-cli.ts'
import { hasShared } from '../helpers/shared.ts'
import { failingTools } from './failing-tools.ts'
import { closeTerminals, hasTmux, type Left, openTerminal, type Terminal } from './terminal.ts'

afterAll(closeTerminals)

const call = ['--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080']
const mesh = '503-dr-disable-strict'

/** In the first step of a demo. */
async function inDemo(options: Parameters<typeof openTerminal>[0] = {}): Promise<Terminal> {
  const terminal = openTerminal({ args: ['demo', 'tls-conflict', '--guided'], ...options })
  await terminal.shows('Next ▸')
  return terminal
}

/** In the first step of a walk on a capture. */
async function inWalk(options: Parameters<typeof openTerminal>[0] = {}): Promise<Terminal> {
  const terminal = openTerminal({ mesh, args: call, ...options })
  await terminal.shows('reads only')
  terminal.press('Enter')
  await terminal.shows('Next ▸')
  return terminal
}

/** The frame is as high as the terminal, its keys stand in the last row, its rules are as wide as the screen. */
const fills = (columns: number, rows: number, keys: string) => (screen: string) => {
  const lines = screen.replace(/\n$/, '').split('\n')
  const width = columns < 60 ? columns : Math.min(164, columns - 2)
  return (
    lines.length === rows &&
    lines.at(-1)?.trimEnd().endsWith(keys) === true &&
    lines.some((line) => line.trim() === '─'.repeat(width)) &&
    lines.every((line) => line.length <= columns)
  )
}

async function toDiagnosis(terminal: Terminal) {
  terminal.press('f')
  await terminal.shows('note saved')
}

/** Enter at every step, as somebody does who reads along. */
async function stepByStep(terminal: Terminal) {
  for (let n = 1; !terminal.screen().includes('note saved'); n++) {
    await terminal.shows(new RegExp(`^.*${n} · [A-Z].*Next ▸|note saved`, 's'))
    if (!terminal.screen().includes('note saved')) terminal.press('Enter')
    await terminal.shows(new RegExp(`${n + 1} · [A-Z]|note saved`))
  }
}

/** Nothing of ours is left in the terminal: it echoes, shows its cursor, and its own screen is back. */
function expectRestored(terminal: Terminal, { sttyBefore, sttyAfter }: Left) {
  expect(sttyAfter).toBe(sttyBefore)
  const written = terminal.written()
  const isLast = (on: string, off: string) => written.lastIndexOf(off) > written.lastIndexOf(on)
  expect(isLast('\u001b[?1049h', '\u001b[?1049l'), 'alternate screen').toBe(true)
  expect(isLast('\u001b[?25l', '\u001b[?25h'), 'cursor').toBe(true)
  expect(isLast('\u001b[?2004h', '\u001b[?2004l'), 'bracketed paste').toBe(true)
  expect(isLast('\u001b[?7l', '\u001b[?7h'), 'line wrap').toBe(true)
}

const notes = (state: string) =>
  existsSync(join(state, 'meshtriage/sessions'))
    ? readdirSync(join(state, 'meshtriage/sessions')).map((name) => join(state, 'meshtriage/sessions', name))
    : []

describe.skipIf(!hasTmux)('without cluster, tools and captures', { timeout: 60_000 }, () => {
  test('the first screen says so and offers what works; q leaves', async () => {
    const terminal = openTerminal()
    const screen = await terminal.shows('No cluster answers')
    expect(screen).toContain('Demo: play a recorded incident')
    expect(screen).toContain('Paste a log line')
    terminal.press('q')
    const left = await terminal.left()
    expect(left.code).toBe(0)
    expectRestored(terminal, left)
  })

  test('a pasted line is answered at once', async () => {
    const terminal = openTerminal()
    await terminal.shows('No cluster answers')
    terminal.paste(
      '[2026-03-01T10:00:01.123Z] "GET /api HTTP/1.1" 503 UF upstream_reset_before_response_started{connection_failure} - "-" 0 91 10 - "-" "curl/8" "id-1" "shop.demo:80" "10.2.0.11:8080" outbound|80||shop.demo.svc.cluster.local 10.1.0.5:4000 10.3.0.1:80 10.1.0.5:5000 - default',
    )
    const screen = await terminal.shows('This says')
    expect(screen).toContain('10.2.0.11:8080')
    expect(screen).toContain('symptom: 503')
    terminal.press('C-c')
    expect((await terminal.left()).code).toBe(130)
  })

  test('a demo from the list, step by step, to a note in the session folder', async () => {
    const state = temp('state')
    const terminal = openTerminal({ env: { XDG_STATE_HOME: state } })
    await terminal.shows('No cluster answers')
    terminal.type('demo')
    terminal.press('Enter')
    await terminal.shows('Which incident?')
    terminal.press('Enter')
    await terminal.shows('Next ▸')
    await stepByStep(terminal)
    expect(terminal.screen()).toMatch(/proven/)
    terminal.press('q')
    const left = await terminal.left()
    expect(left.code).toBe(79)
    expectRestored(terminal, left)
    const [folder = ''] = notes(state)
    expect(readNote(readFileSync(join(folder, 'note.json'), 'utf8'))).toMatchObject({ verdict: 'cause' })
    // What was found stays in the scrollback.
    expect(terminal.screen()).toContain('Smallest move')
  })

  test('a resize in the middle: every frame fits, whatever is open', async () => {
    const terminal = await inDemo()
    for (const [columns, rows] of [
      [40, 20],
      [120, 40],
      [60, 12],
      [200, 50],
      [80, 24],
    ] as const) {
      terminal.resize(columns, rows)
      await terminal.shows(fills(columns, rows, '? keys · q quit'))
    }
    terminal.press('e')
    await terminal.shows('Evidence')
    terminal.resize(50, 16)
    await terminal.shows(fills(50, 16, 'esc close'))
    terminal.press('C-c')
    await terminal.left()
  })

  test('a wide terminal has what decides beside the reasons, a narrow one below them', async () => {
    const terminal = await inDemo({ columns: 200, rows: 50 })
    await toDiagnosis(terminal)
    expect(terminal.screen()).toMatch(/^ A .*│ This decides ▸/m)
    expect(terminal.screen()).toMatch(/│ Note +\//)
    terminal.resize(80, 24)
    await terminal.shows(/^ This decides ▸/m)
    terminal.press('C-c')
    await terminal.left()
  })

  test('NO_COLOR: weight, no colour', async () => {
    const terminal = await inDemo({ env: { NO_COLOR: '1' } })
    await toDiagnosis(terminal)
    terminal.press('q')
    await terminal.left()
    expect(terminal.written()).not.toMatch(/\u001b\[[0-9;]*(?:3[0-7]|9[0-7]|4[0-7]|38|48)m/)
    const coloured = await inDemo()
    expect(coloured.written()).toMatch(/\u001b\[3[0-7]m/)
    coloured.press('C-c')
    await coloured.left()
  })

  test.each(['', 'e', '$', 'x', '?', 'n', 'q'])(
    'ctrl-c after "%s" ends the walk, writes the note and puts the terminal back',
    async (key) => {
      const state = temp('state')
      const terminal = await inDemo({ env: { XDG_STATE_HOME: state } })
      if (key !== '') {
        terminal.press(key)
        await terminal.shows(/^(?!.*Next ▸)/s)
      }
      terminal.press('C-c')
      const left = await terminal.left()
      expect(left.code).toBe(130)
      expectRestored(terminal, left)
      const [folder = ''] = notes(state)
      expect(existsSync(join(folder, 'note.json'))).toBe(true)
    },
  )

  test('q in the middle asks; then it writes the note and leaves', async () => {
    const terminal = await inDemo()
    terminal.press('q')
    await terminal.shows('Leave in the middle of the walk?')
    terminal.press('Escape')
    await terminal.shows('Next ▸')
    terminal.press('q')
    await terminal.shows('Leave in the middle of the walk?')
    terminal.press('q')
    expectRestored(terminal, await terminal.left())
  })

  test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s ends it as ctrl-c does', async (signal) => {
    const terminal = await inDemo()
    terminal.kill(signal)
    const left = await terminal.left()
    expect(left.code).toBe(130)
    expectRestored(terminal, left)
  })

  test('a crash of ours leaves a terminal one can type in, and is not swallowed', async () => {
    const terminal = await inDemo({ node: ['--import', join(import.meta.dirname, 'crash-preload.mjs')] })
    terminal.kill('SIGUSR2')
    const left = await terminal.left()
    expect(left.code).not.toBe(0)
    expectRestored(terminal, left)
    expect(terminal.written()).toContain('a bug of ours')
  })

  test('plain mode: sentences, numbered choices, nothing redrawn', async () => {
    const terminal = openTerminal({ args: ['--plain'], rows: 60 })
    await terminal.shows('What do the callers see?')
    expect(terminal.written()).not.toContain('\u001b[')
    terminal.type('play')
    terminal.press('Enter')
    await terminal.shows('Which demo?')
    terminal.type('1')
    terminal.press('Enter')
    await terminal.shows('Step 1 of')
    terminal.press('C-c')
    const left = await terminal.left()
    expect(left.code).toBe(130)
    expect(left.sttyAfter).toBe(left.sttyBefore)
    expect(terminal.written()).not.toContain('\u001b[')
  })
})

describe.skipIf(!hasTmux || !hasShared)('on a capture', { timeout: 90_000 }, () => {
  test('what the rest of the walk waits for is shown, whichever layer it belongs to; gaps are no ✓', async () => {
    const terminal = await inWalk({
      mesh: 'healthy-strict',
      env: { MESHBED_FORBID: 'list@networkpolicies', MESHBED_HANG: 'istioctl analyze' },
    })
    expect(await terminal.shows(/\? ground +\d of \d+ not seen/)).not.toMatch(/✓ ground/)
    terminal.press('f')
    const screen = await terminal.shows('waiting for istioctl analyze')
    expect(screen).toContain('THE REST')
    expect(screen).toContain('$ istioctl analyze')
    expect(screen).toMatch(/esc give up/)
    terminal.press('Escape')
    await terminal.shows('inconclusive')
    terminal.press('C-c')
    await terminal.left()
  })

  test('a command that hangs counts its seconds; esc gives it up as evidence and the walk goes on', async () => {
    const terminal = await inWalk({ env: { MESHBED_HANG: 'istioctl analyze!' } })
    terminal.press('Enter')
    await terminal.shows('esc gives it up')
    terminal.press('Escape')
    expect(await terminal.shows(/\? analyze .*Next ▸/s)).toMatch(/could not look,\s+given up by you/)
    terminal.press('C-c')
    expect((await terminal.left()).code).toBe(130)
  })

  test('ctrl-c while a command hangs; twice if one cannot wait', async () => {
    const terminal = await inWalk({ env: { MESHBED_HANG: 'istioctl analyze!' } })
    terminal.press('Enter')
    await terminal.shows('esc gives it up')
    terminal.press('C-c', 'C-c')
    const left = await terminal.left(3000)
    expect(left.code).toBe(130)
    expectRestored(terminal, left)
  })

  test('the API server disappears half way: a banner, what is known stays, r tries again', async () => {
    const tools = failingTools()
    const terminal = await inWalk({ env: { PATH: tools.path } })
    tools.takeAway()
    terminal.press('Enter')
    const lost = await terminal.shows('what is known stays')
    expect(lost).toMatch(/[✓✗] ground/)
    await terminal.shows('Next ▸')
    tools.bringBack()
    terminal.press('r')
    const back = await terminal.shows(/[✓!] analyze .*Next ▸/s)
    expect(back).not.toContain('what is known stays')
    terminal.press('C-c')
    await terminal.left()
  })

  test('--resume goes on: what was asked is not asked again', async () => {
    const saved = temp('saved')
    const first = await inWalk({ args: [...call, '--save', saved] })
    first.press('C-c')
    await first.left()
    const folder = onlyFolder(saved)
    const before = readNote(readFileSync(join(folder, 'note.json'), 'utf8'))
    const trace = join(temp('trace'), 'trace')
    const again = openTerminal({ mesh, args: ['--resume', folder], env: { MESHBED_TRACE: trace } })
    await again.shows('Next ▸')
    again.press('f')
    await again.shows('note saved')
    again.press('q')
    await again.left()
    const after = readNote(readFileSync(join(folder, 'note.json'), 'utf8'))
    expect(after.id).toBe(before.id)
    const asked = readFileSync(trace, 'utf8')
    const repeated = before.evidence
      .filter(({ status }) => status === 'ok')
      .filter(({ source }) => source.command.includes('api-resources'))
    expect(repeated).toHaveLength(1)
    expect(asked).not.toContain('api-resources')
  })
})
