import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Runbook } from '../../src/model/runbook.ts'
import { runbookMermaid, runbookOutline } from '../../src/report/runbook-graph.ts'
import { quietEnv, runCli } from '../helpers/cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'meshtriage-runbook-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const env = quietEnv()

const branching = Runbook.parse({
  id: 'mine',
  title: 'Mine "quoted"',
  says: ['x'],
  symptoms: ['503'],
  about: 'x',
  steps: [
    {
      id: 'end',
      label: 'end',
      layer: 'app',
      title: 'a <b>bold</b> step | with "marks"',
      proves: 'x',
      ask: {
        id: 'since',
        text: 'Since when?',
        why: 'x',
        choices: [
          { id: 'now', label: 'now' },
          { id: 'unknown', label: '?' },
        ],
      },
      next: [
        {
          when: {
            all: [{ found: 'a-rule' }, { not: { any: [{ missing: 'server.accessLog' }, { answer: 'since:now' }] } }],
          },
          goto: 'last',
          because: 'x',
        },
        { goto: 'diagnosis', because: 'x' },
      ],
    },
    {
      id: 'last',
      label: 'last',
      layer: 'app',
      title: 'last',
      proves: 'x',
      next: [{ goto: 'diagnosis', because: 'x' }],
    },
  ],
})

describe('runbook', () => {
  test('list has every symptom that can be diagnosed', async () => {
    const { code, stdout } = await runCli(['runbook', 'list', '-o', 'json'], { env })
    expect(code).toBe(0)
    const symptoms = JSON.parse(stdout).flatMap((book: any) => book.symptoms)
    expect(symptoms).toEqual(
      expect.arrayContaining(['401', '403', '404', '503', 'reset', 'tls', 'not-applied', 'not-injected']),
    )
  })

  test('show says what each step proves and looks at; -o yaml is a file that passes lint', async () => {
    const { stdout } = await runCli(['runbook', 'show', '503'], { env })
    expect(stdout).toContain('looks at:')
    const yaml = (await runCli(['runbook', 'show', 'http-503', '-o', 'yaml'], { env })).stdout
    const path = join(folder, 'copy.yaml')
    writeFileSync(path, yaml)
    const lint = await runCli(['runbook', 'lint', path], { env })
    expect([lint.code, lint.stdout]).toEqual([0, ''])
    writeFileSync(path, yaml.replace('mesh.kubeVersion', 'mesh.nothing').replace('goto: analyze', 'goto: nowhere'))
    const broken = await runCli(['runbook', 'lint', path], { env })
    expect(broken.code).toBe(65)
    expect(broken.stdout).toMatch(/copy\.yaml:\d+:\d+: no such evidence: mesh\.nothing/)
    expect(broken.stdout).toMatch(/no step is called nowhere/)
  })

  test('graph draws every built-in runbook with all of its steps', async () => {
    const books = JSON.parse((await runCli(['runbook', 'list', '-o', 'json'], { env })).stdout)
    for (const { id, steps } of books) {
      const { code, stdout } = await runCli(['runbook', 'graph', id, '-o', 'mermaid'], { env })
      expect(code).toBe(0)
      expect(stdout.match(/^ {2}step_\w+\[/gm), id).toHaveLength(steps)
    }
  })

  test('words of Mermaid and marks of HTML stay text', () => {
    const drawing = runbookMermaid(branching)
    expect(drawing).toContain('step_end["end #40;app#41;<br>a #60;b#62;bold#60;/b#62; step #124; with #34;marks#34;"]')
    expect(drawing).toMatch(/step_end -->\|".*not #40;.* or .*#41;.*"\| step_last/)
    expect(drawing).toContain('step_end --> diagnosis')
  })

  test('the outline says conditions in words', () => {
    expect(runbookOutline(branching, { width: 200 })).toContain(
      'if a-rule was found and not (server.accessLog could not be had or since is answered with now) → last',
    )
  })

  test.each([
    ['--help', ['--help'], '', 0, /Examples:/, /^$/],
    ['a wrong flag', ['list', '--nope'], '', 64, /^$/, /unknown option/],
    ['an unknown runbook', ['show', 'http-505'], '', 64, /^$/, /did you mean http-50/],
    ['a file that is not there', ['lint', '/nowhere.yaml'], '', 65, /^$/, /cannot read/],
    ['empty input', ['lint', '-'], '', 65, /-:1:1/, /^$/],
    ['binary input', ['lint', '-'], '\u0000\u0001{', 65, /-:\d+:\d+/, /^$/],
    ['nothing of one’s own', ['lint'], '', 64, /^$/, /which file/],
  ])('%s', async (_name, argv, stdin, code, stdout, stderr) => {
    const result = await runCli(['runbook', ...argv], { env, stdin })
    expect(result.code).toBe(code)
    expect(result.stdout).toMatch(stdout)
    expect(result.stderr).toMatch(stderr)
  })
})
