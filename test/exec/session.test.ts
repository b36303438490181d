import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLive } from '../../src/exec/live.ts'
import { record } from '../../src/exec/record.ts'
import { createRedact } from '../../src/exec/redact.ts'
import { createReplay, recordedPorts, resumeRunner } from '../../src/exec/replay.ts'
import { continueSession, createSession, readSession, type SessionStart } from '../../src/exec/session-files.ts'
import { listSessions, pruneSessions } from '../../src/exec/session-list.ts'
import type { Command, CommandResult, Exit, Runner } from '../../src/model/command.ts'

const never = new AbortController().signal
const seed = 'hunter2-9f3kQz'
const redact = createRedact()
const start: SessionStart = {
  id: '2026-01-02T03-04-05-http-503',
  tool: { name: 'meshtriage', version: '0.1.0' },
  startedAt: '2026-01-02T03:04:05.000Z',
  symptom: 'http-503',
}
const command = (...args: string[]): Command => ({ file: 'kubectl', args, timeoutMs: 1000 })
const result = (stdout: string, stderr = '', exit: Exit = { kind: 'exited', code: 0 }): CommandResult => ({
  exit,
  stdout,
  stderr,
  durationMs: 12,
})

let parent: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sessions-'))
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

/** Answers from a list, each question in turn. */
function scripted(answers: readonly CommandResult[]): Runner {
  let at = 0
  return async () => answers[at++] as CommandResult
}
const everything = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8')}`)
    .join('\n')

async function recorded(commands: readonly Command[], answers: readonly CommandResult[]) {
  const writer = await createSession(parent, start, redact)
  const run = record(scripted(answers), { redact, now: () => new Date('2026-01-02T03:04:06Z'), add: writer.add })
  const seen = []
  for (const one of commands) seen.push(await run(one, never))
  return { writer, seen, session: await readSession(writer.folder) }
}

describe('recording', () => {
  test('a walk is on the disk after each command, for its owner only', async () => {
    const { writer, session } = await recorded(
      [command('get', 'pods', '-n', 'shop'), command('version')],
      [result('a\n', 'warn\n'), result('', '', { kind: 'timed-out' })],
    )
    expect(session).toMatchObject({ kind: 'MeshtriageSession', schemaVersion: '1.0', symptom: 'http-503' })
    expect(session.commands).toMatchObject([
      {
        n: 1,
        args: ['get', 'pods', '-n', 'shop'],
        exit: { kind: 'exited', code: 0 },
        stdout: 'outputs/001-kubectl-get-pods-n-shop.out',
        stderr: 'outputs/001-kubectl-get-pods-n-shop.err',
      },
      { n: 2, exit: { kind: 'timed-out' } },
    ])
    expect(session.finishedAt).toBeUndefined()
    expect(statSync(writer.folder).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(join(writer.folder, 'outputs')))
      expect(statSync(join(writer.folder, 'outputs', name)).mode & 0o777).toBe(0o600)
    expect(statSync(join(writer.folder, 'session.json')).mode & 0o777).toBe(0o600)
  })

  test('no secret touches the disk: not in output, errors, arguments or file names', async () => {
    const bearer = `Authorization: Bearer ${seed}`
    const { writer, seen, session } = await recorded(
      [command('get', 'pods', '-l', `token=${seed}`)],
      [result(`x ${bearer}\n`, `password=${seed}\n`)],
    )
    expect(everything(writer.folder)).not.toContain(seed)
    expect(JSON.stringify(seen)).not.toContain(seed)
    expect(session.redaction.applied).toBe(true)
    expect(Object.values(session.redaction.counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(3)
  })

  test('commands that end at the same time are all kept', async () => {
    const writer = await createSession(parent, start, redact)
    const run = record(async ({ args }) => result(args.join()), { redact, now: () => new Date(0), add: writer.add })
    await Promise.all(Array.from({ length: 20 }, (_, at) => run(command('get', `pod-${at}`), never)))
    const { commands } = await readSession(writer.folder)
    expect(new Set(commands.map(({ stdout }) => stdout)).size).toBe(20)
    expect(commands.map(({ n }) => n)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
  })

  test('what was cancelled is not recorded', async () => {
    const { session } = await recorded([command('version')], [result('', '', { kind: 'canceled' })])
    expect(session.commands).toEqual([])
  })

  test('hostile names become no paths', async () => {
    const { writer, session } = await recorded(
      [command('get', 'pods', '-l', '../../../../etc/cron.d/x')],
      [result('y')],
    )
    expect(session.commands[0]?.stdout).toMatch(/^outputs\/001-[\w.-]+\.out$/)
    expect(existsSync(join(writer.folder, session.commands[0]?.stdout ?? ''))).toBe(true)
  })

  test('a second session of the same second gets its own folder', async () => {
    const first = await createSession(parent, start, redact)
    const second = await createSession(parent, start, redact)
    expect(second.folder).not.toBe(first.folder)
  })

  test('a disk that refuses is a remark, not the end of the walk', async () => {
    const writer = await createSession(parent, start, redact)
    rmSync(writer.folder, { recursive: true })
    const run = record(async () => result('still here'), { redact, now: () => new Date(0), add: writer.add })
    expect((await run(command('version'), never)).stdout).toBe('still here')
    expect(writer.problem()).toMatch(/ENOENT/)
  })

  test('output that was too long for memory is referred to', async () => {
    const writer = await createSession(parent, start, redact)
    const path = writer.spool.file()
    const transform = writer.spool.transform()
    writeFileSync(path, transform.push(`password=${seed}\n`) + transform.end())
    await record(async () => ({ ...result('begin'), spooledTo: path }), {
      redact,
      now: () => new Date(0),
      add: writer.add,
    })(command('version'), never)
    const session = await readSession(writer.folder)
    expect(session.commands[0]).toMatchObject({ isSpooled: true })
    const replayed = await createReplay({ folder: writer.folder, session, redact })(command('version'), never)
    expect(replayed.stdout).toBe('password=REDACTED\n')
  })
})

describe('replay', () => {
  test('answers by what is asked, in any order, as it was seen', async () => {
    const commands = [command('get', 'pods', '-n', 'shop', '-o', 'json'), command('version')]
    const { writer, seen, session } = await recorded(commands, [
      result(`token=${seed}`, 'e'),
      result('v', '', { kind: 'exited', code: 3 }),
    ])
    const replay = createReplay({ folder: writer.folder, session, redact })
    expect(await replay(commands[1]!, never)).toEqual(seen[1])
    expect(await replay(commands[0]!, never)).toEqual(seen[0])
    expect(await replay({ ...commands[0]!, timeoutMs: 99 }, never)).toEqual(seen[0])
    expect(await replay(command('-n', 'shop', 'get', '-ojson', 'pods'), never)).toEqual(seen[0])
  })

  test('a question with a secret in it finds its answer', async () => {
    const one = command('get', 'pods', '-l', `token=${seed}`)
    const { writer, session } = await recorded([one], [result('found')])
    expect((await createReplay({ folder: writer.folder, session, redact })(one, never)).stdout).toBe('found')
  })

  test('a retest gets the later answer, and then always that', async () => {
    const one = command('version')
    const { writer, session } = await recorded([one, one], [result('before'), result('after')])
    const replay = createReplay({ folder: writer.folder, session, redact })
    expect(
      [await replay(one, never), await replay(one, never), await replay(one, never)].map(({ stdout }) => stdout),
    ).toEqual(['before', 'after', 'after'])
  })

  test('what was not recorded is said to be so', async () => {
    const { writer, session } = await recorded([], [])
    expect((await createReplay({ folder: writer.folder, session, redact })(command('version'), never)).exit).toEqual({
      kind: 'not-recorded',
    })
  })

  test('an output that is gone, or lies elsewhere, is not recorded', async () => {
    const { writer, session } = await recorded([command('version'), command('get', 'pods')], [result('x'), result('y')])
    rmSync(join(writer.folder, session.commands[0]!.stdout!))
    const moved = {
      ...session,
      commands: [session.commands[0]!, { ...session.commands[1]!, stdout: '../../../etc/hostname' }],
    }
    const replay = createReplay({ folder: writer.folder, session: moved, redact })
    expect((await replay(command('version'), never)).exit).toEqual({ kind: 'not-recorded' })
    expect((await replay(command('get', 'pods'), never)).exit).toEqual({ kind: 'not-recorded' })
  })

  test('at recorded speed it takes its time, and can be cancelled', async () => {
    const { writer, session } = await recorded([command('version')], [{ ...result('x'), durationMs: 60_000 }])
    const replay = createReplay({ folder: writer.folder, session, redact, speed: 1 })
    const cancel = new AbortController()
    const running = replay(command('version'), cancel.signal)
    cancel.abort()
    expect((await running).exit).toEqual({ kind: 'canceled' })
    const quick = createReplay({ folder: writer.folder, session, redact, speed: 1000 })
    const startedAt = performance.now()
    expect((await quick(command('version'), never)).stdout).toBe('x')
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(50)
  })
})

describe('reading what others wrote', () => {
  test.each([
    ['nothing', undefined, /no session\.json/],
    ['no JSON', '{"kind":', /cannot be read/],
    ['another document', '{"kind":"IncidentNote","schemaVersion":"1.0"}', /is not a session: kind/],
    [
      'a later format',
      JSON.stringify({
        kind: 'MeshtriageSession',
        schemaVersion: '2.0',
        id: 'x',
        tool: { name: 'a', version: 'b' },
        startedAt: '',
        redaction: { applied: true, counts: {} },
        commands: [],
      }),
      /later version/,
    ],
  ])('%s', async (_, text, message) => {
    if (text !== undefined) writeFileSync(join(parent, 'session.json'), text)
    await expect(readSession(parent)).rejects.toMatchObject({ message: expect.stringMatching(message), kind: 'input' })
  })

  test('fields of a later minor version are kept', async () => {
    const writer = await createSession(parent, { ...start, novelty: { a: 1 } }, redact)
    expect(await readSession(writer.folder)).toMatchObject({ novelty: { a: 1 } })
  })
})

test('sessions are listed newest first, and pruned by age, except for the newest', async () => {
  for (const day of ['01', '02', '03'])
    await createSession(parent, { ...start, id: `s${day}`, startedAt: `2026-01-${day}T00:00:00Z` }, redact)
  writeFileSync(join(parent, 'notes.txt'), 'mine')
  expect((await listSessions(parent)).map(({ session }) => session.id)).toEqual(['s03', 's02', 's01'])
  expect(await listSessions(join(parent, 'nowhere'))).toEqual([])
  expect(await pruneSessions(parent, { before: '2026-01-09', keep: 2 })).toEqual([join(parent, 's01')])
  expect(await pruneSessions(parent, { before: '2026-01-03T00:00:00Z' })).toEqual([join(parent, 's02')])
  expect(readdirSync(parent).sort()).toEqual(['notes.txt', 's03'])
})

test('an output that was too long for memory is the same to the walk and to its replay', async () => {
  const writer = await createSession(parent, start, redact)
  const lines = Array.from({ length: 3000 }, (_, at) => `line ${at} token=${seed}`)
  const bin = join(parent, 'bin')
  mkdirSync(bin)
  writeFileSync(join(parent, 'long.txt'), `${lines.join('\n')}\n`)
  writeFileSync(join(bin, 'kubectl'), `#!/bin/sh\ncat "${join(parent, 'long.txt')}"\n`, { mode: 0o755 })
  const live = createLive({ env: { PATH: `${bin}:/usr/bin:/bin` }, memoryLimitBytes: 1000, spool: writer.spool })
  const run = record(live.run, { redact, now: () => new Date(0), add: writer.add })
  const seen = await run(command('get', 'pods'), never)
  expect(seen.stdout.split('\n').length).toBe(lines.length + 1)
  expect(seen.stdout).not.toContain(seed)
  const session = await readSession(writer.folder)
  expect(session.commands[0]).toMatchObject({ isSpooled: true, exit: { kind: 'exited', code: 0 } })
  const replayed = await createReplay({ folder: writer.folder, session, redact })(command('get', 'pods'), never)
  expect(replayed.stdout).toBe(seen.stdout)
})

describe('going on with a session', () => {
  const asks = async (run: Runner, ...lines: string[]) => {
    const answers: string[] = []
    for (const line of lines) answers.push((await run(command(...line.split(' ')), never)).stdout)
    return answers
  }

  test('what it holds is not asked again; the rest is asked, and added behind it', async () => {
    const { writer } = await recorded(
      [command('get', 'pods'), command('version')],
      [result('old pods'), result('', '', { kind: 'timed-out' })],
    )
    const session = await readSession(writer.folder)
    const added = await continueSession(writer.folder, session, redact)
    const live = record(scripted([result('new version'), result(`token: ${seed}`), result('new pods')]), {
      redact,
      now: () => new Date('2026-01-02T04:00:00Z'),
      add: added.add,
    })
    const run = resumeRunner({ folder: writer.folder, session, redact }, live)
    // The third question was recorded once: asked again it is a retest, and goes to the cluster.
    expect(await asks(run, 'get pods', 'version', 'get cm', 'get pods')).toEqual([
      'old pods',
      'new version',
      'token: REDACTED',
      'new pods',
    ])
    const after = await readSession(writer.folder)
    expect(after.commands.map(({ n, args }) => [n, args.join(' ')])).toEqual([
      [1, 'get pods'],
      [2, 'version'],
      [3, 'version'],
      [4, 'get cm'],
      [5, 'get pods'],
    ])
    expect(everything(writer.folder)).not.toContain(seed)
    const replay = createReplay({ folder: writer.folder, session: after, redact })
    expect(await asks(replay, 'get pods', 'get pods', 'get cm')).toEqual(['old pods', 'new pods', 'token: REDACTED'])
  })

  test('outputs that a killed walk left without naming them are written over', async () => {
    const { writer } = await recorded([command('get', 'pods')], [result('a')])
    writeFileSync(join(writer.folder, 'outputs/002-kubectl-version.out'), 'half')
    const session = await readSession(writer.folder)
    const added = await continueSession(writer.folder, session, redact)
    await record(scripted([result('whole')]), { redact, now: () => new Date(0), add: added.add })(
      command('version'),
      never,
    )
    expect(added.problem()).toBeUndefined()
    expect(readFileSync(join(writer.folder, 'outputs/002-kubectl-version.out'), 'utf8')).toBe('whole')
  })

  test('answers and lines of the person are said again, as far as the questions still have them', async () => {
    const ports = recordedPorts({
      ...(await recorded([], [])).session,
      answers: { scope: 'all', since: 'gone' },
      notes: [{ at: '2026-01-02T03:04:05Z', text: 'paged at three' }],
    })
    const question = (id: string) => ({ id, text: '', why: '', choices: [{ id: 'all', label: 'All' }] })
    expect(await Promise.all(['scope', 'since', 'other'].map((id) => ports.ask(question(id), never)))).toEqual([
      'all',
      'unknown',
      'unknown',
    ])
    const lines: string[] = []
    ports.onNote((line) => lines.push(line))
    expect(lines).toEqual(['paged at three'])
  })
})
