import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createRedact } from '../../src/exec/redact.ts'
import { createSession } from '../../src/exec/session-files.ts'
import { fixtureNames, readFixture } from '../helpers/session-fixtures.ts'
import { hasShared } from '../helpers/shared.ts'
import { callArgs, comparable, meshtriage, onlyFolder, readNote, sampled, temp } from './built-cli.ts'

const noProcess = ['--import', join(import.meta.dirname, 'offline-preload.mjs')]

/** Runs a walk on a capture and keeps its session. */
async function recorded(mesh: string, more: readonly string[] = [], env: Record<string, string> = {}) {
  const parent = temp('saved')
  const live = await meshtriage(['diagnose', ...callArgs(mesh), '--save', parent, '-o', 'json', ...more], { mesh, env })
  return { live, folder: onlyFolder(parent) }
}

const events = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

describe.skipIf(!hasShared)('a replay is the walk again', () => {
  test.each(sampled)('%s', { timeout: 120_000 }, async (mesh) => {
    const { live, folder } = await recorded(mesh, ['-q'])
    const replay = await meshtriage(['replay', folder, '-o', 'json', '-q'], { node: noProcess })
    expect(replay.stderr).toBe('')
    expect(comparable(readNote(replay.stdout))).toEqual(comparable(readNote(live.stdout)))
    expect(readNote(replay.stdout)).toMatchObject({ mode: 'replay', id: readNote(live.stdout).id, session: null })
    expect(replay.code).toBe(live.code)
    expect(comparable(JSON.parse(readFileSync(join(folder, 'note.json'), 'utf8')))).toEqual(
      comparable(readNote(live.stdout)),
    )
  })

  test('its events are the same ones, whatever order commands end in', async () => {
    const { live, folder } = await recorded('503-dr-disable-strict', ['--events'])
    const replay = await meshtriage(['replay', folder, '--events', '-q'], { node: noProcess })
    const shape = (text: string) =>
      events(text)
        .filter(({ type }) => ['run-started', 'step-started', 'diagnosed', 'run-finished', 'note'].includes(type))
        .map(comparable)
    expect(shape(replay.stdout)).toEqual(shape(live.stdout))
    const finished = (text: string) =>
      events(text)
        .filter(({ type }) => type === 'command-finished')
        .map(({ entry }) => JSON.stringify(comparable({ ...entry, step: undefined })))
        .sort()
    expect(finished(replay.stdout)).toEqual(finished(live.stdout))
  })

  test('slow and failing commands change nothing: what could not be looked at is missing again', async () => {
    const env = { MESHBED_FORBID: 'pods/log,pods/portforward', MESHBED_DELAY: 'kubectl get=150,istioctl analyze=300' }
    const { live, folder } = await recorded('403-deny-beats-allow', ['-q'], env)
    expect(readNote(live.stdout).notChecked.length).toBeGreaterThan(0)
    const replay = await meshtriage(['replay', folder, '-o', 'json', '-q'], { node: noProcess })
    expect(comparable(readNote(replay.stdout))).toEqual(comparable(readNote(live.stdout)))
  })

  test('an own runbook, secrets in what was given, a pasted line and the claims of a token', async () => {
    const folder = temp('given')
    const line =
      '[2026-01-01T00:00:00.000Z] "GET /reviews/1?token=hunter2hunter2 HTTP/1.1" 503 NC cluster_not_found - "-" 0 0 0 - "-" "curl/7.88.1" "fc625b49" "reviews:9080" "-" - - 10.96.71.41:9080 10.244.200.25:38428 - -'
    writeFileSync(join(folder, 'line.txt'), line)
    writeFileSync(join(folder, 'claims.json'), '{"iss":"https://issuer.example","sub":"me"}')
    const builtIn = readFileSync(resolve(import.meta.dirname, '../../runbooks/http-503.yaml'), 'utf8')
    writeFileSync(join(folder, 'own.yaml'), builtIn.replace(/^id: .*$/m, 'id: my-own'))
    const more = [
      '--log',
      join(folder, 'line.txt'),
      '--jwt',
      join(folder, 'claims.json'),
      '--header',
      'x-api-key=hunter2hunter2',
    ]
    const { live, folder: session } = await recorded('503-subset-undefined', [
      ...more,
      '--runbook',
      join(folder, 'own.yaml'),
      '-q',
    ])
    const replay = await meshtriage(['replay', session, '-o', 'json', '-q'], { node: noProcess })
    expect(comparable(readNote(replay.stdout))).toEqual(comparable(readNote(live.stdout)))
    expect(readNote(live.stdout).redaction.counts).toMatchObject({ header: 1, 'named-value': 1 })
    expect(readFileSync(join(session, 'session.json'), 'utf8')).not.toContain('hunter2')
  })

  test('killed without a word at any moment: the session replays, and its note says what is missing', async () => {
    const mesh = '503-subset-undefined'
    const env = { MESHBED_DELAY: 'kubectl=120,istioctl=200' }
    for (const killAfterMs of [250, 600, 900, 1300, 1700]) {
      const parent = temp('killed')
      const killed = await meshtriage(['diagnose', ...callArgs(mesh), '--save', parent, '-q'], {
        mesh,
        env,
        killAfterMs,
      })
      const [name] = readdirSync(parent)
      if (killed.code !== null || name === undefined) continue
      const replay = await meshtriage(['replay', join(parent, name), '-o', 'json'], { node: noProcess })
      if (!readdirSync(join(parent, name)).includes('session.json')) {
        expect(replay.code).toBe(65)
        continue
      }
      expect(replay.stderr).toContain('this session was cut off')
      expect([79, 80]).toContain(replay.code)
      const note = readNote(replay.stdout)
      // Either what was recorded by then was enough, or the note says what was not.
      if (note.verdict !== 'cause')
        expect(note.notChecked.map(({ reason }) => reason).join('\n')).toContain('this session holds no answer')
    }
  })

  test('interrupted: the note so far is printed and kept, and replays', async () => {
    const parent = temp('interrupted')
    const ended = await meshtriage(
      ['diagnose', ...callArgs('503-subset-undefined'), '--save', parent, '-o', 'json', '-q'],
      {
        mesh: '503-subset-undefined',
        env: { MESHBED_DELAY: 'kubectl get=200,kubectl logs=5000' },
        killAfterMs: 2000,
        killSignal: 'SIGINT',
      },
    )
    expect(ended.code).toBe(130)
    expect(readNote(ended.stdout).verdict).not.toBe('clean')
    const folder = onlyFolder(parent)
    expect(comparable(JSON.parse(readFileSync(join(folder, 'note.json'), 'utf8')))).toEqual(
      comparable(readNote(ended.stdout)),
    )
    expect([0, 79, 80]).toContain((await meshtriage(['replay', folder, '-q'], { node: noProcess })).code)
  })
})

describe('sessions of this repository', () => {
  const names = process.env.FULL ? fixtureNames : ['503-dr-disable-strict', '403-deny-beats-allow', 'ambient-l4-deny']

  async function sessionOf(name: string) {
    const fixture = readFixture(name)
    const writer = await createSession(
      temp('fixture'),
      { id: name, tool: { name: 'meshtriage', version: '0' }, startedAt: '2026-01-01T00:00:00Z', call: fixture.given },
      createRedact(),
    )
    for (const { file, args, result } of fixture.commands)
      await writer.add({
        command: { file: file as 'kubectl', args },
        result,
        startedAt: '2026-01-01T00:00:00Z',
        counts: {},
      })
    await writer.update({ finishedAt: '2026-01-01T00:01:00Z' })
    return writer.folder
  }

  test.each(names)('%s replays without a process and without a socket', async (name) => {
    const folder = await sessionOf(name)
    const first = await meshtriage(['replay', folder, '-o', 'json', '-q'], { node: noProcess })
    const second = await meshtriage(['replay', folder, '-o', 'json', '-q'], { node: noProcess })
    expect(first.stderr).toBe('')
    expect(comparable(readNote(second.stdout))).toEqual(comparable(readNote(first.stdout)))
    expect(readNote(first.stdout).evidence.some(({ status }) => status === 'ok')).toBe(true)
  })

  test('every demo plays without a process and without a socket', async () => {
    const list = await meshtriage(['demo', '--list'], { node: noProcess })
    const ids = list.stdout.split('\n').flatMap((row) => /^\S+/.exec(row)?.[0] ?? [])
    expect(ids.length).toBeGreaterThan(5)
    for (const id of process.env.FULL ? ids : ids.slice(0, 3)) {
      const played = await meshtriage(['demo', id, '-o', 'json', '-q'], { node: noProcess })
      expect(played.stderr).toBe('')
      expect(readNote(played.stdout).kind).toBe('IncidentNote')
    }
  })

  test('parts that are lost or damaged cost their own evidence, and never the replay', async () => {
    const folder = await sessionOf('503-dr-disable-strict')
    const whole = readNote((await meshtriage(['replay', folder, '-o', 'json', '-q'])).stdout)
    const outputs = readdirSync(join(folder, 'outputs')).filter((name) => name.endsWith('.out'))
    for (const damage of [() => '', () => '{"items": [', () => '\u0000\u001b[2J', () => 'Error: boom']) {
      const copy = join(temp('damaged'), 'session')
      cpSync(folder, copy, { recursive: true })
      for (const name of outputs.filter((_, index) => index % 2 === 0))
        writeFileSync(join(copy, 'outputs', name), damage())
      const replay = await meshtriage(['replay', copy, '-o', 'json', '-q'])
      expect([0, 79, 80]).toContain(replay.code)
      const note = readNote(replay.stdout)
      expect(note.evidence.filter(({ status }) => status === 'missing').length).toBeGreaterThan(
        whole.evidence.filter(({ status }) => status === 'missing').length,
      )
      expect(note.verdict).not.toBe('clean')
    }
  })

  test.each([
    ['no session.json', () => null, 'is not a session'],
    ['half of one', (text: string) => text.slice(0, text.length / 2), 'cannot be read'],
    [
      'of a later version',
      (text: string) => text.replace('"schemaVersion": "1.0"', '"schemaVersion": "2.0"'),
      'later version',
    ],
    ['something else', () => '{"kind": "List"}', 'is not a session'],
    ['without a call', (text: string) => text.replace('"call":', '"former":'), 'does not say which call'],
    [
      'with an output elsewhere',
      (text: string) => text.replace(/"stdout": "outputs\/[^"]*"/, '"stdout": "../../../../etc/passwd"'),
      '',
    ],
  ])('%s: said in one line, no crash', async (_, change, says) => {
    const folder = await sessionOf('403-deny-beats-allow')
    const path = join(folder, 'session.json')
    const text = change(readFileSync(path, 'utf8'))
    if (text === null) writeFileSync(join(folder, 'session.json.next'), '')
    writeFileSync(path, text ?? '')
    const replay = await meshtriage(['replay', folder, '-o', 'json', '-q'])
    expect(replay.stdout).not.toContain('root:')
    if (says === '') expect([0, 79, 80]).toContain(replay.code)
    else if (text !== null) expect(replay).toMatchObject({ code: 65, stderr: expect.stringContaining(says) })
  })

  test('a file instead of a folder: told which command reads it', async () => {
    const file = join(temp('file'), 'report.tar.gz')
    writeFileSync(file, 'x')
    expect(await meshtriage(['replay', file])).toMatchObject({
      code: 65,
      stderr: expect.stringContaining('diagnose --open'),
    })
  })
})
