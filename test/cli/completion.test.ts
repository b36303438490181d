import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, describe, expect, test } from 'vitest'
import { modules } from '../../src/cli/program.ts'
import { quietEnv, runCli } from '../helpers/cli.ts'
import { hasShared, meshesFolder, sharedFolder } from '../helpers/shared.ts'

const folder = mkdtempSync(join(tmpdir(), 'meshtriage-completion-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function complete(
  words: readonly string[],
  env: Record<string, string | undefined> = quietEnv(),
): Promise<string[]> {
  const { code, stdout, stderr } = await runCli(['completion', 'complete', '--', ...words], { env })
  expect([code, stderr]).toEqual([0, ''])
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']))
}

/** A kubectl that answers with these lines, after so long. */
function fakeKubectl(lines: readonly string[], seconds = 0): Record<string, string> {
  const bin = mkdtempSync(join(folder, 'bin-'))
  const path = join(bin, 'kubectl')
  writeFileSync(
    path,
    `#!/bin/sh\n${seconds > 0 ? `trap '' TERM\n/bin/sleep ${seconds}\n` : ''}/bin/cat <<'END'\n${lines.join('\n')}\nEND\n`,
  )
  chmodSync(path, 0o755)
  return quietEnv({ PATH: bin })
}

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish'])('prints a script for %s', async (shell) => {
    const { code, stdout } = await runCli(['completion', shell])
    expect(code).toBe(0)
    expect(stdout).toContain('meshtriage completion complete --')
    expect(stdout).not.toContain('PROGRAM')
  })

  test.each([
    [[''], Object.keys(modules)],
    [['di'], ['diagnose']],
    [
      ['diagnose', '50'],
      ['500', '502', '503', '504'],
    ],
    [['diagnose', '--fail-on', 'l'], ['likely']],
    [['diagnose', '--output=mark'], ['--output=markdown']],
    [
      ['runbook', ''],
      ['list', 'show', 'lint', 'graph'],
    ],
    [
      ['runbook', 'show', 'http-503'],
      ['http-503', ':files'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['diagnose', '--log', ''], [':files']],
    [['logs', './x'], [':files']],
    [['nothing', ''], []],
    [['rbac', '--user', ''], []],
  ])('%j', async (words, expected) => {
    expect(await complete(words)).toEqual(expected)
  })

  test('flags are those of the command', async () => {
    const flags = await complete(['logs', '--'])
    expect(flags).toEqual(expect.arrayContaining(['--follow', '--where', '--namespace', '--help']))
    expect(flags).not.toContain('--fail-on')
  })

  test('namespaces and workloads come from the cluster', async () => {
    expect(await complete(['logs', '-n', 's'], fakeKubectl(['namespace/shop', 'namespace/pay']))).toEqual(['shop'])
    const env = fakeKubectl(['deployment.apps/web', 'service/web', 'pod/web-1'])
    expect(await complete(['diagnose', '503', '--to', 'svc/'], env)).toEqual(['svc/web'])
    expect(await complete(['logs', 'we'], env)).toEqual(['web', 'web-1'])
  })

  test('a name that a shell would read as more than a name is not offered', async () => {
    const env = fakeKubectl(['namespace/$(reboot)', 'namespace/a;b', 'namespace/good', 'error: no'])
    expect(await complete(['logs', '-n', ''], env)).toEqual(['good'])
  })

  test('no kubectl, a broken settings file: silence', async () => {
    expect(await complete(['logs', '-n', ''])).toEqual([])
    writeFileSync(join(folder, '.meshtriage.yaml'), 'nonsense: [')
    const { code, stdout, stderr } = await runCli(['completion', 'complete', '--', 'logs', '-n', ''], {
      env: quietEnv(),
      cwd: folder,
    })
    expect([code, stdout, stderr]).toEqual([0, '', ''])
  })

  test('a cluster that hangs is given up within a second', async () => {
    const started = performance.now()
    expect(await complete(['logs', '-n', ''], fakeKubectl(['namespace/late'], 5))).toEqual([])
    expect(performance.now() - started).toBeLessThan(1500)
  })

  test.each([
    ['--help', ['--help'], 0, /Examples:/, /^$/],
    ['a shell there is none for', ['tcsh'], 64, /^$/, /bash, zsh, fish/],
    ['no shell', [], 64, /^$/, /missing required argument/],
  ])('%s', async (_name, argv, code, stdout, stderr) => {
    const result = await runCli(['completion', ...argv])
    expect(result.code).toBe(code)
    expect(result.stdout).toMatch(stdout)
    expect(result.stderr).toMatch(stderr)
  })

  test('bash takes the script and completes with it', async () => {
    const { stdout: script } = await runCli(['completion', 'bash'])
    const bin = mkdtempSync(join(folder, 'bash-'))
    writeFileSync(join(bin, 'meshtriage'), '#!/bin/sh\nprintf "http-401\\tabout it\\nhttp-403\\n:files\\n"\n')
    chmodSync(join(bin, 'meshtriage'), 0o755)
    const lines = `COMP_WORDS=(meshtriage runbook show ht); COMP_CWORD=3; _meshtriage; printf '%s\\n' "\${COMPREPLY[@]}"`
    const bash = spawnSync('bash', ['--norc', '-c', `${script}\n${lines}`], {
      env: { PATH: `${bin}:${process.env.PATH}` },
      encoding: 'utf8',
    })
    expect([bash.stdout, bash.stderr]).toEqual(['http-401\nhttp-403\n', ''])
  })
})

describe.skipIf(!hasShared)('completion on a recorded mesh (needs the captures)', () => {
  test('half an answer is as good as a whole one', async () => {
    const bin = mkdtempSync(join(folder, 'meshbed-'))
    symlinkSync(join(sharedFolder, 'meshbed/bin/kubectl'), join(bin, 'kubectl'))
    symlinkSync(process.execPath, join(bin, 'node'))
    const env = quietEnv({ PATH: bin, MESHBED: join(meshesFolder, '503-overflow'), MESHBED_FORBID: 'daemonsets.apps' })
    expect(await complete(['logs', '-n', 'shop', 'deploy/'], env)).toContain('deploy/web')
  })
})
