import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { junit } from '../../src/report/junit.ts'
import { type LintEntry, type LintInput, lintReport } from '../../src/report/lint-report.ts'
import { sarif } from '../../src/report/sarif.ts'
import { quietEnv, runCli } from '../helpers/cli.ts'
import { hasShared } from '../helpers/shared.ts'
import { captureEnv } from '../helpers/walk-capture.ts'

const folder = mkdtempSync(join(tmpdir(), 'lint-'))
const disabled = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: plain
  namespace: bank
  annotations: {}
spec:
  host: vault.bank.svc.cluster.local
  trafficPolicy: {tls: {mode: DISABLE}}
`
function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const rule = file('rule.yaml', `# a comment first\n---${disabled}`)

async function lint(argv: readonly string[], more: Parameters<typeof runCli>[1] = {}) {
  const { code, stdout, stderr } = await runCli(['lint', '-o', 'json', ...argv], { cwd: folder, ...more })
  return { code, stderr, report: stdout === '' ? null : JSON.parse(stdout) }
}
const codes = (report: { findings: readonly LintEntry[] }) => report.findings.map(({ code }) => code)

describe('lint of files', () => {
  test('a finding names the object and the line where it begins', async () => {
    const { code, report } = await lint(['-f', rule, '--no-analyze'])
    expect(code).toBe(79)
    const found = report.findings.find((one: LintEntry) => one.code === 'lint-mtls-disabled')
    expect(found).toMatchObject({
      object: { kind: 'DestinationRule', namespace: 'bank', name: 'plain' },
      source: 'meshtriage',
      reference: `${rule}:3`,
    })
  })
  test('standard input and folders are read alike', async () => {
    mkdirSync(join(folder, 'mesh'), { recursive: true })
    writeFileSync(join(folder, 'mesh/a.yaml'), disabled)
    writeFileSync(join(folder, 'mesh/notes.txt'), 'not read')
    const piped = await lint(['-f', '-', '--no-analyze'], { stdin: disabled })
    const inFolder = await lint(['-f', join(folder, 'mesh'), '--no-analyze'])
    expect(codes(piped.report)).toEqual(codes(inFolder.report))
    expect(codes(piped.report).length).toBeGreaterThan(0)
  })
  test('thresholds: what is shown and what fails are two questions', async () => {
    const shown = await lint(['-f', rule, '--no-analyze', '--level', 'error'])
    expect(shown.report.findings.every(({ severity }: LintEntry) => severity === 'error')).toBe(true)
    const info = file(
      'wide.yaml',
      'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: allow, namespace: bank}\nspec: {rules: [{}]}\n',
    )
    const lenient = await lint(['-f', info, '--no-analyze'])
    const strict = await lint(['-f', info, '--no-analyze', '--fail-on', 'info', '--level', 'error'])
    expect(lenient.report.counts.error).toBe(0)
    expect([lenient.code, strict.code]).toEqual([0, 79])
    expect(strict.report.findings).toEqual([])
  })
  test('without istioctl half is unseen, and that is no clean bill', async () => {
    const clean = file('clean.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: bank}\n')
    const blind = await lint(['-f', clean])
    expect(blind.code).toBe(80)
    expect(blind.report.notRead[0]).toMatchObject({ what: 'istioctl analyze' })
    expect((await lint(['-f', clean, '--no-analyze'])).code).toBe(0)
    // A finding is a finding, whatever else could not be looked at.
    expect((await lint(['-f', rule])).code).toBe(79)
  })
  test('a suppression needs a reason, and ends on its day', async () => {
    const settings = (until: string, reason = 'being moved') =>
      writeFileSync(
        join(folder, '.meshtriage.yaml'),
        `suppress:\n  - code: lint-mtls-disabled\n    object: bank/pl*\n    reason: "${reason}"\n    until: ${until}\n`,
      )
    settings('2026-01-01')
    const holds = await lint(['-f', rule, '--no-analyze'])
    expect(codes(holds.report)).not.toContain('lint-mtls-disabled')
    expect(holds.report.suppressed[0]).toMatchObject({ reason: 'being moved', from: '.meshtriage.yaml' })
    expect(holds.code).toBe(0)
    settings('2025-12-31')
    const ended = await lint(['-f', rule, '--no-analyze'])
    expect(ended.code).toBe(79)
    expect(ended.report.suppressionProblems[0]).toContain('2025-12-31')
    settings('2026-01-01', '')
    expect((await lint(['-f', rule, '--no-analyze'])).report.suppressionProblems[0]).toContain('no reason')
    writeFileSync(join(folder, '.meshtriage.yaml'), '')
  })
  test('an annotation suppresses on its own object', async () => {
    const annotated = (text: string) =>
      disabled.replace('annotations: {}', `annotations: {meshtriage.io/suppress: "${text}"}`)
    const quiet = await lint([
      '-f',
      file('quiet.yaml', annotated('lint-mtls-disabled=old client;until=2026-06-01')),
      '--no-analyze',
    ])
    expect(codes(quiet.report)).not.toContain('lint-mtls-disabled')
    expect(quiet.report.suppressed[0].reason).toBe('old client')
    const bare = await lint(['-f', file('bare.yaml', annotated('lint-mtls-disabled=')), '--no-analyze'])
    expect(codes(bare.report)).toContain('lint-mtls-disabled')
    expect(bare.report.suppressionProblems[0]).toContain('no reason')
  })
  test('what came through a pipe lies on the disk only while istioctl reads it', async () => {
    const state = join(folder, 'state')
    await lint(['-f', '-'], { stdin: disabled, env: quietEnv({ XDG_STATE_HOME: state }) })
    expect(existsSync(join(state, 'meshtriage'))).toBe(true)
    expect(readdirSync(join(state, 'meshtriage'))).toEqual([])
  })
  test.each([
    [['-f', '-'], '', 65],
    [['-f', '-'], '\u0000\u0001PNG', 65],
    [['-f', 'nosuch.yaml'], undefined, 65],
    [['-f', '-', '-A'], disabled, 64],
    [['--level', 'loud', '-f', '-'], disabled, 64],
  ])('%j with %j exits %i', async (argv, stdin, exit) => {
    const { code, report } = await lint(argv, stdin === undefined ? {} : { stdin })
    expect([code, report]).toEqual([exit, null])
  })
})

describe.skipIf(!hasShared)('lint of a captured mesh', () => {
  test('both sources stand in one list, the worst first', async () => {
    const { code, report } = await lint(['-A'], { env: captureEnv('503-dr-disable-strict') })
    expect(code).toBe(79)
    expect(new Set(report.findings.map(({ source }: LintEntry) => source))).toEqual(new Set(['analyze', 'meshtriage']))
    const order = report.findings.map(({ severity }: LintEntry) => ['error', 'warning', 'info'].indexOf(severity))
    expect(order).toEqual([...order].sort())
  })
  test('a kind that may not be listed leaves it open', async () => {
    const { report } = await lint(['-n', 'pay'], {
      env: captureEnv('healthy-strict', {
        MESHBED_FORBID: 'list@destinationrules.networking.istio.io',
        MESHBED_GARBAGE: 'istioctl analyze',
      }),
    })
    expect(report.notRead.map(({ what }: { what: string }) => what).join(' ')).toMatch(
      /istioctl analyze.*destinationrules/,
    )
  })
})

describe('machine formats', () => {
  const entry = (more: Partial<LintEntry>): LintEntry => ({
    code: 'X1',
    severity: 'error',
    source: 'meshtriage',
    object: { kind: 'Gateway', namespace: 'a', name: 'b' },
    message: 'bad <thing> & "more" \u001b[31mred\u001b[0m ]]>',
    why: null,
    fix: 'mend it',
    reference: 'dir with blank/a.yaml:7',
    documentationUrl: null,
    ...more,
  })
  const input: LintInput = {
    scope: 'files',
    entries: [entry({}), entry({ code: 'X2', severity: 'info', reference: null, object: null }), entry({ code: 'X3' })],
    suppressions: [{ code: 'X3', object: null, reason: 'known', until: null, from: 'test' }],
    today: '2026-01-01',
    level: 'info',
    failOn: 'warning',
    skipped: [],
    notRead: [{ what: 'istioctl analyze', reason: 'forbidden', unlock: null }],
  }
  test('SARIF: levels, places, suppressions, and what could not be read', () => {
    const [run] = (sarif(lintReport(input), { name: 'meshtriage', version: '1.2.3' }) as any).runs
    expect(run.tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(['X1', 'X2', 'X3'])
    expect(run.results.map(({ level }: { level: string }) => level)).toEqual(['error', 'note', 'error'])
    expect(run.results[0].locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'dir%20with%20blank/a.yaml' },
      region: { startLine: 7 },
    })
    expect(run.results[2].suppressions[0].justification).toBe('known')
    expect(run.invocations[0].executionSuccessful).toBe(false)
    expect(JSON.stringify(run)).not.toContain('\\u001b')
  })
  test('JUnit: a failure, a note, a skipped one and an error, in well-formed XML', () => {
    const xml = junit(lintReport(input))
    expect(xml).toContain('tests="4" failures="1" errors="1" skipped="1"')
    expect(xml).toContain('bad &lt;thing&gt; &amp; &quot;more&quot; red ]]&gt;')
    expect(xml.match(/<(failure|skipped|error|system-out)\b/g)).toHaveLength(4)
    expect(xml.match(/<testcase /g)?.length).toBe(xml.match(/<\/testcase>/g)?.length)
    expect(xml).not.toContain('\u001b')
  })
})
