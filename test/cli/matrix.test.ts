import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { quietEnv, runCli } from '../helpers/cli.ts'
import { hasShared } from '../helpers/shared.ts'
import { captureEnv } from '../helpers/walk-capture.ts'

const root = resolve(import.meta.dirname, '../..')
const commands = readdirSync(join(root, 'src/cli/commands'))
  .map((name) => name.replace(/\.ts$/, ''))
  .filter((name) => name !== 'guided')
  .sort()

/** A reasonable question for each command that asks a cluster. */
const live: Readonly<Record<string, readonly string[]>> = {
  'can-i': ['--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080', '--method', 'GET', '--path', '/'],
  diagnose: ['503', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080', '--no-save'],
  lint: ['-A'],
  logs: ['deploy/ledger-v1.pay'],
  mtls: ['svc/ledger.pay'],
  proxies: [],
  trace: ['--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080'],
}
/** What a command reads from standard input, when it is told to. */
const fromStdin: Readonly<Record<string, readonly string[]>> = {
  'can-i': ['-f', '-', '--to', 'svc/ledger.pay:8080', '--method', 'GET'],
  diagnose: ['503', '--log', '-', '--no-save'],
  explain: ['-'],
  lint: ['-f', '-', '--no-analyze'],
  logs: ['-'],
  note: ['show', '-'],
}
const documented = [0, 64, 65, 69, 77, 79, 80, 130]
// What a terminal shows while it waits belongs on stderr, and in no result.
const progress = /^(waiting for:|session:|\d+\. |\s+(ok|\?\?)\s{2}kubectl)/m
const stack = /\n\s+at .*\.(ts|js):\d+/

describe('every command is in the matrix', () => {
  test('and nothing else is', () => {
    for (const name of [...Object.keys(live), ...Object.keys(fromStdin)]) expect(commands).toContain(name)
    expect(commands.length).toBeGreaterThanOrEqual(16)
  })
})

describe.each(commands)('%s', (name) => {
  test('--help is on stdout, with examples', async () => {
    const { code, stdout, stderr } = await runCli([name, '--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(new RegExp(`^Usage: meshtriage ${name}\\b`))
    expect(stdout).toContain('Examples:')
    const lines = stdout.split('\n')
    for (const [index, line] of lines.entries()) {
      if (!/^ {2}-/.test(line)) continue
      const isExplained = /^ {2}-.*\S {2,}\S/.test(line) || /^ {10,}\S/.test(lines[index + 1] ?? '')
      expect(isExplained, `${line} is explained`).toBe(true)
    }
  })
  test('a flag that does not exist is wrong use, said on stderr only', async () => {
    const { code, stdout, stderr } = await runCli([name, '--nosuchflag'])
    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).toContain('--nosuchflag')
  })
})

describe.each(Object.entries(live))('%s', (name, argv) => {
  test('without tools it says which one is missing', async () => {
    const { code, stdout, stderr } = await runCli([name, ...argv], { env: quietEnv() })
    expect(code).toBe(69)
    expect(`${stdout}${stderr}`).toMatch(/(kubectl|istioctl) is not installed/)
    expect(stdout).not.toMatch(progress)
    expect(stderr).not.toMatch(stack)
  })
  test.skipIf(!hasShared)('with everything forbidden it has no permission, and names one to ask for', async () => {
    const { code, stdout, stderr } = await runCli([name, ...argv], {
      env: captureEnv('healthy-strict', { MESHBED_FORBID: '*' }),
    })
    expect(code).toBe(77)
    expect(`${stdout}${stderr}`.replace(/\s+/g, ' ')).toMatch(/forbidden/i)
    expect(`${stdout}${stderr}`).toContain('kubectl auth can-i')
    expect(stdout).not.toMatch(progress)
    expect(stderr).not.toMatch(stack)
  })
  test.skipIf(!hasShared)(
    'without a cluster there is nobody to ask',
    async () => {
      const { code, stdout, stderr } = await runCli([name, ...argv], {
        env: captureEnv('healthy-strict', { MESHBED_DOWN: '1' }),
      })
      expect(code).toBe(69)
      expect(`${stdout}${stderr}`.replace(/\s+/g, ' ')).toMatch(/refused|does not answer|no answer/i)
      expect(stdout).not.toMatch(progress)
      expect(stderr).not.toMatch(stack)
    },
    120_000,
  )
  test.skipIf(!hasShared)('without a terminal the result alone is on stdout, without colour', async () => {
    const { code, stdout, stderr } = await runCli([name, ...argv], { env: captureEnv('healthy-strict') })
    expect(documented).toContain(code)
    expect(stdout).not.toBe('')
    expect(stdout).not.toContain('\u001b')
    expect(stdout).not.toMatch(progress)
    expect(stderr).not.toContain('\u001b')
  })
})

describe.each(Object.entries(fromStdin))('%s from standard input', (name, argv) => {
  test.each([
    ['empty', ''],
    ['binary', Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0xff, 0xfe, 0x00, 0x41, 0x0a, 0x80])],
    ['a broken document', '{"kind": [1, 2'],
  ])('%s input is refused or called unreadable, never taken for clean', async (_, stdin) => {
    const { code, stdout, stderr } = await runCli([name, ...argv], { stdin })
    expect(documented).toContain(code)
    // An empty log is a log; a result that says so begins with a question mark.
    if (code === 0) expect(stdout).toMatch(/^\?/)
    expect(`${stdout}${stderr}`).not.toBe('')
    expect(`${stdout}${stderr}`).not.toMatch(stack)
    expect(stdout).not.toContain('\u0000')
    expect(stdout).not.toContain('✓')
  })
})

test('without a terminal the guided walk shows help on stderr and is wrong use', async () => {
  const { code, stdout, stderr } = await runCli([])
  expect([code, stdout]).toEqual([64, ''])
  expect(stderr).toContain('Usage: meshtriage')
})

test('a command that does not exist is wrong use', async () => {
  const { code, stdout, stderr } = await runCli(['diagnoze'])
  expect([code, stdout]).toEqual([64, ''])
  expect(stderr).not.toBe('')
})

describe('a reader that leaves early', () => {
  // The bundle finds the package's files above itself, so it has to lie inside of the package.
  let built = ''
  beforeAll(async () => {
    built = mkdtempSync(join(root, 'node_modules/.matrix-'))
    await build({
      absWorkingDir: root,
      entryPoints: { main: 'src/main.ts' },
      outdir: built,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
      external: ['react-devtools-core'],
      banner: {
        js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
      },
      logLevel: 'error',
    })
  }, 60_000)
  afterAll(() => rmSync(built, { recursive: true, force: true }))

  function piped(argv: string, env: Record<string, string>) {
    // pipefail is of no use here: the code of the first command is what is asked for.
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', `"$NODE" "$MAIN" ${argv} | head -1; echo "exit \${PIPESTATUS[0]}"`],
      {
        env: { ...env, NODE: process.execPath, MAIN: join(built, 'main.js') },
        encoding: 'utf8',
        cwd: tmpdir(),
        timeout: 60_000,
      },
    )
    return { lines: stdout.trim().split('\n'), stderr }
  }
  const quiet = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', XDG_STATE_HOME: join(tmpdir(), 'matrix-state') }

  test.each(['--help', 'explain UH', 'demo', 'runbook list', 'rbac', 'completion bash', 'note schema'])(
    '%s | head -1',
    (argv) => {
      const { lines, stderr } = piped(argv, quiet)
      expect(lines).toHaveLength(2)
      expect(lines[1]).toMatch(/^exit (0|79|80|141)$/)
      expect(stderr).not.toMatch(/EPIPE|at .*main\.js/)
    },
  )
  test
    .skipIf(!hasShared)
    .each([
      'proxies',
      'lint -A -o json',
      'mtls -A',
      'can-i --from deploy/web.shop --to svc/ledger.pay:8080 -o json',
      'trace --from deploy/web.shop --to svc/ledger.pay:8080 -o json',
    ])(
    '%s | head -1',
    (argv) => {
      const env = captureEnv('healthy-strict')
      const { lines, stderr } = piped(argv, { ...env, ...quiet, PATH: env.PATH ?? '' })
      expect(lines).toHaveLength(2)
      expect(lines[1]).toMatch(/^exit (0|79|80)$/)
      expect(stderr).not.toMatch(/EPIPE|at .*main\.js/)
    },
    60_000,
  )
})
