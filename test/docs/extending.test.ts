import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyEdit, blocksOf, readPage, root } from './pages.ts'

// docs/extending.md is done, step by step, in a copy of the sources.

const copy = mkdtempSync(join(tmpdir(), 'extending-'))
afterAll(() => rmSync(copy, { recursive: true, force: true }))

beforeAll(() => {
  for (const name of ['src', 'parsers', 'runbooks', 'schemas', 'fixtures', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true })
  for (const name of ['helpers', 'layers.test.ts', 'parsers/fixtures.test.ts'])
    cpSync(join(root, 'test', name), join(copy, 'test', name), { recursive: true })
  cpSync(join(root, 'vitest.config.ts'), join(copy, 'vitest.config.ts'))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const { label, text } of blocksOf(readPage('docs/extending.md'))) {
    const [, what, path = ''] = /^(file|edit): (.+)$/.exec(label ?? '') ?? []
    if (what === undefined) continue
    const file = join(copy, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, what === 'file' ? text : applyEdit(readFileSync(file, 'utf8'), text))
  }
}, 60_000)

const run = (command: string, ...args: string[]) => {
  try {
    return execFileSync(join(root, 'node_modules/.bin', command), args, { cwd: copy, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string } // what execFileSync throws
    throw new Error(`${stdout}\n${stderr}`)
  }
}

test('its files hold to the types', { timeout: 180_000 }, () => {
  writeFileSync(
    join(copy, 'tsconfig.page.json'),
    JSON.stringify({
      extends: './tsconfig.json',
      include: ['src/probes/index.ts', 'test/rules', 'parsers/node-list.ts'],
    }),
  )
  run('tsc', '--noEmit', '-p', 'tsconfig.page.json')
})

test('its own test passes, its parser’s fixtures do, and the layers stay apart', { timeout: 180_000 }, () => {
  const report = join(copy, 'report.json')
  run('vitest', 'run', '--reporter=json', `--outputFile=${report}`)
  const { numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
  expect(numFailedTests).toBe(0)
  const passed: string[] = testResults.flatMap((file: any) =>
    file.assertionResults.filter(({ status }: any) => status === 'passed').map(({ fullName }: any) => fullName),
  )
  expect(passed).toEqual(
    expect.arrayContaining([
      'the node of the destination has gone',
      'node-list 1.33--one-away.out',
      'node-list refuses 1.33--forbidden.refused',
      'imports point one way parsers/node-list.ts',
      'imports point one way src/rules/kubernetes-endpoints/server-node-not-ready.ts',
    ]),
  )
})
