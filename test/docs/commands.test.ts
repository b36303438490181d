import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { builtMain, workFolder } from '../e2e/built-cli.ts'
import { hasShared, meshesFolder, sharedFolder } from '../helpers/shared.ts'
import { blocksOf, fileOn, readPage, root } from './pages.ts'

// Every command line that a page tells people to type is typed here: against a recorded cluster where the captures are
// at hand, else against none, where it still has to be a command line that the program takes.

const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...docs()]
const place = join(workFolder, 'typed')
const exits = hasShared ? [0, 79, 80] : [0, 65, 69, 77, 79, 80]

interface Typed {
  readonly line: string
  /** Commands that open a screen are asked for their help: there is no terminal here. */
  readonly command: string
}

const typed = pages.flatMap((page) =>
  blocksOf(readPage(page))
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => /(?:^|[|(]\s*|\bnpx )(?:kubectl )?meshtriage\b/.test(line))
    .map((line): [string, Typed] => [page, { line, command: runnable(line) }]),
)

function runnable(line: string): string {
  const plain = line.replace(/^source <\((.*)\)$/, '$1').replace(/^npx /, '')
  return /^meshtriage( --(from|to) \S+)*$/.test(plain) ? `${plain} --help` : plain
}

beforeAll(() => {
  const bin = join(place, 'bin')
  const sessions = join(place, 'state/meshtriage/sessions')
  for (const folder of [bin, sessions, join(place, 'policies'), join(place, '.config/fish/completions')])
    mkdirSync(folder, { recursive: true })
  for (const name of ['meshtriage', 'kubectl-meshtriage']) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec '${process.execPath}' '${builtMain()}' "$@"\n`)
    chmodSync(join(bin, name), 0o755)
  }
  // What the pages name: notes, files, a session.
  const note = bash('meshtriage demo deny -o json -q').stdout
  for (const name of ['note.json', 'before.json', 'after.json']) writeFileSync(join(place, name), note)
  writeFileSync(join(place, 'payments-503.yaml'), fileOn('docs/writing-a-runbook.md', 'payments-503.yaml'))
  writeFileSync(
    join(place, 'policies/p.yaml'),
    'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: ledger, namespace: pay }\nspec:\n  selector: { matchLabels: { app: ledger } }\n  rules: [{}]\n',
  )
  mkdirSync(join(place, 'runbooks'))
  execFileSync('cp', ['-r', join(root, 'runbooks'), place])
  if (hasShared) {
    const archive = readdirSync(join(sharedFolder, 'archives')).find((name) => name.endsWith('.tar.gz')) ?? ''
    copyFileSync(join(sharedFolder, 'archives', archive), join(place, 'bug-report.tar.gz'))
    bash('meshtriage diagnose 503 --from deploy/web.shop --to svc/ledger.pay:8080 -q -o json > note.json')
  }
}, 120_000)

describe('every command on a page is one', () => {
  const seen = new Set<string>()
  for (const [page, { line, command }] of typed) {
    if (seen.has(command)) continue
    seen.add(command)
    const needsSession = /\bSESSION\b|sessions list|note show/.test(command)
    // Without the captures there is no session to name; and jq is not everywhere.
    test.skipIf((needsSession && !hasShared) || (/\bjq\b/.test(command) && !hasJq()))(
      `${page}: ${line}`,
      { timeout: 120_000 },
      () => {
        const { status, stderr } = bash(command.replace(/\bSESSION\b/, session()))
        expect(stderr).not.toMatch(/unknown (?:option|command)|too many arguments|missing required|^\s+at .*\.js:/m)
        expect(exits, stderr).toContain(status)
      },
    )
  }
  test('there are enough of them for this test to mean something', () => {
    expect(seen.size).toBeGreaterThan(30)
  })
  test('a command that is none would be seen', () => {
    expect(exits).not.toContain(bash('meshtriage diagnose 503 --form deploy/web.shop').status)
  })
})

function session(): string {
  const folder = join(place, 'state/meshtriage/sessions')
  const [name] = readdirSync(folder)
  return name === undefined ? '' : join(folder, name)
}

function hasJq(): boolean {
  return spawnSync('sh', ['-c', 'command -v jq'], { stdio: 'ignore' }).status === 0
}

function bash(command: string) {
  return spawnSync('bash', ['-c', command], {
    cwd: place,
    encoding: 'utf8',
    input: '',
    env: {
      PATH: [
        join(place, 'bin'),
        ...(hasShared ? [join(sharedFolder, 'meshbed/bin')] : []),
        dirname(process.execPath),
        '/usr/bin',
        '/bin',
      ].join(delimiter),
      HOME: place,
      XDG_STATE_HOME: join(place, 'state'),
      XDG_CONFIG_HOME: join(place, '.config'),
      MESHBED: join(meshesFolder, '503-dr-disable-strict'),
      NO_COLOR: '1',
    },
  })
}

function docs(): string[] {
  return readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
}
