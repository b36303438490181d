import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { quietEnv, runCli } from '../helpers/cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'meshtriage-note-'))
const files = { broken: join(folder, 'broken.json'), healthy: join(folder, 'healthy.json') }
beforeAll(async () => {
  for (const [demo, path] of [
    ['tls-conflict', files.broken],
    ['healthy', files.healthy],
  ] as const)
    writeFileSync(path, (await runCli(['demo', demo, '-o', 'json', '-q'], { env: quietEnv({ HOME: folder }) })).stdout)
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('note', () => {
  test('show draws the note as the walk did', async () => {
    const { code, stdout } = await runCli(['note', 'show', files.broken])
    expect(code).toBe(0)
    expect(stdout).toContain('Who answered')
  })

  test.each([
    ['markdown', /^#/m],
    ['html', /<!doctype html>/i],
    ['slack', /\*/],
    ['yaml', /^kind: IncidentNote/m],
    ['short', /call:/],
  ])('render -o %s', async (format, looks) => {
    const { code, stdout } = await runCli(['note', 'render', files.broken, '-o', format])
    expect(code).toBe(0)
    expect(stdout).toMatch(looks)
  })

  test('a note goes through JSON and a pipe unchanged', async () => {
    const { readFileSync } = await import('node:fs')
    const text = readFileSync(files.broken, 'utf8')
    const { stdout } = await runCli(['note', 'render', '-', '-o', 'json'], { stdin: text })
    expect(JSON.parse(stdout)).toEqual(JSON.parse(text))
  })

  test('compare says what came and what went, in words and in the exit code', async () => {
    const worse = await runCli(['note', 'compare', files.healthy, files.broken, '-o', 'json'])
    expect(worse.code).toBe(79)
    expect(JSON.parse(worse.stdout).introduced.length).toBeGreaterThan(0)
    const same = await runCli(['note', 'compare', files.broken, files.broken])
    expect(same.code).toBe(0)
    expect(same.stdout).toContain('Introduced: none')
  })

  test('schema prints the schema that is shipped', async () => {
    const { readFileSync } = await import('node:fs')
    const shipped = new URL('../../schemas/incident-note-1.0.schema.json', import.meta.url)
    expect(JSON.parse((await runCli(['note', 'schema'])).stdout)).toEqual(JSON.parse(readFileSync(shipped, 'utf8')))
  })

  test('what a note claims without evidence is said', async () => {
    const { readFileSync } = await import('node:fs')
    const note = JSON.parse(readFileSync(files.broken, 'utf8'))
    note.causes[0].supporting = ['E999']
    const { stderr } = await runCli(['note', 'show', '-'], { stdin: JSON.stringify(note) })
    expect(stderr).toContain('E999')
  })

  test.each([
    ['--help', ['--help'], '', 0, /Examples:/, /^$/],
    ['a wrong flag', ['show', '--nope'], '', 64, /^$/, /unknown option/],
    ['nothing to show', ['show'], '', 64, /^$/, /which note/],
    ['no such file', ['show', '/nowhere.json'], '', 65, /^$/, /no such file/],
    ['empty input', ['show', '-'], '', 65, /^$/, /not JSON/],
    ['binary input', ['show', '-'], '\u0000\u0001\u00ff', 65, /^$/, /not JSON/],
    ['JSON that is no note', ['render', '-'], '{"kind":"Pod"}', 65, /^$/, /no incident note/],
    [
      'a later major version',
      ['render', '-'],
      '{"kind":"IncidentNote","schemaVersion":"2.0"}',
      65,
      /^$/,
      /schema version 2\.0/,
    ],
    ['compare with one note', ['compare', '/a'], '', 64, /^$/, /missing required argument/],
  ])('%s', async (_name, argv, stdin, code, stdout, stderr) => {
    const result = await runCli(['note', ...argv], { stdin, env: quietEnv() })
    expect(result.code).toBe(code)
    expect(result.stdout).toMatch(stdout)
    expect(result.stderr).toMatch(stderr)
  })
})
