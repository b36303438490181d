import { describe, expect, test } from 'vitest'
import type { RunState } from '../../src/model/run.ts'
import { callers, sampleBackend } from './sample-backend.ts'
import { inconclusiveSample, plaintextSample, suspectsSample } from './sample-run.ts'
import { bracketed, faults, keys, open } from './screen.tsx'

const offline = { context: null, istio: null, reachable: false, why: 'kubectl is not installed' }
const logLine = '[2026-03-01T10:00:01Z] "GET /api HTTP/1.1" 503 UC upstream_reset - "-" 0 95 4 - "-" "curl"'

/** Blank frames flicker; those before anything was mounted are nobody's. */
const blankAfterFirst = (app: ReturnType<typeof open>) => {
  const first = app.frames().findIndex((frame) => frame.trim() !== '')
  return app.frames().flatMap((frame, index) => (index > first && frame.trim() === '' ? [index] : []))
}

/** From the first question to the first step. */
async function toWalk(app: ReturnType<typeof open>) {
  await app.waitFor('prod-eu')
  await app.press('503', keys.enter)
  await app.waitFor('cart.shop')
  await app.press('web', keys.enter)
  await app.waitFor('reviews.shop')
  await app.press('ledger', keys.enter)
  await app.waitFor('which port of ledger')
  await app.press(keys.enter)
  return app.waitFor('Next ▸')
}

describe('the first screen', () => {
  test('is there before the cluster has answered', async () => {
    const backend = { ...sampleBackend(), cluster: () => new Promise<never>(() => undefined) }
    const app = open(backend)
    expect(app.frame()).toContain('What do the callers see?')
    expect(app.frame()).toContain('asking for the cluster')
  })
  test('letters narrow the list, also typed all at once', async () => {
    const app = open(sampleBackend())
    await app.press('rbac')
    expect(app.frame()).toMatch(/▸ 403 Forbidden/)
    expect(app.frame()).toContain('rbac')
    expect(app.frame()).not.toContain('401 Unauthorized')
    await app.press(keys.esc)
    expect(app.frame()).toContain('401 Unauthorized')
  })
  test('q leaves with nothing saved; in the list of callers it is a letter', async () => {
    const saves: unknown[] = []
    const app = open(sampleBackend({ saves }))
    await app.press('503', keys.enter)
    await app.waitFor('who calls')
    await app.press('q')
    expect(app.end()).toBeNull()
    await app.press(keys.esc, keys.esc)
    expect(await app.waitFor('What do the callers see')).toMatch(/q quit$/)
    await app.press('q')
    expect(app.end()).toMatchObject({ interrupted: false, saved: null })
    expect(saves).toEqual([])
  })
  test('? lists the keys and what the symbols mean', async () => {
    const app = open(sampleBackend(), { rows: 40 })
    await app.press('?')
    for (const words of ['ctrl-c', 'could not look', 'true, but not the cause']) expect(app.frame()).toContain(words)
    // Each key once, also those that are the same everywhere.
    expect(app.frame().match(/^ ?(paste|ctrl-c) /gm)).toHaveLength(2)
    expect(app.frame()).toMatch(/^ q ctrl-c +leave/m)
    await app.press(keys.esc)
    expect(app.frame()).toContain('What do the callers see?')
  })
})

describe('without a cluster', () => {
  test('it says so and why, and offers first what works', async () => {
    const app = open(sampleBackend({ facts: offline }))
    const frame = await app.waitFor('No cluster answers')
    expect(frame).toContain('kubectl is not installed')
    for (const way of ['Paste a log line', 'Demo: play', 'recorded session', 'bug-report archive', 'Explain a flag'])
      expect(frame).toContain(way)
    expect(frame.indexOf('Demo: play')).toBeLessThan(frame.indexOf('503 Service'))
    expect(frame).toContain('needs a cluster')
  })
  test('40 columns keep the question whole', async () => {
    const app = open(sampleBackend({ facts: offline }), { columns: 40, rows: 20 })
    await app.waitFor('No cluster')
    expect(app.frame().replace(/\s+/g, ' ')).toContain('What would you like to do?')
    expect(faults(app.frame(), 40, 20)).toEqual([])
  })
  test('a symptom leads to its demos, with the reason', async () => {
    const app = open(sampleBackend({ facts: offline }))
    await app.waitFor('No cluster')
    await app.press('503', keys.enter)
    expect(app.frame()).toContain('a walk needs a cluster: kubectl is not installed')
    await app.press(keys.enter)
    expect(await app.waitFor('Next ▸')).toContain('GROUND')
  })
  test('trying again asks again', async () => {
    let asked = 0
    const backend = {
      ...sampleBackend(),
      cluster: async () => (++asked === 1 ? offline : { context: 'dev', istio: '1.30.0', reachable: true }),
    }
    const app = open(backend)
    await app.waitFor('No cluster')
    await app.press('try', keys.enter)
    expect(await app.waitFor('context dev')).not.toContain('No cluster')
  })
  test('a path that is no recording leads back with the reason', async () => {
    const app = open(sampleBackend({ facts: offline }))
    await app.waitFor('No cluster')
    await app.press('recorded', keys.enter)
    await app.waitFor('Which session')
    await app.press('nope', keys.enter)
    const frame = await app.waitFor('no session folder')
    expect(frame).toContain('it needs a session.json')
  })
})

describe('who calls whom', () => {
  test('suspicious ones first, "I don\'t know" always in view', async () => {
    const app = open(sampleBackend())
    await app.press('503', keys.enter)
    const frame = await app.waitFor('cart.shop')
    expect(frame.indexOf('cart.shop')).toBeLessThan(frame.indexOf('web.shop'))
    expect(frame).toContain("I don't know")
    await app.press('zzzz')
    expect(app.frame()).toContain("I don't know")
  })
  test('the keys work while the list is still being read, and a name can be typed', async () => {
    const app = open(sampleBackend({ callers: () => new Promise<never>(() => undefined) }))
    await app.press('503', keys.enter)
    await app.waitFor('reading the list')
    await app.press('billing.pay', keys.enter)
    expect(await app.waitFor('who is called')).toContain('billing.pay')
  })
  test('a list that could not be read says so and how to see it', async () => {
    const app = open(
      sampleBackend({
        callers: async () => ({
          items: [],
          blind: { reason: 'pods is forbidden for user dev', unlock: 'kubectl auth can-i list pods -A' },
        }),
      }),
    )
    await app.press('503', keys.enter)
    expect(await app.waitFor('could not be read')).toContain('kubectl auth can-i list pods -A')
  })
  test('what a flag said is not asked again', async () => {
    const app = open(sampleBackend(), { given: { symptom: '503', from: callers[0]?.target ?? null } })
    const frame = await app.waitFor('who is called')
    expect(app.frames().join('')).not.toContain('who calls')
    expect(frame).toContain('web.shop → ?')
  })
  test('everything said: the walk starts at once', async () => {
    const target = callers[0]?.target ?? null
    const app = open(sampleBackend(), {
      given: { symptom: '503', from: target, to: target && { ...target, port: 80 } },
    })
    await app.waitFor('Next ▸')
    expect(app.frames().join('')).not.toContain('who is called')
    expect(blankAfterFirst(app)).toEqual([])
  })
  test('between the last answer and the walk no frame is blank', async () => {
    const app = open(sampleBackend())
    await toWalk(app)
    expect(blankAfterFirst(app)).toEqual([])
  })
  test('a host alone says nothing about where the caller is', async () => {
    const app = open(sampleBackend(), { given: { symptom: '503', host: 'ledger.pay' } })
    expect(await app.waitFor('who calls')).toContain('? → ledger.pay')
    await app.press('outside', keys.enter)
    expect(await app.waitFor('outside the cluster →')).toContain('ledger.pay')
  })
  test('ctrl-n and ctrl-p move where letters filter', async () => {
    const app = open(sampleBackend())
    await app.press('\u000e', '\u000e', '\u0010')
    expect(app.frame()).toMatch(/▸ 403 Forbidden/)
  })
  test('a symptom about one workload asks for one', async () => {
    const app = open(sampleBackend())
    await app.press('mesh', keys.enter)
    expect(await app.waitFor('reviews.shop')).toContain('who is called')
  })
  test('esc goes one question back', async () => {
    const app = open(sampleBackend())
    await app.press('503', keys.enter)
    await app.waitFor('who calls')
    await app.press(keys.esc)
    expect(app.frame()).toContain('What do the callers see?')
  })
})

describe('pasting', () => {
  test('is answered before anything else, at any question, and what it says is not asked', async () => {
    const app = open(sampleBackend())
    await app.waitFor('prod-eu')
    await app.press(bracketed(logLine))
    const answer = await app.waitFor('This says')
    expect(answer).toContain("web-1's own proxy")
    expect(answer).toContain('destination: ledger.pay:8080')
    await app.press(keys.enter)
    await app.waitFor('who calls')
    await app.press('web', keys.enter)
    await app.waitFor('Next ▸')
    expect(app.frames().join('')).not.toContain('who is called')
  })
  test('a line break inside of it presses nothing', async () => {
    const app = open(sampleBackend())
    await app.waitFor('prod-eu')
    await app.press(bracketed(`q\r\n${logLine}\r\n`))
    expect(app.end()).toBeNull()
    expect(app.frame()).toContain('This says')
  })
  test('escape sequences in it never reach the terminal', async () => {
    const app = open(sampleBackend())
    await app.waitFor('prod-eu')
    await app.press(bracketed(`${logLine} \u0007\u009b2J\u202egnp.exe`))
    await app.waitFor('This says')
    expect(app.raw()).not.toMatch(/[\u0007\u009b\u202e]/)
  })
  test('what is not recognised is said to be so', async () => {
    const app = open({ ...sampleBackend(), explain: async () => null })
    await app.waitFor('prod-eu')
    await app.press(bracketed('nothing that anybody would know'))
    await app.waitFor('not recognised')
  })
})

describe('the walk', () => {
  test('stops after each step, shows command, result, meaning and what comes next with its command', async () => {
    const app = open(sampleBackend())
    const frame = await toWalk(app)
    for (const words of [
      'GROUND',
      '$ istioctl version -o json',
      'control plane 1.29.2',
      '[C1]',
      'Next ▸ analyze',
      '$ istioctl analyze -n shop -o json',
      '2 commands, all reads',
    ])
      expect(frame).toContain(words)
    await app.press(keys.enter)
    expect(await app.waitFor('ANALYZE')).toContain('true,')
  })
  test('auto stops at a finding about this call, not at one about something else', async () => {
    const app = open(sampleBackend())
    await toWalk(app)
    await app.press('a')
    const frame = await app.waitFor('TRANSPORT')
    await app.waitFor('Next ▸ policy')
    expect(frame).toContain('✗ route')
  })
  test('a step that could not look says what was lost and what to ask for', async () => {
    const app = open(sampleBackend(), { rows: 30 })
    await toWalk(app)
    for (let step = 0; step < 4; step++) await app.press(keys.enter)
    const frame = await app.waitFor('ISTIOD LOG')
    expect(frame).toContain('could not look')
    expect(frame).toContain('kubectl auth can-i get pods/log')
    expect(frame).toMatch(/\? istiod log/)
  })
  test('the rail: arrows look at a step, enter goes there, esc returns', async () => {
    const app = open(sampleBackend())
    await toWalk(app)
    await app.press(keys.enter, keys.enter)
    await app.waitFor('SYNC ')
    await app.press(keys.up, 'k')
    expect(app.frame()).toContain('GROUND')
    expect(app.frame()).toContain('walks this step again')
    await app.press(keys.esc)
    expect(app.frame()).toContain('Next ▸ route')
    await app.press('1', keys.enter)
    await app.waitFor('Next ▸ analyze')
  })
  test('skip, back and finish', async () => {
    const app = open(sampleBackend())
    await toWalk(app)
    await app.press('s')
    expect(await app.waitFor('SYNC')).toMatch(/· analyze\s+skipped/)
    await app.press('b')
    await app.waitFor('ANALYZE')
    await app.press('f')
    await app.waitFor('Smallest move')
  })
  test('the path of the note stands in full below, on a wide screen beside the reasons', async () => {
    const notePath = '/home/dev/.local/state/meshtriage/2026-03-01-503/note.md'
    for (const [columns, rows] of [
      [80, 80],
      [200, 50],
    ] as const) {
      const app = open(sampleBackend(), { columns, rows })
      await toWalk(app)
      await app.press('f')
      await app.waitFor(/Note +\/home/)
      expect(app.frame().replace(/[\s│]/g, '')).toContain(`Note${notePath}`)
      // Beside: why and what to do begin in the same row.
      expect(/^ *Why .*│ Move /m.test(app.frame())).toBe(columns === 200)
      expect(faults(app.frame(), columns, rows)).toEqual([])
      app.unmount()
    }
  })
  test('a slow command counts its seconds, says what it waits for, and esc gives it up as evidence', async () => {
    let clock = 0
    const backend = sampleBackend({
      delay: (ms) => (ms > 3000 ? new Promise<void>(() => undefined) : Promise.resolve()),
    })
    const app = open(backend, { now: () => clock, rows: 30 })
    await toWalk(app)
    await app.press(keys.enter)
    await app.waitFor('ANALYZE')
    expect(app.frame()).not.toContain('waiting for')
    expect(app.frame().split('\n').at(-1)).toContain('esc give up')
    clock = 7000
    expect(await app.waitFor('waiting for istioctl analyze')).toMatch(/-o json\s+7\ss/)
    await app.press('e')
    expect(app.frame()).toContain('Evidence')
    await app.press(keys.esc, keys.esc)
    expect(await app.waitFor('given up by you')).toMatch(/could not look/)
  })
  test('the banner of a lost API server stays and what is known stays', async () => {
    const [ground, ...rest] = plaintextSample.steps
    const sample = {
      ...plaintextSample,
      steps: [{ ...(ground ?? plaintextSample.steps[0]!), banner: 'the API server does not answer any more' }, ...rest],
    }
    const app = open(sampleBackend({ sample }))
    const frame = await toWalk(app)
    expect(frame).toContain('! the API server does not answer any more · what is known stays')
    expect(frame).toContain('sidecars on both')
  })
  test('a question shows why it is asked; a digit answers; esc is "I don\'t know"', async () => {
    const [ground, ...rest] = plaintextSample.steps
    const ask = {
      id: 'token',
      text: 'Does the caller send a token?',
      why: 'without one, a 403 comes from elsewhere',
      choices: [
        { id: 'yes-sends', label: 'it does' },
        { id: 'unknown', label: "I don't know" },
      ],
    }
    const sample = { ...plaintextSample, steps: [{ ...(ground ?? plaintextSample.steps[0]!), ask }, ...rest] }
    const app = open(sampleBackend({ sample }), {
      given: { symptom: '503', from: callers[0]!.target, to: { ...callers[0]!.target, port: 80 } },
    })
    const frame = await app.waitFor('Does the caller send a token?')
    expect(frame).toContain('why: without one, a 403 comes from elsewhere')
    await app.press('1')
    await app.waitFor('Next ▸')
  })
  test('a line for the note goes into it with its time', async () => {
    const saves: RunState[] = []
    const app = open(sampleBackend({ saves }))
    await toWalk(app)
    await app.press('n', 'called the owner', keys.enter, keys.enter)
    await app.waitFor('ANALYZE')
    await app.press('f')
    await app.waitFor('note saved')
    expect(saves.at(-1)?.notes).toEqual([{ at: expect.stringMatching(/^2026-/), text: 'called the owner' }])
  })
  test('copy hands over the next command', async () => {
    const copied: string[] = []
    const app = open(sampleBackend({ copied }))
    await toWalk(app)
    await app.press('c')
    expect(copied).toEqual(['istioctl analyze -n shop -o json'])
    expect(app.frame()).toContain('copied: istioctl analyze')
  })
})

describe('looking closer', () => {
  test('evidence: filter, then the raw output, search in it, and back to the same filter', async () => {
    const app = open(sampleBackend(), { open: { demo: 'plaintext' } })
    await app.waitFor('Next ▸')
    await app.press('a')
    await app.waitFor('Next ▸ policy')
    await app.press('e', '/', 'forbidden', keys.enter)
    expect(app.frame()).toContain('1 shown')
    await app.press(keys.enter)
    await app.waitFor('C7 line 1')
    await app.press('/', 'line 150', keys.enter)
    expect(await app.waitFor('C7 line 150')).toContain('1 of 1 × "line 150"')
    await app.press(keys.esc)
    expect(app.frame()).not.toContain('×')
    await app.press('/', 'line 1', keys.enter, 'n', 'n', 'N')
    expect(app.frame()).toMatch(/\d+ of \d+ × "line 1"/)
    expect(app.frame()).toContain('n N next hit')
    const at = () => Number(/(\d+) of \d+ ×/.exec(app.frame())?.[1])
    const before = at()
    await app.press('n')
    expect(at()).toBe(before + 1)
    await app.press(keys.esc, '/', 'nowhere', keys.enter)
    expect(app.frame()).toContain('not found: "nowhere"')
    await app.press(keys.esc, keys.esc)
    expect(app.frame()).toContain('1 shown')
  })
  test('raw output is stripped', async () => {
    const app = open(sampleBackend(), { open: { demo: 'plaintext' }, colour: false })
    await app.waitFor('Next ▸')
    await app.press('$')
    await app.waitFor('C2 line 1')
    expect(app.frame()).toContain('red')
    expect(app.raw()).not.toContain('\u001b[31m')
  })
  test('x explains the terms of the screen, or what is typed', async () => {
    const app = open(sampleBackend(), { open: { demo: 'plaintext' } })
    await app.waitFor('Next ▸')
    await app.press('a')
    await app.waitFor('Next ▸ policy')
    await app.press('x')
    expect(await app.waitFor('Look next')).toMatch(/▸ \S/)
    expect(app.frame()).toContain('filter_chain_not_found')
    await app.press('zzz')
    await app.waitFor('Nothing is known here about "zzz"')
    await app.press(keys.esc, keys.esc)
    expect(app.frame()).toContain('TRANSPORT')
  })
})

describe('the diagnosis', () => {
  const diagnosed = async (sample = plaintextSample, more: Parameters<typeof open>[1] = {}) => {
    const app = open(sampleBackend({ sample }), {
      given: { symptom: '503', from: callers[0]!.target, to: { ...callers[0]!.target, port: 80 } },
      ...more,
    })
    await app.waitFor('Next ▸')
    await app.press('f')
    await app.waitFor('note saved')
    return app
  }
  test('is saved, says where, and Markdown is one key away', async () => {
    const app = await diagnosed()
    expect(app.frame()).toContain('2026-03-01-503/note.md')
    await app.press('m')
    expect(await app.waitFor('# Incident note')).toContain('web talks plaintext')
  })
  test.each([
    [plaintextSample, 'fixed'],
    [suspectsSample, 'still the same'],
    [inconclusiveSample, 'changed'],
  ])('retest tells the result', async (sample, word) => {
    const app = await diagnosed(sample)
    await app.press('r')
    await app.waitFor(word)
  })
  test('a note that could not be saved is said, not hidden', async () => {
    const backend = { ...sampleBackend(), save: async () => Promise.reject(new Error('no space left on device')) }
    const app = open(backend, { open: { demo: 'plaintext' } })
    await app.waitFor('Next ▸')
    await app.press('f')
    await app.waitFor('could not be saved: no space left')
  })
  test('b shows the steps again, q leaves at once', async () => {
    const app = await diagnosed()
    await app.press('b')
    expect(app.frame()).toContain('diagnosis')
    await app.press('q')
    expect(app.end()).toMatchObject({ interrupted: false, saved: { notePath: expect.stringContaining('note.md') } })
  })
})

describe('leaving', () => {
  test('q in the middle of a walk asks; esc stays', async () => {
    const app = open(sampleBackend(), { open: { demo: 'plaintext' } })
    await app.waitFor('Next ▸')
    await app.press('q')
    expect(app.frame()).toContain('Leave in the middle of the walk?')
    await app.press(keys.esc)
    expect(app.frame()).toContain('Next ▸')
    expect(app.end()).toBeNull()
  })
  test('ctrl-c once writes the note and ends, from any screen', async () => {
    const saves: RunState[] = []
    const app = open(sampleBackend({ saves }), { open: { demo: 'plaintext' } })
    await app.waitFor('Next ▸')
    await app.press('e', keys.ctrlC)
    expect(app.end()).toMatchObject({ interrupted: true, saved: { notePath: expect.any(String) } })
    expect(saves.at(-1)?.end).toBe('interrupted')
  })
  test('a signal from outside ends as ctrl-c does', async () => {
    const aborter = new AbortController()
    const app = open(sampleBackend(), { open: { demo: 'plaintext' }, signal: aborter.signal })
    await app.waitFor('Next ▸')
    aborter.abort()
    await app.press('')
    for (let turns = 0; turns < 50 && !app.end(); turns++) await new Promise((resolve) => setImmediate(resolve))
    expect(app.end()).toMatchObject({ interrupted: true })
  })
  test('a second ctrl-c does not wait for a note that hangs', async () => {
    const backend = { ...sampleBackend(), save: () => new Promise<never>(() => undefined) }
    const app = open(backend, { open: { demo: 'plaintext' } })
    await app.waitFor('Next ▸')
    await app.press(keys.ctrlC)
    expect(app.end()).toBeNull()
    await app.press(keys.ctrlC)
    expect(app.end()).toMatchObject({ interrupted: true, saved: null })
  })
  test('a walk that breaks says so, keeps what is known and still writes a note', async () => {
    const saves: RunState[] = []
    const backend = {
      ...sampleBackend({ saves }),
      start: async function* (...args: Parameters<ReturnType<typeof sampleBackend>['start']>) {
        let events = 0
        for await (const event of sampleBackend().start(...args)) {
          if (++events > 6) throw new Error('an unforeseen thing')
          yield event
        }
      },
    }
    const app = open(backend, {
      given: { symptom: '503', from: callers[0]!.target, to: { ...callers[0]!.target, port: 80 } },
    })
    await app.waitFor('the walk broke off: an unforeseen thing')
    await app.press('q')
    expect(app.end()).toMatchObject({ saved: { notePath: expect.any(String) } })
  })
})

describe('at any size', () => {
  test.each([
    [40, 20],
    [40, 12],
    [60, 24],
    [80, 24],
    [120, 40],
    [200, 50],
    [24, 8],
  ])('%i×%i: every frame of a whole walk fits', async (columns, rows) => {
    const app = open(sampleBackend(), { open: { demo: 'plaintext' }, columns, rows })
    await app.waitFor(/1 (of 7 )?·? ?g/i)
    for (const press of [
      '?',
      keys.esc,
      'e',
      keys.esc,
      '$',
      keys.esc,
      'x',
      keys.esc,
      'n',
      keys.esc,
      keys.enter,
      keys.enter,
      'a',
      'f',
      'm',
      keys.esc,
      'r',
      'b',
      'q',
      keys.esc,
    ]) {
      await app.press(press)
      expect(faults(app.raw(), columns, rows)).toEqual([])
    }
  })
  test('a resize draws the same at the new size', async () => {
    const app = open(sampleBackend(), { open: { demo: 'plaintext' } })
    await app.waitFor('Next ▸')
    app.resize(40, 20)
    await app.press('')
    const narrow = await app.waitFor('1 of 7 ground')
    expect(faults(narrow, 40, 20)).toEqual([])
    app.resize(120, 40)
    expect(await app.waitFor('✓ ground')).toContain('istio 1.29.2')
  })
  test('NO_COLOR: no colour, every symbol', async () => {
    const app = open(sampleBackend(), { open: { demo: 'plaintext' }, colour: false })
    await app.waitFor('Next ▸')
    await app.press('a')
    const frame = await app.waitFor('Next ▸ policy')
    expect(app.raw()).not.toMatch(/\u001b\[(?:3[0-7]|9[0-7]|4[0-7])m/)
    for (const symbol of ['✓', '✗', '!', '?', '▸', '·']) expect(frame).toContain(symbol)
  })
})
