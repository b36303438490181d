import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { quietEnv, runCli } from '../helpers/cli.ts'

const home = mkdtempSync(join(tmpdir(), 'meshtriage-sessions-'))
const folder = join(home, 'state', 'meshtriage', 'sessions')
const env = quietEnv({ HOME: home, XDG_STATE_HOME: join(home, 'state') })
const now = new Date('2026-02-01T00:00:00Z')
afterAll(() => rmSync(home, { recursive: true, force: true }))

function session(id: string, startedAt: string): void {
  mkdirSync(join(folder, id), { recursive: true })
  writeFileSync(
    join(folder, id, 'session.json'),
    JSON.stringify({
      kind: 'MeshtriageSession',
      schemaVersion: '1.0',
      id,
      tool: { name: 'meshtriage', version: '0.1.0' },
      startedAt,
      symptom: '503',
      redaction: { applied: true, counts: { jwt: 2 } },
      commands: [
        {
          n: 1,
          file: 'kubectl',
          args: ['get', 'pods', '-n', 'shop', '-o', 'json'],
          exit: { kind: 'exited', code: 1 },
          durationMs: 120,
        },
        { n: 2, file: 'istioctl', args: ['version'], exit: { kind: 'timed-out' }, durationMs: 20_000 },
      ],
    }),
  )
}

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true })
  session('old', '2025-12-01T00:00:00Z')
  session('middle', '2026-01-20T00:00:00Z')
  session('new', '2026-01-31T12:00:00Z')
  mkdirSync(join(folder, 'holiday-photos'))
})

const left = () => readdirSync(folder).sort()

describe('sessions', () => {
  test('list has the newest first, and only sessions', async () => {
    const { code, stdout } = await runCli(['sessions', 'list', '-o', 'json'], { env })
    expect(code).toBe(0)
    expect(JSON.parse(stdout).map(({ id }: any) => id)).toEqual(['new', 'middle', 'old'])
    expect((await runCli(['sessions', 'list'], { env })).stdout.split('\n')[0]).toContain('new')
  })

  test('show says how each command ended, and what was redacted', async () => {
    const { code, stdout } = await runCli(['sessions', 'show', 'new'], { env })
    expect(code).toBe(0)
    expect(stdout).toContain('exit 1: kubectl get pods -n shop -o json')
    expect(stdout).toContain('timed-out: istioctl version')
    expect(stdout).toContain('2× jwt')
  })

  test('prune removes nothing without --yes', async () => {
    const { stdout, stderr } = await runCli(['sessions', 'prune', '--older-than', '7d'], { env, now })
    expect(stdout.trim().split('\n')).toHaveLength(2)
    expect(stderr).toContain('would remove 2 sessions of 3')
    expect(left()).toEqual(['holiday-photos', 'middle', 'new', 'old'])
  })

  test.each([
    [
      ['--older-than', '7d'],
      ['holiday-photos', 'new'],
    ],
    [
      ['--keep', '2'],
      ['holiday-photos', 'middle', 'new'],
    ],
    [
      ['--older-than', '1h', '--keep', '3'],
      ['holiday-photos', 'middle', 'new', 'old'],
    ],
  ])('prune --yes %j', async (flags, remaining) => {
    expect((await runCli(['sessions', 'prune', ...flags, '--yes'], { env, now })).code).toBe(0)
    expect(left()).toEqual(remaining)
  })

  test('no sessions are no error', async () => {
    const { code, stdout, stderr } = await runCli(['sessions', 'list'], { env: quietEnv() })
    expect([code, stdout]).toEqual([0, ''])
    expect(stderr).toContain('no sessions in')
  })

  test.each([
    ['--help', ['--help'], 0, /Examples:/, /^$/],
    ['a wrong flag', ['list', '--nope'], 64, /^$/, /unknown option/],
    ['prune of everything by accident', ['prune', '--yes'], 64, /^$/, /what is old/],
    ['an age that is none', ['prune', '--older-than', 'long'], 64, /^$/, /no duration/],
    ['a session that is not there', ['show', 'nothing'], 65, /^$/, /./],
    ['a way out of the folder', ['show', '..'], 65, /^$/, /./],
  ])('%s', async (_name, argv, code, stdout, stderr) => {
    const result = await runCli(['sessions', ...argv], { env })
    expect(result.code).toBe(code)
    expect(result.stdout).toMatch(stdout)
    expect(result.stderr).toMatch(stderr)
    expect(existsSync(join(folder, 'old'))).toBe(true)
  })
})
